//! Verbs without anybody there (scenario 21), and two at once.

use super::healthy;
use concord_testkit::{Result, Site, wait_until};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

/// Q176243, Q181864, Q322964: prompts in batch mode, exit code 0 for failures,
/// flags that silently cancelled each other.
#[test]
fn unattended_verbs_never_ask_and_tell_the_truth() -> Result<()> {
    let site = Site::new()?;
    let answers = site.answers()?.display().to_string();
    // stdin is closed in all of these; none may wait for it.
    site.fails(2, &["setup", "install", "--answers", &answers, "--dry-run"])?;
    assert!(!site.root().exists(), "a dry run writes nothing");
    site.ok(&["setup", "install", "--answers", &answers])?;
    let said = site.fails(1, &["setup", "install", "--answers", &answers])?;
    assert!(said.contains("installed"), "{said}");
    let said = site.fails(1, &["setup", "remove", "--all"])?;
    assert!(said.contains("--yes"), "{said}");
    site.fails(64, &["setup", "remove", "--all", "internet-mail"])?;
    site.fails(64, &["setup", "remove", "--all", "--keep", "everything", "--yes"])?;
    site.fails(64, &["setup", "install", "--organisation", "X"])?;
    site.ok(&["setup", "plan"])?;
    std::fs::remove_file(site.root().join("services/core.toml"))?;
    site.fails(2, &["setup", "plan"])?;
    site.fails(2, &["setup", "repair", "--dry-run"])?;
    site.ok(&["setup", "repair"])?;
    healthy(&site)?;
    // Another language changes nothing of what scripts read.
    let mut command = site.command(&["--json", "setup", "plan"]);
    command.env("LC_ALL", "ja_JP.UTF-8").env_remove("PATH").env_remove("TMPDIR").env_remove("HOME");
    let done = concord_testkit::run(&mut command, Duration::from_secs(60))?.ok()?;
    assert!(done.stdout.contains("\"pending\": false"), "{}", done.stdout);
    // No password and no key was written down on the way.
    let journals = site.root().join("setup/history");
    for entry in std::fs::read_dir(journals)?.flatten() {
        let text = std::fs::read_to_string(entry.path())?;
        assert!(!text.contains("PRIVATE KEY") && !text.contains("argon2"), "{:?}", entry.path());
    }
    let bad = site.top().join("bad.toml");
    std::fs::write(&bad, "organisation = \"X\"\ncolour = \"red\"\n")?;
    let said = site.fails(78, &["setup", "install", "--answers", &bad.display().to_string()])?;
    assert!(said.contains("colour"), "{said}");
    Ok(())
}

/// The second run says who holds the lock, and leaves everything as it is.
#[test]
fn second_run_says_who_holds_the_lock() -> Result<()> {
    let site = Site::installed()?;
    let lock = site.root().join("setup/lock");
    let mut holder = std::process::Command::new("flock")
        .arg("--no-fork")
        .arg(&lock)
        .args([
            "sh",
            "-c",
            "echo '{\"verb\":\"update apply\",\"pid\":4711,\"since\":1}' > \"$0\"; exec sleep 60",
        ])
        .arg(&lock)
        .stdin(Stdio::null())
        .spawn()?;
    wait_until("the lock", Duration::from_secs(20), || {
        Ok(std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("4711")))
    })?;
    let said = site.fails(1, &["setup", "remove", "internet-mail", "--yes"])?;
    assert!(said.contains("'update apply' (process 4711)"), "{said}");
    holder.kill()?;
    assert_eq!(holder.wait()?.signal(), Some(9));
    healthy(&site)
}
