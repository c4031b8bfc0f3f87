//! Debian's rspamd and ClamAV in the way of mail through the running server.

use crate::{BOB, SOON, rows, text, wait_for_messages};
use concord_testkit::{
    ClamAv, Concord, Reply, Result, Rspamd, Sample, eicar, gtube, trouble, wait_until,
};

const STRANGER: &str = "ann@stranger.test";

/// Programs on this machine are taken for ours, unless a row says otherwise.
const FROM_OUTSIDE: &str = "[[host]]\nnetwork = '127.0.0.0/8'\n\
                            [authentication]\nenabled = false\n";

fn policy(server: &Concord, filters: &str) -> Result<()> {
    let file = server.root().join("etc/internet-mail.toml");
    std::fs::write(file, format!("{FROM_OUTSIDE}{filters}"))?;
    // A change is seen within a second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    Ok(())
}

fn milter(port: u16, on_failure: &str) -> String {
    format!(
        "[[filter]]\nname = 'clamav'\nkind = 'milter'\naddress = '127.0.0.1:{port}'\n\
         timeout = '20 s'\non-failure = '{on_failure}'\n"
    )
}

fn message(id: &str, body: &str) -> Vec<u8> {
    let head = Sample::new(id, STRANGER, BOB).size(0).octets();
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = head.split("\r\n\r\n").next().unwrap_or_default();
    format!("{header}\r\n\r\n{body}\r\n").into_bytes()
}

fn send(server: &Concord, id: &str, body: &str) -> Result<Reply> {
    let mut session = server.smtp()?;
    session.hello()?;
    session.send(STRANGER, &[BOB], &message(id, body))
}

fn taken(reply: Reply) -> Result<()> {
    if reply.code == 250 { Ok(()) } else { Err(trouble(format!("{reply:?}"))) }
}

#[test]
fn rspamd_marks_spam_and_refuses_what_is_worse() -> Result<()> {
    let rspamd = Rspamd::start("")?;
    let server = Concord::start(|_| {})?;
    let port = rspamd.port();
    policy(
        &server,
        &format!("[[filter]]\nname = 'rspamd'\nkind = 'rspamd'\nurl = 'http://127.0.0.1:{port}'\n"),
    )?;
    let refused = send(&server, "worse@stranger.test", &gtube('X'))?;
    assert_eq!((refused.code, refused.text().contains("Gtube")), (554, true), "{refused:?}");
    taken(send(&server, "spam@stranger.test", &gtube('Y'))?)?;
    let found = wait_for_messages(&server, BOB, 1)?;
    assert_eq!(found.len(), 1);
    let marked = String::from_utf8_lossy(&found[0]).into_owned();
    assert!(marked.contains("\r\nX-Spam: Yes\r\n"), "{marked}");
    assert!(marked.contains("spam@stranger.test"), "{marked}");
    // What the filter found stands in the log beside the queue id.
    let log = std::fs::read_to_string(server.root().join("log/internet-mail.log"))?;
    assert!(log.contains("rspamd: ") && log.contains("GTUBE"), "{log}");
    Ok(())
}

#[test]
fn a_virus_is_refused_and_a_filter_that_dies_loses_nothing() -> Result<()> {
    let clamav = ClamAv::start()?;
    let server = Concord::start(|_| {})?;
    policy(&server, &milter(clamav.port(), "defer"))?;
    let refused = send(&server, "virus@stranger.test", &eicar())?;
    assert_eq!((refused.code, refused.text().contains("Eicar")), (550, true), "{refused:?}");
    taken(send(&server, "clean@stranger.test", "hello")?)?;

    // It dies after RCPT, in the middle of a message: the client comes again.
    let mut session = server.smtp()?;
    session.hello()?;
    for line in [format!("MAIL FROM:<{STRANGER}>"), format!("RCPT TO:<{BOB}>"), "DATA".into()] {
        session.must(&line)?;
    }
    session.write(b"Subject: half\r\n\r\nhalf of it\r\n")?;
    let port = clamav.port();
    clamav.milter.kill()?;
    let answer = session.command(".")?;
    assert_eq!(answer.code, 451, "{answer:?}");
    let later = send(&server, "later@stranger.test", "hello")?;
    assert_eq!(later.code / 100, 4, "{later:?}");
    drop(clamav);

    // As the administrator wants it now: put aside, and delivered when released.
    policy(&server, &milter(port, "quarantine"))?;
    taken(send(&server, "later@stranger.test", "hello")?)?;
    let aside = rows(&server.json(&["queue", "list", "--quarantined"])?);
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(text(&aside[0], "message_id"), "later@stranger.test");
    let id = text(&aside[0], "queue_id").to_owned();
    server.json(&["queue", "release", &id])?;
    wait_until("the released message", SOON, || {
        let mut ids = server.imap(BOB)?.headers("INBOX", "Message-ID")?;
        ids.sort();
        Ok(ids.len() == 2 && ids[0].contains("clean@") && ids[1].contains("later@"))
    })
}
