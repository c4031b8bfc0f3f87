//! Slow clients, early talkers, the stop; and STARTTLS.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::{Recorder, client, message, start};
use concord_smtp::{MailCommand, RcptCommand};
use concord_smtp_tokio::{
    ClientError, ClientTimeouts, Ended, HelloVerb, MaybeTls, Mode, Phase, ServerProfile, SmtpClient,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;

const GREETING: &str = "220 mx.example.test ESMTP ready\r\n";

fn profile() -> ServerProfile {
    ServerProfile::new("mx.example.test", Mode::Smtp)
}

async fn rest(stream: &mut DuplexStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

async fn line(stream: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        text.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_gets_421_after_five_minutes() {
    let recorder = Recorder::default();
    let mut stream = start(profile(), &recorder, None, CancellationToken::new());
    let began = Instant::now();
    assert_eq!(rest(&mut stream).await, format!("{GREETING}421 4.4.2 timeout, closing\r\n"));
    assert_eq!(began.elapsed().as_secs(), 300);
    assert_eq!(*recorder.ended.lock().unwrap(), [Ended::TimedOut]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_drips_does_not_buy_time() {
    let recorder = Recorder::default();
    let stream = start(profile(), &recorder, None, CancellationToken::new());
    let (mut from, mut to) = tokio::io::split(stream);
    let dripping = tokio::spawn(async move {
        for octet in b"NOOP ".iter().chain(std::iter::repeat(&b'x')) {
            if to.write_all(&[*octet]).await.is_err() {
                return;
            }
            sleep(Duration::from_secs(20)).await;
        }
    });
    let began = Instant::now();
    let mut text = String::new();
    from.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("421 4.4.2 timeout, closing\r\n"), "{text}");
    assert_eq!(began.elapsed().as_secs(), 300);
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_drips_ends_after_its_hour() {
    for begin in ["DATA\r\n", "BDAT 1000000 LAST\r\n"] {
        let recorder = Recorder::default();
        let stream = start(profile(), &recorder, None, CancellationToken::new());
        let (mut from, mut to) = tokio::io::split(stream);
        let envelope = "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\n";
        to.write_all(format!("{envelope}{begin}").as_bytes()).await.unwrap();
        let dripping = tokio::spawn(async move {
            while to.write_all(b"x\r\n").await.is_ok() {
                sleep(Duration::from_secs(100)).await;
            }
        });
        let began = Instant::now();
        let mut text = String::new();
        from.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with("421 4.4.2 timeout, closing\r\n"), "{text}");
        assert_eq!(began.elapsed().as_secs(), 3600);
        assert_eq!(recorder.messages(), 0);
        dripping.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn who_talks_before_the_greeting_is_refused() {
    let mut delayed = profile();
    delayed.greeting_delay = Some(Duration::from_secs(3));
    let recorder = Recorder::default();
    let mut early = start(delayed.clone(), &recorder, None, CancellationToken::new());
    early.write_all(b"HELO c\r\n").await.unwrap();
    assert_eq!(rest(&mut early).await, "554 5.5.1 you talk before the greeting\r\n");
    assert_eq!(*recorder.ended.lock().unwrap(), [Ended::Refused]);

    let mut patient = start(delayed, &recorder, None, CancellationToken::new());
    let began = Instant::now();
    assert_eq!(line(&mut patient).await, GREETING);
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_stop_waits_for_the_transaction() {
    let stop = CancellationToken::new();
    let recorder = Recorder::default();
    let mut busy = start(profile(), &recorder, None, stop.clone());
    let mut idle = start(profile(), &recorder, None, stop.clone());
    line(&mut busy).await;
    line(&mut idle).await;
    busy.write_all(b"HELO c\r\nMAIL FROM:<>\r\n").await.unwrap();
    line(&mut busy).await;
    line(&mut busy).await;
    stop.cancel();
    let stopped = "421 4.3.2 service stops, closing\r\n";
    assert_eq!(rest(&mut idle).await, stopped);
    busy.write_all(b"RCPT TO:<a@example.test>\r\nDATA\r\nx\r\n.\r\n").await.unwrap();
    let text = rest(&mut busy).await;
    assert!(text.ends_with(&format!("250 2.6.0 taken\r\n{stopped}")), "{text}");
    assert_eq!(recorder.messages(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_gives_up_on_a_silent_server() {
    let (ours, _theirs) = tokio::io::duplex(1024);
    let began = Instant::now();
    let error = SmtpClient::connect(ours, ClientTimeouts::default()).await.unwrap_err();
    assert_eq!(error, ClientError::TimedOut(Phase::Greeting));
    assert_eq!(began.elapsed(), ClientTimeouts::GREETING);
}

fn tls() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["mx.example.test".into()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let cert = made.cert.der().clone();
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.clone()], key.into())
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert).unwrap();
    let client =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server).into(), Arc::new(client).into())
}

fn tls_profile() -> ServerProfile {
    let mut profile = profile();
    profile.extensions.starttls = true;
    profile
}

#[tokio::test]
async fn messages_go_over_starttls() {
    let (acceptor, connector) = tls();
    let recorder = Recorder::default();
    let stream = start(tls_profile(), &recorder, Some(acceptor), CancellationToken::new());
    let timeouts = ClientTimeouts::all(Duration::from_secs(10));
    let (mut plain, _) = SmtpClient::connect(stream, timeouts.clone()).await.unwrap();
    plain.hello(HelloVerb::Ehlo, "c").await.unwrap();
    assert!(plain.capabilities().extensions.starttls);
    plain.starttls().await.unwrap();
    let name = "mx.example.test".try_into().unwrap();
    let secured = connector.connect(name, plain.into_stream()).await.unwrap();
    let stream = MaybeTls::Tls(Box::new(secured.into()));
    assert_eq!(stream.tls_info().unwrap().version, "TLSv1.3");
    let mut client = SmtpClient::resume(stream, timeouts);
    client.hello(HelloVerb::Ehlo, "c").await.unwrap();
    assert!(!client.capabilities().extensions.starttls);
    let rcpt = RcptCommand::new("a@example.test".parse().unwrap());
    let body = message(300_000);
    let mut source = Some(bytes::Bytes::from(body.clone()));
    let done = client.deliver(None, &MailCommand::new(None), &[rcpt], &mut source).await.unwrap();
    assert_eq!(done.rcpts[0].code, 250);
    assert!(recorder.last().body == body);
}

/// RFC 3207 section 4.2
#[tokio::test]
async fn a_login_before_starttls_is_forgotten() {
    let (acceptor, connector) = tls();
    let mut profile = ServerProfile::new("mx.example.test", Mode::Submission);
    profile.extensions.starttls = true;
    profile.extensions.auth = true;
    profile.auth_needs_tls = false;
    profile.mechanisms = vec!["PLAIN".into()];
    let stream = start(profile, &Recorder::default(), Some(acceptor), CancellationToken::new());
    let timeouts = ClientTimeouts::all(Duration::from_secs(10));
    let (mut plain, _) = SmtpClient::connect(stream, timeouts.clone()).await.unwrap();
    plain.hello(HelloVerb::Ehlo, "c").await.unwrap();
    plain.auth("alice", "demo").await.unwrap();
    plain.starttls().await.unwrap();
    let name = "mx.example.test".try_into().unwrap();
    let secured = connector.connect(name, plain.into_stream()).await.unwrap();
    let mut client = SmtpClient::resume(MaybeTls::Tls(Box::new(secured.into())), timeouts);
    client.hello(HelloVerb::Ehlo, "c").await.unwrap();
    let refused = client.envelope(None, &MailCommand::new(None), &[]).await.unwrap();
    assert_eq!(refused.mail.code, 530);
    client.auth("alice", "demo").await.unwrap();
    assert!(client.envelope(None, &MailCommand::new(None), &[]).await.unwrap().mail.is_ok());
}

/// CVE-2011-0411: what came with STARTTLS must not be taken for something that
/// came under TLS.
#[tokio::test]
async fn what_is_pipelined_after_starttls_is_dropped() {
    let (acceptor, connector) = tls();
    let recorder = Recorder::default();
    let mut stream = start(tls_profile(), &recorder, Some(acceptor), CancellationToken::new());
    line(&mut stream).await;
    stream
        .write_all(b"EHLO c\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x.test>\r\n")
        .await
        .unwrap();
    while line(&mut stream).await != "220 2.0.0 go ahead\r\n" {}
    let name = "mx.example.test".try_into().unwrap();
    let mut secured = connector.connect(name, stream).await.unwrap();
    secured.write_all(b"RCPT TO:<a@example.test>\r\nQUIT\r\n").await.unwrap();
    let mut text = String::new();
    let _ = secured.read_to_string(&mut text).await;
    assert_eq!(text, "503 5.5.1 say hello first\r\n221 2.0.0 bye\r\n");
}

#[tokio::test]
async fn a_peer_that_talks_after_its_starttls_answer_is_left() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let peer = tokio::spawn(async move {
        theirs.write_all(b"220 x\r\n").await.unwrap();
        line(&mut theirs).await;
        theirs.write_all(b"250-x\r\n250 STARTTLS\r\n").await.unwrap();
        line(&mut theirs).await;
        theirs.write_all(b"220 go\r\n250 injected\r\n").await.unwrap();
        theirs
    });
    let timeouts = ClientTimeouts::all(Duration::from_secs(10));
    let (mut client, _) = SmtpClient::connect(ours, timeouts).await.unwrap();
    client.hello(HelloVerb::Ehlo, "c").await.unwrap();
    assert_eq!(client.starttls().await, Err(ClientError::TlsInjection));
    peer.await.unwrap();
}

#[tokio::test]
async fn a_session_can_be_reset_within_a_message() {
    let recorder = Recorder::default();
    let mut client = client(profile(), &recorder, HelloVerb::Ehlo).await;
    let rcpt = [RcptCommand::new("a@example.test".parse().unwrap())];
    let mail = MailCommand::new(None);
    client.envelope(None, &mail, &rcpt).await.unwrap();
    client.begin_body(concord_smtp_tokio::BodyMode::Auto).await.unwrap();
    for _ in 0..20 {
        client.body(message(60_000).into()).await.unwrap();
    }
    assert_eq!(client.reset().await.unwrap().code, 250);
    let mut source = Some(bytes::Bytes::from_static(b"x\r\n"));
    let done = client.deliver(None, &mail, &rcpt, &mut source).await.unwrap();
    assert_eq!((done.rcpts[0].code, recorder.messages()), (250, 1));
    assert_eq!(recorder.last().body, b"x\r\n");
}

/// What a session that waits costs beside its 2 KiB buffer.
#[test]
fn a_session_is_small() {
    let recorder = Recorder::default();
    let mut handler = recorder.handler();
    let (stream, _) = tokio::io::duplex(64);
    let connection =
        concord_smtp_tokio::ConnectionInfo { peer: concord_smtp_tokio::Peer::Unix, local: None };
    let session = concord_smtp_tokio::serve(
        MaybeTls::Plain(stream),
        connection,
        Arc::new(profile()),
        None,
        &mut handler,
        CancellationToken::new(),
    );
    let octets = std::mem::size_of_val(&session);
    assert!(octets <= 6 * 1024, "{octets}");
}
