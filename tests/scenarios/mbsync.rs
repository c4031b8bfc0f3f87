//! mbsync mirrors a large mailbox.

use crate::ALICE;
use concord_testkit::{Concord, Finished, PASSWORD, Result, Sample, run};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const MESSAGES: usize = 10_000;
/// Ten thousand messages through a debug build.
const LIMIT: Duration = Duration::from_secs(300);

fn fill(server: &Concord) -> Result<()> {
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let mut session = server.smtp()?;
            Ok(std::thread::spawn(move || -> Result<()> {
                session.hello()?;
                for n in (worker..MESSAGES).step_by(4) {
                    let id = format!("m{n}@stranger.test");
                    let sample = Sample::new(&id, "a@stranger.test", ALICE).size(600).octets();
                    let reply = session.send("a@stranger.test", &[ALICE], &sample)?;
                    assert_eq!(reply.code, 250, "{reply:?}");
                }
                Ok(())
            }))
        })
        .collect::<Result<_>>()?;
    for worker in workers {
        worker.join().unwrap()?;
    }
    Ok(())
}

fn sync(directory: &Path) -> Result<Finished> {
    let mut mbsync = Command::new("mbsync");
    mbsync.arg("-c").arg(directory.join("rc")).args(["-V", "mirror"]).env("HOME", directory);
    run(&mut mbsync, LIMIT)?.ok()
}

fn files(directory: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in ["cur", "new"] {
        for entry in std::fs::read_dir(directory.join("mail/INBOX").join(folder))? {
            names.push(format!("{folder}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    names.sort();
    Ok(names)
}

#[test]
fn mbsync_mirrors_10000_messages_and_finds_nothing_to_do() -> Result<()> {
    let server = Concord::start(|_| {})?;
    fill(&server)?;
    let scratch = tempfile::tempdir()?;
    let (directory, at) = (scratch.path(), server.address("imap"));
    std::fs::create_dir_all(directory.join("mail"))?;
    std::fs::write(
        directory.join("rc"),
        format!(
            "IMAPAccount concord\nHost 127.0.0.1\nPort {port}\nUser {ALICE}\nPass {PASSWORD}\n\
             SSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount concord\n\n\
             MaildirStore near\nPath {dir}/mail/\nInbox {dir}/mail/INBOX\nSubFolders Verbatim\n\n\
             Channel mirror\nFar :far:\nNear :near:\nPatterns INBOX\nSync All\nCreate Both\n\
             Expunge Both\nSyncState *\n",
            port = at.port(),
            dir = directory.display()
        ),
    )?;
    sync(directory)?;
    assert_eq!(files(directory)?.len(), MESSAGES, "the first run copies everything");

    // Changes on both sides.
    let mut imap = server.imap(ALICE)?;
    imap.select("INBOX")?;
    imap.must("STORE 1:50 +FLAGS.SILENT (\\Flagged)")?;
    imap.must("STORE 51:60 +FLAGS.SILENT (\\Deleted)")?;
    imap.must("EXPUNGE")?;
    let local = Sample::new("local@example.test", ALICE, ALICE).octets();
    let local = String::from_utf8_lossy(&local).replace("\r\n", "\n");
    std::fs::write(directory.join("mail/INBOX/cur/1700000000.1_1.here:2,S"), local)?;
    sync(directory)?;
    assert_eq!(files(directory)?.len(), MESSAGES - 10 + 1);
    let flagged = files(directory)?
        .iter()
        .filter(|f| f.split(",").last().is_some_and(|l| l.contains('F')))
        .count();
    assert_eq!(flagged, 50, "flags reach the mirror");
    let ids = server.imap(ALICE)?.headers("INBOX", "Message-ID")?;
    assert_eq!(ids.len(), MESSAGES - 10 + 1);
    assert!(ids.contains(&"local@example.test".to_owned()), "the local message is on the server");

    let before = (files(directory)?, highest_modseq(&server)?);
    let third = sync(directory)?;
    assert_eq!(
        (files(directory)?, highest_modseq(&server)?),
        before,
        "the third run changes nothing"
    );
    let said = format!("{}{}", third.stdout, third.stderr);
    for word in ["Pushing", "Pulling", "Propagating"] {
        assert!(!said.contains(word), "{said}");
    }
    Ok(())
}

fn highest_modseq(server: &Concord) -> Result<String> {
    let lines = server.imap(ALICE)?.must("STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)")?;
    Ok(lines.first().map(|l| l.text.clone()).unwrap_or_default())
}
