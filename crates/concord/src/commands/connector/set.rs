//! `concord connector set`

use super::switch;
use crate::commands::object::{self, CONNECTOR, Named};
use crate::commands::{Run, password};
use crate::context::Context;
use crate::failure::Failure;
use concord_address::{AddressSpace, ParseAddressSpaceError};
use concord_admin_api::wire::ConnectorPatch;
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
    /// Set one of its settings (may be given several times); the value is taken as JSON if it is
    /// some, else as text
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    setting: Vec<(String, Value)>,
    /// Set one of its settings to the first line of stdin, as secrets are
    #[arg(long, value_name = "KEY")]
    setting_stdin: Option<String>,
    /// Take one of its settings away (may be given several times)
    #[arg(long, value_name = "KEY")]
    remove_setting: Vec<String>,
}

fn setting(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or("write KEY=VALUE")?;
    let value = match serde_json::from_str(value) {
        Ok(Value::Null) => return Err("null is no value; use --remove-setting".to_owned()),
        Ok(json) => json,
        Err(_) => Value::from(value),
    };
    Ok((key.to_owned(), value))
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut settings: Map<String, Value> = self.setting.into_iter().collect();
        settings.extend(self.remove_setting.into_iter().map(|key| (key, Value::Null)));
        if let Some(key) = self.setting_stdin {
            let value = password::Source { password_stdin: true }.read()?;
            settings.insert(key, Value::from(value));
        }
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
        let value = |text: &str| setting(text).map(|(_, value)| value);
        assert_eq!(value("n=12"), Ok(Value::from(12)));
        assert_eq!(value("n=007"), Ok(Value::from("007")));
        assert_eq!(value("n=\"12\""), Ok(Value::from("12")));
        assert_eq!(value("on=true"), Ok(Value::from(true)));
        assert_eq!(value("url=http://x/?a=b"), Ok(Value::from("http://x/?a=b")));
        assert!(value("x").is_err() && value("=x").is_err() && value("x=null").is_err());
    }
}
