//! Address generators (scenario 8).

use super::healthy;
use super::package::{install, packed};
use super::release::Release;
use concord_testkit::{Result, Site, wait_until};
use std::time::Duration;

fn addresses(site: &Site, mailbox: &str) -> Result<String> {
    site.ok(&["mailbox", "show", mailbox])
}

/// Q202258, Q199425, Q243152: a missing generator made mailboxes, sites and
/// updates fail. Here the mailbox is made without the address, the lack is
/// named, and it is filled in behind.
#[test]
fn missing_address_generator_stops_nobody() -> Result<()> {
    let release = Release::next()?;
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    release.trust(&site)?;
    site.add_mailbox("before")?;
    assert!(addresses(&site, "before")?.contains("HOOK:before"));
    // Somebody takes the generator out of the directory.
    site.run(&["--json", "generator", "list"])?.ok()?;
    remove_generator(&site)?;
    site.add_mailbox("without")?;
    assert!(!addresses(&site, "without")?.contains("HOOK:"), "made all the same");
    assert_eq!(site.findings()?, ["CC-0504"]);
    site.ok(&["update", "apply", &release.whole(&site)?])?;
    // The update has put it back, and the address was filled in.
    healthy(&site)?;
    assert!(addresses(&site, "without")?.contains("HOOK:without"));
    // And the same by the doctor alone.
    remove_generator(&site)?;
    site.add_mailbox("third")?;
    site.ok(&["doctor", "--fix"])?;
    assert!(addresses(&site, "third")?.contains("HOOK:third"));
    healthy(&site)?;
    // One that comes while nothing runs is filled in at the next start.
    remove_generator(&site)?;
    site.add_mailbox("fourth")?;
    site.stop()?;
    site.ok(&["setup", "repair"])?;
    site.up()?;
    wait_until("the address", Duration::from_secs(30), || {
        Ok(addresses(&site, "fourth")?.contains("HOOK:fourth"))
    })?;
    let again = packed(&site, "1.0.0", 1)?.display().to_string();
    assert!(site.ok(&["connector", "install", &again])?.contains("nothing to do"));
    Ok(())
}

/// Q230331: who answers an old message writes to the address of that time.
#[test]
fn mail_to_the_address_before_a_changed_rule_still_arrives() -> Result<()> {
    let site = Site::running()?;
    let rule = r#"{"name":"SMTP","component":"core","rule":"%m@example.test"}"#;
    ask(&site, &["--data", rule, "http://concord/v1/generators"])?;
    site.add_mailbox("jane")?;
    let set = ["generator", "set", "SMTP", "--rule", "%m.new@example.test"];
    let would = site.fails(2, &[&set[..], &["--dry-run"]].concat())?;
    let change = "jane: SMTP:jane@example.test -> SMTP:jane.new@example.test";
    assert!(would.contains(change), "{would}");
    let jane = addresses(&site, "jane")?;
    assert!(jane.contains("jane@example") && !jane.contains("jane.new"), "as it was: {jane}");
    assert!(site.ok(&[&set[..], &["--restamp"]].concat())?.contains(change));
    site.send("jane", "an-answer")?;
    site.send("jane.new", "a-question")?;
    let both = || Ok(site.imap("jane")?.count("INBOX")? == 2);
    wait_until("both messages", Duration::from_secs(30), both)?;
    site.add_mailbox("john")?;
    let john = addresses(&site, "john")?;
    assert!(john.contains("john.new@example.test"), "{john}");
    site.ok(&[&set[..], &["--dry-run"]].concat())?;
    Ok(())
}

/// By the admin API, as a careless hand would.
fn remove_generator(site: &Site) -> Result<()> {
    ask(site, &["--request", "DELETE", "http://concord/v1/generators/HOOK"])
}

fn ask(site: &Site, request: &[&str]) -> Result<()> {
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--unix-socket"])
        .arg(site.root().join("run/admin.sock"))
        .args(request);
    concord_testkit::run(&mut curl, std::time::Duration::from_secs(30))?.ok()?;
    Ok(())
}
