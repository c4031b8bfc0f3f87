//! Services that should run and do not, and records that nobody owns.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::host::ServiceState;
use crate::step::{Control, Step, When};
use concord_registry::{Manager, Resource};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = orphans(case);
    findings.extend(running(case)?);
    Ok(findings)
}

fn orphans(case: &Case<'_>) -> Vec<Finding> {
    let Some(registry) = case.survey.known() else { return Vec::new() };
    let strays = case.survey.records.iter().filter(|found| {
        registry
            .resource(&Resource::Service { name: found.name.clone(), record: String::new() }.key())
            .is_none()
    });
    strays
        .map(|found| {
            let to =
                case.host.layout.quarantine().join("services").join(format!("{}.toml", found.name));
            let seen = match &found.record {
                Ok(record) => format!(
                    "it says component '{}' {}, which is not installed",
                    record.component, record.version
                ),
                Err(cause) => format!("it is no service record: {cause}"),
            };
            Finding {
                code: &codes::ORPHAN_SERVICE,
                place: found.path.display().to_string(),
                seen,
                mend: Mend::Steps {
                    what: format!("move it to {}", to.display()),
                    steps: vec![
                        Step::Move { from: found.path.clone(), to: free(to) },
                        Step::tell(Control::Reload, When::Doing),
                    ],
                    after: Vec::new(),
                    loses_nothing: true,
                },
            }
        })
        .collect()
}

/// A name in quarantine that is not taken.
pub(crate) fn free(path: std::path::PathBuf) -> std::path::PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (1..)
        .map(|n| if n == 1 { path.clone() } else { path.with_file_name(format!("{name}.{n}")) })
        .find(|candidate| std::fs::symlink_metadata(candidate).is_err())
        .unwrap_or(path)
}

fn running(case: &Case<'_>) -> Result<Vec<Finding>> {
    let Some(registry) = case.survey.known() else { return Ok(Vec::new()) };
    let down = |place: String, seen: String, advice: &str| Finding {
        code: &codes::SERVICE_DOWN,
        place,
        seen,
        mend: Mend::Advice(advice.to_owned()),
    };
    let Some(services) = &case.survey.services else {
        let managed =
            registry.installation.manager == Manager::Systemd && case.host.system.has_systemd();
        return Ok(managed
            .then(|| {
                down(
                    "concord.service".to_owned(),
                    "the controller does not run".to_owned(),
                    "run 'systemctl start concord', and read 'journalctl -u concord' if it does \
                     not stay",
                )
            })
            .into_iter()
            .collect());
    };
    let mut findings = lost_sockets(case, services);
    for found in &case.survey.records {
        let Ok(record) = &found.record else { continue };
        if !record.enabled {
            continue;
        }
        let state = services.iter().find(|s| s.name == record.service);
        match state {
            Some(state) if ["failed", "back-off", "crashing"].contains(&state.state.as_str()) => {
                let note = state.note.clone().map(|n| format!(": {n}")).unwrap_or_default();
                findings.push(down(
                    format!("service {}", record.service),
                    format!("it is {}{note}", state.state),
                    &format!(
                        "read 'concord service logs {0}', mend what it says, then 'concord \
                         service start {0}'",
                        record.service
                    ),
                ));
            }
            Some(state) if state.state == "stopped" => findings.push(down(
                format!("service {}", record.service),
                "it was stopped".to_owned(),
                &format!(
                    "run 'concord service start {0}'; one that is to stay stopped is disabled: \
                     'concord setup disable {0}'",
                    record.service
                ),
            )),
            None => findings.push(down(
                format!("service {}", record.service),
                "the controller does not know it".to_owned(),
                "run 'concord service reload'",
            )),
            Some(_) => {}
        }
    }
    Ok(findings)
}

/// The controller holds a socket, but its name is gone: nobody can reach it.
fn lost_sockets(case: &Case<'_>, services: &[ServiceState]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for record in case.survey.records.iter().filter_map(|found| found.record.as_ref().ok()) {
        let name = &record.service;
        if !services.iter().any(|s| s.name == *name && s.state == "ready") {
            continue;
        }
        for file in record.sockets.values() {
            let path = case.host.layout.root().run().join(file);
            if std::fs::symlink_metadata(&path).is_err() {
                findings.push(Finding {
                    code: &codes::MISSING_PATH,
                    place: path.display().to_string(),
                    seen: format!("the socket of {name} is gone while it runs"),
                    mend: Mend::Advice(format!(
                        "run 'concord service stop {name}', then 'concord service start {name}' \
                         and whatever needs it: the controller makes it anew"
                    )),
                });
            }
        }
    }
    findings
}
