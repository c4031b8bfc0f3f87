//! `concord dkim add`

use super::with_keys;
use crate::commands::Run;
use crate::commands::dns::facts::canonical;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};
use concord_mail_authentication::{KeyAlgorithm, KeyRecord};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make keys for a domain, or take one over; the records to set are printed
///
/// They sign once their records are in the DNS: 'concord dkim publish' looks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The domain that signs
    domain: String,
    /// What the key signs by; both is one of each, because not everybody verifies Ed25519
    #[arg(long, value_enum, default_value = "both", conflicts_with = "import")]
    algorithm: Which,
    /// The selector [default: made from the date]
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Take over this private key (PKCS#8 in PEM) instead of making one
    #[arg(long, value_name = "FILE", requires = "selector")]
    import: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Rsa,
    Ed25519,
    Both,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let domain = canonical(&self.domain)?;
        if self.selector.is_some() && self.algorithm == Which::Both && self.import.is_none() {
            return Err(Failure::usage(
                "cli.dkim-selector",
                "cannot give one selector to two keys; say --algorithm rsa or ed25519 too",
            ));
        }
        let records = match &self.import {
            Some(file) => vec![self.take_over(&domain, file, context)?],
            None => self.make(&domain, context)?,
        };
        show(&records, context);
        Ok(())
    }
}

impl Args {
    fn take_over(
        &self,
        domain: &str,
        file: &Path,
        context: &Context,
    ) -> Result<KeyRecord, Failure> {
        let pem = std::fs::read(file).map_err(|error| {
            let what = format!("cannot read {}: {error}; name a key's file", file.display());
            Failure::new("cli.import", what)
        })?;
        let selector = self.selector.clone().unwrap_or_default();
        with_keys(context, "dkim add", |store| {
            Ok(store.import(domain, &selector, &pem, SystemClock.now())?)
        })
    }

    fn make(&self, domain: &str, context: &Context) -> Result<Vec<KeyRecord>, Failure> {
        let algorithms: &[KeyAlgorithm] = match self.algorithm {
            Which::Rsa => &[KeyAlgorithm::Rsa],
            Which::Ed25519 => &[KeyAlgorithm::Ed25519],
            Which::Both => &[KeyAlgorithm::Rsa, KeyAlgorithm::Ed25519],
        };
        with_keys(context, "dkim add", |store| {
            let mut records = Vec::new();
            for algorithm in algorithms {
                let now = SystemClock.now();
                let made = || store.ring().new_selector(domain, *algorithm, now);
                let selector = self.selector.clone().unwrap_or_else(made);
                records.push(store.make(domain, &selector, *algorithm, now)?);
            }
            Ok(records)
        })
    }
}

/// Prints records to be set.
pub fn show(records: &[KeyRecord], context: &Context) {
    if context.json {
        let views: Vec<_> = records
            .iter()
            .map(|record| {
                let line = record.to_string();
                json!({ "name": record.name, "value": record.value, "line": line })
            })
            .collect();
        print::json(&views);
        return;
    }
    for record in records {
        print::line(record);
    }
    if !records.is_empty() {
        eprintln!("set these in the DNS, then run 'concord dkim publish'");
    }
}
