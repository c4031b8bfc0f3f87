//! What goes wrong with gateways, and with connectors.

use super::{ALICE, ENDURE, Pair, U1, U1_HERE, add_connector, directory, settings, to_alice};
use crate::SOON;
use concord_testkit::{GwFile, Result, Site, Slow, kill, wait_for, wait_until};
use std::fs;
use std::time::Duration;

/// Debug builds of the connector abort over an item whose subject holds this.
const POISON: &str = "poison-pill";

/// T38: Q235867 and many others. One bad item must not stop a direction.
#[test]
fn an_item_that_kills_the_connector_is_put_aside_and_the_rest_flows() -> Result<()> {
    let mut site = Site::new()?;
    site.settings = ENDURE.into();
    site.environment.push(("CONCORD_FAULT_ABORT_ON".into(), POISON.into()));
    site.install()?;
    let pair = Pair::with(site, settings())?;
    pair.gw.send(U1, &to_alice(POISON));
    for n in 0..5 {
        pair.gw.send(U1, &to_alice(&format!("good-{n}")));
    }
    for n in 0..5 {
        pair.alice_gets(&format!("About good-{n}"))?;
    }
    let shelter = pair.gw.root().join("concord-quarantine");
    let names = wait_for("the quarantine", SOON, || {
        let Ok(entries) = fs::read_dir(&shelter) else { return Ok(None) };
        let names: Vec<String> =
            entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        Ok((names.len() >= 3).then_some(names))
    })?;
    let reason = names.iter().find(|name| name.ends_with(".reason")).unwrap();
    let reason = fs::read_to_string(shelter.join(reason))?;
    assert!(reason.contains("died 3 times"), "{reason}");
    wait_until("the notice", SOON, || Ok(pair.notices()?.contains("groupwise.quarantined")))?;
    pair.alice_writes(&[U1_HERE], "still-works")?;
    pair.arrives(U1, "still-works")?;
    Ok(())
}

/// Q201876, Q201147: an unmounted volume looks like an empty directory.
#[test]
fn an_unmounted_directory_is_waited_for_and_comes_back() -> Result<()> {
    let pair = Pair::start()?;
    let (root, away) = (pair.gw.root().to_owned(), directory(&pair.site, "away"));
    pair.gw.turn(|knobs| knobs.stopped = true);
    fs::rename(&root, &away)?;
    fs::create_dir(&root)?;
    pair.alice_writes(&[U1_HERE], "patience")?;
    wait_until("the notice", SOON, || Ok(pair.notices()?.contains("groupwise.no-directory")))?;
    let tested = pair.site.run(&["connector", "test", "gw1"])?;
    let said = format!("{}{}", tested.stdout, tested.stderr);
    assert_ne!(tested.code, Some(0), "{said}");
    assert!(said.contains("directory") && said.contains("mount"), "{said}");
    assert!(fs::read_dir(&root)?.next().is_none(), "nothing was written into the mount point");
    fs::remove_dir(&root)?;
    fs::rename(&away, &root)?;
    pair.gw.turn(|knobs| knobs.stopped = false);
    pair.gw.send(U1, &to_alice("back-again"));
    pair.alice_gets("About back-again")?;
    pair.site.ok(&["queue", "retry", "--all"]).ok();
    wait_until("the mail that waited", SOON * 4, || {
        Ok(pair.gw.mailbox(U1).iter().any(|mail| mail.subject == "patience"))
    })?;
    Ok(())
}

/// T46: Q221429. What nobody but an administrator can mend ends the service, and
/// is not tried again and again.
#[test]
fn a_connector_without_a_directory_says_so_and_does_not_start() -> Result<()> {
    let mut site = Site::installed()?;
    add_connector(&site, "gw1", "relative/path", &[])?;
    site.up()?;
    let log = wait_for("the message", SOON, || {
        let list = site.json(&["service", "list"])?.to_string();
        Ok(list.contains("78").then_some(list))
    })?;
    assert!(log.contains("gw1"), "{log}");
    Ok(())
}

/// T04, T05, T20, T22: Q253349, Q242232, Q253347, Q254540, Q245431.
#[test]
fn unfinished_locked_and_empty_headers_are_waited_for_and_keep_nobody() -> Result<()> {
    let site = Site::installed()?;
    let pair = Pair::with(site, settings())?;
    pair.gw.turn(|knobs| knobs.empty_header = true);
    pair.gw.send(U1, &to_alice("never-written"));
    pair.gw.turn(|knobs| {
        knobs.slow = Some(Slow { pieces: 4, rest: Duration::from_millis(400) });
        knobs.fold_ids = Some(10);
    });
    let file = |text: &str| GwFile { name: "Comments".into(), octets: text.as_bytes().to_vec() };
    for text in ["first", "other"] {
        let mut item = to_alice(text);
        item.files.push(file(text));
        pair.gw.send(U1, &item);
    }
    // base64 of the files.
    assert!(pair.alice_gets("About first")?.contains("Zmlyc3Q="));
    assert!(pair.alice_gets("About other")?.contains("b3RoZXI="));
    assert_eq!(pair.gw.files("API_OUT")?.len(), 1, "the empty one stays");
    assert!(!pair.gw.root().join("concord-quarantine").exists());
    Ok(())
}

/// T14: Q222538. A file of ours that the gateway refuses.
#[test]
fn a_refused_file_is_explained_and_its_sender_told() -> Result<()> {
    let pair = Pair::start()?;
    pair.gw.turn(|knobs| knobs.style = concord_testkit::AddressStyle::GroupWise);
    pair.alice_writes(&[U1_HERE], "refused")?;
    let report = pair.alice_gets("Action: failed")?;
    assert!(report.contains("Unknown keyword") && report.contains("refused"), "{report}");
    wait_until("the notice", SOON, || {
        let notices = pair.notices()?;
        Ok(notices.contains("groupwise.problem-file") && notices.contains("Component"))
    })?;
    let reports = |pair: &Pair| -> Result<usize> {
        let messages = pair.alice()?.messages("INBOX")?;
        Ok(messages
            .iter()
            .filter(|m| String::from_utf8_lossy(m).contains("Action: failed"))
            .count())
    };
    kill(pair.site.service("gw1")?)?;
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(reports(&pair)?, 1, "once, and not again after a restart");
    Ok(())
}

/// T11: Q222550. The original lost such mail without a word.
#[test]
fn addresses_in_groupwise_style_are_understood() -> Result<()> {
    let pair = Pair::start()?;
    pair.gw.turn(|knobs| {
        knobs.style = concord_testkit::AddressStyle::GroupWise;
        knobs.no_message_type = true;
    });
    pair.gw.send(U1, &to_alice("dotted"));
    pair.alice_gets("About dotted")?;
    Ok(())
}

/// An item of ours that GroupWise sends on to us goes round until the core's
/// bound, and ends with a report.
#[test]
fn a_loop_through_groupwise_ends() -> Result<()> {
    let pair = Pair::start()?;
    let header = |hops: u32, id: &str| {
        format!(
            "WPC-API= 1.2;\r\nMsg-Type= Mail;\r\nMsg-Id= {id};\r\nFrom=\r\n    WPD= GWDOM;\r\n    \
             WPPO= GWPO;\r\n    WPU= u1;\r\n    CDBA= concord-hops-{hops};\r\n    ;\r\nTo=\r\n    \
             WPD= EXCHANGE;\r\n    WPPO= FIRST;\r\n    WPU= alice;\r\n    ;\r\nSubject= {id};\r\n-END-\r\n"
        )
    };
    for (hops, id) in [(3, "third"), (150, "hundred")] {
        let name = format!("{id}.api");
        fs::write(pair.gw.root().join("API_OUT").join(name), header(hops, id))?;
    }
    pair.alice_gets("Subject: third")?;
    wait_until("the report into GroupWise", SOON, || {
        Ok(pair.gw.log().iter().any(|line| line.contains("hundred is not in the correlation")))
    })?;
    let messages = pair.alice()?.messages("INBOX")?;
    assert!(!messages.iter().any(|m| String::from_utf8_lossy(m).contains("Subject: hundred")));
    let _ = ALICE;
    Ok(())
}

/// `connector test` looks at each joint and names what mends it.
#[test]
fn a_test_names_what_fails_and_what_mends_it() -> Result<()> {
    let pair = Pair::start()?;
    let good = pair.site.ok(&["connector", "test", "gw1"])?;
    assert!(good.contains("echo") && good.contains("came back"), "{good}");
    pair.gw.turn(|knobs| knobs.mute_searches = true);
    // Q260690, Q273736: mail may work all the same.
    let done = pair.site.run(&["connector", "test", "gw1"])?;
    let said = format!("{}{}", done.stdout, done.stderr);
    assert_ne!(done.code, Some(0), "{said}");
    assert!(said.contains("External Foreign") && said.contains("GWDOM.FIRST.FB-PROBE"), "{said}");
    pair.gw.turn(|knobs| knobs.mute_searches = false);
    fs::write(pair.gw.root().join("GWPROB/x.api"), "Subject= x;\r\n-END-\r\n")?;
    let done = pair.site.run(&["connector", "test", "gw1"])?;
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(done.code != Some(0) && said.contains("GWPROB"), "{said}");
    Ok(())
}

/// T22, T23: Q245431, Q234388, Q235501. What the gateway lost is found by age.
#[test]
fn lost_messages_and_headers_never_written_are_told_of() -> Result<()> {
    let pair = Pair::start()?;
    pair.site.ok(&["mailbox", "set", "alice", "--add-address", "postmaster@example.test"])?;
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    pair.gw.turn(|knobs| knobs.orphan_body = true);
    pair.gw.send(U1, &to_alice("orphan"));
    let body = wait_for("the body", SOON, || Ok(pair.gw.files("ATT_OUT")?.into_iter().next()))?;
    fs::File::options().write(true).open(&body)?.set_modified(long_ago)?;
    let mail = pair.alice_gets("GroupWise lost a message")?;
    assert!(mail.contains("About orphan"), "the text is in it: {mail}");
    wait_until("the notice", SOON, || Ok(pair.notices()?.contains("groupwise.orphans")))?;
    wait_until("the orphan to be put aside", SOON, || Ok(pair.gw.files("ATT_OUT")?.is_empty()))?;
    let empty = pair.gw.root().join("API_OUT/00000fff.api");
    let file = fs::File::create(&empty)?;
    file.lock()?;
    file.set_modified(long_ago)?;
    wait_until("the notice", SOON, || Ok(pair.notices()?.contains("External Foreign")))?;
    assert!(empty.exists(), "it stays");
    Ok(())
}

/// Settings are taken over while it runs; bad ones leave the old ones in force.
#[test]
fn settings_change_while_mail_flows() -> Result<()> {
    let pair = Pair::start()?;
    let other = directory(&pair.site, "other");
    let gw = concord_testkit::GroupWise::start(&other, settings())?;
    gw.add_user(U1, "Una", "One");
    pair.site.ok(&["connector", "set", "gw1", "--setting", "code-page=1200"])?;
    wait_until("the notice", SOON, || Ok(pair.notices()?.contains("groupwise.settings")))?;
    pair.alice_writes(&[U1_HERE], "as-before")?;
    pair.arrives(U1, "as-before")?;
    let setting = format!("directory={}", other.display());
    pair.site.ok(&[
        "connector",
        "set",
        "gw1",
        "--setting",
        "code-page=437",
        "--setting",
        &setting,
    ])?;
    wait_until("mail by the other directory", SOON, || {
        pair.alice_writes(&[U1_HERE], "elsewhere")?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(gw.mailbox(U1).iter().any(|mail| mail.subject == "elsewhere"))
    })?;
    Ok(())
}

#[test]
fn wrong_settings_are_refused_before_they_are_stored() -> Result<()> {
    let pair = Pair::start()?;
    let set = |setting: &str| pair.site.run(&["connector", "set", "gw1", "--setting", setting]);
    for (setting, words) in [
        ("poll-seconds=soon", "'soon' is not a whole number"),
        ("shoe-size=44", "'shoe-size' is not a setting of groupwise"),
    ] {
        let refused = set(setting)?;
        assert_eq!(refused.code, Some(64), "{setting}");
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let required = pair.site.run(&["connector", "set", "gw1", "--remove-setting", "directory"])?;
    assert!(required.stderr.contains("'directory' is required"), "{}", required.stderr);
    // A text that reads as a number is the text that the setting is.
    assert_eq!(set("code-page=850")?.code, Some(0));
    let shown = pair.site.json(&["connector", "show", "gw1"])?;
    assert_eq!(shown["settings"]["code-page"], "850");
    Ok(())
}
