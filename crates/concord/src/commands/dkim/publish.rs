//! `concord dkim publish`

use super::{state_word, with_keys};
use crate::commands::dns::check::name_server;
use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};
use concord_dns_check::{Data, Kind, World};
use concord_mail_authentication::{KeyEntry, KeyRecord, KeyState, KeyStore, RotationStep};
use serde_json::json;
use std::net::SocketAddr;

/// Look for the keys' records in the DNS; a first key that is there begins to sign
///
/// A key that follows an active one waits its time, see 'concord dkim rotate'. Exit code 2: some
/// records are not there yet; they are printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only keys of this domain
    domain: Option<String>,
    /// Ask this name server, 'address' or 'address:port' (may be given several times)
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    name_server: Vec<SocketAddr>,
    /// Do not look: the records are where this machine cannot see them
    #[arg(long, conflicts_with = "name_server")]
    unseen: bool,
}

/// A key, its record, and whether that is there.
struct Looked {
    key: KeyEntry,
    record: KeyRecord,
    there: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        let servers = match self.name_server.is_empty() {
            true => settings.internet_mail.nameservers.clone(),
            false => self.name_server.clone(),
        };
        let hostname = settings.server.hostname;
        let looked = with_keys(context, "dkim publish", |store| {
            let looked = runtime()?.block_on(self.look(store, &servers, &hostname))?;
            activate(store, looked)
        })?;
        let missing = looked.iter().filter(|one| !one.there).count();
        tell(&looked, context);
        if missing == 0 { Ok(()) } else { Err(Failure::pending()) }
    }
}

impl Args {
    async fn look(
        &self,
        store: &KeyStore,
        servers: &[SocketAddr],
        host: &str,
    ) -> Result<Vec<Looked>, Failure> {
        let world = match self.unseen {
            true => None,
            false => Some(World::asking(servers, host)?),
        };
        let mut looked = Vec::new();
        for key in &store.ring().keys {
            if self.domain.as_ref().is_some_and(|domain| *domain != key.domain) {
                continue;
            }
            let record = store.record(&key.domain, &key.selector)?;
            let there = match &world {
                None => true,
                Some(world) => is_there(world, &record).await,
            };
            looked.push(Looked { key: key.clone(), record, there });
        }
        Ok(looked)
    }
}

async fn is_there(world: &World, record: &KeyRecord) -> bool {
    let answer = world.lookup(&record.name, Kind::Txt).await;
    let publishes =
        |data: &Data| matches!(data, Data::Text(text) if record.is_published_as(text));
    answer.records().iter().any(publishes)
}

/// Notes what was seen. The first key of its kind has nobody to wait for.
fn activate(store: &mut KeyStore, mut looked: Vec<Looked>) -> Result<Vec<Looked>, Failure> {
    let now = SystemClock.now();
    for one in looked.iter_mut().filter(|one| one.there) {
        let (domain, selector) = (one.key.domain.clone(), one.key.selector.clone());
        store.saw(&domain, &selector, now)?;
        let others = store.ring().keys.iter().any(|key| {
            key.domain == domain
                && key.algorithm == one.key.algorithm
                && key.state == KeyState::Active
        });
        if one.key.state == KeyState::Published && !others {
            store.apply(&RotationStep::Activate { domain, selector }, now)?;
            one.key.state = KeyState::Active;
        }
    }
    Ok(looked)
}

fn tell(looked: &[Looked], context: &Context) {
    if context.json {
        let views: Vec<_> = looked
            .iter()
            .map(|one| {
                json!({
                    "domain": one.key.domain,
                    "selector": one.key.selector,
                    "state": state_word(one.key.state),
                    "in_dns": one.there,
                    "line": one.record.to_string(),
                })
            })
            .collect();
        print::json(&views);
        return;
    }
    let rows = looked.iter().map(|one| {
        let there = if one.there { "there" } else { "missing" };
        vec![
            one.key.domain.clone(),
            one.key.selector.clone(),
            state_word(one.key.state).to_owned(),
            there.to_owned(),
        ]
    });
    let nothing = "there are none; make some by 'concord dkim add'";
    show::table(&["DOMAIN", "SELECTOR", "STATE", "RECORD"], rows.collect(), nothing);
    for one in looked.iter().filter(|one| !one.there) {
        print::line(format_args!("set {}", one.record));
    }
}
