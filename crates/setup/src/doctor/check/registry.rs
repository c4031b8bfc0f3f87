//! The registry, the journal, the quarantine.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::step::Step;
use crate::survey::entries;
use concord_registry::{Database, RegistryError};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    findings.extend(registry(case));
    findings.extend(journal(case));
    let quarantine = case.host.layout.quarantine();
    let held = entries(&quarantine);
    if !held.is_empty() {
        findings.push(Finding {
            code: &codes::QUARANTINE,
            place: quarantine.display().to_string(),
            seen: format!("{} entries", held.len()),
            mend: Mend::Steps {
                what: "remove them for good".to_owned(),
                steps: Vec::new(),
                // These and no others: the same run may put something there.
                after: held.into_iter().map(|path| Step::Purge { path }).collect(),
                loses_nothing: false,
            },
        });
    }
    Ok(findings)
}

fn registry(case: &Case<'_>) -> Option<Finding> {
    let layout = &case.host.layout;
    let place = layout.registry().display().to_string();
    match &case.survey.registry {
        Ok(Some(_)) => None,
        Ok(None) if !layout.root().config_file().exists() && !layout.root().data().exists() => None,
        Ok(None) => Some(Finding {
            code: &codes::REGISTRY_MISSING,
            place,
            seen: "there are settings or data, but no registry".to_owned(),
            mend: Mend::Advice(
                "run 'concord setup install': it takes over what is there; or 'concord registry \
                 restore' if there is a copy"
                    .to_owned(),
            ),
        }),
        Err(error) => {
            let verb = "doctor --fix".to_owned();
            let mend = match (&case.survey.copy, error) {
                (Some(copy), RegistryError::Damaged { .. }) => Mend::Steps {
                    what: format!(
                        "put the damaged file aside and store what its copy {} says",
                        Database::new(layout.registry()).copy_path().display()
                    ),
                    steps: vec![Step::StoreRegistry {
                        registry: Some(Box::new(copy.clone())),
                        verb,
                    }],
                    after: Vec::new(),
                    loses_nothing: true,
                },
                (_, RegistryError::Newer { .. }) => Mend::Advice(
                    "run the release that wrote it; 'concord update apply' brings it".to_owned(),
                ),
                (_, RegistryError::Io { .. }) => Mend::Advice(
                    "run as root, or as whoever installed it; see whether the disk is full"
                        .to_owned(),
                ),
                _ => Mend::Advice(
                    "run 'concord registry restore --from-machine': it is made anew from what is \
                     there"
                        .to_owned(),
                ),
            };
            Some(Finding { code: &codes::REGISTRY_DAMAGED, place, seen: error.to_string(), mend })
        }
    }
}

fn journal(case: &Case<'_>) -> Option<Finding> {
    let run = case.survey.unfinished.as_ref()?;
    let seen = match &case.survey.holder {
        Some(holder) => format!("'{}' is under way: {holder}", run.verb),
        None => format!(
            "'{}' was cut off after {} of {} steps",
            run.verb,
            run.done.len(),
            run.steps.len()
        ),
    };
    Some(Finding {
        code: &codes::UNFINISHED,
        place: case.host.layout.journal().display().to_string(),
        seen,
        mend: Mend::Advice(if case.survey.holder.is_some() {
            "wait until it is done".to_owned()
        } else {
            "run any verb of setup, for example 'concord setup settle': it brings it to an end"
                .to_owned()
        }),
    })
}
