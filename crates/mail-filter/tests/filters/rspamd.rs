//! Debian's rspamd with Debian's configuration.

use crate::{begin, chain, client, judged, message, queue, text};
use concord_mail_filter::{Action, Chain, Verdict};
use concord_testkit::{Rspamd, gtube, listens};
use rustix::process::Signal;
use std::time::{Duration, Instant};

fn chain_with(rspamd: &Rspamd, more: &str) -> Chain {
    chain(&format!(
        "[[filter]]\nname = \"rspamd\"\nkind = \"rspamd\"\nurl = \"http://127.0.0.1:{}\"\n{more}",
        rspamd.port()
    ))
}

async fn of(chain: &Chain, body: &str) -> Verdict {
    judged(chain, &message("hello", body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn spam_is_refused_or_marked_and_other_mail_passes() {
    let rspamd = Rspamd::start("").unwrap();
    let chain = chain_with(&rspamd, "");
    let verdict = of(&chain, &gtube('X')).await;
    let Action::Refuse(reply) = &verdict.action else { panic!("{verdict:?}") };
    assert_eq!((reply.code, &*reply.text), (554, "Gtube pattern"));
    assert_eq!(verdict.notes[0].symbols[0].name, "GTUBE");

    let verdict = of(&chain, &gtube('Y')).await;
    assert_eq!(verdict.action, Action::Accept, "{verdict:?}");
    assert!(text(&verdict.message).contains("\r\nX-Spam: Yes\r\n\r\n"), "{verdict:?}");

    let verdict = of(&chain, &gtube('Z')).await;
    let out = text(&verdict.message);
    assert!(out.contains("\r\nSubject: *** SPAM *** hello\r\n"), "{out}");

    // A sender's own mark goes. Without DNS the host looks odd enough for
    // greylisting, so the client has no address here.
    let mut facts = client();
    facts.ip = None;
    let mut session = chain.session(facts);
    begin(&mut session).await;
    let own = text(&message("hello", "hello")).replacen("To:", "X-Spam: No\r\nTo:", 1).into();
    let verdict = session.message(&own, &queue()).await;
    session.end().await;
    assert_eq!(verdict.action, Action::Accept, "{verdict:?}");
    assert!(!text(&verdict.message).contains("X-Spam"), "{verdict:?}");
    assert!(verdict.notes[0].score.is_some());
    let log = rspamd.daemon.said();
    assert!(log.contains("qid: <Q1A2>") && log.contains("rcpts: <bob@example.test>"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_rspamd_has_the_stated_default_and_so_has_a_killed_one() {
    let rspamd = Rspamd::start("").unwrap();
    let one = |on_failure: &str| {
        chain_with(&rspamd, &format!("timeout = \"1 s\"\non-failure = \"{on_failure}\"\n"))
    };
    // The worker is another process than the one that we started. That one is
    // stopped first, so that it makes no more of them while they are listed.
    let main = rspamd.daemon.pid();
    rspamd.daemon.stop().unwrap();
    let all = concord_testkit::descendants(main);
    let stop = |signal| {
        for pid in &all {
            let pid = rustix::process::Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, signal);
        }
    };
    for (signal, longest) in [(Signal::STOP, 3), (Signal::KILL, 3)] {
        stop(signal);
        let begun = Instant::now();
        let (accept, defer, hold) = (one("accept"), one("defer"), one("quarantine"));
        assert_eq!(of(&accept, "x").await.action, Action::Accept);
        assert!(matches!(of(&defer, "x").await.action, Action::Defer(r) if r.code == 451));
        assert!(matches!(of(&hold, "x").await.action, Action::Quarantine { .. }));
        assert!(begun.elapsed() < Duration::from_secs(3 * longest));
    }
}

#[tokio::test]
async fn an_http_server_that_is_no_rspamd_is_a_failure() {
    use tokio::io::AsyncWriteExt;
    for answer in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"action\":\"no",
        "220 mail ESMTP\r\n",
        "",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
        });
        let chain = chain(&format!(
            "[[filter]]\nname = \"r\"\nkind = \"rspamd\"\nurl = \"http://127.0.0.1:{port}\"\n\
             timeout = \"1 s\"\n"
        ));
        let verdict = judged(&chain, &message("a", "b")).await;
        assert!(matches!(verdict.action, Action::Defer(r) if r.code == 451), "{answer}");
        task.await.unwrap();
    }
    assert!(!listens(1));
}
