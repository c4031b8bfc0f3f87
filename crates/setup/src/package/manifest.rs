//! `connector.toml`: what an external connector says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::path::{Component as Part, Path};

/// The version of the connector contract that this release keeps.
pub const CONTRACT: u32 = 1;
/// Settings and listeners of one connector; more is a mistake in a generator.
const MAX_ENTRIES: usize = 100;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectorManifest {
    /// Who it is.
    pub connector: ConnectorEntry,
    /// Address spaces that it proposes.
    #[serde(default, rename = "address-space")]
    pub address_spaces: Vec<AddressSpaceEntry>,
    /// The address type that it brings.
    #[serde(default)]
    pub address_type: Option<AddressTypeEntry>,
    /// TCP listeners that it inherits.
    #[serde(default, rename = "listener")]
    pub listeners: Vec<ListenerEntry>,
    /// Its settings.
    #[serde(default, rename = "setting")]
    pub settings: Vec<SettingEntry>,
}

/// `[connector]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectorEntry {
    /// Its name: component, service and connector object.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// The contract version that it needs.
    pub contract: u32,
    /// Its program, a path in the package.
    pub program: String,
    /// The program's arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// `[[address-space]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressSpaceEntry {
    /// The address type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The pattern.
    pub pattern: String,
    /// The cost.
    pub cost: u8,
}

/// `[address-type]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressTypeEntry {
    /// The type, upper case.
    #[serde(rename = "type")]
    pub name: String,
    /// The rule that makes addresses of it.
    pub generator: String,
}

/// `[[listener]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ListenerEntry {
    /// Its name in `LISTEN_FDNAMES`.
    pub name: String,
    /// Where it listens unless told otherwise; none is nowhere.
    #[serde(default)]
    pub default: Option<String>,
}

/// What a setting's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A text that is not shown.
    Secret,
}

/// `[[setting]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingEntry {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub kind: SettingKind,
    /// Whether the connector cannot run without.
    #[serde(default)]
    pub required: bool,
    /// What it does.
    pub doc: String,
    /// Its value if none is given.
    #[serde(default)]
    pub default: Option<Value>,
}

fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| {
            !part.is_empty()
                && part.len() <= 9
                && part.bytes().all(|c| c.is_ascii_digit())
                && (part.len() == 1 || !part.starts_with('0'))
        })
}

impl ConnectorManifest {
    /// Reads the file; every mistake at once.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let manifest: Self = toml::from_str(text).map_err(|e| vec![e.to_string()])?;
        let mistakes = manifest.mistakes();
        if mistakes.is_empty() { Ok(manifest) } else { Err(mistakes) }
    }

    fn mistakes(&self) -> Vec<String> {
        let mut told = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                told.push(what);
            }
        };
        let c = &self.connector;
        must(
            is_name(&c.name),
            format!("connector.name '{}': write 1 to 32 of a-z, 0-9, '-'", c.name),
        );
        must(
            !["core", "internet-mail", "controller"].contains(&c.name.as_str()),
            format!("connector.name '{}' is a part of Concord itself; choose another", c.name),
        );
        must(is_version(&c.version), format!("connector.version '{}': write x.y.z", c.version));
        let plain = !c.program.is_empty()
            && Path::new(&c.program).components().all(|p| matches!(p, Part::Normal(_)));
        must(plain, format!("connector.program '{}': write a path in the package", c.program));
        must(self.settings.len() <= MAX_ENTRIES, format!("more than {MAX_ENTRIES} settings"));
        must(self.listeners.len() <= MAX_ENTRIES, format!("more than {MAX_ENTRIES} listeners"));
        for listener in &self.listeners {
            let name = &listener.name;
            must(is_name(name), format!("listener.name '{name}': write 1 to 32 of a-z, 0-9, '-'"));
            must(name != "deliver", "listener.name 'deliver' is the LMTP socket's".to_owned());
            if let Some(address) = &listener.default {
                must(
                    address.parse::<SocketAddr>().is_ok(),
                    format!("listener '{name}': default '{address}' is not address:port"),
                );
            }
        }
        for setting in &self.settings {
            if let Some(value) = &setting.default
                && let Err(cause) = setting.check(value)
            {
                must(false, format!("setting '{}': its default {cause}", setting.name));
            }
        }
        if let Some(brought) = &self.address_type {
            let upper = brought.name.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            must(
                upper && (1..=16).contains(&brought.name.len()) && brought.name != "SMTP",
                format!(
                    "address-type.type '{}': write 1 to 16 of A-Z, 0-9, not SMTP",
                    brought.name
                ),
            );
        }
        told
    }

    /// Settings that have a default, with it.
    pub fn defaults(&self) -> Map<String, Value> {
        let known = self.settings.iter();
        known.filter_map(|s| s.default.clone().map(|value| (s.name.clone(), value))).collect()
    }

    /// What does not fit in a connector object's settings; empty if all fits.
    pub fn check_settings(&self, settings: &Map<String, Value>) -> Vec<String> {
        let mut told = Vec::new();
        for (name, value) in settings {
            match self.settings.iter().find(|s| s.name == *name) {
                None => told.push(format!("'{name}' is not a setting of {}", self.connector.name)),
                Some(setting) => {
                    if let Err(cause) = setting.check(value) {
                        told.push(format!("'{name}' {cause}"));
                    }
                }
            }
        }
        for setting in self.settings.iter().filter(|s| s.required) {
            if !settings.contains_key(&setting.name) {
                told.push(format!("'{}' is required: {}", setting.name, setting.doc));
            }
        }
        told
    }
}

impl SettingEntry {
    /// Whether a value fits.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match self.kind {
            SettingKind::Text | SettingKind::Secret => value.is_string(),
            SettingKind::Number => value.is_i64() || value.is_u64(),
            SettingKind::Flag => value.is_boolean(),
        };
        if fits { Ok(()) } else { Err(format!("must be a {:?}", self.kind).to_lowercase()) }
    }

    /// A value from the command line.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        match self.kind {
            SettingKind::Text | SettingKind::Secret => Ok(Value::String(text.to_owned())),
            SettingKind::Number => text
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| format!("'{text}' is not a whole number")),
            SettingKind::Flag => text
                .parse::<bool>()
                .map(Value::from)
                .map_err(|_| format!("'{text}' is neither true nor false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"
        [connector]
        name = "webhook"
        version = "1.0.0"
        description = "x"
        contract = 1
        program = "webhook.py"
        [[address-space]]
        type = "SMTP"
        pattern = "hook.internal"
        cost = 1
        [address-type]
        type = "HOOK"
        generator = "%m"
        [[listener]]
        name = "http"
        default = "127.0.0.1:8025"
        [[setting]]
        name = "url"
        kind = "text"
        required = true
        doc = "where to"
        [[setting]]
        name = "timeout"
        kind = "number"
        doc = "seconds"
        default = 10
    "#;

    #[test]
    fn a_manifest_reads_and_checks_settings() {
        let manifest = ConnectorManifest::parse(GOOD).unwrap();
        assert_eq!(manifest.defaults().len(), 1);
        let mut settings = manifest.defaults();
        assert_eq!(manifest.check_settings(&settings).len(), 1, "url is required");
        settings.insert("url".into(), "http://x".into());
        assert!(manifest.check_settings(&settings).is_empty());
        settings.insert("timeout".into(), "soon".into());
        settings.insert("colour".into(), "red".into());
        assert_eq!(manifest.check_settings(&settings).len(), 2);
    }

    #[test]
    fn all_mistakes_are_told() {
        let bad = GOOD
            .replace("\"webhook\"", "\"core\"")
            .replace("1.0.0", "one")
            .replace("webhook.py", "../sh")
            .replace("127.0.0.1:8025", "here")
            .replace("default = 10", "default = \"ten\"");
        assert_eq!(ConnectorManifest::parse(&bad).unwrap_err().len(), 5);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,400}") {
            let _ = ConnectorManifest::parse(&text);
        }
    }
}
