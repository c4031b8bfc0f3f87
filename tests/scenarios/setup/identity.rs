//! Identity: stored once, compared with every copy (scenarios 7, 12 and 16).

use super::healthy;
use concord_testkit::{Result, Site};
use std::time::Duration;

/// Q255073, Q299676, Q314148: organisation, site and server stood in five
/// places, and each could be wrong alone.
#[test]
fn identity_drift_is_named_and_a_new_hostname_is_taken_over() -> Result<()> {
    let mut site = Site::running()?;
    site.stop()?;
    // The settings say another host name.
    let file = site.root().join("etc/concord.toml");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("mail.example.test", "post.example.test"))?;
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0501") && said.contains("post.example.test"), "{said}");
    site.ok(&["doctor", "--fix"])?;
    healthy(&site)?;
    site.up()?;
    let mut smtp = site.smtp()?;
    let greeting = smtp.command("EHLO me.test")?.text();
    assert!(greeting.contains("post.example.test"), "{greeting}");
    site.stop()?;
    // The registry says another organisation, as one that was copied would.
    let export = site.top().join("registry.toml");
    let name = export.display().to_string();
    site.ok(&["registry", "export", &name])?;
    let text = std::fs::read_to_string(&export)?;
    std::fs::write(
        &export,
        text.replace("organisation = \"Example\"", "organisation = \"Other\""),
    )?;
    site.ok(&["registry", "import", &name, "--yes"])?;
    let said = site.fails(2, &["doctor"])?;
    assert!(
        said.contains("CC-0501") && said.contains("'Example'") && said.contains("'Other'"),
        "{said}"
    );
    site.fails(2, &["doctor", "--fix"])?;
    site.ok(&["doctor", "--fix", "CC-0501"])?;
    healthy(&site)
}

/// Q149238, Q264437, Q194818: the store of one machine beside the log of
/// another, or on another machine.
#[test]
fn store_of_another_lineage_is_refused_and_can_be_adopted() -> Result<()> {
    let mut ours = Site::running()?;
    ours.add_mailbox("alice")?;
    ours.stop()?;
    let mut theirs = Site::running()?;
    theirs.add_mailbox("bob")?;
    theirs.send("bob", "foreign")?;
    theirs.stop()?;
    let healthy_before = ours.findings()?;
    assert!(healthy_before.is_empty(), "{healthy_before:?}");
    // Their index beside our log: refused, and said what it is.
    let (data, saved) = (ours.root().join("data"), ours.top().join("data-of-ours"));
    std::fs::rename(&data, &saved)?;
    copy(&saved, &data)?;
    for name in ["index.db", "index.db-wal", "index.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    std::fs::copy(theirs.root().join("data/index.db"), data.join("index.db"))?;
    let found = ours.findings()?;
    assert!(found.contains(&"CC-0602".to_owned()), "{found:?}");
    std::fs::remove_dir_all(&data)?;
    // Their whole store on our machine: named with both ids, never taken over
    // unasked.
    copy(&theirs.root().join("data"), &data)?;
    let said = ours.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0502"), "{said}");
    ours.fails(2, &["doctor", "--fix"])?;
    assert!(ours.findings()?.contains(&"CC-0502".to_owned()));
    let mut before = theirs_validity(&mut theirs)?;
    ours.ok(&["doctor", "--fix", "CC-0502"])?;
    healthy(&ours)?;
    ours.up()?;
    assert_eq!(ours.imap("bob")?.count("INBOX")?, 1);
    let after = uid_validity(&ours, "bob")?;
    assert_ne!(before.pop(), Some(after), "mail programs read every folder anew");
    Ok(())
}

fn theirs_validity(site: &mut Site) -> Result<Vec<String>> {
    site.up()?;
    let found = uid_validity(site, "bob")?;
    site.stop()?;
    Ok(vec![found])
}

fn uid_validity(site: &Site, name: &str) -> Result<String> {
    let lines = site.imap(name)?.must("STATUS INBOX (UIDVALIDITY)")?;
    Ok(format!("{lines:?}").split("UIDVALIDITY ").nth(1).unwrap_or_default().to_owned())
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let mut cp = std::process::Command::new("cp");
    cp.arg("-a").arg(from).arg(to);
    concord_testkit::run(&mut cp, Duration::from_secs(60))?.ok()?;
    Ok(())
}

/// Q163686, Q184737: the service account was deleted, and with it every right.
/// Runs as root only, for it makes and removes a user.
#[test]
fn service_user_that_was_lost_is_made_again() -> Result<()> {
    let user = format!("concord-t{}", std::process::id() % 100_000);
    let mut site = Site::new()?;
    let answers = site.answers()?;
    let text = std::fs::read_to_string(&answers)?;
    std::fs::write(&answers, text.replace("user = \"\"", &format!("user = \"{user}\"")))?;
    // The service user must be able to reach the scratch directory.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(site.top(), open)?;
    site.ok(&["setup", "install", "--answers", &answers.display().to_string()])?;
    let result = (|| -> Result<()> {
        healthy(&site)?;
        let mut gone = std::process::Command::new("userdel");
        concord_testkit::run(gone.arg(&user), Duration::from_secs(60))?.ok()?;
        let said = site.fails(2, &["doctor"])?;
        assert!(said.contains("CC-0807"), "{said}");
        site.ok(&["doctor", "--fix"])?;
        healthy(&site)
    })();
    site.ok(&["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    site.wait_ended()?;
    let passwd = std::fs::read_to_string("/etc/passwd")?;
    assert!(!passwd.contains(&user), "the user goes with the server");
    result
}
