//! Directories of both sides.

use super::{Pair, U1, U1_HERE, settings};
use crate::SOON;
use concord_testkit::{Result, Site, trouble, wait_for, wait_until};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// One request on the admin socket.
fn api(site: &Site, method: &str, path: &str, body: &Value) -> Result<Value> {
    let mut stream = UnixStream::connect(site.root().join("run/admin.sock"))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: concord\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    serde_json::from_str(body).map_err(|e| trouble(format!("{path}: {e}: {answer}")))
}

/// Synchronises and gives the run back when it is over.
fn synchronise(pair: &Pair, options: &Value) -> Result<Value> {
    let begun = api(&pair.site, "POST", "/v1/connectors/gw1/sync", options)?;
    let run = begun["run"]["id"].as_u64().ok_or_else(|| trouble(begun.to_string()))?;
    wait_for("the run to end", SOON * 4, || {
        let shown = api(&pair.site, "GET", "/v1/connectors/gw1/sync", &Value::Null)?;
        let runs = shown["runs"].as_array().cloned().unwrap_or_default();
        let ours = runs.into_iter().find(|one| one["id"].as_u64() == Some(run));
        Ok(ours.filter(|one| one["state"] != "running"))
    })
}

/// What is known of a contact; the complaint, if there is none.
fn contact(pair: &Pair, name: &str) -> Result<String> {
    let done = pair.site.run(&["--json", "contact", "show", name])?;
    Ok(format!("{}{}", done.stdout, done.stderr))
}

fn both() -> Value {
    json!({ "import": true, "export": true, "full": true })
}

/// Q222506, Q214648, Q231687, T43, T53: Q201547, Q235497.
#[test]
fn users_of_each_side_appear_on_the_other_and_go_again() -> Result<()> {
    let pair = Pair::start()?;
    pair.gw.add_user("GWDOM.GWPO.u2", "Udo", "Two");
    pair.gw.add_user("GWDOM.GWPO.nameless", "", "");
    pair.site.add_mailbox("bob")?;
    let run = synchronise(&pair, &both())?;
    assert_eq!(run["state"], "done", "{run:#}");
    let two = contact(&pair, "u2")?;
    assert!(two.contains("GWDOM.GWPO.u2") && two.contains("Udo Two"), "{two}");
    let nameless = contact(&pair, "nameless")?;
    assert!(nameless.contains("nameless"), "{nameless}");
    let exported = |pair: &Pair| -> Vec<String> {
        pair.gw.objects("EXCHANGE").iter().map(|object| object.name.to_string()).collect()
    };
    assert_eq!(exported(&pair), ["EXCHANGE.FIRST.alice", "EXCHANGE.FIRST.bob"], "{run:#}");
    assert!(pair.gw.has_post_office("EXCHANGE", "FIRST"));
    // Nothing is left to do.
    let traffic = pair.gw.traffic();
    let again = synchronise(&pair, &both())?;
    assert_eq!(again["state"], "done", "{again:#}");
    assert!(pair.gw.traffic().0 - traffic.0 <= 3, "questions only: {again:#}");
    // Both change.
    pair.gw.remove_user("GWDOM.GWPO.u2");
    pair.site.ok(&["mailbox", "remove", "bob", "--yes"])?;
    synchronise(&pair, &json!({ "import": true, "export": true, "full": true, "approve": true }))?;
    wait_until("bob to go there", SOON, || Ok(exported(&pair) == ["EXCHANGE.FIRST.alice"]))?;
    let gone = contact(&pair, "u2")?;
    assert!(gone.contains("directory.not-found"), "{gone}");
    assert!(!pair.gw.objects("GWDOM").is_empty(), "GroupWise's own are untouched (Q222186)");
    Ok(())
}

#[test]
fn new_settings_in_the_middle_of_a_run_end_it_at_once_and_the_next_one_is_whole() -> Result<()> {
    let pair = Pair::start()?;
    pair.gw.add_user("GWDOM.GWPO.u2", "Udo", "Two");
    // The gateway does not answer, so that the run is under way for sure.
    pair.gw.turn(|knobs| knobs.truncate_answer = true);
    let begun = api(&pair.site, "POST", "/v1/connectors/gw1/sync", &both())?;
    assert_eq!(begun["run"]["state"], "running", "{begun:#}");
    pair.site.ok(&["connector", "set", "gw1", "--setting", "poll-seconds=2"])?;
    let ended = wait_for("the run to end", SOON, || {
        let shown = api(&pair.site, "GET", "/v1/connectors/gw1/sync", &Value::Null)?;
        let last = shown["runs"].as_array().and_then(|runs| runs.first().cloned());
        Ok(last.filter(|run| run["state"] == "failed"))
    })?;
    assert!(ended.to_string().contains("new settings"), "{ended:#}");
    pair.gw.turn(|knobs| knobs.truncate_answer = false);
    let whole = synchronise(&pair, &both())?;
    assert_eq!(whole["state"], "done", "{whole:#}");
    assert!(contact(&pair, "u2")?.contains("GWDOM.GWPO.u2"));
    Ok(())
}

/// T41: Q222186. Swapped answers (T40) are told apart in the connector's own tests.
#[test]
fn short_and_broken_answers_delete_nobody() -> Result<()> {
    let pair = Pair::start()?;
    let minute = "directory-answer-minutes=1";
    pair.site.ok(&["connector", "set", "gw1", "--setting", minute])?;
    // The setting is taken over within seconds.
    std::thread::sleep(Duration::from_secs(7));
    for n in 0..30 {
        pair.gw.add_user(&format!("GWDOM.GWPO.w{n}"), "W", &n.to_string());
    }
    synchronise(&pair, &both())?;
    let there = || -> Result<bool> { Ok(contact(&pair, "w29")?.contains("GWDOM.GWPO.w29")) };
    assert!(there()?);
    pair.gw.turn(|knobs| knobs.shrink_answer = Some(10));
    let short = synchronise(&pair, &both())?;
    assert!(there()?, "{short:#}");
    assert!(short["import"]["withheld"].as_u64() > Some(0), "{short:#}");
    pair.gw.turn(|knobs| knobs.truncate_answer = true);
    let broken = synchronise(&pair, &both())?;
    assert_eq!(broken["state"], "failed", "{broken:#}");
    assert!(broken.to_string().contains("did not answer"), "{broken:#}");
    assert!(there()?, "{broken:#}");
    Ok(())
}

/// T47: Q229821.
#[test]
fn a_gateway_in_synchronization_mode_is_heard_and_explained() -> Result<()> {
    let pair = Pair::with(Site::installed()?, settings())?;
    synchronise(&pair, &both())?;
    pair.gw.turn(|knobs| knobs.synchronisation = true);
    pair.gw.add_user("GWDOM.GWPO.late", "Lara", "Late");
    wait_until("the new user", SOON, || Ok(contact(&pair, "late")?.contains("GWDOM.GWPO.late")))?;
    wait_until("the notice", SOON, || {
        Ok(pair.notices()?.contains("groupwise.synchronization-mode"))
    })?;
    pair.alice_writes(&[U1_HERE], "mail-flows")?;
    pair.arrives(U1, "mail-flows")?;
    std::thread::sleep(Duration::from_millis(100));
    Ok(())
}
