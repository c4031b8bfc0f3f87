//! `concord connector install`

use super::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_bundle::PublicKey;
use concord_setup::host::Host;
use concord_setup::package::ConnectorManifest;
use concord_setup::survey::{Survey, read_package};
use concord_setup::verb::connector::{self, ConnectorOptions, StagedPackage};
use concord_setup::hash;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Install an external connector from its signed package, or update it
///
/// What was set before stays. The package must be signed by a key in etc/trust/packages, or by
/// the one given with --trust, which is kept there from then on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The package (.ccp); with --again the name of a connector whose package is still there
    package: PathBuf,
    /// The connector's name [default: the package's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A setting, KEY=VALUE; may be said more than once
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Where a listener of it listens, NAME=ADDRESS:PORT (NAME= for nowhere)
    #[arg(long = "listen", value_name = "NAME=ADDRESS")]
    listeners: Vec<String>,
    /// Trust this public key (a file as minisign writes it, or the key itself) from now on
    #[arg(long, value_name = "KEY")]
    trust: Option<String>,
    /// Register a package again that is still unpacked below the root
    #[arg(long, conflicts_with = "trust")]
    again: bool,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        verb(context, self.manner, Question::None, "connector install", |host, survey| {
            let staged = if self.again { self.unpacked(host)? } else { self.stage(host)? };
            let options = options(&staged.manifest, &self.settings, &self.listeners)?;
            let mut plan = connector::plan_install(host, survey, &staged, &options)?;
            if let Some(key) = self.given_key()? {
                connector::trust(host, key.key_id(), &key.to_file(), &mut plan);
            }
            Ok(plan)
        })
    }
}

impl Args {
    /// Checks the package and unpacks it where the plan takes it from.
    fn stage(&self, host: &Host) -> Result<StagedPackage, Failure> {
        let opened = concord_bundle::open(&self.package, &self.trusted(host)?)?;
        let manifest = parse(&opened.connector_toml, &self.package)?;
        let name = self.name.clone().unwrap_or_else(|| manifest.connector.name.clone());
        let to = if self.manner.dry_run {
            // Nothing is written below the root; the files are known from the list.
            None
        } else {
            Some(connector::staged(host, &name, &manifest.connector.version))
        };
        let files = match &to {
            Some(to) => {
                make_directories(to.parent().unwrap_or(to))?;
                opened.unpack(to)?;
                hash::tree(to)?
            }
            None => opened
                .files
                .iter()
                .map(|file| concord_registry::TreeFile {
                    path: PathBuf::from(&file.path),
                    sha256: file.sha256.clone(),
                    size: file.size,
                    executable: file.executable,
                })
                .collect(),
        };
        Ok(StagedPackage {
            name,
            manifest,
            files,
            key: opened.public_key.clone(),
            sha256: opened.sums_sha256.clone(),
            promised: self.manner.dry_run,
        })
    }

    /// The newest package that is unpacked below the root.
    fn unpacked(&self, host: &Host) -> Result<StagedPackage, Failure> {
        let name = self.package.display().to_string();
        let Some(tree) = newest_package(host, &name) else {
            let home = host.layout.connectors().join(&name);
            return Err(Failure::new(
                "connector.no-package",
                format!("cannot install '{name}' again: nothing is in {}", home.display()),
            ));
        };
        let (manifest, files) = read_package(&tree)?;
        Ok(StagedPackage {
            name,
            manifest,
            files,
            key: "unpacked".to_owned(),
            sha256: "unpacked".to_owned(),
            promised: false,
        })
    }

    fn trusted(&self, host: &Host) -> Result<Vec<PublicKey>, Failure> {
        let mut keys = Vec::new();
        if let Ok(entries) = std::fs::read_dir(host.layout.trusted_keys()) {
            for entry in entries.flatten() {
                keys.push(PublicKey::from_file(&entry.path())?);
            }
        }
        keys.extend(self.given_key()?);
        Ok(keys)
    }

    fn given_key(&self) -> Result<Option<PublicKey>, Failure> {
        let Some(given) = &self.trust else { return Ok(None) };
        let file = Path::new(given);
        if file.exists() {
            return Ok(Some(PublicKey::from_file(file)?));
        }
        PublicKey::parse(given).map(Some).map_err(|cause| {
            Failure::usage(
                "cli.trust",
                format!("cannot trust '{given}': {cause}; give a .pub file of minisign or its key"),
            )
        })
    }
}

/// Where the newest package of a connector is unpacked.
pub(super) fn newest_package(host: &Host, name: &str) -> Option<PathBuf> {
    let home = host.layout.connectors().join(name);
    let mut versions: Vec<PathBuf> = std::fs::read_dir(&home)
        .map(|all| all.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort_by(|a, b| {
        let version = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        concord_bundle::compare_versions(&version(a), &version(b))
    });
    versions.pop()
}

/// What was said of settings and listeners, by what the connector has.
pub(super) fn options(
    manifest: &ConnectorManifest,
    said_settings: &[String],
    said_listeners: &[String],
) -> Result<ConnectorOptions, Failure> {
    let mut settings: Map<String, Value> = Map::new();
    for text in said_settings {
        let (key, value) = pair(text)?;
        let entry = manifest.settings.iter().find(|setting| setting.name == key);
        let value = match entry {
            Some(entry) => entry.read(value).map_err(|cause| {
                Failure::usage("cli.setting", format!("cannot set '{key}': {cause}"))
            })?,
            // Refused with the others, all at once.
            None => Value::String(value.to_owned()),
        };
        settings.insert(key.to_owned(), value);
    }
    let mut listeners = BTreeMap::new();
    for text in said_listeners {
        let (key, value) = pair(text)?;
        listeners.insert(key.to_owned(), value.to_owned());
    }
    Ok(ConnectorOptions { settings, listeners })
}

fn pair(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=').ok_or_else(|| {
        Failure::usage("cli.setting", format!("cannot read '{text}'; write NAME=VALUE"))
    })
}

fn parse(text: &str, package: &Path) -> Result<ConnectorManifest, Failure> {
    ConnectorManifest::parse(text).map_err(|mistakes| {
        Failure::new(
            "connector.manifest",
            format!(
                "cannot install {}: its connector.toml has mistakes:\n  {}",
                package.display(),
                mistakes.join("\n  ")
            ),
        )
    })
}

pub(crate) fn make_directories(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(|e| {
        Failure::new("setup.io", format!("cannot make {}: {e}", path.display()))
    })
}

/// The package of a connector that is installed, checked and staged, so that a
/// repair can put its files back.
pub(crate) fn stage_again(host: &Host, survey: &Survey, file: &Path) -> Result<(), Failure> {
    let args = Args {
        package: file.to_owned(),
        name: None,
        settings: Vec::new(),
        listeners: Vec::new(),
        trust: None,
        again: false,
        manner: Manner::default(),
    };
    let staged = args.stage(host)?;
    let known = survey.known().and_then(|registry| registry.components.get(&staged.name));
    let same = known.is_some_and(|c| c.version == staged.manifest.connector.version);
    if same {
        return Ok(());
    }
    Err(Failure::new(
        "connector.other-version",
        format!(
            "cannot repair from {}: it is {} {}, which is not what is installed",
            file.display(),
            staged.name,
            staged.manifest.connector.version
        ),
    ))
}

