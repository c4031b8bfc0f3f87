//! `concord dns records`

use super::facts::{Asked, gather};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_dns_check::{Facts, Wanted, wanted};
use serde_json::json;

/// Print every DNS record that our mail domains need, as lines of a zone file
///
/// Nothing is asked of the DNS. Where no server is installed yet, --host, --address and --domain
/// say what the records are for.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Only the lines, without what they are for
    #[arg(long)]
    zone: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let gathered = gather(context, &self.asked)?;
        if self.zone && !context.json {
            for wanted in wanted(&gathered.facts) {
                print::line(&wanted.record);
            }
            return Ok(());
        }
        show(&gathered.facts, context);
        Ok(())
    }
}

/// Prints the records with what they are for. Comments are a zone file's, so
/// that the whole can be pasted.
pub fn show(facts: &Facts, context: &Context) {
    let all = wanted(facts);
    if context.json {
        print::json(&json!({
            "host": facts.host,
            "records": all.iter().map(view).collect::<Vec<_>>(),
        }));
        return;
    }
    let mut heading = None;
    for wanted in &all {
        let of = wanted.domain.as_deref().unwrap_or(&facts.host);
        if heading != Some(of) {
            print::line(format_args!("; --- {of} ---"));
            heading = Some(of);
        }
        let need = match wanted.need {
            concord_dns_check::Need::Required => "required",
            concord_dns_check::Need::Recommended => "recommended",
            concord_dns_check::Need::Optional => "optional",
        };
        print::line(format_args!("; {need}: {}", wanted.purpose.why()));
        print::line(&wanted.record);
    }
    if facts.addresses.is_empty() {
        print::line(format_args!(
            "; The addresses of {} are not known: set server.addresses, or give --address.",
            facts.host
        ));
    }
    for domain in &facts.domains {
        if !facts.keys.iter().any(|key| key.domain == *domain) {
            print::line(format_args!("; {domain} has no key: 'concord dkim add {domain}'."));
        }
    }
}

fn view(wanted: &Wanted) -> serde_json::Value {
    json!({
        "purpose": wanted.purpose,
        "domain": wanted.domain,
        "need": wanted.need,
        "why": wanted.purpose.why(),
        "name": wanted.record.name,
        "type": wanted.record.data.kind(),
        "value": wanted.record.data.to_string(),
        "line": wanted.record.to_string(),
    })
}
