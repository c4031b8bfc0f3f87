//! A bundle that was checked.

use crate::commands::connector::install::make_directories;
use crate::failure::Failure;
use concord_bundle::{ReleaseManifest, Trust, Verified, compare_versions};
use concord_registry::{Schemas, TreeFile};
use concord_setup::host::Host;
use concord_setup::{Plan, Step};
use concord_setup::verb::install::staged;
use concord_setup::verb::update::Offered;
use std::path::{Path, PathBuf};

/// A checked bundle, with what Setup needs to know of it.
pub struct Offer {
    /// For Setup.
    pub offered: Offered,
    trust: Trust,
    verified: Verified,
    _scratch: tempfile::TempDir,
}

impl Offer {
    /// Checks a bundle against the trusted root and against what was seen.
    /// Writes nothing below the root.
    pub fn open(host: &Host, bundle: &Path) -> Result<Self, Failure> {
        let path = host.layout.trust_root();
        let root = std::fs::read(&path).map_err(|e| {
            Failure::new(
                "update.no-trust",
                format!(
                    "cannot check {}: there is no root of trust ({}: {e}); run 'concord update \
                     trust ROOT.json' with the publisher's",
                    bundle.display(),
                    path.display()
                ),
            )
        })?;
        let trust = Trust { root, seen: host.layout.seen() };
        let scratch = tempfile::tempdir().map_err(|e| {
            Failure::new("update.scratch", format!("cannot make a scratch directory: {e}"))
        })?;
        let verified = concord_bundle::verify(bundle, &trust, host.now(), scratch.path())?;
        let installed = concord_registry::Database::new(host.layout.registry()).load()?;
        let current = installed.map(|registry| registry.current).unwrap_or_default();
        let offered = offered(&verified.manifest, &current);
        Ok(Self { offered, trust, verified, _scratch: scratch })
    }

    /// Unpacks it where a plan takes it from.
    pub fn stage(&self, host: &Host) -> Result<(), Failure> {
        let to = staged(host, &self.offered.version);
        make_directories(to.parent().unwrap_or(&to))?;
        Ok(self.verified.unpack(&to)?)
    }

    /// From now on older ones are refused.
    pub fn accept(&self) -> Result<(), Failure> {
        Ok(self.trust.accept(&self.verified)?)
    }

    /// The same as steps behind the commit: with the release, or not at all.
    pub fn accept_with(&self, host: &Host, plan: &mut Plan) -> Result<(), Failure> {
        plan.after(Step::make_directory(host.layout.seen(), 0o755, None));
        for (path, content) in self.trust.records(&self.verified)? {
            plan.after(Step::WriteFile { path, mode: 0o644, owner: None, content });
        }
        Ok(())
    }
}

fn offered(manifest: &ReleaseManifest, current: &str) -> Offered {
    Offered {
        version: manifest.version.clone(),
        platform: manifest.platform.clone(),
        schemas: Schemas {
            index: manifest.schemas.index,
            registry: manifest.schemas.registry,
            contract: manifest.schemas.contract,
        },
        components: manifest.components.clone(),
        files: manifest
            .files
            .iter()
            .map(|file| TreeFile {
                path: PathBuf::from(&file.path),
                sha256: file.sha256.clone(),
                size: file.size,
                executable: file.executable,
            })
            .collect(),
        order: compare_versions(&manifest.version, current),
    }
}
