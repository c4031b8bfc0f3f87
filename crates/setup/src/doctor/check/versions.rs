//! Versions that do not fit together.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::package::CONTRACT;
use concord_registry::{Origin, Registry};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let Some(registry) = case.survey.known() else { return Ok(Vec::new()) };
    let mut findings = skew(registry);
    findings.extend(contracts(registry));
    findings.extend(running(case, registry));
    Ok(findings)
}

/// Every part of a release has its version (Q242250).
fn skew(registry: &Registry) -> Vec<Finding> {
    let parts = registry.components.iter().filter(|(_, c)| c.origin.is_of_release());
    parts
        .filter(|(_, component)| component.version != registry.current)
        .map(|(name, component)| Finding {
            code: &codes::VERSION_SKEW,
            place: format!("component {name}"),
            seen: format!("it has {}, the release is {}", component.version, registry.current),
            mend: Mend::Advice(
                "run 'concord update apply' with the bundle of the newer one: it moves every \
                 part"
                    .to_owned(),
            ),
        })
        .collect()
}

fn contracts(registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, component) in &registry.components {
        let Origin::Package { contract, .. } = component.origin else { continue };
        if contract > CONTRACT {
            findings.push(Finding {
                code: &codes::CONTRACT,
                place: format!("connector {name}"),
                seen: format!("it needs contract {contract}, this release keeps {CONTRACT}"),
                mend: Mend::Advice(format!(
                    "update Concord, or install an older package of {name}"
                )),
            });
        }
    }
    findings
}

/// The controller's program against the one that is installed.
fn running(case: &Case<'_>, registry: &Registry) -> Option<Finding> {
    let services = case.survey.services.as_ref()?;
    let pid = services.iter().find(|s| s.name == "controller")?.pid?;
    let runs = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let release = registry.release()?;
    let installed = case.host.layout.resolve(&crate::manifest::program(release));
    // A program that is missing is told elsewhere, and runs on all the same.
    let installed = std::fs::canonicalize(&installed).ok()?;
    if runs == installed {
        return None;
    }
    Some(Finding {
        code: &codes::RUNNING_OTHER,
        place: format!("process {pid}"),
        seen: format!("it runs {}, installed is {}", runs.display(), installed.display()),
        mend: Mend::Advice("restart: 'systemctl restart concord', or 'concord down' and up".into()),
    })
}
