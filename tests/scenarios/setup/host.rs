//! Machines that are not as one would wish (scenarios 19, 20 and 23).

use super::healthy;
use super::package::packed;
use concord_testkit::{Result, Site, run};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A small file system of its own; unmounted when dropped.
struct Volume(std::path::PathBuf);

impl Volume {
    fn mount(at: &Path, options: &str) -> Result<Self> {
        std::fs::create_dir_all(at)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(at);
        run(&mut mount, Duration::from_secs(30))?.ok()?;
        Ok(Self(at.to_owned()))
    }

    fn again(&self, options: &str) -> Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(&self.0);
        run(&mut mount, Duration::from_secs(30))?.ok()?;
        Ok(())
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Q163913, Q185574: a full disk in the middle of a change.
#[test]
fn full_disk_leaves_the_old_state() -> Result<()> {
    let mut site = Site::new()?;
    let volume = Volume::mount(&site.top().join("disk"), "size=900m,mode=755")?;
    site.set_root("disk/root");
    site.settings = "[settings.storage]\nreserve = \"16 MiB\"\n".to_owned();
    site.install()?;
    site.up()?;
    site.add_mailbox("alice")?;
    site.send("alice", "m0")?;
    let package = packed(&site, "1.0.0", 1)?.display().to_string();
    let trust = site.top().join("publisher.pub").display().to_string();
    // All but nothing is taken.
    let filler = site.top().join("disk/filler");
    let mut dd = Command::new("dd");
    dd.args(["if=/dev/zero", "bs=1M"]).arg(format!("of={}", filler.display()));
    run(&mut dd, Duration::from_secs(60))?;
    let said = site.fails(
        1,
        &[
            "connector",
            "install",
            &package,
            "--trust",
            &trust,
            "--setting",
            "url=http://127.0.0.1:9/",
        ],
    )?;
    assert!(said.contains("space") || said.contains("No space"), "{said}");
    assert!(site.fails(2, &["doctor"])?.contains("CC-0603"));
    assert!(!site.root().join("services/webhook.toml").exists());
    assert_eq!(site.imap("alice")?.count("INBOX")?, 1, "reading goes on");
    std::fs::remove_file(filler)?;
    healthy(&site)?;
    site.send("alice", "m1")?;
    site.stop()?;
    drop(volume);
    Ok(())
}

/// Q146183, Q190440, Q324026: a pointer to the wrong place was called a corrupt
/// database.
#[test]
fn data_of_another_place_is_named_and_not_called_corrupt() -> Result<()> {
    let mut site = Site::running()?;
    site.stop()?;
    let other = Site::installed()?;
    let data = site.root().join("data");
    let moved = site.top().join("elsewhere");
    std::fs::rename(&data, &moved)?;
    // Gone: nothing makes an empty store in its place.
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0202") && said.contains("recover"), "{said}");
    let said = site.fails(1, &["setup", "repair"])?;
    assert!(said.contains("CC-0202"), "{said}");
    assert!(!data.exists());
    // Pointing to another server's.
    std::os::unix::fs::symlink(other.root().join("data"), &data)?;
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0502") && !said.contains("corrupt"), "{said}");
    // A volume that is not mounted.
    std::fs::remove_file(&data)?;
    std::os::unix::fs::symlink(site.top().join("not-mounted"), &data)?;
    let said = site.fails(1, &["setup", "repair"])?;
    assert!(said.contains("CC-0202"), "{said}");
    // Moved on purpose, with a link: that is fine.
    std::fs::remove_file(&data)?;
    std::os::unix::fs::symlink(&moved, &data)?;
    healthy(&site)?;
    site.up()?;
    healthy(&site)
}

/// Q198857, Q224437, Q262371, Q189289: each probe has its own words, and comes
/// before the first write.
#[test]
fn hostile_host_is_refused_before_the_first_write() -> Result<()> {
    let mut site = Site::new()?;
    let answers = site.answers()?.display().to_string();
    let refused = |site: &Site, word: &str| -> Result<()> {
        let said = site.fails(1, &["setup", "install", "--answers", &answers])?;
        assert!(said.contains("nothing was changed"), "{said}");
        assert!(said.contains(word), "no '{word}' in: {said}");
        Ok(())
    };
    // A port that somebody holds.
    let holder = TcpListener::bind(site.address("smtp"))?;
    refused(&site, "CC-0802")?;
    refused(&site, &std::process::id().to_string())?;
    drop(holder);
    assert!(!site.root().exists(), "nothing was written");
    // A path that no socket fits into.
    site.set_root(&"long/".repeat(22));
    refused(&site, "socket")?;
    assert!(!site.top().join("long").exists());
    // A file in the place of the root.
    std::fs::write(site.top().join("file"), "")?;
    site.set_root("file");
    refused(&site, "no directory")?;
    // Read-only, and too small.
    let volume = Volume::mount(&site.top().join("disk"), "size=900m")?;
    site.set_root("disk/root");
    volume.again("ro")?;
    refused(&site, "CC-0804")?;
    volume.again("rw,size=64m")?;
    refused(&site, "CC-0603")?;
    drop(volume);
    // A clock that nobody set.
    site.set_root("root");
    let mut command = Command::new("faketime");
    command.arg("1999-01-01 00:00:00").arg(concord_testkit::executable()?);
    command.arg("--root").arg(site.root()).args(["setup", "install", "--answers", &answers]);
    let done = run(&mut command, Duration::from_secs(60))?;
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("CC-0801"), "{}", done.stderr);
    assert!(!site.root().exists());
    // Spaces and other letters are no trouble.
    site.set_root("a root with späces");
    site.install()?;
    site.up()?;
    healthy(&site)?;
    // Nor is a root that is somebody's mount point with a strict mode.
    site.stop()?;
    std::fs::set_permissions(site.root(), PermissionsExt::from_mode(0o777))?;
    assert_eq!(site.findings()?, ["CC-0203"]);
    site.ok(&["doctor", "--fix"])?;
    healthy(&site)
}
