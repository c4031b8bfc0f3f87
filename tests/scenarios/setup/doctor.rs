//! Breaking an installed server by hand, one thing at a time: the doctor names
//! it by its code, and `--fix` mends it.

use super::healthy;
use super::package::install;
use super::release::Release;
use concord_testkit::{Result, Site};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What is broken, the code that it must have, and what mends it.
struct Breakage {
    code: &'static str,
    broken: fn(&Path) -> std::io::Result<()>,
    /// `--fix` does it alone; else it takes the code, or somebody's hand.
    mend: Mend,
}

enum Mend {
    Fix,
    FixNamed,
    Hand(fn(&Path) -> std::io::Result<()>),
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)?;
    }
    std::fs::write(path, text)
}

fn mode(path: &Path, bits: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, PermissionsExt::from_mode(bits))
}

const BREAKAGES: &[Breakage] = &[
    Breakage {
        code: "CC-0101",
        broken: |root| write(&root.join("services/stray.toml"), "what"),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0103",
        broken: |root| std::fs::remove_file(root.join("services/webhook.toml")),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0102",
        broken: |root| std::fs::remove_file(root.join("services/core.toml")),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0105",
        broken: |root| {
            let path = root.join("services/core.toml");
            let text = std::fs::read_to_string(&path)?;
            write(&path, &text.replace("serve", "survey"))
        },
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0301",
        broken: |root| {
            let path = root.join("services/internet-mail.toml");
            let text = std::fs::read_to_string(&path)?;
            write(&path, &text.replace("version = \"0.1.0\"", "version = \"0.0.9\""))
        },
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0201",
        broken: |root| write(&root.join("Exchsrvr/q/1"), "spool"),
        mend: Mend::FixNamed,
    },
    Breakage {
        code: "CC-0202",
        broken: |root| std::fs::remove_dir_all(root.join("log")),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0202",
        broken: |root| std::fs::remove_file(root.join("etc/concord.toml")),
        mend: Mend::Fix,
    },
    Breakage { code: "CC-0203", broken: |root| mode(&root.join("data"), 0o755), mend: Mend::Fix },
    Breakage {
        code: "CC-0204",
        broken: |root| {
            let path = root.join("connectors/webhook/1.0.0/lmtp.py");
            std::fs::copy(&path, root.join("../kept.py"))?;
            let text = std::fs::read_to_string(&path)?;
            write(&path, &format!("{text}# changed\n"))
        },
        mend: Mend::Hand(|root| {
            std::fs::copy(root.join("../kept.py"), root.join("connectors/webhook/1.0.0/lmtp.py"))
                .map(|_| ())
        }),
    },
    Breakage {
        code: "CC-0205",
        broken: |root| std::fs::rename(root.join("releases/0.1.0/concord"), root.join("../kept")),
        mend: Mend::Hand(|root| {
            std::fs::rename(root.join("../kept"), root.join("releases/0.1.0/concord"))
        }),
    },
    Breakage {
        code: "CC-0207",
        broken: |root| {
            std::fs::remove_file(root.join("current"))?;
            std::os::unix::fs::symlink("releases/none", root.join("current"))
        },
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0208",
        broken: |root| write(&root.join("releases/0.0.1/concord"), "old"),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0302",
        broken: |root| {
            std::fs::rename(root.join("connectors/webhook/1.0.0"), root.join("../webhook"))
        },
        mend: Mend::Hand(|root| {
            std::fs::rename(root.join("../webhook"), root.join("connectors/webhook/1.0.0"))
        }),
    },
    Breakage {
        code: "CC-0402",
        broken: |root| write(&root.join("setup/registry.db"), "no database"),
        mend: Mend::Fix,
    },
    Breakage {
        code: "CC-0601",
        broken: |root| {
            std::fs::rename(root.join("data/index.db"), root.join("../index.db"))?;
            write(&root.join("data/index.db"), "no index at all, but long enough to be read")
        },
        mend: Mend::Hand(|root| {
            std::fs::rename(root.join("../index.db"), root.join("data/index.db"))
        }),
    },
    Breakage {
        code: "CC-0601",
        broken: |root| {
            std::fs::rename(root.join("data/log"), root.join("../log"))?;
            std::fs::create_dir(root.join("data/log"))
        },
        mend: Mend::Hand(|root| {
            std::fs::remove_dir(root.join("data/log"))?;
            std::fs::rename(root.join("../log"), root.join("data/log"))
        }),
    },
    Breakage {
        code: "CC-0901",
        broken: |root| {
            let path = root.join("etc/concord.toml");
            std::fs::copy(&path, root.join("../concord.toml"))?;
            write(&path, "[limits]\nrecipents = 5\n")
        },
        mend: Mend::Hand(|root| {
            std::fs::copy(root.join("../concord.toml"), root.join("etc/concord.toml")).map(|_| ())
        }),
    },
];

#[test]
fn doctor_finds_what_was_broken_and_fix_mends_it() -> Result<()> {
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    site.stop()?;
    healthy(&site)?;
    for breakage in BREAKAGES {
        let code = breakage.code;
        (breakage.broken)(site.root())?;
        let found = site.findings()?;
        assert!(found.contains(&code.to_owned()), "{code} is not among {found:?}");
        let page = site.ok(&["doctor", "explain", code])?;
        assert!(page.starts_with(&format!("# {code}: ")), "{page}");
        match breakage.mend {
            Mend::Fix => {
                site.run(&["doctor", "--fix"])?;
            }
            Mend::FixNamed => {
                site.run(&["doctor", "--fix"])?;
                assert!(site.findings()?.contains(&code.to_owned()), "{code} is asked for");
                site.run(&["doctor", "--fix", code])?;
            }
            Mend::Hand(mend) => {
                site.run(&["doctor", "--fix"])?;
                assert!(site.findings()?.contains(&code.to_owned()), "{code} needs a hand");
                mend(site.root())?;
            }
        }
        let left = site.findings()?;
        assert!(left.is_empty(), "{code} is mended, but there is {left:?}");
        healthy(&site)?;
    }
    site.up()?;
    healthy(&site)
}

/// What only shows while it runs.
#[test]
fn doctor_sees_services_that_do_not_run_and_names_that_do_not_fit() -> Result<()> {
    let mut site = Site::running()?;
    install(&site, "webhook")?;
    site.ok(&["service", "stop", "internet-mail"])?;
    assert_eq!(site.findings()?, ["CC-0106"]);
    site.ok(&["service", "start", "internet-mail"])?;
    std::fs::remove_file(site.root().join("run/deliver-webhook.sock"))?;
    assert_eq!(site.findings()?, ["CC-0202"]);
    site.ok(&["service", "stop", "webhook"])?;
    site.ok(&["service", "start", "webhook"])?;
    // The command line refuses it; another way into the directory may not.
    let refused = site.fails(64, &["connector", "set", "webhook", "--setting", "colour=red"])?;
    assert!(refused.contains("'colour' is not a setting"), "{refused}");
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--request", "PATCH", "--unix-socket"])
        .arg(site.root().join("run/admin.sock"))
        .args(["--header", "content-type: application/json"])
        .args(["--data", r#"{"settings":{"colour":"red"}}"#])
        .arg("http://concord/v1/connectors/webhook");
    concord_testkit::run(&mut curl, std::time::Duration::from_secs(30))?.ok()?;
    assert_eq!(site.findings()?, ["CC-0902"]);
    site.ok(&["connector", "set", "webhook", "--remove-setting", "colour"])?;
    let program = site.root().join("releases/0.1.0/concord");
    let aside = site.top().join("aside");
    std::fs::copy(&program, &aside)?;
    std::fs::remove_file(&program)?;
    std::fs::copy(&aside, &program)?;
    let found = site.findings()?;
    assert_eq!(found, ["CC-0305"], "the file was replaced while it runs");
    site.stop()?;
    healthy(&site)?;
    let file = site.root().join("etc/concord.toml");
    let text = std::fs::read_to_string(&file)?;
    let deep = site.fails(2, &["doctor", "--deep"])?;
    assert!(deep.contains("CC-0803"), "mail.example.test has no address: {deep}");
    std::fs::write(&file, text)?;
    let holder = std::net::TcpListener::bind(site.address("imap"))?;
    assert_eq!(site.findings()?, ["CC-0802"]);
    drop(holder);
    healthy(&site)
}

/// What another release, or the directory of another machine, leaves behind.
#[test]
fn doctor_sees_what_other_releases_and_servers_left() -> Result<()> {
    let mut site = Site::running()?;
    let text = r#"{"organisation":"Example","site":"First","server":"old.example.test","domain":"example.test"}"#;
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--unix-socket"])
        .arg(site.root().join("run/admin.sock"))
        .args(["--header", "content-type: application/json", "--data", text])
        .arg("http://concord/v1/directory/bootstrap");
    concord_testkit::run(&mut curl, std::time::Duration::from_secs(30))?.ok()?;
    assert_eq!(site.findings()?, ["CC-0506"], "a server that is not this one");
    site.stop()?;
    // A newer program has migrated the index, and then the older one is back.
    let newer = Release::next()?;
    let index = site.root().join("data/index.db");
    let saved = site.top().join("index.db");
    std::fs::copy(&index, &saved)?;
    let mut migrate = std::process::Command::new(newer.program());
    migrate.arg("--root").arg(site.root()).args(["setup", "migrate"]);
    concord_testkit::run(&mut migrate, std::time::Duration::from_secs(60))?.ok()?;
    let found = site.findings()?;
    assert!(found.contains(&"CC-0303".to_owned()), "{found:?}");
    let said = site.fails(2, &["doctor"])?;
    assert!(said.contains("it is 4, the program needs 3"), "{said}");
    // Nothing is made up: going back is by the copy.
    site.run(&["doctor", "--fix"])?;
    assert!(site.findings()?.contains(&"CC-0303".to_owned()));
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(site.root().join(format!("data/index.db{ending}")));
    }
    std::fs::copy(&saved, &index)?;
    assert_eq!(site.findings()?, ["CC-0506"]);
    Ok(())
}
