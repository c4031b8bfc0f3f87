//! `concord certificate check`

use super::Run;
use super::known::{in_use, known, moment};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_acme::AcmeState;
use concord_base::{Clock, SystemClock};
use concord_settings::{AcmeChallenge, Root, Settings};
use concord_tls::CertificateFacts;
use serde::Serialize;

/// Check the certificate, and whether [acme] can work: key files, listeners, the authority
///
/// Nothing is ordered and nothing is changed. Exit code 2 if something was found.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Look {
    what: &'static str,
    good: bool,
    seen: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        let mut looks = certificate(&root, &settings);
        if settings.acme.is_on() {
            looks.extend(acme(context, &root, &settings)?);
        }
        let found = looks.iter().any(|look| !look.good);
        if context.json {
            print::json(&serde_json::json!({ "good": !found, "items": looks }));
        } else {
            let mut rows = vec![["WHAT", "GOOD", "SEEN"].map(str::to_owned).to_vec()];
            rows.extend(looks.into_iter().map(|look| {
                let word = if look.good { "yes" } else { "no" };
                vec![look.what.to_owned(), word.to_owned(), look.seen]
            }));
            print::table(&rows);
        }
        if found { Err(Failure::pending()) } else { Ok(()) }
    }
}

fn certificate(root: &Root, settings: &Settings) -> Vec<Look> {
    let all = known(root, settings);
    let mut looks: Vec<Look> = all
        .iter()
        .filter_map(|known| known.facts.as_ref().err())
        .map(|error| Look { what: "certificate", good: false, seen: error.to_string() })
        .collect();
    let Some(used) = in_use(&all) else {
        let seen = "there is none yet; the first start makes one".to_owned();
        looks.push(Look { what: "certificate", good: false, seen });
        return looks;
    };
    if let Ok(facts) = &used.facts {
        let (now, until) = (SystemClock.now(), moment(facts.not_after));
        let good = facts.not_before <= now && now < facts.not_after;
        let seen = format!("{}, from {} until {until}", used.from, moment(facts.not_before));
        looks.push(Look { what: "certificate", good, seen });
        looks.push(names(facts, settings));
    }
    looks
}

/// Every name by which somebody reaches a service that shows it.
fn names(facts: &CertificateFacts, settings: &Settings) -> Look {
    let mut wanted = vec![settings.server.hostname.clone()];
    wanted.extend(settings.web.client_host.clone());
    if settings.acme.is_on() {
        wanted.extend(settings.acme.names.clone());
    }
    wanted.dedup();
    let has = |name: &String| {
        facts.names_host(name) || facts.names.iter().any(|n| n.eq_ignore_ascii_case(name))
    };
    let lacking: Vec<String> = wanted.iter().filter(|name| !has(name)).cloned().collect();
    let seen = if lacking.is_empty() {
        facts.names.join(", ")
    } else {
        format!("it names {}, and lacks {}", facts.names.join(", "), lacking.join(", "))
    };
    Look { what: "names", good: lacking.is_empty(), seen }
}

fn acme(context: &Context, root: &Root, settings: &Settings) -> Result<Vec<Look>, Failure> {
    let mut looks = vec![listeners(settings), service(context)?];
    let plan = match crate::acme::plan(root, settings) {
        Ok(Some(plan)) => plan,
        Ok(None) => return Ok(looks),
        Err(error) => {
            looks.push(Look { what: "key files", good: false, seen: error.to_string() });
            return Ok(looks);
        }
    };
    let reached = runtime()?.block_on(concord_acme::reach(&plan));
    looks.push(match reached {
        Ok(()) => Look { what: "authority", good: true, seen: plan.directory },
        Err(error) => Look { what: "authority", good: false, seen: error.to_string() },
    });
    let state = AcmeState::read(&root.tls());
    if let Some(failed) = state.failed {
        let seen = format!("{}: {}", moment(failed.at), failed.reason);
        looks.push(Look { what: "last order", good: false, seen });
    }
    Ok(looks)
}

/// What the authority must reach from outside.
fn listeners(settings: &Settings) -> Look {
    let listen = &settings.listen;
    let (name, addresses) = match settings.acme.challenge {
        AcmeChallenge::Http01 => ("listen.http", &listen.http),
        AcmeChallenge::TlsAlpn01 => ("listen.https", &listen.https),
        AcmeChallenge::Dns01 => {
            let seen = "dns-01 needs none".to_owned();
            return Look { what: "listener", good: true, seen };
        }
    };
    let challenge = settings.acme.challenge.as_str();
    let seen = if addresses.is_empty() {
        format!("{challenge} needs {name}, which is empty")
    } else {
        let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        format!("{challenge} is answered at {}", all.join(", "))
    };
    Look { what: "listener", good: !addresses.is_empty(), seen }
}

/// Who orders and renews.
fn service(context: &Context) -> Result<Look, Failure> {
    let control = context.control()?;
    let state = context.block_on(async { control.status(crate::services::WEB).await });
    let (good, seen) = match state {
        Ok(service) => {
            let state = service.state.to_string();
            (state == "ready", format!("web is {state}"))
        }
        Err(error) => (false, format!("{error}; 'concord setup add web' installs it")),
    };
    Ok(Look { what: "service", good, seen })
}
