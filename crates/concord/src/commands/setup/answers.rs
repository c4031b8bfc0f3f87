//! Answer files: everything that an installation needs to know, in one file.

use crate::failure::Failure;
use serde::Deserialize;
use std::path::Path;

/// An answer file is some kilobytes.
const MAX_OCTETS: u64 = 1 << 20;

/// `site.toml`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answers {
    /// The organisation's name.
    pub organisation: Option<String>,
    /// Its mail domain.
    pub domain: Option<String>,
    /// The name that services say.
    pub hostname: Option<String>,
    /// Components.
    pub components: Option<Vec<String>>,
    /// `auto`, `yes` or `no`.
    pub systemd: Option<String>,
    /// The services' user; an empty text is none.
    pub user: Option<String>,
    /// Where the command is linked; an empty text is nowhere.
    pub link: Option<String>,
    /// Run the program from where it is.
    pub in_place: Option<bool>,
    /// Settings that differ from the defaults, as in `etc/concord.toml`.
    #[serde(default)]
    pub settings: toml::Table,
}

impl Answers {
    /// Reads an answer file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |cause: String| {
            Failure::configuration(format!(
                "cannot use the answers in {}: {cause}; 'concord setup install --help' tells \
                 what they may say",
                path.display()
            ))
        };
        let size = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
        if size > MAX_OCTETS {
            return Err(failed(format!("it is larger than {MAX_OCTETS} octets")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
        toml::from_str(&text).map_err(|e| failed(e.to_string()))
    }
}

/// Puts values over a settings file's text, keeping its comments.
pub fn put_over(text: &str, over: &toml::Table) -> Result<String, Failure> {
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|e| Failure::configuration(format!("cannot read the settings: {e}")))?;
    for (section, values) in over {
        let Some(values) = values.as_table() else {
            return Err(Failure::configuration(format!(
                "cannot use setting '{section}': settings stand in sections, [settings.listen] \
                 for example"
            )));
        };
        let table = document
            .entry(section)
            .or_insert_with(|| toml_edit::Item::Table(toml_edit::Table::new()));
        let Some(table) = table.as_table_like_mut() else { continue };
        for (key, value) in values {
            let value: toml_edit::Value = value.to_string().parse().map_err(|e| {
                Failure::configuration(format!("cannot use setting '{section}.{key}': {e}"))
            })?;
            table.insert(key, toml_edit::Item::Value(value));
        }
    }
    Ok(document.to_string())
}
