//! Operators' orders to a connector to OfficeVision/VM: two servers that are each
//! other's NJE node.

use super::NOTHING;
use crate::SOON;
use concord_testkit::{Result, Site, VmPair, trouble, wait_for, wait_until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// The code with which a command fails.
fn refused(site: &Site, args: &[&str]) -> Result<String> {
    let mut all = vec!["--json"];
    all.extend(args);
    let done = site.run(&all)?;
    let error: Value = serde_json::from_str(done.stderr.lines().last().unwrap_or_default())
        .map_err(|e| trouble(format!("{args:?} did not fail: {e}: {}", done.stdout)))?;
    Ok(error["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn an_operator_stops_and_starts_a_link_and_speaks_with_the_partner() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let (a, b) = (&pair.a.site, &pair.b.site);
    let said = a.ok(&["ovvm", "query", "NODEB", "CPQ", "TIME"])?;
    assert!(said.contains("NODEB: CPQ: TIME IS "), "{said}");
    let said = a.ok(&["ovvm", "query", "NODEB", "FLY"])?;
    assert!(said.contains("NODEB: COMMAND NOT SUPPORTED"), "{said}");

    let told = a.ok(&["ovvm", "tell", "NODEB.BOB", "Is", "it", "you?"])?;
    assert_eq!(told.trim(), "sent by the link to NODEB");
    let heard = wait_for("the message at B", SOON, || {
        let shown = b.json(&["ovvm", "link", "query", "NODEA"])?;
        Ok(shown["messages"].as_array().and_then(|all| all.first().cloned()))
    })?;
    let (from, to, text) = (&heard["from"], &heard["to"], &heard["text"]);
    assert_eq!((from, to, text), (&"NODEA.OPERATOR".into(), &"BOB".into(), &"Is it you?".into()));

    let stopped = a.ok(&["ovvm", "link", "stop", "nodeb"])?;
    assert_eq!(stopped.trim(), "link NODEB is stopped");
    assert_eq!(refused(a, &["ovvm", "query", "NODEB", "CPQ TIME"])?, "nje.not-active");
    // The partner is told to come later, and does.
    wait_until("B to be refused", SOON, || {
        let shown = b.json(&["ovvm", "link", "query", "NODEA"])?;
        Ok(shown["trouble"]["code"] == "nje.refused")
    })?;
    a.ok(&["ovvm", "link", "start", "NODEB"])?;
    b.ok(&["ovvm", "link", "start", "NODEA"])?;
    pair.wait_linked()?;
    let shown = a.ok(&["ovvm", "link", "query", "NODEB"])?;
    assert!(shown.contains("by NODEB") && shown.contains("8192 octets"), "{shown}");

    for (args, code) in [
        (["ovvm", "link", "stop", "NOWHERE"].as_slice(), "ovvm.no-such-link"),
        (&["ovvm", "tell", "NOWHERE.BOB", "x"], "ovvm.no-way"),
        (&["ovvm", "tell", "NODEB.BOB", "Grüße"], "ovvm.text-character"),
        (&["ovvm", "query", "NODEB", "x", "--connector", "other"], "directory.not-found"),
    ] {
        assert_eq!(refused(a, args)?, code, "{args:?}");
    }
    Ok(())
}

#[test]
fn a_link_is_traced_while_it_works_and_its_capture_reads_the_same() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let a = &pair.a.site;
    let file = a.top().join("nje.capture");
    let path = file.display().to_string();
    let traced = std::thread::scope(|scope| -> Result<String> {
        let trace = scope.spawn(|| a.ok(&["ovvm", "trace", "NODEB", "--seconds", "6"]));
        let capture = scope.spawn(|| a.ok(&["ovvm", "capture", "NODEB", &path, "--seconds", "6"]));
        // Both watch before the command goes; what is asked for later is seen too.
        std::thread::sleep(Duration::from_secs(2));
        a.ok(&["ovvm", "query", "NODEB", "CPQ TIME"])?;
        capture.join().map_err(|_| trouble("the capture panicked"))??;
        trace.join().map_err(|_| trouble("the trace panicked"))?
    })?;
    let shown = a.ok(&["ovvm", "replay", &path, "--link", "NODEB", "--show"])?;
    for lines in [&traced, &shown] {
        assert!(lines.contains("the link is under way, opened by NODEB to NODEA"), "{lines}");
        let asked = lines.lines().find(|line| line.contains("command from NODEA")).unwrap();
        assert!(asked.contains(" > ") && asked.ends_with("CPQ TIME"), "{asked}");
        let answered = lines.lines().find(|line| line.contains("CPQ: TIME IS")).unwrap();
        assert!(answered.contains(" < "), "{answered}");
    }
    assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    // It is not written over, and one without files replays nothing.
    let again = refused(a, &["ovvm", "capture", "NODEB", &path, "--seconds", "1"])?;
    assert_eq!(again, "ovvm.capture-file");
    let replayed = a.json(&["ovvm", "replay", &path, "--link", "NODEB"])?;
    assert_eq!(replayed["files"], serde_json::json!([]));
    std::fs::write(&file, "= opened OTHER NODEA\n0 > 00\n")?;
    let other = refused(a, &["ovvm", "replay", &path, "--link", "NODEB"])?;
    assert_eq!(other, "ovvm.replay-other-link");
    std::fs::write(&file, "rubbish\n")?;
    assert_eq!(refused(a, &["ovvm", "replay", &path, "--link", "NODEB"])?, "nje.capture");
    Ok(())
}

/// Q220833, T82: what was captured is taken in once, and again only when that is
/// asked for.
#[test]
fn a_captured_file_is_known_when_it_is_replayed_unless_it_is_forced() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let a = &pair.a.site;
    let path = a.top().join("nje.capture").display().to_string();
    std::thread::scope(|scope| -> Result<()> {
        let capture = scope.spawn(|| a.ok(&["ovvm", "capture", "NODEB", &path, "--seconds", "8"]));
        std::thread::sleep(Duration::from_secs(2));
        pair.b.write(super::ALICE, "captured")?;
        pair.a.gets("Subject: captured")?;
        capture.join().map_err(|_| trouble("the capture panicked"))??;
        Ok(())
    })?;
    let count = || -> Result<usize> { Ok(pair.a.mailbox()?.messages("INBOX")?.len()) };
    let before = count()?;
    let replay = ["ovvm", "replay", &path, "--link", "NODEB"];
    let replayed = a.json(&replay)?;
    let file = &replayed["files"][0];
    assert_eq!((&file["outcome"], &file["from"]), (&"duplicate".into(), &"NODEB.BOB".into()));
    let forced = a.json(&[&replay[..], &["--force"]].concat())?;
    assert_eq!(forced["files"][0]["outcome"], "taken", "{forced}");
    wait_until("the message again", SOON, || Ok(count()? == before + 1))?;
    Ok(())
}
