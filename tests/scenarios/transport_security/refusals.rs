//! What is not as the domain says is refused, waits, and is explained.

use super::{PEER, POLICIES, World, authority::Authority, explained, policy};
use crate::{ALICE, SOON, rows, text};
use concord_testkit::{Concord, PeerKind, Result, Sample, trouble, wait_for, wait_until};

/// A peer with another certificate.
const WRONG: u8 = 3;
/// A peer that hides STARTTLS, as somebody in between would.
const HIDDEN: u8 = 4;

fn send(server: &Concord, to: &str) -> Result<()> {
    let sample = Sample::new(&format!("{to}.refusal"), ALICE, to).octets();
    let reply = server.submission(ALICE)?.send(ALICE, &[to], &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    Ok(())
}

/// The message waits, and whoever asks why is told.
fn is_explained(server: &Concord, to: &str, status: &str, why: &str) -> Result<()> {
    let queue_id = wait_for(&format!("the refusal of {to}"), SOON, || {
        let listed = rows(&server.json(&["queue", "list"])?);
        Ok(listed.into_iter().find_map(|message| {
            let delivery = &message["deliveries"][0];
            let of_it = delivery.to_string().contains(to);
            let tried = delivery["last_answer"].is_object();
            (of_it && tried).then(|| text(&message, "queue_id").to_owned())
        }))
    })?;
    let shown = server.command(&["queue", "show", &queue_id])?.ok()?.stdout;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(why), "queue show: {shown}\nhas not: {why}");
    let traced = server.command(&["trace", to])?.ok()?.stdout;
    let traced = traced.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(traced.contains(why) && traced.contains(status), "trace: {traced}\nhas not: {why}");
    Ok(())
}

#[test]
fn wrong_certificates_and_downgrades_are_refused_and_explained() -> Result<()> {
    let (ours, outside) = ("mx.plain.test", "elsewhere.plain.test");
    let mut world = World::start(&[
        ("wrong.plain.test", "mxw.plain.test"),
        ("name.plain.test", "other.plain.test"),
        ("hidden.plain.test", "mxh.plain.test"),
        ("outside.plain.test", outside),
        ("good.plain.test", ours),
    ])?;
    let stranger = Authority::new("an authority that nobody trusts")?;
    let wrong = stranger.issue(world.directory.path(), "wrong", &["mxw.plain.test"])?;
    let (at_peer, at_wrong, at_hidden) =
        (world.net.host(PEER), world.net.host(WRONG), world.net.host(HIDDEN));
    let tlsa = world.peer.tlsa.clone();
    // Each domain has the host that stands in its policy, but for one.
    world.lines.retain(|line| !line.contains(" IN MX ") || line.starts_with("good."));
    world.publish(&[
        "wrong.plain.test. IN MX 10 mxw.plain.test.".to_owned(),
        format!("mxw.plain.test. IN A {at_wrong}"),
        "name.plain.test. IN MX 10 other.plain.test.".to_owned(),
        format!("other.plain.test. IN A {at_peer}"),
        "hidden.plain.test. IN MX 10 mxh.plain.test.".to_owned(),
        format!("mxh.plain.test. IN A {at_hidden}"),
        "outside.plain.test. IN MX 10 mx.plain.test.".to_owned(),
        "wrong.peer.test. IN MX 10 mxw.peer.test.".to_owned(),
        format!("mxw.peer.test. IN A {at_wrong}"),
        format!("_25._tcp.mxw.peer.test. IN TLSA 3 1 1 {tlsa}"),
        "hidden.peer.test. IN MX 10 mxh.peer.test.".to_owned(),
        format!("mxh.peer.test. IN A {at_hidden}"),
        format!("_25._tcp.mxh.peer.test. IN TLSA 3 1 1 {tlsa}"),
        "plain.plain.test. IN MX 10 mxh.plain.test.".to_owned(),
    ])?;
    let peer =
        world.another(PeerKind::Postfix, at_peer, &world.peer, &["good.plain.test"], true)?;
    let _wrong = world.another(PeerKind::Postfix, at_wrong, &wrong, &["x.test"], true)?;
    let domains = ["plain.plain.test"];
    let hidden = world.another(PeerKind::Postfix, at_hidden, &wrong, &domains, false)?;
    let server = world.concord()?;
    let refused = [
        ("a@wrong.peer.test", "4.7.5", "does not match its TLSA records"),
        ("a@wrong.plain.test", "4.7.5", "its issuer is not trusted"),
        ("a@name.plain.test", "4.7.5", "it is not for this name"),
        ("a@hidden.peer.test", "4.7.4", "does not offer TLS, which DANE asks for"),
        (
            "a@hidden.plain.test",
            "4.7.4",
            "does not offer TLS, which the MTA-STS policy of hidden.plain.test asks for",
        ),
        (
            "a@outside.plain.test",
            "4.7.0",
            "the MTA-STS policy of outside.plain.test asks for TLS, mx.plain.test is not in it",
        ),
    ];
    for (to, ..) in refused {
        send(&server, to)?;
    }
    for (to, status, why) in refused {
        is_explained(&server, to, status, why)?;
    }
    // Who asks for nothing gets mail in the clear as before, and who is as it
    // says gets it under TLS.
    send(&server, "a@plain.plain.test")?;
    send(&server, "a@good.plain.test")?;
    wait_until("the others", SOON, || Ok(hidden.count() == 1 && peer.count() == 1))
        .map_err(|e| explained(&explained(&e, &server, &peer), &server, &hidden))?;
    wait_until("only the refused ones to wait", SOON, || {
        Ok(rows(&server.json(&["queue", "list"])?).len() == refused.len())
    })
}

#[test]
fn a_policy_that_cannot_be_fetched_any_more_stays_in_force_over_a_restart() -> Result<()> {
    let domain = "sts.plain.test";
    let mut world = World::start(&[(domain, "mx.plain.test")])?;
    let peer = world.peer(PeerKind::Postfix)?;
    let mut server = world.concord()?;
    send(&server, &format!("first@{domain}"))?;
    wait_until("the first message", SOON, || Ok(peer.count() == 1))
        .map_err(|e| explained(&e, &server, &peer))?;
    server.wait_queue_empty(SOON)?;

    // Somebody takes the policy host away, says that there is another policy,
    // and leads the mail to a host of his own.
    world.policies = None;
    let thief = world.net.host(WRONG);
    let stolen =
        world.authority.issue(world.directory.path(), "thief", &["mx.thief.plain.test"])?;
    let domains = [domain];
    let thieves = world.another(PeerKind::Postfix, thief, &stolen, &domains, true)?;
    world.lines.retain(|line| !line.contains(domain));
    world.publish(&[
        format!("{domain}. IN MX 10 mx.thief.plain.test."),
        format!("mx.thief.plain.test. IN A {thief}"),
        format!("_mta-sts.{domain}. IN TXT \"v=STSv1; id=2;\""),
        format!("mta-sts.{domain}. IN A {}", world.net.host(POLICIES)),
    ])?;
    server.stop()?;
    server.up()?;
    let to = format!("second@{domain}");
    send(&server, &to)?;
    is_explained(
        &server,
        &to,
        "4.7.0",
        "kept; no newer one can be had: cannot connect to mta-sts.",
    )?;
    is_explained(&server, &to, "4.7.0", "mx.thief.plain.test is not in it")?;

    // Without the record it is no other.
    world.lines.retain(|line| !line.starts_with("_mta-sts."));
    world.publish(&[])?;
    let to = format!("third@{domain}");
    send(&server, &to)?;
    is_explained(&server, &to, "4.7.0", "mx.thief.plain.test is not in it")?;
    let stolen = explained(&trouble("something was stolen"), &server, &thieves);
    assert_eq!(thieves.count(), 0, "{}", stolen.text());

    // The true host again, and everything arrives.
    world.lines.retain(|line| !line.contains(" IN MX 10 mx.thief"));
    world.publish(&[format!("{domain}. IN MX 10 mx.plain.test.")])?;
    wait_until("all messages", SOON, || Ok(peer.count() == 3))
        .map_err(|e| explained(&e, &server, &peer))?;
    server.wait_queue_empty(SOON)
}

#[test]
fn a_policy_that_was_never_fetched_holds_nothing_up() -> Result<()> {
    let domain = "sts.plain.test";
    let world = World::start(&[(domain, "mx.plain.test")])?;
    let peer = world.peer(PeerKind::Postfix)?;
    let policies = world.policies.as_ref().unwrap();
    policies.publish(domain, &policy("sometimes", "mx.plain.test"))?;
    let mut server = world.concord()?;
    send(&server, &format!("a@{domain}"))?;
    wait_until("the message", SOON, || Ok(peer.count() == 1))
        .map_err(|e| explained(&e, &server, &peer))?;
    server.wait_queue_empty(SOON)?;
    server.stop()?;
    // RFC 8460: the domain's owner reads of it in a report.
    let directory = server.root().join("data/internet-mail/tls-sessions");
    let mut counts = String::new();
    for entry in std::fs::read_dir(directory)? {
        counts.push_str(&std::fs::read_to_string(entry?.path())?);
    }
    assert!(counts.contains("sts-policy-invalid") && counts.contains(domain), "{counts}");
    Ok(())
}
