//! Lists across systems, and two GroupWise systems at once.

use super::{ALICE, ALICE_THERE, Pair, U1, U1_HERE, add_connector, directory, settings, to_alice};
use crate::SOON;
use concord_testkit::{GroupWise, GroupWiseSettings, GwOutgoing, Result, Sink, Site, wait_until};
use std::time::Duration;

/// For a copy too many to show up.
const A_WHILE: Duration = Duration::from_secs(3);
/// A user of the second GroupWise system.
const V1: &str = "GW2DOM.GW2PO.v1";

/// T28, T29, T97, row 76: Q234405, Q256865, Q166654.
#[test]
fn a_list_across_systems_gives_everybody_one_copy() -> Result<()> {
    let sink = Sink::start()?;
    let mut site = Site::new()?;
    site.settings = format!("smart-host = \"{}\"\nsmart-host-tls = \"off\"\n", sink.address());
    site.install()?;
    let pair = Pair::with(site, settings())?;
    pair.site.add_mailbox("bob")?;
    pair.site.ok(&["contact", "add", "far", "--target", "far@elsewhere.test"])?;
    let mut args = vec!["list", "add", "staff", "--address", "staff@example.test"];
    args.extend(["--address", "GWISE:EXCHANGE.FIRST.staff"]);
    for member in ["alice", "bob", "u1", "far"] {
        args.extend(["--member", member]);
    }
    pair.site.ok(&args)?;
    let counts = || -> Result<(usize, usize, u32, u32)> {
        let there = pair.gw.mailbox(U1).len();
        let (alice, bob) = (pair.alice()?.count("INBOX")?, pair.site.imap("bob")?.count("INBOX")?);
        Ok((there, sink.count(), alice, bob))
    };
    // From here.
    pair.alice_writes(&["staff@example.test"], "from-alice")?;
    wait_until("a copy for everybody", SOON, || Ok(counts()? == (1, 1, 1, 1)))?;
    // From there: the sender is a member, and his copy goes back to him.
    let item = GwOutgoing {
        to: vec!["EXCHANGE.FIRST.staff".into()],
        blind_copies: vec![ALICE_THERE.into()],
        ..to_alice("from-u1")
    };
    pair.gw.send(U1, &item);
    wait_until("a second copy for everybody", SOON, || Ok(counts()? == (2, 2, 2, 2)))?;
    std::thread::sleep(A_WHILE);
    assert_eq!(counts()?, (2, 2, 2, 2), "one copy each, and no more");
    let seen = pair.site.imap("bob")?.messages("INBOX")?;
    let seen = String::from_utf8_lossy(&seen[1]).into_owned();
    assert!(seen.contains("staff@example.test") && !seen.contains(ALICE), "{seen}");
    Ok(())
}

/// T52: Q240874. Two systems with a gateway each, and mail between them.
#[test]
fn two_groupwise_systems_are_bridged_and_answers_find_back() -> Result<()> {
    let site = Site::installed()?;
    let root = directory(&site, "gw2");
    let other = GroupWise::start(
        &root,
        GroupWiseSettings {
            domain: "GW2DOM".into(),
            post_offices: vec!["GW2PO".into()],
            ..settings()
        },
    )?;
    other.add_user(V1, "Vera", "Two");
    let path = root.display().to_string();
    add_connector(&site, "gw2", &path, &["gateway-domain=GW2DOM"])?;
    let pair = Pair::with(site, settings())?;
    let site = &pair.site;
    for (connector, domain) in [("gw1", "GWDOM"), ("gw2", "GW2DOM")] {
        let space = format!("GWISE:{domain}.*");
        site.ok(&["connector", "set", connector, "--address-space", &space])?;
    }
    // Each has an address by which the other system writes to him.
    site.ok(&["contact", "set", "u1", "--add-address", "GWISE:EXCHANGE.FIRST.u1"])?;
    let (target, secondary) = (format!("GWISE:{V1}"), "GWISE:EXCHANGE.FIRST.v1");
    let add = ["contact", "add", "v1", "--target", &target, "--address", "v1@example.test"];
    site.ok(&[&add[..], &["--address", secondary]].concat())?;
    let item = GwOutgoing { to: vec!["EXCHANGE.FIRST.v1".into()], ..to_alice("bridge") };
    pair.gw.send(U1, &item);
    let mail =
        other.wait_mail(V1, "mail from the first system", SOON, |m| m.subject == "bridge")?;
    assert_eq!(mail.from.to_string(), "EXCHANGE.FIRST.u1");
    other.reply(V1, 0, "over the bridge\r\n")?;
    pair.arrives(U1, "Re: bridge")?;
    std::thread::sleep(A_WHILE);
    assert_eq!((pair.gw.mailbox(U1).len(), other.mailbox(V1).len()), (1, 1));
    assert!(pair.gw.problems().is_empty() && other.problems().is_empty());
    // And each with Alice.
    pair.alice_writes(&[U1_HERE, "v1@example.test"], "to-both")?;
    pair.arrives(U1, "to-both")?;
    other.wait_mail(V1, "Alice's mail", SOON, |m| m.subject == "to-both")?;
    Ok(())
}

/// Two gateways of one GroupWise system: if one is gone, the other carries.
#[test]
fn mail_takes_the_other_gateway_while_one_is_away() -> Result<()> {
    let site = Site::installed()?;
    let root = directory(&site, "second");
    let second = GroupWise::start(&root, settings())?;
    second.add_user(U1, "Una", "One");
    add_connector(&site, "gw2", &root.display().to_string(), &["gateway-domain=GWDOM"])?;
    let pair = Pair::with(site, settings())?;
    let away = directory(&pair.site, "away");
    pair.gw.turn(|knobs| knobs.stopped = true);
    std::fs::rename(pair.gw.root(), &away)?;
    for n in 0..4 {
        pair.alice_writes(&[U1_HERE], &format!("other-way-{n}"))?;
    }
    wait_until("all mail by the second gateway", SOON * 2, || Ok(second.mailbox(U1).len() == 4))?;
    std::fs::rename(&away, pair.gw.root())?;
    pair.gw.turn(|knobs| knobs.stopped = false);
    Ok(())
}
