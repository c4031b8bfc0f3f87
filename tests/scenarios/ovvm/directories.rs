//! Directories of two servers that are each other's NJE node.

use crate::SOON;
use concord_testkit::{Result, Site, VmPair, wait_until};

/// What is known of a contact; the complaint, if there is none.
fn contact(site: &Site, name: &str) -> Result<String> {
    let done = site.run(&["--json", "contact", "show", name])?;
    Ok(format!("{}{}", done.stdout, done.stderr))
}

/// Both take part with each other's directory user.
const BOTH: [&[&str]; 2] = [&["directory-hosts=NODEB.DIRSYNC"], &["directory-hosts=NODEA.DIRSYNC"]];

#[test]
fn people_of_each_node_appear_at_the_other_by_files_of_names() -> Result<()> {
    let pair = VmPair::start(BOTH)?;
    let (a, b) = (&pair.a.site, &pair.b.site);
    b.add_mailbox("berta")?;
    a.add_mailbox("adam")?;
    b.ok(&["connector", "sync", "vm", "--export"])?;
    wait_until("berta at A", SOON, || {
        // The file is handed over before it is looked at there.
        a.run(&["connector", "sync", "vm", "--import"])?;
        Ok(contact(a, "berta")?.contains("PROFS:NODEB.BERTA"))
    })?;
    a.ok(&["connector", "sync", "vm", "--export"])?;
    wait_until("adam at B", SOON, || {
        b.run(&["connector", "sync", "vm", "--import"])?;
        Ok(contact(b, "adam")?.contains("PROFS:NODEA.ADAM"))
    })?;
    // What A brought from B does not come back to B.
    assert!(!contact(b, "berta")?.contains("PROFS:NODEB"), "a contact of her own node");
    // Who leaves there goes here.
    b.ok(&["mailbox", "remove", "berta", "--yes"])?;
    b.ok(&["connector", "sync", "vm", "--export", "--approve"])?;
    wait_until("berta to go", SOON, || {
        a.run(&["connector", "sync", "vm", "--import", "--approve"])?;
        Ok(contact(a, "berta")?.contains("directory.not-found"))
    })?;
    Ok(())
}

#[test]
fn a_directory_of_somebody_who_is_not_named_changes_nothing() -> Result<()> {
    let pair = VmPair::start([&["directory-hosts=NODEB.MAINT"], BOTH[1]])?;
    let (a, b) = (&pair.a.site, &pair.b.site);
    b.add_mailbox("berta")?;
    b.ok(&["connector", "sync", "vm", "--export"])?;
    wait_until("the file at A", SOON, || {
        let shown = a.json(&["ovvm", "link", "query", "NODEB"])?;
        Ok(shown["files_received"].as_u64() >= Some(1))
    })?;
    a.run(&["connector", "sync", "vm", "--import"])?;
    assert!(contact(a, "berta")?.contains("directory.not-found"));
    Ok(())
}
