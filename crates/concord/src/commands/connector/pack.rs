//! `concord connector pack`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_setup::package::ConnectorManifest;
use std::path::PathBuf;

/// Pack and sign a connector: a directory with connector.toml becomes a .ccp file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory
    directory: PathBuf,
    /// The secret key ('concord connector keygen', or minisign's)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The package to write [default: NAME-VERSION.ccp]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let file = self.directory.join("connector.toml");
        let text = std::fs::read_to_string(&file).map_err(|e| {
            Failure::new("connector.manifest", format!("cannot read {}: {e}", file.display()))
        })?;
        let manifest = ConnectorManifest::parse(&text).map_err(|mistakes| {
            let list = mistakes.join("\n  ");
            Failure::new(
                "connector.manifest",
                format!("cannot pack: {} has mistakes:\n  {list}", file.display()),
            )
        })?;
        let program = self.directory.join(&manifest.connector.program);
        if !program.is_file() {
            return Err(Failure::new(
                "connector.manifest",
                format!("cannot pack: its program {} is not there", program.display()),
            ));
        }
        let c = &manifest.connector;
        let usual = PathBuf::from(format!("{}-{}.ccp", c.name, c.version));
        let out = self.out.unwrap_or(usual);
        let packed = concord_bundle::pack(&self.directory, &self.key, None, &out)?;
        if context.json {
            print::json(&serde_json::json!({
                "package": out, "name": c.name, "version": c.version, "key": packed.public_key,
            }));
        } else {
            print::line(format_args!("packed {} {} as {}", c.name, c.version, out.display()));
            print::line(format_args!("signed with key {}", packed.public_key));
        }
        Ok(())
    }
}
