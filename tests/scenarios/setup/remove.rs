//! Removing one connector of several, and everything (scenarios 9 and 13).

use super::healthy;
use super::package::{install, services};
use concord_testkit::{Result, Site};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every path below a directory.
fn paths(top: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path.clone());
            }
            found.insert(path);
        }
    }
    found
}

fn used(site: &mut Site) -> Result<()> {
    install(site, "webhook")?;
    site.add_mailbox("alice")?;
    site.send("alice", "kept")?;
    Ok(())
}

/// Q169519, Q178975: data went with the program, and what was left blocked the
/// next install.
#[test]
fn remove_all_moves_data_to_quarantine_and_works_twice() -> Result<()> {
    let mut site = Site::running()?;
    used(&mut site)?;
    let said = site.ok(&["setup", "remove", "--all", "--yes"])?;
    site.wait_ended()?;
    assert!(!site.root().exists());
    let kept: Vec<PathBuf> = std::fs::read_dir(site.top())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains("root.removed-"))
        .collect();
    let [kept] = kept.as_slice() else { panic!("one place of what was kept: {kept:?}") };
    assert!(said.contains(&kept.display().to_string()), "it says where: {said}");
    for name in ["data/index.db", "etc/concord.toml", "registry.toml", "data/tls"] {
        assert!(kept.join(name).exists(), "{name} is kept");
    }
    assert_eq!(site.processes(), Vec::<u32>::new());
    let again = site.ok(&["setup", "remove", "--all", "--yes"])?;
    assert!(again.contains("nothing to do"), "{again}");
    assert!(!site.root().exists(), "the second run leaves nothing behind either");
    // What was kept can be taken up again.
    std::fs::create_dir_all(site.root())?;
    std::fs::rename(kept.join("data"), site.root().join("data"))?;
    site.install()?;
    site.up()?;
    assert_eq!(site.imap("alice")?.count("INBOX")?, 1);
    Ok(())
}

#[test]
fn remove_all_leaves_nothing_of_ours() -> Result<()> {
    let mut site = Site::new()?;
    let before = paths(site.top());
    site.install()?;
    site.up()?;
    used(&mut site)?;
    site.ok(&["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    site.wait_ended()?;
    let ours = ["site.toml", "publisher", "webhook-"];
    let left: Vec<PathBuf> = paths(site.top())
        .difference(&before)
        .filter(|p| {
            !ours.iter().any(|name| {
                p.strip_prefix(site.top()).is_ok_and(|p| p.to_string_lossy().starts_with(name))
            })
        })
        .cloned()
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert_eq!(site.processes(), Vec::<u32>::new());
    let again = site.ok(&["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    assert!(again.contains("nothing to do"), "{again}");
    Ok(())
}

/// Q242599, Q235692: removal must not need what it removes to be whole.
#[test]
fn remove_all_with_a_damaged_registry_and_a_core_that_does_not_start() -> Result<()> {
    let mut site = Site::running()?;
    used(&mut site)?;
    site.stop()?;
    std::fs::write(site.root().join("setup/registry.db"), "this is no database")?;
    std::fs::remove_file(site.root().join("setup/registry.copy.toml"))?;
    std::fs::write(site.root().join("data/index.db"), "nor is this")?;
    std::fs::write(site.root().join("etc/concord.toml"), "nor = [this")?;
    site.ok(&["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    assert!(!site.root().exists());
    site.install()?;
    healthy(&site)
}

/// Keeping in place, and a new install that takes it over.
#[test]
fn remove_all_keeps_what_it_is_told_and_the_next_install_takes_it_over() -> Result<()> {
    let mut site = Site::running()?;
    used(&mut site)?;
    site.ok(&["setup", "remove", "--all", "--keep", "data,keys,config", "--yes"])?;
    site.wait_ended()?;
    let left: BTreeSet<String> = std::fs::read_dir(site.root())?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["data", "etc"].map(str::to_owned).into());
    site.install()?;
    site.up()?;
    assert_eq!(site.imap("alice")?.count("INBOX")?, 1);
    // The directory still knows the webhook; the doctor says so.
    assert_eq!(site.findings()?, ["CC-0103", "CC-0503"]);
    Ok(())
}

/// Q230269, Q188386: removing one of three connectors took the shared parts of
/// the others along.
#[test]
fn removing_one_of_three_connectors_leaves_the_others() -> Result<()> {
    let mut site = Site::running()?;
    for name in ["first", "second", "third"] {
        install(&site, name)?;
    }
    site.ok(&["connector", "remove", "second", "--yes"])?;
    let running = services(&site)?;
    assert!(running.contains(&"first ready".to_owned()), "{running:?}");
    assert!(running.contains(&"third ready".to_owned()), "{running:?}");
    assert!(!running.iter().any(|row| row.starts_with("second")), "{running:?}");
    site.add_mailbox("alice")?;
    assert!(site.ok(&["mailbox", "show", "alice"])?.contains("HOOK:alice"), "the type stays");
    healthy(&site)?;
    site.ok(&["connector", "remove", "first", "--yes"])?;
    site.ok(&["connector", "remove", "third", "--yes"])?;
    let generators = site.ok(&["--json", "generator", "list"])?;
    assert!(!generators.contains("HOOK"), "the last one takes it along: {generators}");
    // Q235503: addresses that were given out stay, for mail still comes to them.
    assert!(site.ok(&["mailbox", "show", "alice"])?.contains("HOOK:alice"));
    healthy(&site)?;
    assert!(site.is_up());
    Ok(())
}
