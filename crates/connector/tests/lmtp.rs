//! The LMTP server with a connector behind it, and sessions to the core.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

use bytes::Bytes;
use concord_base::{Fault, Retry};
use concord_connector::{Deliver, LmtpOptions, Outcome, Submissions, core_timeouts, serve_lmtp};
use concord_smtp::{MailCommand, RcptCommand, RemoteAnswer, Reply};
use concord_smtp_tokio::{HelloVerb, SmtpClient};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// Takes all but `refused`; `remote` is answered by a remote host, late;
/// `endless` is never answered, and `late` not after the message.
#[derive(Default)]
struct Foreign {
    taken: Vec<String>,
    octets: usize,
}

#[async_trait::async_trait]
impl Deliver for Foreign {
    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for rcpt in rcpts {
            let name = rcpt.to.address().unwrap().local_part().to_owned();
            outcomes.push(Outcome::Own(if name == "refused" {
                Reply::new(550, (5, 1, 1), "unknown")
            } else {
                if name == "endless" {
                    std::future::pending::<()>().await;
                }
                self.taken.push(name);
                Reply::new(250, (2, 1, 5), "ok")
            }));
        }
        outcomes
    }

    async fn data(&mut self, piece: Bytes) -> Result<(), Outcome> {
        self.octets += piece.len();
        Ok(())
    }

    async fn finish(&mut self) -> Vec<Outcome> {
        if self.taken.iter().any(|name| name == "late") {
            std::future::pending::<()>().await;
        }
        let octets = std::mem::take(&mut self.octets);
        let outcome = |name: String| match name.as_str() {
            "remote" => Outcome::Remote(RemoteAnswer {
                host: "there.test [192.0.2.1]".into(),
                dsn: false,
                reply: Reply::new(421, (4, 3, 2), "stopping"),
            }),
            _ => Outcome::Own(Reply::new(250, (2, 6, 0), format!("{octets} octets"))),
        };
        std::mem::take(&mut self.taken).into_iter().map(outcome).collect()
    }

    async fn reset(&mut self) {
        *self = Self::default();
    }
}

#[tokio::test]
async fn each_recipient_has_its_answer_and_the_session_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lmtp.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let stop = CancellationToken::new();
    let options =
        LmtpOptions { hostname: "foreign".into(), size_limit: 1 << 20, max_recipients: 100 };
    let server = tokio::spawn(serve_lmtp(
        listener,
        options,
        Foreign::default,
        stop.clone(),
        CancellationToken::new(),
    ));
    let stream = UnixStream::connect(&path).await.unwrap();
    let (mut core, _) = SmtpClient::connect(stream, core_timeouts()).await.unwrap();
    core.hello(HelloVerb::Lhlo, "core").await.unwrap();
    let rcpts: Vec<RcptCommand> = ["a", "refused", "remote", "b"]
        .map(|n| RcptCommand::new(format!("{n}@x.test").parse().unwrap()))
        .into();
    // A remote host's 421 is about a recipient, not about this session.
    for octets in [10, 200_000] {
        let mut body = Some(Bytes::from(vec![b'x'; octets]));
        let done = core.deliver(None, &MailCommand::new(None), &rcpts, &mut body).await.unwrap();
        let said: Vec<String> = done.rcpts.iter().map(ToString::to_string).collect();
        let taken = format!("250 2.6.0 {octets} octets");
        assert_eq!(said[0], taken);
        assert_eq!(said[1], "550 5.1.1 unknown");
        let remote = RemoteAnswer::from_reply(&done.rcpts[2]).unwrap();
        assert_eq!((remote.host.as_str(), remote.dsn), ("there.test [192.0.2.1]", false));
        assert_eq!(remote.reply.code, 421);
        assert_eq!(said[3], taken);
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_cut_off_is_answered_before_the_session_ends() {
    for last in ["endless", "late"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lmtp.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let options =
            LmtpOptions { hostname: "foreign".into(), size_limit: 1 << 20, max_recipients: 100 };
        let serving = serve_lmtp(listener, options, Foreign::default, stop.clone(), cut.clone());
        let server = tokio::spawn(serving);
        let stream = UnixStream::connect(&path).await.unwrap();
        let (mut core, _) = SmtpClient::connect(stream, core_timeouts()).await.unwrap();
        core.hello(HelloVerb::Lhlo, "core").await.unwrap();
        let rcpts = ["a", last].map(|n| RcptCommand::new(format!("{n}@x.test").parse().unwrap()));
        let mut body = Some(Bytes::from_static(b"x\r\n"));
        let mail = MailCommand::new(None);
        let deliver = core.deliver(None, &mail, &rcpts, &mut body);
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stop.cancel();
            tokio::time::sleep(Duration::from_millis(50)).await;
            cut.cancel();
        };
        let (done, ()) = tokio::join!(deliver, stopping);
        let done = done.unwrap();
        for reply in &done.rcpts {
            assert_eq!(reply.to_string(), "451 4.3.2 the connector is being restarted", "{last}");
        }
        tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_core_that_is_not_there_is_a_temporary_failure() {
    let dir = tempfile::tempdir().unwrap();
    let core = Submissions::new(dir.path().join("nobody.sock"), "foreign", 4);
    let error = core.get().await.unwrap_err();
    assert_eq!((error.code(), error.retry()), ("connector.core-unreachable", Retry::Temporary));
    assert_eq!(error.reply().code, 451);
}
