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

/// By the admin API, as a careless hand would.
fn remove_generator(site: &Site) -> Result<()> {
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--unix-socket"])
        .arg(site.root().join("run/admin.sock"))
        .args(["--request", "DELETE", "http://concord/v1/generators/HOOK"]);
    concord_testkit::run(&mut curl, std::time::Duration::from_secs(30))?.ok()?;
    Ok(())
}
