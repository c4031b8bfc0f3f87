//! `concord connector set`

use super::install::newest_package;
use super::switch;
use crate::commands::object::{self, CONNECTOR, Named};
use crate::commands::{Run, password, setup_run};
use crate::context::Context;
use crate::failure::Failure;
use concord_address::{AddressSpace, ParseAddressSpaceError};
use concord_admin_api::wire::{ConnectorPatch, ObjectView};
use concord_controller::path_of;
use concord_setup::manifest;
use concord_setup::package::ConnectorManifest;
use concord_setup::survey::read_package;
use serde_json::{Map, Value};

/// Change a connector: what it carries, and its settings
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    /// What people see
    #[arg(long)]
    display_name: Option<String>,
    /// Have it carry these addresses, as TYPE:PATTERN, for example 'SMTP:*.example.org' (may be
    /// given several times); one that it has gets the new cost
    #[arg(long, value_name = "SPACE")]
    address_space: Vec<AddressSpace>,
    /// The cost of the address spaces that are added; of equally close ones the cheapest is taken
    /// [default: 1]
    #[arg(long, requires = "address_space", value_name = "N")]
    cost: Option<u8>,
    /// Have it no longer carry these addresses (may be given several times)
    #[arg(long, value_name = "SPACE")]
    remove_address_space: Vec<AddressSpace>,
    /// Set one of its settings (may be given several times). The value is what the connector's
    /// package says of the setting; where nothing is known of it, it is taken as JSON if it is
    /// some, else as text
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    setting: Vec<(String, String)>,
    /// Set one of its settings to the first line of stdin, as secrets are
    #[arg(long, value_name = "KEY")]
    setting_stdin: Option<String>,
    /// Take one of its settings away (may be given several times)
    #[arg(long, value_name = "KEY")]
    remove_setting: Vec<String>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The value of a setting that nothing is known of.
fn guessed(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Null) => Err("null is no value; use --remove-setting".to_owned()),
        Ok(json) => Ok(json),
        Err(_) => Ok(Value::from(text)),
    }
}

/// What a connector's package, or its kind, says of its settings; none if it is
/// not known here.
fn schema(connector: &ObjectView, context: &Context) -> Result<Option<ConnectorManifest>, Failure> {
    let component = connector.component.as_deref().unwrap_or_default();
    if let Some(kind) = manifest::kind(component) {
        return Ok(Some(kind));
    }
    let host = setup_run::host(&context.root()?);
    let Some(tree) = newest_package(&host, &connector.name) else { return Ok(None) };
    Ok(read_package(&tree).ok().map(|(manifest, _)| manifest))
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut said = self.setting;
        if let Some(key) = self.setting_stdin {
            said.push((key, password::Source { password_stdin: true }.read()?));
        }
        let settings = if said.is_empty() && self.remove_setting.is_empty() {
            Map::new()
        } else {
            settings(&self.which.name, &said, self.remove_setting, context)?
        };
        let patch = ConnectorPatch {
            display_name: self.display_name,
            add_address_spaces: priced(self.address_space, self.cost)?,
            remove_address_spaces: texts(&self.remove_address_space),
            settings,
            ..ConnectorPatch::default()
        };
        if patch == ConnectorPatch::default() {
            return Err(object::nothing(CONNECTOR));
        }
        switch::change(&self.which.name, &patch, "changed", context)
    }
}

/// Settings as they go to the core: held against what the connector says of
/// them, before anything is stored.
fn settings(
    name: &str,
    said: &[(String, String)],
    removed: Vec<String>,
    context: &Context,
) -> Result<Map<String, Value>, Failure> {
    let admin = context.admin()?;
    let connector: ObjectView = context.block_on(admin.get(&path_of(CONNECTOR.path, name), &[]))?;
    let schema = schema(&connector, context)?;
    let mut settings = Map::new();
    let mut mistakes = Vec::new();
    for (key, text) in said {
        let entry = schema.iter().flat_map(|s| &s.settings).find(|entry| entry.name == *key);
        let value = match entry {
            Some(entry) => entry.read(text),
            // One that is not known is told of with the others.
            None => guessed(text),
        };
        match value {
            Ok(value) => drop(settings.insert(key.clone(), value)),
            Err(cause) => mistakes.push(format!("'{key}': {cause}")),
        }
    }
    if let Some(schema) = &schema {
        let mut after = connector.settings.unwrap_or_default();
        after.extend(settings.clone());
        after.retain(|key, _| !removed.contains(key));
        if mistakes.is_empty() {
            mistakes.extend(schema.check_settings(&after));
        }
    }
    if !mistakes.is_empty() {
        return Err(Failure::usage(
            "cli.setting",
            format!("cannot change connector {name}: {}; correct it", mistakes.join("; ")),
        ));
    }
    settings.extend(removed.into_iter().map(|key| (key, Value::Null)));
    Ok(settings)
}

fn priced(spaces: Vec<AddressSpace>, cost: Option<u8>) -> Result<Vec<AddressSpace>, Failure> {
    let Some(cost) = cost else { return Ok(spaces) };
    let with_cost = |space: AddressSpace| {
        AddressSpace::new(space.kind().clone(), space.pattern(), cost)
    };
    let priced: Result<_, ParseAddressSpaceError> = spaces.into_iter().map(with_cost).collect();
    priced.map_err(|e| Failure::usage("cli.address-space", format!("{e}; correct it")))
}

fn texts(spaces: &[AddressSpace]) -> Vec<String> {
    spaces.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_json_where_they_can_be() {
        let value = |text: &str| setting(text).and_then(|(_, value)| guessed(&value));
        assert_eq!(value("n=12"), Ok(Value::from(12)));
        assert_eq!(value("n=007"), Ok(Value::from("007")));
        assert_eq!(value("n=\"12\""), Ok(Value::from("12")));
        assert_eq!(value("on=true"), Ok(Value::from(true)));
        assert_eq!(value("url=http://x/?a=b"), Ok(Value::from("http://x/?a=b")));
        assert!(value("x").is_err() && value("=x").is_err() && value("x=null").is_err());
    }
}
