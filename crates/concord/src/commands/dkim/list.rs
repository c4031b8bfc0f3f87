//! `concord dkim list`

use super::{algorithm_word, state_word};
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::Timestamp;
use concord_mail_authentication::{KeyEntry, KeyStore};
use serde_json::json;

/// List the keys with their states
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let directory = context.root()?.dkim_keys();
        let keys = match directory.is_dir() {
            true => KeyStore::open(&directory)?.ring().keys.clone(),
            false => Vec::new(),
        };
        let wanted = |key: &&KeyEntry| self.domain.as_ref().is_none_or(|d| *d == key.domain);
        let mut keys: Vec<&KeyEntry> = keys.iter().filter(wanted).collect();
        keys.sort_by_key(|key| (&key.domain, key.algorithm, key.since));
        if context.json {
            let views: Vec<_> = keys.iter().map(|key| view(key)).collect();
            print::json(&views);
            return Ok(());
        }
        let rows = keys.iter().map(|key| {
            vec![
                key.domain.clone(),
                key.selector.clone(),
                algorithm_word(key.algorithm).to_owned(),
                state_word(key.state).to_owned(),
                show::time(&moment(key.since)),
                key.seen.map_or_else(|| "-".to_owned(), |at| show::time(&moment(at))),
            ]
        });
        let heading =
            ["DOMAIN", "SELECTOR", "ALGORITHM", "STATE", "SINCE (UTC)", "SEEN IN THE DNS (UTC)"];
        show::table(&heading, rows.collect(), "there are none; make some by 'concord dkim add'");
        Ok(())
    }
}

fn view(key: &KeyEntry) -> serde_json::Value {
    json!({
        "domain": key.domain,
        "selector": key.selector,
        "algorithm": algorithm_word(key.algorithm),
        "state": state_word(key.state),
        "since": moment(key.since),
        "seen": key.seen.map(moment),
    })
}

/// RFC 3339.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_string()
}
