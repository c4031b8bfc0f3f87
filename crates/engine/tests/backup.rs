//! Backups, and reading them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

mod common;

use bytes::Bytes;
use common::{Harness, submission, to_mailbox};
use concord_base::{Fault, FolderId, MailboxId, MessageId};
use concord_directory::{Directory, Kind};
use concord_engine::offline::{self, Reading};
use concord_engine::{Embedded, EngineOptions};
use concord_store::{FlagChange, FlagSet, FolderName, Store, SystemFlags, UidSet};
use concord_transport::Queue;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn take_in(h: &Harness, mailbox: MailboxId, subject: &str, octets: usize) {
    let mut sent = submission(subject, vec![to_mailbox(mailbox)]);
    let mut body = h.engine().begin_body(None).await.unwrap();
    let text = format!("Subject: {subject}\r\n\r\n{}\r\n", "x".repeat(octets));
    body.write(Bytes::from(text)).await.unwrap();
    sent.body = body.finish().await.unwrap();
    h.engine().take_in(sent).await.unwrap();
}

async fn inbox(h: &Harness, mailbox: MailboxId) -> FolderId {
    h.engine().folder(mailbox, &FolderName::inbox()).await.unwrap().unwrap().id
}

async fn expunge(h: &Harness, folder: FolderId, uids: &UidSet) {
    let deleted = FlagChange::Add(FlagSet::system(SystemFlags::DELETED));
    h.engine().store_flags(folder, uids, deleted, None).await.unwrap();
    h.engine().expunge(folder, uids).await.unwrap();
}

/// The picture of a backup, opened as an engine's directory. Its own copy, so
/// that it stays a backup.
async fn picture_of(h: &Harness, backup: &Path, mailboxes: &[MailboxId]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("data");
    copy(backup, &directory);
    let options = EngineOptions { directory, ..h.options() };
    let report = offline::verify(&options).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let (engine, report) = Embedded::open(options).await.unwrap();
    assert_eq!(report.damage, []);
    let mut other = Harness { scratch, clock: Arc::clone(&h.clock), engine: None, report };
    other.engine = Some(engine);
    other.picture(mailboxes).await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    found
}

fn to(h: &Harness, name: &str) -> PathBuf {
    h.scratch.path().join(name)
}

#[tokio::test]
async fn a_backup_has_what_was_there_and_the_next_one_links_what_stayed() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    for n in 0..20 {
        take_in(&h, alice, &format!("m{n}"), 3_000).await;
    }
    take_in(&h, alice, "large", 100_000).await;
    let picture = h.picture(&[alice]).await;
    let mut steps = 0;
    let counted = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&counted);
    let first = to(&h, "first");
    let report =
        h.engine().backup(&first, None, move |s| told.lock().unwrap().push(s)).await.unwrap();
    for step in counted.lock().unwrap().iter() {
        assert!(step.total == 0 || step.done <= step.total);
        steps += 1;
    }
    assert!(steps > 3 && report.segments > 3 && report.large_bodies == 1, "{report:?}");
    assert_eq!(report.linked_octets, 0);
    assert_eq!(picture_of(&h, &first, &[alice]).await, picture);

    take_in(&h, alice, "more", 3_000).await;
    let picture = h.picture(&[alice]).await;
    let second = to(&h, "second");
    let report = h.engine().backup(&second, Some(&first), |_| {}).await.unwrap();
    assert!(report.linked_octets > 100_000, "{report:?}");
    assert_eq!(picture_of(&h, &second, &[alice]).await, picture);
    let segment = "log/0000000000000001.seg";
    let inode = |d: &Path| std::fs::metadata(d.join(segment)).unwrap().ino();
    assert_eq!(inode(&first), inode(&second));
    assert_ne!(
        inode(&first),
        std::fs::metadata(h.options().directory.join(segment)).unwrap().ino()
    );
    let error = h.engine().backup(&second, None, |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "storage.unfit");
}

#[tokio::test]
async fn a_backup_beside_mail_deletions_and_compaction_is_whole() {
    let h = Arc::new(Harness::new().await);
    let alice = h.mailbox("alice").await;
    let folder = inbox(&h, alice).await;
    for n in 0..30 {
        take_in(&h, alice, &format!("m{n}"), if n % 5 == 0 { 70_000 } else { 3_000 }).await;
    }
    let over = Arc::new(AtomicBool::new(false));
    let (end, busy) = (Arc::clone(&over), Arc::clone(&h));
    let work = tokio::spawn(async move {
        let mut n = 0;
        while !end.load(Ordering::Relaxed) {
            n += 1;
            take_in(&busy, alice, &format!("w{n}"), if n % 3 == 0 { 70_000 } else { 2_000 }).await;
            let uids = UidSet::from_ranges([(n, n)]);
            expunge(&busy, folder, &uids).await;
            busy.engine().compact(60).await.unwrap();
        }
    });
    let mut previous: Option<PathBuf> = None;
    for n in 0..8 {
        let target = to(&h, &format!("b{n}"));
        h.engine().backup(&target, previous.as_deref(), |_| {}).await.unwrap();
        let reading = Reading::open(&target).unwrap();
        assert_eq!(reading.quick_check().unwrap(), Vec::<String>::new());
        let items = reading.items(folder).unwrap();
        assert!(!items.is_empty());
        for item in items {
            let body = reading.body(item.message).unwrap().unwrap();
            assert_eq!((body.len() as u64, crc32c::crc32c(&body)), (item.octets, item.crc));
        }
        picture_of(&h, &target, &[alice]).await;
        previous = Some(target);
    }
    over.store(true, Ordering::Relaxed);
    work.await.unwrap();
    // What died during the backups is gone now.
    let live =
        h.engine().items(folder).await.unwrap().0.iter().filter(|i| i.octets > 65_536).count();
    assert_eq!(names(&h.options().directory.join("large")).len(), live);
}

#[tokio::test]
async fn a_backup_without_a_core_has_what_only_the_log_has() {
    let mut h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    take_in(&h, alice, "in the index", 100).await;
    let old = to(&h, "old.db");
    offline::snapshot_index(&h.options(), &old).unwrap();
    take_in(&h, alice, "in the log", 100).await;
    take_in(&h, alice, "large and in the log", 70_000).await;
    let picture = h.picture(&[alice]).await;
    let target = to(&h, "backup");
    assert!(offline::backup(&h.options(), &target, None, &mut |_| {}).is_err(), "it runs");
    h.engine = None;
    // As after a crash that cost the index its newest part.
    offline::put_index_back(&h.options(), &old).unwrap();
    let report = offline::backup(&h.options(), &target, None, &mut |_| {}).unwrap();
    assert_eq!(report.large_bodies, 1);
    assert_eq!(picture_of(&h, &target, &[alice]).await, picture);
}

#[tokio::test]
async fn an_empty_store_can_be_backed_up() {
    let h = Harness::new().await;
    let target = to(&h, "backup");
    h.engine().backup(&target, None, |_| {}).await.unwrap();
    picture_of(&h, &target, &[]).await;
}

#[tokio::test]
async fn a_reading_shows_what_is_there_and_changes_nothing() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let bob = h.mailbox("bob").await;
    let message = h.engine().take_in(submission("hello", vec![to_mailbox(alice)])).await.unwrap();
    take_in(&h, alice, "large", 70_000).await;
    let target = to(&h, "strange name ?#%");
    let report = h.engine().backup(&target, None, |_| {}).await.unwrap();
    let before = (names(&target), names(&target.join("log")), names(&target.join("large")));
    let reading = Reading::open(&target).unwrap();
    assert!(reading.is_of(&report));
    assert_eq!(reading.schema(), h.options().schema.version());
    let lineage = offline::lineage(&h.options()).unwrap().unwrap();
    assert_eq!(reading.log_id(), lineage.into_bytes());
    assert_eq!(reading.position(), report.position);
    assert_eq!(reading.object_count(Kind::Mailbox).unwrap(), 2);
    assert_eq!(reading.objects().unwrap().len(), 2);
    assert_eq!(reading.message_count().unwrap(), 2);
    let folders = reading.folders(alice).unwrap();
    assert_eq!(folders, h.engine().folders(alice).await.unwrap());
    let items = reading.items(inbox(&h, alice).await).unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((items[0].message, items[0].header_id.as_deref()), (message, Some("hello@test")));
    for id in ["hello@test", "<hello@test>", &concord_base::QueueId(message).to_string()] {
        assert_eq!(reading.find_message(id).unwrap(), [message], "{id}");
    }
    assert!(reading.find_message("Q999").unwrap().is_empty());
    assert!(reading.body(message).unwrap().unwrap().starts_with(b"Subject: hello"));
    assert!(reading.body(items[1].message).unwrap().unwrap().len() > 70_000);
    let all = [message, items[1].message];
    assert_eq!(reading.messages_after(MessageId(0), 10).unwrap(), all);
    assert_eq!(reading.messages_after(MessageId(0), 1).unwrap(), all[..1]);
    assert_eq!(reading.messages_after(message, 10).unwrap(), all[1..]);
    let places = reading.places(message).unwrap();
    assert_eq!(places, [(alice, "INBOX".to_owned(), items[0].clone())]);
    assert_eq!(reading.delivery_count().unwrap(), 0);
    assert!(reading.mailboxes_without_object().unwrap().is_empty());
    assert!(reading.objects_without_mailbox().unwrap().is_empty());
    let after = (names(&target), names(&target.join("log")), names(&target.join("large")));
    assert_eq!(after, before);
    drop(reading);

    let db = rusqlite::Connection::open(target.join("index.db")).unwrap();
    db.execute("DELETE FROM object WHERE id = ?1", [alice.0 as i64]).unwrap();
    db.execute("DELETE FROM folder WHERE mailbox = ?1", [bob.0 as i64]).unwrap();
    drop(db);
    let reading = Reading::open(&target).unwrap();
    assert_eq!(reading.mailboxes_without_object().unwrap(), [alice]);
    assert_eq!(reading.objects_without_mailbox().unwrap().len(), 1);
    let large = target.join("large").join(names(&target.join("large"))[0].clone());
    let mut octets = std::fs::read(&large).unwrap();
    octets[100] ^= 1;
    std::fs::write(&large, octets).unwrap();
    assert_eq!(reading.body(items[1].message).unwrap_err().code(), "storage.damaged");
    assert!(h.engine().find(Kind::Mailbox, "alice").await.unwrap().is_some());
}

#[tokio::test]
async fn an_index_is_not_made_from_a_log_without_its_beginning() {
    let mut h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    take_in(&h, alice, "x", 20_000).await;
    take_in(&h, alice, "y", 20_000).await;
    let target = to(&h, "backup");
    h.engine().backup(&target, None, |_| {}).await.unwrap();
    h.engine = None;
    std::fs::remove_file(target.join("log/0000000000000001.seg")).unwrap();
    let options = EngineOptions { directory: target, ..h.options() };
    assert_eq!(offline::rebuild(&options).unwrap_err().code(), "storage.unfit");
    assert!(options.directory.join("index.db").exists(), "the only index there is stays");
}
