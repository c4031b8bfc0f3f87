//! Whole transactions between our client and our server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use bytes::Bytes;
use common::{Recorder, client, message};
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{
    ClientError, ClientTimeouts, HelloVerb, Mode, Phase, ServerProfile, SmtpClient,
};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, DuplexStream};

fn rcpt(name: &str) -> RcptCommand {
    RcptCommand::new(format!("{name}@example.test").parse().unwrap())
}

fn mail() -> MailCommand {
    MailCommand::new(Some("sender@example.test".parse().unwrap()))
}

async fn deliver(
    client: &mut SmtpClient<DuplexStream>,
    rcpts: &[RcptCommand],
    body: &[u8],
) -> Vec<u16> {
    let mut source = Some(Bytes::copy_from_slice(body));
    let done = client.deliver(None, &mail(), rcpts, &mut source).await.unwrap();
    done.rcpts.iter().map(|r| r.code).collect()
}

#[tokio::test]
async fn messages_of_all_sizes_arrive_by_bdat_and_by_data() {
    for chunking in [true, false] {
        for pipelining in [true, false] {
            let mut profile = ServerProfile::new("mx.example.test", Mode::Smtp);
            profile.extensions.chunking = chunking;
            profile.extensions.pipelining = pipelining;
            let recorder = Recorder::default();
            let mut client = client(profile, &recorder, HelloVerb::Ehlo).await;
            for size in [0, 1, 70, 1000, 65_535, 65_536, 200_000, 3_000_000] {
                let body = message(size);
                assert_eq!(deliver(&mut client, &[rcpt("a"), rcpt("b")], &body).await, [250, 250]);
                let seen = recorder.last();
                assert_eq!(seen.rcpts, ["<a@example.test>", "<b@example.test>"]);
                assert!(seen.body == body, "{size} octets, chunking {chunking}");
            }
            client.quit(Duration::from_secs(1)).await;
        }
    }
}

#[tokio::test]
async fn lmtp_answers_each_recipient() {
    let profile = ServerProfile::new("core.example.test", Mode::Lmtp);
    let recorder = Recorder::default();
    let mut client = client(profile, &recorder, HelloVerb::Lhlo).await;
    let rcpts = [rcpt("ok"), rcpt("refused"), rcpt("late-452"), rcpt("ok2")];
    for size in [10, 100_000] {
        assert_eq!(deliver(&mut client, &rcpts, &message(size)).await, [250, 550, 452, 250]);
    }
}

#[tokio::test]
async fn a_refused_message_leaves_the_session_usable() {
    for chunking in [true, false] {
        let mut profile = ServerProfile::new("mx.example.test", Mode::Smtp);
        profile.extensions.chunking = chunking;
        profile.size_limit = 150_000;
        let recorder = Recorder::default();
        let mut client = client(profile, &recorder, HelloVerb::Ehlo).await;
        assert_eq!(deliver(&mut client, &[rcpt("a")], &message(200_000)).await, [552]);
        assert_eq!(recorder.messages(), 0);
        assert_eq!(deliver(&mut client, &[rcpt("refused")], &message(10)).await, [550]);
        assert_eq!(deliver(&mut client, &[rcpt("a")], &message(100_000)).await, [250]);
        assert_eq!(recorder.messages(), 1);
    }
}

#[tokio::test]
async fn xforward_goes_with_the_envelope() {
    let recorder = Recorder::default();
    let profile = ServerProfile::new("core.example.test", Mode::Internal);
    let mut client = client(profile, &recorder, HelloVerb::Ehlo).await;
    let forward = Xforward {
        addr: Some("2001:db8::1".into()),
        login: Some("alice".into()),
        ..Xforward::default()
    };
    let mut body = Some(Bytes::from_static(b"x\r\n"));
    let done = client.deliver(Some(&forward), &mail(), &[rcpt("a")], &mut body).await.unwrap();
    assert_eq!(done.rcpts, [Reply::new(250, (2, 6, 0), "taken")]);
    assert_eq!(recorder.last().xforward, Some(forward));
}

#[tokio::test]
async fn a_refused_xforward_ends_the_session() {
    let xforward = "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE LOGIN\r\n";
    for more in ["", "250-PIPELINING\r\n"] {
        let offers = format!("250-x\r\n{more}{xforward}");
        let (ours, mut theirs) = tokio::io::duplex(4096);
        // What a session answers that was left in the middle of AUTH.
        let answers = "501 5.5.2 not base64\r\n250 ok\r\n250 ok\r\n";
        theirs.write_all(format!("220 x\r\n{offers}{answers}").as_bytes()).await.unwrap();
        let timeouts = ClientTimeouts::all(Duration::from_secs(10));
        let (mut client, _) = SmtpClient::connect(ours, timeouts).await.unwrap();
        client.hello(HelloVerb::Ehlo, "c").await.unwrap();
        let forward = Xforward { addr: Some("192.0.2.1".into()), ..Xforward::default() };
        let refused = client.envelope(Some(&forward), &mail(), &[rcpt("a")]).await.unwrap_err();
        let reply = Reply::new(501, (5, 5, 2), "not base64");
        assert_eq!(refused, ClientError::Refused { phase: Phase::Envelope, reply });
    }
}
