//! Mail programs that everybody has.

use crate::{ALICE, SOON};
use concord_testkit::{Concord, PASSWORD, Result, Sample, run};
use std::process::Command;

fn with_one_message(server: &Concord) -> Result<Vec<u8>> {
    let sample = Sample::new("read@stranger.test", "a@stranger.test", ALICE)
        .subject("read me")
        .eight_bit()
        .size(5_000)
        .octets();
    let mut session = server.smtp()?;
    session.hello()?;
    let reply = session.send_with("a@stranger.test", "BODY=8BITMIME", &[ALICE], &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    Ok(sample)
}

#[test]
fn curl_reads_by_imap_imaps_and_pop3() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let sample = with_one_message(&server)?;
    let login = format!("{ALICE}:{PASSWORD}");
    for (listener, path) in
        [("imap", "INBOX;MAILINDEX=1"), ("imaps", "INBOX;MAILINDEX=1"), ("pop3", "1")]
    {
        let url = format!("{listener}://{}/{path}", server.address(listener));
        let read = run(Command::new("curl").args(["-sSk", "-u", &login, &url]), SOON)?.ok()?;
        assert!(read.stdout.as_bytes().ends_with(&sample), "{listener}: {}", read.stdout);
    }
    let url = format!("imap://{}/", server.address("imap"));
    let list = run(Command::new("curl").args(["-sSk", "-u", &login, &url]), SOON)?.ok()?;
    assert!(list.stdout.contains("INBOX"), "{}", list.stdout);
    Ok(())
}

#[test]
fn mutt_reads_a_mailbox() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let sample = with_one_message(&server)?;
    let scratch = tempfile::tempdir()?;
    let (rc, out) = (scratch.path().join("muttrc"), scratch.path().join("out"));
    let at = server.address("imap");
    std::fs::write(
        &rc,
        format!(
            "set spoolfile=\"imap://{at}/INBOX\"\nset folder=\"imap://{at}/\"\n\
             set imap_user=\"{ALICE}\"\nset imap_pass=\"{PASSWORD}\"\n\
             set ssl_starttls=no\nset ssl_force_tls=no\nset imap_authenticators=\"login\"\n\
             set pipe_decode=no\nset wait_key=no\nset quit=yes\nset header_cache=\"\"\n\
             set postponed=\"{dir}/postponed\"\nset record=\"\"\nset delete=no\nset move=no\n",
            dir = scratch.path().display()
        ),
    )?;
    // mutt wants a terminal; script(1) gives it one.
    let keys = format!("push '<pipe-message>tee {}<enter><quit>'", out.display());
    let line = format!("mutt -n -F {} -e \"{keys}\"", rc.display());
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env("HOME", scratch.path());
    let done = run(&mut script, SOON)?;
    // mutt writes line ends as the system has them.
    let read = std::fs::read_to_string(&out).unwrap_or_default();
    let sent = String::from_utf8_lossy(&sample).replace("\r\n", "\n");
    assert!(read.ends_with(&sent), "{done:?}");
    Ok(())
}

#[test]
fn swaks_sends_with_starttls_and_auth() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let at = server.address("submission");
    let port = at.port().to_string();
    let mut swaks = Command::new("swaks");
    swaks.args(["--server", "127.0.0.1", "--port", &port, "--from", ALICE, "--to", ALICE]);
    swaks.args(["--tls", "--auth", "PLAIN", "--auth-user", ALICE, "--auth-password", PASSWORD]);
    swaks.args(["--header", "Subject: from swaks", "--body", "hello"]);
    let done = run(&mut swaks, SOON)?;
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert_eq!(server.imap(ALICE)?.headers("INBOX", "Subject")?, ["from swaks"]);
    Ok(())
}
