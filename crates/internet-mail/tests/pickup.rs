//! Messages that programs leave as files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::World;
use concord_mail_policy::{Live, Policy};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIZE: u64 = 100_000;

async fn world(root: &Path) -> (World, PathBuf) {
    let policy = Policy::parse("[pickup]\ndirectory = 'pickup'\n").unwrap();
    let root = root.to_owned();
    let pickup = root.join("pickup");
    let world = World::start(|config| {
        config.policy = Arc::new(Live::fixed(policy));
        config.root = root;
        config.message_size = SIZE;
    })
    .await;
    (world, pickup)
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn reason(pickup: &Path, name: &str) -> String {
    fs::read_to_string(pickup.join(format!("bad/{name}.reason.txt"))).unwrap_or_default()
}

/// T25, T26, T28, T31
#[tokio::test]
async fn whole_files_are_sent_bad_ones_are_put_aside_and_nothing_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let (world, pickup) = world(root.path()).await;
    until("the directory is made", || pickup.join("bad").is_dir()).await;
    let write = |name: &str, text: &str| fs::write(pickup.join(name), text).unwrap();
    write(
        "good.eml",
        "X-Sender: app@example.test\nX-Receiver: a@example.test\nFrom: boss@example.test\n\
         To: all@example.test\nSubject: dots\n\nbefore\n.\nQUIT\n..\nafter",
    );
    write("half.eml", "From: a@example.test\nTo: b@example.test\n\nnobody, refused");
    write("unfinished.eml.tmp", "From: a@exam");
    write("nobody.eml", "From: a@example.test\n\nbody");
    write("refused.eml", "X-Sender: a@example.test\nX-Receiver: refused@example.test\n\nbody");
    write(
        "mixed.eml",
        "X-Sender: a@example.test\nX-Receiver: refused@example.test\n\
         X-Receiver: b@example.test\nMessage-ID: <mixed@x>\n\nbody",
    );
    // Sparse: a program ran wild (Q272506).
    fs::File::create(pickup.join("huge.eml")).unwrap().set_len(16 << 30).unwrap();
    fs::create_dir(pickup.join("directory")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", pickup.join("link")).unwrap();
    until("all files are gone", || {
        let left = fs::read_dir(&pickup).unwrap().map(|e| e.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        left == ["bad", "directory", "link", "taken", "unfinished.eml.tmp"]
            && fs::read_dir(pickup.join("taken")).unwrap().count() == 0
    })
    .await;
    let all = world.core.all();
    let of = |from: &str, to: &str| {
        let fits = |seen: &&common::recorder::Seen| {
            seen.mail.contains(from) && seen.rcpts.iter().any(|rcpt| rcpt.contains(to))
        };
        all.iter().find(fits).unwrap_or_else(|| panic!("{from} {to}: {all:?}"))
    };
    let good = of("app@example.test", "a@example.test");
    let text = String::from_utf8_lossy(&good.body);
    assert!(text.ends_with("\r\n\r\nbefore\r\n.\r\nQUIT\r\n..\r\nafter\r\n"), "{text}");
    assert!(text.contains("To: all@example.test\r\n") && !text.contains("X-Sender"), "{text}");
    assert!(text.contains("Message-ID: <pickup.") && text.contains("Date: "), "{text}");
    let forward = good.xforward.clone().unwrap();
    assert_eq!(
        (forward.source.as_deref(), forward.proto.as_deref()),
        (Some("LOCAL"), Some("PICKUP"))
    );
    of("a@example.test", "b@example.test");
    assert!(reason(&pickup, "nobody.eml").contains("nobody gets it"));
    until("the last reason is written", || {
        reason(&pickup, "refused.eml").contains("refused@example.test: 550")
    })
    .await;
    let mixed = reason(&pickup, "mixed.eml");
    assert!(mixed.contains("it was sent") && !mixed.contains("b@example.test:"), "{mixed}");
    assert!(reason(&pickup, "huge.eml").contains("17179869184 octets"));
    assert!(pickup.join("bad/huge.eml").exists());
    // Somebody removes the directory (Q231737).
    fs::remove_dir_all(&pickup).unwrap();
    until("the directory is made again", || pickup.join("taken").is_dir()).await;
    let before = world.core.messages();
    fs::write(pickup.join("again.eml"), "From: a@example.test\nTo: b@example.test\n\nx").unwrap();
    until("it is sent", || world.core.messages() > before).await;
}

/// Q250441
#[tokio::test]
async fn a_file_that_is_written_slowly_is_sent_whole() {
    use std::io::Write;
    let root = tempfile::tempdir().unwrap();
    let (world, pickup) = world(root.path()).await;
    until("the directory is made", || pickup.is_dir()).await;
    let mut file = fs::File::create(pickup.join("slow.eml")).unwrap();
    file.write_all(b"From: a@example.test\nTo: b@example.test\n\n").unwrap();
    for line in 0..7 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        writeln!(file, "line {line}").unwrap();
        assert_eq!(world.core.messages(), 0);
    }
    drop(file);
    until("it is sent", || world.core.messages() == 1).await;
    assert!(world.core.last().body.ends_with(b"line 5\r\nline 6\r\n"));
    assert!(!pickup.join("slow.eml").exists());
}

#[tokio::test]
async fn what_the_core_cannot_take_now_waits_in_taken() {
    let root = tempfile::tempdir().unwrap();
    let (world, pickup) = world(root.path()).await;
    world.core_stop.cancel();
    fs::remove_file(world.core_socket()).unwrap();
    until("the directory is made", || pickup.is_dir()).await;
    fs::write(pickup.join("early.eml"), "From: a@example.test\nTo: b@example.test\n\nx").unwrap();
    until("it is taken", || pickup.join("taken/early.eml").exists()).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(pickup.join("taken/early.eml").exists(), "nothing is lost");
    assert_eq!(fs::read_dir(pickup.join("bad")).unwrap().count(), 0);
}

/// Q221432
#[tokio::test]
async fn a_file_that_cannot_be_moved_is_not_sent() {
    let root = tempfile::tempdir().unwrap();
    let (world, pickup) = world(root.path()).await;
    until("the directory is made", || pickup.join("bad").is_dir()).await;
    // What takes files is a file: nothing can be moved there.
    fs::remove_dir(pickup.join("taken")).unwrap();
    fs::write(pickup.join("taken"), "in the way").unwrap();
    fs::write(pickup.join("a.eml"), "From: a@example.test\nTo: b@example.test\n\nx").unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(world.core.messages(), 0);
    assert!(pickup.join("a.eml").exists(), "nothing is lost");
    fs::remove_file(pickup.join("taken")).unwrap();
    until("it is sent when it can be", || world.core.messages() == 1).await;
}
