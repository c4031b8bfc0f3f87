//! The store: readable, with room, backed up.

use crate::doctor::{BACKUP_AGE, Case, Finding, Mend, codes};
use crate::error::Result;
use crate::verb::remove_all::stamp;
use concord_base::ByteSize;

/// Below this share of the reserve's double the administrator hears of it.
const EARLY: u64 = 2;
/// The index says where messages are, and what the log had is nowhere else.
const LOST: &str = "stop the server, and put the files of the log back if you have them; \
                    otherwise 'concord recover BACKUP --dry-run' shows what a backup has";

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let data = case.host.layout.root().data();
    if let Some(error) = &case.survey.directory_error {
        let foreign = error.contains("another message log");
        findings.push(Finding {
            code: if foreign { &codes::RESTORED } else { &codes::INTEGRITY },
            place: data.display().to_string(),
            seen: error.clone(),
            mend: Mend::Advice(if foreign {
                "put index and log of one backup there, or run 'concord store rebuild': the index \
                 is made anew from the log"
                    .to_owned()
            } else {
                "run 'concord store verify'; then 'concord store rebuild', or 'concord recover' \
                 from a backup"
                    .to_owned()
            }),
        });
    }
    if let Some(seen) = case.survey.directory.as_ref().and_then(|d| d.lost_end.clone()) {
        findings.push(Finding {
            code: &codes::INTEGRITY,
            place: data.join("log").display().to_string(),
            seen,
            mend: Mend::Advice(LOST.to_owned()),
        });
    }
    findings.extend(space(case));
    findings.extend(backup(case));
    if case.deep {
        findings.extend(deep(case)?);
    }
    Ok(findings)
}

fn space(case: &Case<'_>) -> Option<Finding> {
    let settings = case.survey.settings.as_ref().ok()?;
    let data = case.host.layout.root().data();
    let free = case.host.system.free_space(&data)?;
    let reserve = settings.storage.reserve;
    if free >= reserve.0.saturating_mul(EARLY) {
        return None;
    }
    let seen = if free < reserve.0 {
        format!("{} free, the reserve is {reserve}: mail is refused", ByteSize(free))
    } else {
        format!("{} free, at {reserve} mail is refused", ByteSize(free))
    };
    Some(Finding {
        code: &codes::SPACE,
        place: data.display().to_string(),
        seen,
        mend: Mend::Advice(
            "free some space ('concord store compact' gives room of removed mail back), or move \
             the root to a larger volume"
                .to_owned(),
        ),
    })
}

fn backup(case: &Case<'_>) -> Option<Finding> {
    case.survey.directory.as_ref().filter(|d| d.mailboxes > 0)?;
    let newest = crate::backup::last(&case.host.layout);
    let seen = match newest {
        Some(at) if case.host.now().since(at) < BACKUP_AGE => return None,
        Some(at) => format!("the last one is of {}", stamp(at)),
        None => "none was ever made here".to_owned(),
    };
    Some(Finding {
        code: &codes::NO_BACKUP,
        place: "backup".to_owned(),
        seen,
        mend: Mend::Advice("run 'concord backup create DIRECTORY', best on another disk".into()),
    })
}

fn deep(case: &Case<'_>) -> Result<Vec<Finding>> {
    let damage = case.host.system.check_index()?;
    Ok(damage
        .into_iter()
        .map(|line| Finding {
            code: &codes::INTEGRITY,
            place: case.host.layout.root().data().display().to_string(),
            seen: line,
            mend: Mend::Advice(
                "'concord store verify' names all that is touched; if only the index is damaged \
                 run 'concord store rebuild', otherwise 'concord recover' from a backup"
                    .to_owned(),
            ),
        })
        .collect())
}
