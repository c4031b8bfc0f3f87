//! `concord certificate show`

use super::Run;
use super::known::{in_use, known, moment};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_acme::AcmeState;

/// Show the certificate that services show, and how its renewal goes
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        let all = known(&root, &settings);
        let state = settings.acme.is_on().then(|| AcmeState::read(&root.tls()));
        let Some(used) = in_use(&all) else {
            return Err(Failure::new("cli.certificate", missing(&all)));
        };
        if context.json {
            print::json(&serde_json::json!({
                "certificate": used.view(true),
                "authority": settings.acme.directory,
                "renewal": state,
            }));
            return Ok(());
        }
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
        row("from", used.from.to_owned());
        row("file", used.files.certificate.display().to_string());
        if let Ok(facts) = &used.facts {
            row("names", facts.names.join(", "));
            row("issuer", facts.issuer.clone());
            row("serial", facts.serial.clone());
            row("fingerprint", facts.fingerprint.clone());
            row("valid from", moment(facts.not_before));
            row("until", moment(facts.not_after));
        }
        if let (Some(state), Some(directory)) = (state, &settings.acme.directory) {
            row("authority", directory.clone());
            state.succeeded.into_iter().for_each(|at| row("ordered", moment(at)));
            state.next.into_iter().for_each(|at| row("next order", moment(at)));
            if let Some(failed) = state.failed {
                row("failures", state.failures.to_string());
                row("last failure", format!("{}: {}", moment(failed.at), failed.reason));
            }
        }
        print::table(&rows);
        Ok(())
    }
}

fn missing(all: &[super::known::Known]) -> String {
    let broken: Vec<String> =
        all.iter().filter_map(|known| known.facts.as_ref().err().map(ToString::to_string)).collect();
    if broken.is_empty() {
        return "cannot show the certificate: there is none yet; the first start makes one".to_owned();
    }
    broken.join("\n")
}
