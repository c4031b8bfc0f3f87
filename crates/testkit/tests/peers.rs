//! The kit's clients against its own sink and against Debian's servers: what
//! they say of Concord can be trusted only if they get on with others.

use concord_testkit::{
    Dovecot, Imap, PASSWORD, Ports, Postfix, PostfixSettings, Result, Sample, Sink, Smtp,
    header_value, wait_until,
};
use std::time::Duration;

#[test]
fn the_client_and_the_sink_agree_on_every_octet() -> Result<()> {
    let sink = Sink::start()?;
    let mut session = Smtp::connect(sink.address())?;
    assert!(session.hello()?.iter().any(|e| e == "CHUNKING"));
    let sample = Sample::new("a@t", "a@t", "b@t").size(30_000).eight_bit().octets();
    assert_eq!(session.send("a@t", &["b@t", "c@t"], &sample)?.code, 250);
    assert_eq!(session.send_chunked("a@t", "", &["b@t"], &sample, 7_000)?.code, 250);
    session.quit()?;
    let taken = sink.messages();
    assert_eq!(taken.len(), 2);
    assert!(taken.iter().all(|m| m.octets == sample), "octets changed");
    assert_eq!(taken[0].to, ["b@t", "c@t"]);
    Ok(())
}

#[test]
fn postfix_hands_over_to_dovecot_and_the_reader_reads() -> Result<()> {
    let ports = Ports::take()?;
    let (lmtp, imap, smtp) = (ports.next()?, ports.next()?, ports.next()?);
    let dovecot = Dovecot::start(lmtp, imap, &[])?;
    let main = vec![
        "virtual_mailbox_domains = example.test".to_owned(),
        "virtual_mailbox_maps = static:all".to_owned(),
        format!("virtual_transport = lmtp:inet:127.0.0.1:{lmtp}"),
    ];
    let postfix = Postfix::start(&PostfixSettings { port: smtp, main })?;
    let sample = Sample::new("peer@t", "a@t.test", "u1@example.test").size(9_000).octets();
    let mut session = Smtp::connect(postfix.address())?;
    session.hello()?;
    assert_eq!(session.send("a@t.test", &["u1@example.test"], &sample)?.code, 250);
    let mut reader = Imap::login(dovecot.imap(), "u1@example.test", PASSWORD)?;
    wait_until("the message", Duration::from_secs(20), || Ok(reader.count("INBOX")? == 1))
        .map_err(|e| e.during(&format!("{}\n{}", postfix.said(), dovecot.said())))?;
    let messages = reader.messages("INBOX")?;
    assert_eq!(header_value(&messages[0], "Message-ID").as_deref(), Some("peer@t"));
    assert!(messages[0].ends_with(&sample[sample.len() - 8_000..]));
    assert_eq!(reader.headers("INBOX", "Subject")?, ["sample peer@t"]);
    reader.logout()
}
