//! What goes wrong with partners and links.

use super::{ALICE, BOB, NOTHING};
use crate::rows;
use concord_testkit::{Result, Site, VmPair, kill, wait_for, wait_until};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// A partner that is away: its mail waits with the reason, and goes when it is back.
#[test]
fn mail_for_a_partner_that_is_away_waits_and_goes_when_it_is_back() -> Result<()> {
    let mut pair = VmPair::start(NOTHING)?;
    pair.b.site.stop()?;
    pair.a.write(BOB, "patience")?;
    wait_until("the reason", SOON, || {
        let queue = pair.a.site.json(&["queue", "list"])?.to_string();
        Ok(queue.contains("4.4.1") || queue.contains("not active") || queue.contains("no link"))
    })?;
    let tested = pair.a.site.run(&["connector", "test", "vm"])?;
    assert_ne!(tested.code, Some(0), "{}{}", tested.stdout, tested.stderr);
    pair.b.site.up()?;
    pair.wait_linked()?;
    pair.a.site.ok(&["queue", "retry", "--all"])?;
    pair.b.gets("About patience")?;
    pair.a.site.ok(&["connector", "test", "vm"])?;
    Ok(())
}

/// A link that is lost while a file is on its way.
#[test]
fn a_lost_link_and_a_killed_connector_lose_nothing() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    for n in 0..10 {
        pair.a.write(BOB, &format!("out-{n}"))?;
        pair.b.write(ALICE, &format!("in-{n}"))?;
        match n % 3 {
            0 => pair.breaker.cut(),
            // It may be between two lives.
            1 => {
                if let Ok(pid) = pair.a.site.service("vm") {
                    kill(pid)?;
                }
            }
            _ => {}
        }
    }
    wait_until("everything", SOON * 2, || {
        for node in [&pair.a, &pair.b] {
            node.site.run(&["queue", "release", "--all"])?;
            node.site.run(&["queue", "retry", "--all"])?;
        }
        let there = pair.b.mailbox()?.count("INBOX")?;
        Ok(there >= 10 && pair.a.mailbox()?.count("INBOX")? >= 10)
    })?;
    for (node, way) in [(&pair.b, "out"), (&pair.a, "in")] {
        let mut subjects = node.mailbox()?.headers("INBOX", "Subject")?;
        subjects.sort();
        let mut expected: Vec<String> = (0..10).map(|n| format!("{way}-{n}")).collect();
        expected.sort();
        assert_eq!(subjects, expected);
    }
    Ok(())
}

/// New settings are taken over while mail flows; a mistake changes nothing.
#[test]
fn settings_change_while_mail_flows() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    for n in 0..12 {
        pair.a.write(BOB, &format!("flow-{n}"))?;
        if n % 4 == 1 {
            let margin = format!("margin={}", 60 + n);
            pair.a.site.ok(&["connector", "set", "vm", "--setting", &margin])?;
        }
        std::thread::sleep(Duration::from_millis(700));
    }
    let wrong = pair.a.site.ok(&["connector", "set", "vm", "--setting", "margin=7"]);
    drop(wrong);
    wait_until("all of it", SOON, || {
        pair.a.site.run(&["queue", "retry", "--all"])?;
        Ok(pair.b.mailbox()?.count("INBOX")? >= 12)
    })?;
    pair.a.write(BOB, "after-the-mistake")?;
    pair.b.gets("About after-the-mistake")?;
    wait_until("an empty queue", SOON, || {
        Ok(rows(&pair.a.site.json(&["queue", "list"])?).is_empty())
    })
}

/// Debug builds of the connector abort over a message that holds this.
const POISON: &str = "poison-pill";

/// Q187865, Q221565, Q221929: one bad file must not stop a direction.
#[test]
fn a_file_that_kills_the_connector_is_put_aside_and_the_rest_flows() -> Result<()> {
    let mut sites = [Site::new()?, Site::new()?];
    sites[0].environment.push(("CONCORD_FAULT_ABORT_ON".into(), POISON.into()));
    let pair = VmPair::with(sites, NOTHING)?;
    pair.b.write(ALICE, POISON)?;
    for n in 0..4 {
        pair.b.write(ALICE, &format!("good-{n}"))?;
    }
    let put_aside = wait_for("the file in quarantine", SOON * 2, || {
        pair.b.site.run(&["queue", "retry", "--all"])?;
        let queue = pair.a.site.json(&["queue", "list", "--quarantined"])?.to_string();
        Ok(queue.contains("died 3 times").then_some(queue))
    })?;
    assert!(put_aside.contains("NODEB"), "{put_aside}");
    wait_until("the others", SOON * 2, || {
        pair.b.site.run(&["queue", "release", "--all"])?;
        pair.b.site.run(&["queue", "retry", "--all"])?;
        Ok(pair.a.mailbox()?.count("INBOX")? >= 4)
    })
}
