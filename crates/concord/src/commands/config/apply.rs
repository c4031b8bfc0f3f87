//! `concord config apply`

use super::Run;
use crate::commands::setup::answers::put_over;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::host::Host;
use concord_setup::verb::config::{self, ConfigFile};
use std::path::PathBuf;

/// Make the configuration what a file says; the difference is shown first
///
/// Settings that the file does not name go back to their defaults. If a service does not start
/// with it, everything is taken back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file that 'config export' wrote
    file: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let text = std::fs::read_to_string(&self.file).map_err(|e| {
            let file = self.file.display();
            Failure::new("cli.import", format!("cannot read {file}: {e}; give an exported file"))
        })?;
        let wanted = ConfigFile::from_text(&text)?;
        verb(context, self.manner, Question::None, "config apply", |host, survey| {
            let settings = settings(host, &wanted)?;
            concord_settings::parse(&settings, &self.file)?;
            Ok(config::plan_apply(host, survey, &wanted, &settings)?)
        })
    }
}

/// The settings file with the file's values: comments and order stay.
fn settings(host: &Host, wanted: &ConfigFile) -> Result<String, Failure> {
    let path = host.layout.root().config_file();
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Failure::configuration(format!("cannot read {}: {e}", path.display()))
    })?;
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|e| Failure::configuration(format!("cannot read {}: {e}", path.display())))?;
    for (section, table) in document.iter_mut() {
        let Some(table) = table.as_table_like_mut() else { continue };
        let known = wanted.settings.get(section.get());
        let gone: Vec<String> = table
            .iter()
            .map(|(key, _)| key.to_owned())
            .filter(|key| known.is_none_or(|known| !known.contains_key(key)))
            .collect();
        for key in gone {
            table.remove(&key);
        }
    }
    let values: toml::Table = wanted
        .settings
        .iter()
        .map(|(section, keys)| {
            let keys: toml::Table = keys.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            (section.clone(), toml::Value::Table(keys))
        })
        .collect();
    put_over(&document.to_string(), &values)
}
