//! The Debian package: installed, upgraded, removed, purged.

use super::inside::{
    ANSWERS, ROOT, add_alice, healthy, machine, main_pid, reads, release, send, started, status,
};
use super::release::Release;
use concord_testkit::{Machine, Result, Traces, executable, trouble};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The package of a version: from `$CONCORD_DEB`, or as `cargo xtask test` made it.
fn package(version: &str) -> Result<PathBuf> {
    let directory = match std::env::var_os("CONCORD_DEB") {
        Some(named) => PathBuf::from(named),
        None => executable()?.with_file_name("deb"),
    };
    let begin = format!("concord_{version}-");
    let files = std::fs::read_dir(&directory)
        .map_err(|e| trouble(format!("{}: {e}; run 'cargo xtask test'", directory.display())))?;
    files
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&begin)))
        .ok_or_else(|| trouble(format!("no package of {version} in {}", directory.display())))
}

/// Puts both packages on the machine; gives back the newer version.
fn provide(machine: &Machine) -> Result<String> {
    let newer = Release::next()?.version().to_owned();
    std::fs::copy(package("0.1.0")?, machine.path("/root/concord.deb"))?;
    std::fs::copy(package(&newer)?, machine.path("/root/next.deb"))?;
    Ok(newer)
}

fn answers(machine: &Machine) -> Result<()> {
    std::fs::create_dir_all(machine.path("/etc/concord"))?;
    std::fs::write(machine.path("/etc/concord/site.toml"), ANSWERS)?;
    Ok(())
}

/// Nothing is there that was not there before.
#[track_caller]
fn is_as(machine: &Machine, before: &Traces) -> Result<()> {
    let differences = before.differences(&Traces::of(machine)?);
    assert!(differences.is_empty(), "left behind: {differences:#?}");
    Ok(())
}

/// The program and the server are gone; settings, mail and keys are not.
fn is_removed(machine: &Machine) -> Result<()> {
    for gone in ["/usr/bin/concord", "/etc/systemd/system/concord.service"] {
        assert!(!machine.path(gone).exists(), "{gone} is still there");
    }
    let root = machine.path(ROOT);
    for gone in ["setup", "services", "run"] {
        assert!(!root.join(gone).exists(), "{gone} is still there");
    }
    for kept in ["etc/concord.toml", "data/index.db", "data/tls"] {
        let about = root.join(kept).metadata()?;
        assert_eq!(about.uid(), 0, "{kept} is of a user who is gone");
    }
    let state = machine.run(&["systemctl", "is-active", "concord.service"])?.stdout;
    assert_eq!(state.trim(), "inactive");
    Ok(())
}

/// The power fails between unpacking and configuring: the new program starts,
/// and takes over what the old one left.
fn die_in_upgrade(machine: &mut Machine, newer: &str) -> Result<()> {
    machine.ok(&["dpkg", "-i", "/root/concord.deb"])?;
    add_alice(machine)?;
    send(machine, "m0")?;
    machine.ok(&["dpkg", "--unpack", "/root/next.deb"])?;
    assert_eq!(release(machine)?, "0.1.0");
    machine.cut_power()?;
    machine.boot()?;
    started(machine)?;
    assert_eq!(release(machine)?, newer);
    reads(machine, &["m0"])?;
    healthy(machine)?;
    let pid = main_pid(machine)?;
    machine.ok(&["dpkg", "--configure", "concord"])?;
    assert_eq!(main_pid(machine)?, pid, "there was nothing to do");
    healthy(machine)?;
    machine.ok(&["dpkg", "-P", "concord"]).map(|_| ())
}

fn life_with_systemd(machine: &Machine, newer: &str) -> Result<()> {
    machine.ok(&["dpkg", "-i", "/root/concord.deb"])?;
    let first = main_pid(machine)?;
    assert_ne!(status(machine, first, "Uid")?, "0");
    assert!(!machine.path("/usr/local/bin/concord").exists(), "the package has its own command");
    add_alice(machine)?;
    send(machine, "m0")?;
    reads(machine, &["m0"])?;
    healthy(machine)?;
    // The same again: the file is another one, and the service runs by it.
    machine.ok(&["dpkg", "-i", "/root/concord.deb"])?;
    let again = main_pid(machine)?;
    assert_ne!(again, first, "it runs by a file that is gone");
    reads(machine, &["m0"])?;
    healthy(machine)?;

    machine.ok(&["dpkg", "-i", "/root/next.deb"])?;
    assert_ne!(main_pid(machine)?, again);
    assert_eq!(release(machine)?, newer);
    reads(machine, &["m0"])?;
    send(machine, "m1")?;
    reads(machine, &["m0", "m1"])?;
    healthy(machine)?;

    machine.ok(&["dpkg", "-r", "concord"])?;
    is_removed(machine)?;
    machine.ok(&["dpkg", "-i", "/root/next.deb"])?;
    started(machine)?;
    reads(machine, &["m0", "m1"])?;
    healthy(machine)?;
    machine.ok(&["dpkg", "-P", "concord"]).map(|_| ())
}

#[test]
fn debian_package_installs_and_purges() -> Result<()> {
    let Some(mut machine) = machine()? else { return Ok(()) };
    let newer = provide(&machine)?;
    // A tree that is being made, where no systemd runs.
    let bare = Traces::of(&machine)?;
    let said = machine.ok(&["dpkg", "-i", "/root/concord.deb"])?;
    assert!(said.contains("setup install"), "{said}");
    machine.ok(&["dpkg", "-P", "concord"])?;
    is_as(&machine, &bare)?;
    answers(&machine)?;
    let bare = Traces::of(&machine)?;
    let said = machine.ok(&["dpkg", "-i", "/root/concord.deb"])?;
    assert!(said.contains("start it with 'concord --root /var/lib/concord up'"), "{said}");
    healthy(&machine)?;
    machine.ok(&["dpkg", "-i", "/root/next.deb"])?;
    assert_eq!(release(&machine)?, newer);
    healthy(&machine)?;
    machine.ok(&["dpkg", "-P", "concord"])?;
    is_as(&machine, &bare)?;

    machine.boot()?;
    let before = Traces::of(&machine)?;
    for _ in 0..2 {
        life_with_systemd(&machine, &newer)?;
        is_as(&machine, &before)?;
    }
    die_in_upgrade(&mut machine, &newer)?;
    is_as(&machine, &before)?;
    machine.shut_down()
}
