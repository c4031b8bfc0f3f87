//! Debian's clamd and clamav-milter, with a signature for the EICAR test file.

use crate::{begin, chain, client, judged, message, queue, text};
use concord_mail_filter::{Action, Chain};
use concord_testkit::{ClamAv, eicar};
use std::time::{Duration, Instant};

fn chain_with(clamav: &ClamAv, on_failure: &str, timeout: &str) -> Chain {
    chain(&format!(
        "[[filter]]\nname = \"clamav\"\nkind = \"milter\"\naddress = \"127.0.0.1:{}\"\n\
         timeout = \"{timeout}\"\non-failure = \"{on_failure}\"\n",
        clamav.port()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_virus_test_file_is_refused_and_other_mail_passes() {
    let clamav = ClamAv::start().unwrap();
    let chain = chain_with(&clamav, "defer", "30 s");
    let clean = message("hello", "hello");
    for _ in 0..2 {
        let verdict = judged(&chain, &clean).await;
        assert_eq!(verdict.action, Action::Accept, "{verdict:?}");
        let out = text(&verdict.message);
        assert!(out.contains("\r\nX-Virus-Status: Clean\r\n"), "{out}");
        assert!(out.ends_with("\r\n\r\nhello\r\n"));
    }
    let verdict = judged(&chain, &message("hello", &eicar())).await;
    let Action::Refuse(reply) = &verdict.action else { panic!("{verdict:?}") };
    assert!(reply.code == 550 && reply.text.contains("Eicar-Test"), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_milter_that_is_stopped_or_killed_in_the_middle_has_its_stated_default() {
    for killed in [false, true] {
        for on_failure in ["accept", "defer", "quarantine"] {
            let clamav = ClamAv::start().unwrap();
            let chain = chain_with(&clamav, on_failure, "2 s");
            let mut session = chain.session(client());
            begin(&mut session).await;
            if killed {
                clamav.milter.kill().unwrap();
            } else {
                clamav.milter.stop().unwrap();
            }
            let begun = Instant::now();
            let message = message("hello", &eicar());
            let verdict = session.message(&message, &queue()).await;
            session.end().await;
            assert!(begun.elapsed() < Duration::from_secs(8), "{killed} {on_failure}");
            let fits = match &verdict.action {
                Action::Accept => on_failure == "accept",
                Action::Defer(reply) => on_failure == "defer" && reply.code == 451,
                Action::Quarantine { .. } => on_failure == "quarantine",
                _ => false,
            };
            assert!(fits, "{killed} {on_failure}: {verdict:?}");
            assert!(verdict.edits.is_empty());
        }
    }
}
