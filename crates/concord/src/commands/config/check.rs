//! `concord config check`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, setup};
use concord_settings::SettingsError;

/// Report every mistake of etc/concord.toml and of the files that it names
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = match concord_settings::load(&root) {
            Ok(settings) => settings,
            Err(SettingsError::Mistakes { file, mistakes }) if context.json => {
                let list: Vec<_> = mistakes
                    .iter()
                    .map(|m| {
                        serde_json::json!({
                            "line": m.line, "column": m.column, "key": m.key, "what": m.what,
                        })
                    })
                    .collect();
                print::json(&serde_json::json!({ "file": file, "mistakes": list }));
                return Err(SettingsError::Mistakes { file, mistakes }.into());
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(files) = setup::given_certificate(&settings) {
            concord_tls::server_config(files)?;
        }
        let file = root.config_file();
        if context.json {
            print::json(&serde_json::json!({ "file": file, "mistakes": [] }));
        } else {
            print::line(format_args!("{} has no mistakes", file.display()));
        }
        Ok(())
    }
}
