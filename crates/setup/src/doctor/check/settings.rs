//! The settings file, the policy of Internet mail, connectors' settings, trust for updates.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::survey;
use concord_registry::Place;
use concord_settings::SettingsError;

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let Some(registry) = case.survey.known() else { return Ok(findings) };
    if let Err(error) = &case.survey.settings
        && (matches!(error, SettingsError::Mistakes { .. })
            || case.host.layout.root().config_file().exists())
    {
        findings.push(Finding {
            code: &codes::SETTINGS,
            place: case.host.layout.root().config_file().display().to_string(),
            seen: error.to_string(),
            mend: Mend::Advice(
                "mend the file ('concord config check' tells every mistake), or 'concord config \
                 apply' a good one"
                    .to_owned(),
            ),
        });
    }
    findings.extend(mail_policy(case));
    for (name, (manifest, _)) in survey::packages(case.host, registry) {
        let directory = case.survey.directory.as_ref();
        let object = directory.and_then(|d| d.connectors.iter().find(|c| c.name == name));
        let mistakes = object.map(|o| manifest.check_settings(&o.settings)).unwrap_or_default();
        if !mistakes.is_empty() {
            findings.push(Finding {
                code: &codes::CONNECTOR_SETTINGS,
                place: format!("connector {name}"),
                seen: mistakes.join("; "),
                mend: Mend::Advice(format!(
                    "run 'concord connector set {name} --setting NAME=VALUE'"
                )),
            });
        }
    }
    let staged = registry.release().is_some_and(|r| r.place == Place::Staged);
    let root = case.host.layout.trust_root();
    if staged && !root.exists() {
        findings.push(Finding {
            code: &codes::TRUST,
            place: root.display().to_string(),
            seen: "there is none".to_owned(),
            mend: Mend::Advice(
                "run 'concord update trust ROOT.json' with the publisher's root".to_owned(),
            ),
        });
    }
    Ok(findings)
}

/// Services read it at once when it changes, and go on with the one before when
/// it has mistakes: nobody would see that without being told.
fn mail_policy(case: &Case<'_>) -> Option<Finding> {
    let file = case.host.layout.root().mail_policy_file();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // A missing one is declared, and told by its own code.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(mail_policy_finding(&file, error.to_string())),
    };
    let error = concord_mail_policy::Policy::parse(&text).err()?;
    Some(mail_policy_finding(&file, error.to_string()))
}

fn mail_policy_finding(file: &std::path::Path, seen: String) -> Finding {
    Finding {
        code: &codes::MAIL_POLICY,
        place: file.display().to_string(),
        seen,
        mend: Mend::Advice(
            "mend the file ('concord internet-mail check' tells every mistake, 'concord \
             internet-mail edit' stores only what has none)"
                .to_owned(),
        ),
    }
}
