//! `concord internet-mail effective`

use super::read;
use crate::commands::dns::facts::canonical;
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_mail_policy::effective;
use concord_settings::{Settings, SmartHostTls};
use serde_json::json;

/// Print what applies to mail for a domain, and where each value comes from
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recipients' domain
    #[arg(long, value_name = "DOMAIN")]
    domain: String,
}

/// A value in force.
struct Value {
    key: String,
    value: String,
    place: String,
    line: Option<usize>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let domain = canonical(&self.domain)?;
        let root = context.root()?;
        let text = read(&root)?;
        let found = effective(&text, &domain).map_err(|error| {
            let file = root.mail_policy_file();
            Failure::configuration(format!("cannot use {}:\n{error}", file.display()))
        })?;
        let mut values: Vec<Value> = found
            .into_iter()
            .map(|one| Value {
                key: one.key,
                value: one.value,
                place: one.place,
                line: Some(one.line),
            })
            .collect();
        if root.config_file().exists() {
            let settings = concord_settings::load(&root)?;
            let said = |key: &str| values.iter().any(|value| value.key == key);
            let more: Vec<Value> =
                from_settings(&settings).into_iter().filter(|value| !said(&value.key)).collect();
            values.extend(more);
        }
        values.sort_by(|a, b| a.key.cmp(&b.key));
        if context.json {
            let views: Vec<_> = values
                .iter()
                .map(|v| json!({ "key": v.key, "value": v.value, "place": v.place, "line": v.line }))
                .collect();
            print::json(&json!({ "domain": domain, "values": views }));
            return Ok(());
        }
        let rows = values.into_iter().map(|value| {
            let line = value.line.map_or_else(String::new, |line| format!(", line {line}"));
            vec![value.key, value.value, format!("{}{line}", value.place)]
        });
        let nothing = "every value is the default";
        show::table(&["KEY", "VALUE", "FROM"], rows.collect(), nothing);
        Ok(())
    }
}

/// What `etc/concord.toml` says of the same things, where the policy is silent.
fn from_settings(settings: &Settings) -> Vec<Value> {
    let value = |key: &str, value: String, place: &str| Value {
        key: key.to_owned(),
        value,
        place: format!("{place} of concord.toml"),
        line: None,
    };
    let (mail, queue) = (&settings.internet_mail, &settings.queue);
    let mut values = vec![
        value(
            "connections",
            mail.connections_per_destination.to_string(),
            "internet-mail.connections-per-destination",
        ),
        value(
            "retry-schedule",
            queue
                .retry_schedule
                .iter()
                .map(|wait| concord_settings::format_duration(*wait))
                .collect::<Vec<_>>()
                .join(", "),
            "queue.retry-schedule",
        ),
        value(
            "expire-after",
            concord_settings::format_duration(queue.expire_after),
            "queue.expire-after",
        ),
        value("size-limit", settings.limits.message_size.to_string(), "limits.message-size"),
    ];
    if let Some(host) = &mail.smart_host {
        let place = "internet-mail.smart-host";
        values.push(value("route", format!("{}:{}", host.host, host.port), place));
        let tls = match mail.smart_host_tls {
            SmartHostTls::Opportunistic => "opportunistic",
            SmartHostTls::Required => "required",
            SmartHostTls::Implicit => "implicit",
            SmartHostTls::Off => "off",
        };
        values.push(value("tls", tls.to_owned(), "internet-mail.smart-host-tls"));
    }
    values
}
