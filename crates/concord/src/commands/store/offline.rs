//! The same work on a root whose core does not run.

use super::news;
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::Outcome;
use concord_base::{StorageError, SystemClock};
use concord_engine::EngineOptions;
use std::sync::Arc;

/// Message ids named in one finding; the rest is counted.
const MAX_NAMED: usize = 10;

fn options(context: &Context) -> Result<EngineOptions, Failure> {
    let data = context.root()?.data();
    // The engine makes it with the first start.
    if !data.join("log").exists() {
        return Err(Failure::new(
            "store.no-data",
            format!(
                "cannot read {}: nothing was ever stored there; give the root with --root",
                data.display()
            ),
        ));
    }
    Ok(EngineOptions::new(data, Arc::new(SystemClock)))
}

/// Verifies log, large bodies and index.
pub fn verify(context: &Context) -> Result<news::Report, Failure> {
    let options = options(context)?;
    let report = news::offline("verifying", || {
        concord_engine::offline::verify(&options).map_err(|error| match error {
            StorageError::Index(cause) => Failure::new(
                "storage.index",
                format!(
                    "cannot verify: the index cannot be read: {cause}; make it anew with \
                     'concord store rebuild'"
                ),
            ),
            other => other.into(),
        })
    })?;
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|found| {
            let mut what = format!("at {}, {} octets: {}", found.offset, found.octets, found.cause);
            if !found.messages.is_empty() {
                let named: Vec<_> =
                    found.messages.iter().take(MAX_NAMED).map(String::as_str).collect();
                let more = found.messages.len().saturating_sub(MAX_NAMED);
                what.push_str(&format!("; touches {}", named.join(", ")));
                if more > 0 {
                    what.push_str(&format!(" and {more} more"));
                }
            }
            news::finding("store.damaged", &found.path, &what)
        })
        .collect();
    let harmful = report.findings.len();
    let summary = format!(
        "{} records, {} large bodies, {} messages checked: {}",
        report.records,
        report.large_bodies,
        report.messages,
        if report.is_clean() { "no damage" } else { "damaged" },
    );
    let outcome = Outcome {
        summary,
        checked: report.records.saturating_add(report.large_bodies),
        findings: u64::try_from(harmful).unwrap_or(u64::MAX),
        freed: 0,
    };
    Ok(news::Report::new(findings, outcome))
}

/// Makes the index anew.
pub fn rebuild(context: &Context) -> Result<news::Report, Failure> {
    let options = options(context)?;
    let report =
        news::offline("rebuilding the index", || concord_engine::offline::rebuild(&options))?;
    let findings: Vec<_> = report
        .damage
        .iter()
        .map(|damage| {
            let place =
                format!("segment {:016x} at {}", damage.position.segment, damage.position.offset);
            news::finding("store.damaged", &place, damage.cause)
        })
        .collect();
    let outcome = Outcome {
        summary: format!("the index was made anew from {} records of the log", report.replayed),
        checked: report.replayed,
        findings: u64::try_from(findings.len()).unwrap_or(u64::MAX),
        freed: 0,
    };
    Ok(news::Report::new(findings, outcome))
}
