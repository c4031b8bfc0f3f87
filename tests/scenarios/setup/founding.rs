//! The four cases that Concord was founded on (scenarios 1 to 4).

use super::package::{install, packed, services};
use super::release::Release;
use super::{healthy, package};
use concord_testkit::{Result, Site, wait_until};
use std::process::Stdio;
use std::time::Duration;

/// Q242762, Q196305: after Remove All and a new install, the connector's setup
/// copied files and died, because its service was "already installed".
#[test]
fn connectors_survive_no_remove_all() -> Result<()> {
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    healthy(&site)?;
    site.ok(&["setup", "remove", "--all", "--yes"])?;
    site.wait_ended()?;
    assert!(!site.root().exists(), "nothing of it is left");
    site.install()?;
    site.up()?;
    install(&site, "webhook")?;
    assert!(services(&site)?.contains(&"webhook ready".to_owned()));
    healthy(&site)?;
    let again =
        site.ok(&["connector", "install", &packed(&site, "1.0.0", 1)?.display().to_string()])?;
    assert!(again.contains("nothing to do"), "{again}");
    Ok(())
}

/// The same with the process killed while it works, again and again: whatever
/// it was doing, the next run finds the old state or the new one.
#[test]
fn killed_between_files_copied_and_service_created() -> Result<()> {
    let site = Site::installed()?;
    let package = packed(&site, "1.0.0", 1)?.display().to_string();
    let trust = site.top().join("publisher.pub").display().to_string();
    let args = [
        "connector",
        "install",
        &package,
        "--trust",
        &trust,
        "--setting",
        "url=http://127.0.0.1:9/",
        "--listen",
        "http=",
    ];
    let files = site.root().join("connectors/webhook/1.0.0");
    let record = site.root().join("services/webhook.toml");
    let mut between = 0;
    for attempt in 0..60 {
        let mut child = site
            .command(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // As soon as the files are there, and before the record is, it dies.
        let mut ended = false;
        while !ended && !files.exists() {
            ended = child.try_wait()?.is_some();
        }
        child.kill()?;
        child.wait()?;
        if files.exists() && !record.exists() {
            between += 1;
        }
        site.ok(&["setup", "settle"])?;
        assert_eq!(files.exists(), record.exists(), "attempt {attempt}: all of it or nothing");
        healthy(&site)?;
        if record.exists() {
            site.ok(&["connector", "remove", "webhook", "--yes"])?;
        }
        if between >= 3 {
            break;
        }
    }
    assert!(between > 0, "no kill came between the files and the service");
    site.ok(&args)?;
    healthy(&site)
}

/// The same with leftovers that nobody of us made: they are named, never in the
/// way, and moved into quarantine when asked.
#[test]
fn stray_service_record_and_spool_tree_are_found_and_purged() -> Result<()> {
    let site = Site::new()?;
    let services = site.root().join("services");
    std::fs::create_dir_all(&services)?;
    std::fs::create_dir_all(site.root().join("spool-notes/q"))?;
    std::fs::write(site.root().join("spool-notes/q/1"), "an old message")?;
    std::fs::write(
        services.join("notes.toml"),
        "service = \"notes\"\ncomponent = \"notes\"\nversion = \"0.0.1\"\nenabled = true\n\
         program = \"/nowhere/notes\"\narguments = []\nneeds = []\n",
    )?;
    std::fs::write(services.join("internet-mail.toml"), "left by somebody")?;
    let answers = site.answers()?.display().to_string();
    let done = site.run(&["setup", "install", "--answers", &answers])?.ok()?;
    for code in ["CC-0101", "CC-0201"] {
        assert!(done.stderr.contains(code), "the preflight names {code}: {}", done.stderr);
    }
    assert_eq!(site.findings()?, ["CC-0101", "CC-0201"]);
    site.fails(2, &["doctor", "--fix"])?;
    assert!(site.root().join("setup/quarantine/services/notes.toml").exists());
    assert!(site.root().join("spool-notes").exists(), "it may be somebody's: it is asked for");
    site.ok(&["doctor", "--fix", "CC-0201"])?;
    let kept = site.root().join("setup/quarantine/spool-notes/q/1");
    assert_eq!(std::fs::read_to_string(kept)?, "an old message");
    healthy(&site)
}

/// Q242250: a service pack updated the server and forgot the connectors.
#[test]
fn update_moves_every_component_or_none() -> Result<()> {
    let release = Release::next()?;
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    release.trust(&site)?;
    let lacking = release.bundle(&site, |facts| facts.components.retain(|c| c == "core"))?;
    let said = site.fails(1, &["update", "apply", &lacking])?;
    assert!(said.contains("lacks the component 'internet-mail'"), "{said}");
    site.ok(&["update", "apply", &release.whole(&site)?])?;
    let registry = site.json(&["registry", "show"])?;
    for name in ["core", "internet-mail"] {
        let version = registry.pointer(&format!("/components/{name}/version"));
        assert_eq!(version.and_then(|v| v.as_str()), Some(release.version()), "{name}");
    }
    assert!(site.is_up(), "the controller's process is the same one");
    assert!(package::services(&site)?.contains(&"webhook ready".to_owned()));
    healthy(&site)
}

/// Q188632, Q185061: a restored directory knew a connector that the machine did
/// not run.
#[test]
fn restored_directory_knows_a_connector_without_service() -> Result<()> {
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    site.stop()?;
    // The data goes to another, fresh machine without internet-mail.
    let data = site.root().join("data");
    let moved = site.top().join("data-of-old");
    std::fs::rename(&data, &moved)?;
    site.set_root("fresh");
    let answers = site.answers()?.display().to_string();
    std::fs::create_dir_all(site.root())?;
    std::fs::rename(&moved, site.root().join("data"))?;
    site.ok(&["setup", "install", "--answers", &answers])?;
    site.ok(&["setup", "remove", "internet-mail", "--yes"])?;
    let record = site.root().join("services/internet-mail.toml");
    assert!(!record.exists());
    // A directory that knows both, as one that was restored from elsewhere does.
    site.ok(&["setup", "add", "internet-mail"])?;
    std::fs::remove_file(&record)?;
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0103"), "{said}");
    assert!(said.contains("connector webhook"), "the webhook's package is not here: {said}");
    site.fails(2, &["doctor", "--fix"])?;
    assert!(record.exists(), "the built-in connector has its service again");
    let left = site.findings()?;
    assert_eq!(left, ["CC-0103", "CC-0503"], "the webhook and its type wait for its package");
    let package = packed(&site, "1.0.0", 1)?.display().to_string();
    let trust = site.top().join("publisher.pub").display().to_string();
    // Its settings are in the directory and are not asked for again.
    site.ok(&["connector", "install", &package, "--trust", &trust])?;
    healthy(&site)?;
    site.up()?;
    wait_until("the webhook", Duration::from_secs(30), || {
        Ok(services(&site)?.contains(&"webhook ready".to_owned()))
    })
}

/// Q196171: an update tried to upgrade what was registered and gone.
#[test]
fn ghost_component_is_reported_and_never_upgraded() -> Result<()> {
    let release = Release::next()?;
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    release.trust(&site)?;
    std::fs::remove_dir_all(site.root().join("connectors/webhook/1.0.0"))?;
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0302"), "{said}");
    site.ok(&["update", "apply", &release.whole(&site)?])?;
    assert!(site.is_up());
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("CC-0302"), "it is still a ghost, not upgraded: {said}");
    site.run(&["doctor", "--fix", "CC-0302"])?;
    assert!(!site.root().join("services/webhook.toml").exists());
    healthy(&site)
}
