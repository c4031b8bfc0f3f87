//! Python's smtplib as a client: another implementation than our own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::World;
use tokio::process::Command;

const SCRIPT: &str = r#"
import smtplib, ssl, sys
from email.message import EmailMessage
smtp, submission = int(sys.argv[1]), int(sys.argv[2])
m = EmailMessage()
m["From"], m["To"], m["Subject"] = "s@example.test", "a@example.test", "hello"
m.set_content("first\n.dotted\n..twice\n.\nlast\n")
with smtplib.SMTP("127.0.0.1", smtp) as c:
    c.ehlo("python")
    for word in ["size", "pipelining", "8bitmime", "smtputf8", "chunking", "dsn", "starttls"]:
        assert c.has_extn(word), word
    assert c.send_message(m) == {}
    refused = c.sendmail("s@example.test", ["a@example.test", "refused@example.test"], "x\r\n")
    assert refused["refused@example.test"][0] == 550, refused
    big = "Subject: big\r\n\r\n" + "0123456789" * 7 + "\r\n"
    c.sendmail("s@example.test", ["a@example.test"], big + "line of a big message\r\n" * 40000)
    c.sendmail("jürgen@example.test", ["a@example.test"], "Subject: ü\r\n\r\nü\r\n".encode(),
               mail_options=["SMTPUTF8", "BODY=8BITMIME", "RET=HDRS", "ENVID=x+2By"],
               rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;a@example.test"])
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with smtplib.SMTP("127.0.0.1", submission) as c:
    try:
        c.sendmail("s@example.test", ["a@example.test"], "x\r\n")
        raise SystemExit("taken without login")
    except smtplib.SMTPSenderRefused as e:
        assert e.smtp_code == 530, e
    try:
        c.login("alice", "demo")
        raise SystemExit("password taken in the clear")
    except smtplib.SMTPNotSupportedError:
        pass
    c.starttls(context=context)
    try:
        c.login("alice", "wrong")
        raise SystemExit("wrong password taken")
    except smtplib.SMTPAuthenticationError as e:
        assert e.smtp_code == 535, e
    c.login("alice", "demo")
    c.send_message(m)
with smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[3]), context=context) as c:
    c.login("alice", "demo")
    c.send_message(m)
print("fine")
"#;

#[tokio::test]
async fn smtplib_is_content() {
    let made = rcgen::generate_simple_self_signed(vec!["mail.example.test".into()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let world = World::start(|config| {
        config.require_auth_tls = true;
        config.tls = Some(std::sync::Arc::new(tls));
    })
    .await;
    let ports = [world.smtp, world.submission, world.submissions].map(|a| a.port().to_string());
    let run = Command::new("python3").arg("-c").arg(SCRIPT).args(ports).output().await.unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert_eq!(String::from_utf8_lossy(&run.stdout), "fine\n", "{errors}");
    let seen = world.core.all();
    assert_eq!(seen.len(), 6);
    let body = String::from_utf8_lossy(&seen[0].body).into_owned();
    assert!(body.ends_with("first\r\n.dotted\r\n..twice\r\n.\r\nlast\r\n"), "{body}");
    assert!(body.contains("with ESMTP;") || body.contains("with ESMTP\r\n\tfor <a@"), "{body}");
    assert!(seen[2].body.len() > 900_000);
    assert_eq!(
        seen[3].mail,
        "MAIL FROM:<jürgen@example.test> SIZE=19 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By"
    );
    let body = String::from_utf8_lossy(&seen[3].body).into_owned();
    assert!(body.contains("with UTF8SMTP"), "{body}");
    for under_tls in &seen[4..] {
        let body = String::from_utf8_lossy(&under_tls.body).into_owned();
        assert!(body.contains("with ESMTPSA\r\n\t(TLSv1.3 TLS13_"), "{body}");
    }
}
