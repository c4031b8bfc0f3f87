//! Updates (scenarios 5, 10, 11 and 22).

use super::healthy;
use super::package::{install, packed, services};
use super::release::Release;
use concord_testkit::{Result, Site, trouble, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Sends without a pause until told to end; counts what was acknowledged, and
/// measures the longest time in which a new connection was not greeted.
struct Load {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    longest: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(site: &Site) -> Self {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let longest = Arc::new(AtomicU64::new(0));
        let address = site.address("smtp");
        let (end, count, wait) = (Arc::clone(&over), Arc::clone(&sent), Arc::clone(&longest));
        let thread = std::thread::spawn(move || {
            let mut refused = Vec::new();
            while !end.load(Ordering::Relaxed) {
                let begun = Instant::now();
                // A new connection for each, so that every moment is met.
                let mut smtp = match concord_testkit::Smtp::connect(address) {
                    Ok(smtp) => smtp,
                    Err(error) => {
                        refused.push(error.to_string());
                        continue;
                    }
                };
                let waited = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                wait.fetch_max(waited, Ordering::Relaxed);
                let number = count.load(Ordering::Relaxed);
                let text = format!("Subject: m{number}\r\nMessage-ID: <m{number}@x>\r\n\r\nx\r\n");
                let done = smtp.hello().and_then(|_| {
                    smtp.send("you@elsewhere.test", &["alice@example.test"], text.as_bytes())
                });
                // One that was cut off without an answer is sent again; it may
                // stand twice then.
                if done.is_ok_and(|reply| reply.is_positive()) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            refused
        });
        Self { over, sent, longest, thread: Some(thread) }
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Messages acknowledged, and the longest wait in milliseconds.
    fn end(mut self) -> Result<(u64, u64)> {
        self.over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().ok_or_else(|| trouble("ended twice"))?;
        let refused = thread.join().map_err(|_| trouble("the load panicked"))?;
        assert!(refused.is_empty(), "connections were refused: {refused:?}");
        Ok((self.sent(), self.longest.load(Ordering::Relaxed)))
    }
}

/// Every acknowledged message is in the mailbox.
fn nothing_is_lost(site: &Site, sent: u64) -> Result<()> {
    let mut imap = site.imap("alice")?;
    imap.select("INBOX")?;
    let subjects = imap.headers("INBOX", "SUBJECT")?;
    for number in 0..sent {
        let subject = format!("m{number}");
        assert!(subjects.contains(&subject), "{subject} of {sent} is lost");
    }
    Ok(())
}

#[test]
fn update_under_load_loses_nothing() -> Result<()> {
    let release = Release::next()?;
    let site = Site::running()?;
    site.add_mailbox("alice")?;
    release.trust(&site)?;
    let bundle = release.whole(&site)?;
    site.fails(2, &["update", "check", &bundle])?;
    site.fails(2, &["update", "apply", &bundle, "--dry-run"])?;
    let load = Load::start(&site);
    wait_until("mail to flow", Duration::from_secs(20), || Ok(load.sent() > 20))?;
    site.ok(&["update", "apply", &bundle])?;
    let at_update = load.sent();
    wait_until("mail to flow again", Duration::from_secs(20), || Ok(load.sent() > at_update + 20))?;
    // And back, with the mail that the newer one took in.
    site.ok(&["rollback", "--yes"])?;
    let at_rollback = load.sent();
    wait_until("mail after it", Duration::from_secs(20), || Ok(load.sent() > at_rollback + 20))?;
    let (sent, longest) = load.end()?;
    println!("{sent} messages; a new connection waited at most {longest} ms");
    nothing_is_lost(&site, sent)?;
    assert_eq!(site.json(&["registry", "show"])?.get("current"), Some(&"0.1.0".into()));
    healthy(&site)?;
    // The way forward is open again.
    site.ok(&["update", "apply", &bundle])?;
    nothing_is_lost(&site, sent)?;
    healthy(&site)
}

/// Whatever fails, and whenever the process dies, program and data are the old
/// ones (Q246337, Q217215, Q246207).
#[test]
fn update_that_fails_at_any_stage_returns_to_the_old_release() -> Result<()> {
    let release = Release::next()?;
    let mut site = Site::running()?;
    site.add_mailbox("alice")?;
    site.send("alice", "m0")?;
    release.trust(&site)?;
    let old = |site: &Site| -> Result<()> {
        let current = site.json(&["registry", "show"])?.get("current").cloned();
        assert_eq!(current, Some("0.1.0".into()));
        assert!(site.root().join("current").read_link()?.ends_with("0.1.0"));
        nothing_is_lost(site, 1)?;
        healthy(site)
    };
    // The program does not run on this machine: found while it is rehearsed.
    let bundle = release.of_script(&site, "#!/bin/sh\necho no such library >&2\nexit 127\n")?;
    let said = site.fails(1, &["update", "apply", &bundle])?;
    assert!(said.contains("no such library") && said.contains("as it was before"), "{said}");
    old(&site)?;
    // It rehearses well, and its services do not start.
    let bundle = release.of_script(
        &site,
        "#!/bin/sh\ncase \"$*\" in\n*rehearse*|*migrate*) exit 0 ;;\nesac\nexit 3\n",
    )?;
    site.fails(1, &["update", "apply", &bundle])?;
    // That one became the controller, and died: no process was left to go back to.
    if !site.is_up() {
        site.up()?;
    }
    old(&site)?;
    // Killed at instants all over the run.
    let whole = release.whole(&site)?;
    let mut cut = 0;
    for step in 0..12 {
        let mut child = site
            .command(&["update", "apply", &whole])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_millis(60 * step));
        cut += u32::from(child.try_wait()?.is_none());
        child.kill()?;
        child.wait()?;
        site.ok(&["setup", "settle"])?;
        let current = site.json(&["registry", "show"])?.get("current").cloned();
        if current == Some("0.1.0".into()) {
            old(&site)?;
        } else {
            nothing_is_lost(&site, 1)?;
            healthy(&site)?;
            site.ok(&["rollback", "--yes"])?;
        }
    }
    assert!(cut > 3, "too few of the runs were cut off: {cut}");
    assert!(site.is_up());
    Ok(())
}

/// A wrong platform, an older one, a tampered one, one that lacks a part, one
/// that is older than a connector, one whose time is over: each with its reason,
/// and nothing touched.
#[test]
fn bundle_is_refused_before_anything_is_touched() -> Result<()> {
    let release = Release::next()?;
    let site = Site::running()?;
    install(&site, "webhook")?;
    let bundle = release.bundle(&site, |_| {})?;
    let said = site.fails(1, &["update", "apply", &bundle])?;
    assert!(said.contains("update trust"), "without trust none is taken: {said}");
    release.trust(&site)?;
    let refused = |bundle: &str, word: &str| -> Result<()> {
        let said = site.fails(1, &["update", "apply", bundle])?;
        assert!(said.contains(word), "no '{word}' in: {said}");
        healthy(&site)
    };
    refused(&release.bundle(&site, |f| f.platform = "s390x-aix".into())?, "s390x-aix")?;
    refused(&release.bundle(&site, |f| f.version = "0.0.9".into())?, "is older than 0.1.0")?;
    refused(&release.bundle(&site, |f| f.components.clear())?, "lacks the component")?;
    refused(&release.bundle(&site, |f| f.schemas.contract = 0)?, "newer than the bundle")?;
    refused(&release.bundle(&site, |f| f.schemas.index = 0)?, "CC-0303")?;
    let old = release.bundle_with(
        &site,
        |_| {},
        |o| {
            o.built.0 -= 60 * 86_400_000;
            o.expires_days = 30;
        },
    )?;
    refused(&old, "expired")?;
    let mut octets = std::fs::read(&bundle)?;
    let middle = octets.len() / 2;
    octets[middle] ^= 0x40;
    let tampered = site.top().join("tampered.bundle");
    std::fs::write(&tampered, &octets)?;
    refused(&tampered.display().to_string(), "concord: cannot")?;
    std::fs::write(&tampered, &octets[..middle])?;
    refused(&tampered.display().to_string(), "concord: cannot")?;
    refused(&site.top().join("none").display().to_string(), "concord: cannot")?;
    // Another publisher's.
    let stranger = Release::next()?;
    refused(&stranger.bundle(&site, |_| {})?, "sign")?;
    // A connector that needs more than this release keeps.
    let package = packed(&site, "2.0.0", 2)?.display().to_string();
    let said = site.fails(1, &["connector", "install", &package])?;
    assert!(said.contains("CC-0304"), "{said}");
    assert!(services(&site)?.contains(&"webhook ready".to_owned()));
    Ok(())
}

/// Q195697, Q154588, Q240208: what was set went back to what was shipped.
#[test]
fn configuration_survives_update_and_repair() -> Result<()> {
    let release = Release::next()?;
    let site = Site::running()?;
    install(&site, "webhook")?;
    release.trust(&site)?;
    let file = site.root().join("etc/concord.toml");
    let mut text = std::fs::read_to_string(&file)?;
    text = text.replace("#level = ", "level = ").replace("# level = ", "level = ");
    assert!(text.contains("\nlevel = "), "{text}");
    text.push_str("# a note of mine\n");
    std::fs::write(&file, &text)?;
    site.ok(&[
        "connector",
        "set",
        "webhook",
        "--address-space",
        "SMTP:mine.internal",
        "--cost",
        "7",
    ])?;
    site.ok(&["connector", "set", "webhook", "--setting", "timeout=3"])?;
    let object = site.json(&["connector", "show", "webhook"])?;
    site.ok(&["update", "apply", &release.whole(&site)?])?;
    std::fs::remove_file(site.root().join("services/core.toml"))?;
    site.ok(&["setup", "repair"])?;
    site.ok(&["connector", "install", &packed(&site, "1.1.0", 1)?.display().to_string()])?;
    assert_eq!(std::fs::read_to_string(&file)?, text);
    let after = site.json(&["connector", "show", "webhook"])?;
    for key in ["address_spaces", "settings", "enabled"] {
        assert_eq!(object.get(key), after.get(key), "{key}");
    }
    healthy(&site)
}

/// The whole configuration as one file: shown, changed, applied, and taken back
/// where a service does not start with it (Q188625, Q190019).
#[test]
fn configuration_is_exported_and_applied_as_one_file() -> Result<()> {
    let mut site = Site::new()?;
    site.settings = "[settings.limits]\nmessage-size = \"9 MiB\"\n".to_owned();
    site.install()?;
    site.up()?;
    install(&site, "webhook")?;
    let file = site.top().join("configuration.toml");
    let name = file.display().to_string();
    site.ok(&["config", "export", &name])?;
    assert!(site.ok(&["config", "apply", &name])?.contains("nothing to do"));
    let text = std::fs::read_to_string(&file)?;
    let changed = text
        .replace("message-size = \"9 MiB\"", "message-size = \"7 MiB\"")
        .replace("internet-mail = true", "internet-mail = false")
        .replace("timeout = 20", "timeout = 5");
    assert_ne!(text, changed);
    std::fs::write(&file, &changed)?;
    let said = site.fails(2, &["config", "apply", &name, "--dry-run"])?;
    for word in ["limits.message-size", "connector webhook", "service internet-mail"] {
        assert!(said.contains(word), "no '{word}' in {said}");
    }
    site.ok(&["config", "apply", &name])?;
    healthy(&site)?;
    assert!(services(&site)?.contains(&"internet-mail stopped".to_owned()));
    assert!(site.ok(&["connector", "show", "webhook"])?.contains('5'));
    assert!(site.ok(&["config", "apply", &name])?.contains("nothing to do"));
    // A mistake is told before anything is touched; what is not there too.
    std::fs::write(&file, changed.replace("7 MiB", "seven"))?;
    site.fails(78, &["config", "apply", &name])?;
    std::fs::write(&file, changed.replace("[connectors.webhook]", "[connectors.notes]"))?;
    site.fails(1, &["config", "apply", &name])?;
    // A listener that somebody else holds: the services would not start.
    let holder = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = format!("imap = [\"{}\"]", holder.local_addr()?);
    let old = format!("imap = [\"{}\"]", site.address("imap"));
    std::fs::write(&file, changed.replace(&old, &taken))?;
    let said = site.fails(1, &["config", "apply", &name])?;
    assert!(said.contains("as it was before"), "{said}");
    healthy(&site)?;
    std::fs::write(&file, &text)?;
    site.ok(&["config", "apply", &name])?;
    assert!(services(&site)?.contains(&"internet-mail ready".to_owned()));
    healthy(&site)
}

/// Q190442: a disabled service was a failed update.
#[test]
fn disabled_service_stays_disabled_through_an_update() -> Result<()> {
    let release = Release::next()?;
    let site = Site::running()?;
    install(&site, "webhook")?;
    release.trust(&site)?;
    site.ok(&["setup", "disable", "internet-mail"])?;
    site.ok(&["setup", "disable", "webhook"])?;
    let rest = |site: &Site| -> Result<()> {
        let rows = services(site)?;
        for name in ["internet-mail", "webhook"] {
            assert!(rows.contains(&format!("{name} stopped")), "{rows:?}");
        }
        assert!(rows.contains(&"core ready".to_owned()), "{rows:?}");
        healthy(site)
    };
    rest(&site)?;
    site.ok(&["update", "apply", &release.whole(&site)?])?;
    rest(&site)?;
    site.ok(&["setup", "repair"])?;
    rest(&site)?;
    site.ok(&["setup", "enable", "internet-mail"])?;
    assert!(services(&site)?.contains(&"internet-mail ready".to_owned()));
    Ok(())
}
