//! A newer release, built from the same sources with another version and one
//! more migration; bundles of it.

use concord_base::{Clock, SystemClock, Timestamp};
use concord_bundle::{MakeOptions, ReleaseFacts, make, make_keys, trust_root_of};
use concord_testkit::{Result, Site, executable, run, trouble};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The program of the newer release and the keys that sign it.
pub struct Release {
    program: PathBuf,
    facts: ReleaseFacts,
    keys: tempfile::TempDir,
}

fn failed(error: impl std::fmt::Display) -> concord_testkit::Trouble {
    trouble(error.to_string())
}

impl Release {
    /// The program that `cargo xtask test` built, or the one of `$CONCORD_NEXT`.
    pub fn next() -> Result<Self> {
        let program = match std::env::var_os("CONCORD_NEXT") {
            Some(named) => PathBuf::from(named),
            None => executable()?.with_file_name("next").join("concord"),
        };
        if !program.is_file() {
            return Err(trouble(format!(
                "there is no {}; 'cargo xtask next' builds it",
                program.display()
            )));
        }
        let mut ask = Command::new(&program);
        let told = run(ask.args(["setup", "facts"]), Duration::from_secs(30))?.ok()?.stdout;
        let facts = serde_json::from_str(&told).map_err(failed)?;
        let keys = tempfile::tempdir()?;
        make_keys(keys.path(), SystemClock.now()).map_err(failed)?;
        Ok(Self { program, facts, keys })
    }

    /// Its program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.facts.version
    }

    /// Lets a server trust its publisher.
    pub fn trust(&self, site: &Site) -> Result<()> {
        let file = site.top().join("root.json");
        std::fs::write(&file, trust_root_of(self.keys.path()).map_err(failed)?)?;
        site.ok(&["update", "trust", &file.display().to_string()])?;
        Ok(())
    }

    /// A bundle of the real program.
    pub fn whole(&self, site: &Site) -> Result<String> {
        self.make(site.top(), "whole", Some(&self.program), |_| {}, |_| {})
    }

    /// A bundle of the real program in `directory`, and the trust root of its
    /// publisher.
    pub fn published(&self, directory: &Path) -> Result<(PathBuf, PathBuf)> {
        let bundle = self.make(directory, "whole", Some(&self.program), |_| {}, |_| {})?;
        let file = directory.join("root.json");
        std::fs::write(&file, trust_root_of(self.keys.path()).map_err(failed)?)?;
        Ok((bundle.into(), file))
    }

    /// A bundle with a small file in the program's place and other facts: for
    /// refusals, which come before anything is unpacked.
    pub fn bundle(&self, site: &Site, change: impl FnOnce(&mut ReleaseFacts)) -> Result<String> {
        self.make(site.top(), "changed", None, change, |_| {})
    }

    /// The same with other options.
    pub fn bundle_with(
        &self,
        site: &Site,
        change: impl FnOnce(&mut ReleaseFacts),
        options: impl FnOnce(&mut MakeOptions),
    ) -> Result<String> {
        self.make(site.top(), "options", None, change, options)
    }

    /// A bundle whose program is this text.
    pub fn of_script(&self, site: &Site, script: &str) -> Result<String> {
        let file = site.top().join("script");
        std::fs::write(&file, script)?;
        self.make(site.top(), "script", Some(&file), |_| {}, |_| {})
    }

    fn make(
        &self,
        top: &Path,
        name: &str,
        program: Option<&Path>,
        change: impl FnOnce(&mut ReleaseFacts),
        options: impl FnOnce(&mut MakeOptions),
    ) -> Result<String> {
        let scratch = tempfile::Builder::new().prefix(name).tempdir_in(top)?.keep();
        let files = scratch.join("files");
        std::fs::create_dir_all(&files)?;
        let target = files.join("concord");
        match program {
            Some(program) => {
                std::fs::copy(program, &target)?;
            }
            None => std::fs::write(&target, "#!/bin/sh\nexit 1\n")?,
        }
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&target, open)?;
        let mut facts = self.facts.clone();
        change(&mut facts);
        let now = SystemClock.now();
        let mut make_options = MakeOptions {
            files,
            facts,
            built: Timestamp(now.0),
            keys: self.keys.path().to_owned(),
            expires_days: 30,
            metadata_version: None,
            out: scratch.join("out"),
        };
        options(&mut make_options);
        Ok(make(&make_options).map_err(failed)?.display().to_string())
    }
}
