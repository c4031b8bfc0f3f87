//! Who can be written to, and who cannot.

use super::{ALICE, BOB, NOTHING};
use concord_testkit::{Result, VmPair, wait_until};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// T73 (Q188819, Q186580): an unknown user at the host's own node.
#[test]
fn a_user_whom_the_host_does_not_know_becomes_a_report_with_the_hosts_reason() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    pair.a.add_contact("gone", "NODEB.GONE")?;
    pair.a.write("gone@example.test", "into-nothing")?;
    let report = pair.a.gets("message/delivery-status")?;
    assert!(report.contains("Action: failed") && report.contains("NODEB.GONE"), "{report}");
    assert!(report.contains("GONE unknown at NODEB"), "{report}");
    Ok(())
}

/// A node to which no link leads, and a user who would be ours.
#[test]
fn a_node_without_a_link_and_an_unknown_user_of_the_own_node_are_refused_at_once() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    pair.a.add_contact("far", "FARNODE.EVE")?;
    pair.a.add_contact("near", "NODEA.NOBODY")?;
    pair.a.write("far@example.test", "too-far")?;
    let report = pair.a.gets("no link leads to the node FARNODE")?;
    assert!(report.contains("5.1.2"), "{report}");
    pair.a.write("near@example.test", "too-near")?;
    pair.a.gets("NOBODY unknown at NODEA")?;
    Ok(())
}

/// Without the original's tables of made-up addresses (Q185900, Q253261, Q295071,
/// T80): a sender whom the host does not know is answered by the message's name.
#[test]
fn a_host_user_answers_an_internet_sender_who_has_no_host_address() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    pair.a.site.send("bob", "from-afar")?;
    let note = pair.b.gets("Subject: from-afar")?;
    assert!(note.contains("you@elsewhere.test"), "{note}");
    let from = note.lines().find_map(|line| line.strip_prefix("From:")).unwrap_or_default();
    let (_, from) = from.rsplit_once('<').unwrap();
    let reply_to = from.trim_end().trim_end_matches('>');
    assert!(reply_to.contains("NODEA"), "an address at the other node: {note}");
    pair.b.write(reply_to, "back-to-you")?;
    wait_until("the answer in the queue of A, for its sender", SOON, || {
        let queue = pair.a.site.json(&["queue", "list"])?.to_string();
        Ok(queue.contains("you@elsewhere.test") && queue.contains("back-to-you"))
    })
}

/// T86, T88 (Q166643, Q215947): addresses in the text, for people whom the host's
/// directory does not have.
#[test]
fn a_note_with_addresses_in_its_text_reaches_them_and_its_sender_hears_of_bad_lines() -> Result<()>
{
    let pair = VmPair::start([&["in-body-users=INET"], &[]])?;
    pair.b.add_contact("inet", "NODEA.INET")?;
    pair.b.send(
        &["inet@example.test"],
        &format!(
            "From: <{BOB}>\nTo: <inet@example.test>\nSubject: by hand\n\n\
             {ALICE}\nno address at all\n\nThe rest is the text.\n"
        ),
    )?;
    let came = pair.a.gets("The rest is the text.")?;
    assert!(came.contains("Subject: by hand") && !came.contains("no address at all"), "{came}");
    let report = pair.b.gets("message/delivery-status")?;
    assert!(report.contains("no address at all") && report.contains("5.1.3"), "{report}");
    // One who is not set for it is an unknown user.
    pair.b.add_contact("other", "NODEA.OTHER")?;
    pair.b.write("other@example.test", "not-set")?;
    pair.b.gets("OTHER unknown at NODEA")?;
    Ok(())
}

/// Loops end by the trace, which goes over NJE as the number of hops.
#[test]
fn a_message_that_goes_round_between_two_nodes_ends_with_a_report() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    // Each server takes the address for one at the other.
    for (node, here, there) in [(&pair.a, "NODEA", "NODEB"), (&pair.b, "NODEB", "NODEA")] {
        let (target, own) = (format!("PROFS:{there}.LOOP"), format!("PROFS:{here}.LOOP"));
        node.site.ok(&[
            "contact",
            "add",
            "loop",
            "--target",
            &target,
            "--address",
            "loop@example.test",
            "--address",
            &own,
        ])?;
    }
    pair.a.write("loop@example.test", "round-and-round")?;
    let report = pair.a.gets("Action: failed")?;
    assert!(report.contains("5.4.6") || report.contains("loop"), "{report}");
    Ok(())
}
