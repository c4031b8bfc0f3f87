//! Mail that waits elsewhere is asked for.

use crate::{ALICE, SOON, wait_for_messages};
use concord_testkit::{Concord, Ports, Postfix, PostfixSettings, Result, Sample, Smtp, wait_until};

/// Postfix keeps mail for two domains of ours while we are away, and tries again
/// long after this test.
fn keeper(port: u16, ours: std::net::SocketAddr) -> Result<Postfix> {
    let main = vec![
        format!(
            "transport_maps = inline:{{ {{ example.test = smtp:[127.0.0.1]:{} }} }}",
            ours.port()
        ),
        "relay_domains = example.test, second.test, below.second.test".to_owned(),
        "fast_flush_domains = $relay_domains".to_owned(),
        "minimal_backoff_time = 3000s".to_owned(),
        "maximal_backoff_time = 4000s".to_owned(),
        "queue_run_delay = 3000s".to_owned(),
    ];
    Postfix::start(&PostfixSettings { port, main })
}

/// Q269771: the original asked for every domain that it knew.
#[test]
fn mail_that_waits_elsewhere_comes_when_it_is_asked_for() -> Result<()> {
    let ports = Ports::take()?;
    let mut server = Concord::builder()?.prepare()?;
    let peer = keeper(ports.next()?, server.address("smtp"))?;
    let sample = Sample::new("waits@elsewhere.test", "x@elsewhere.test", ALICE).octets();
    let mut session = Smtp::connect(peer.address())?;
    session.hello()?;
    assert_eq!(session.send("x@elsewhere.test", &[ALICE], &sample)?.code, 250);
    wait_until("the first attempt to fail", SOON, || Ok(peer.said().contains("status=deferred")))?;

    server.up()?;
    let host = peer.address().to_string();
    let asked = server.command(&["queue", "ask", &host, "example.test", "second.test"])?.ok()?;
    assert_eq!(asked.stdout.lines().count(), 2, "{asked:?}");
    let messages = wait_for_messages(&server, ALICE, 1)?;
    assert!(messages[0].ends_with(&sample));
    wait_until("what Postfix heard", SOON, || Ok(peer.said().contains(" etrn=2 ")))?;

    // What it does not keep is told by domain, with the host's own words.
    let refused = server.command(&["queue", "ask", &host, "example.test", "strange.test"])?;
    assert_ne!(refused.code, Some(0));
    let text = format!("{}{}", refused.stdout, refused.stderr);
    assert!(text.contains("strange.test: 459") && text.contains("1 domains"), "{text}");
    Ok(())
}
