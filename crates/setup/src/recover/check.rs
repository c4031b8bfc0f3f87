//! Whether a backup may be recovered here. Nothing is changed.

use super::RecoverOptions;
use crate::backup::{Backup, BackupError, Part, size_of};
use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::survey::Survey;
use crate::verb::ReleaseFacts;
use concord_base::ByteSize;
use concord_registry::{Registry, RegistryError};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Room that stays beside what is staged: journal, index, new mail.
const BESIDE: u64 = 64 << 20;

/// The parts that are wanted and that the backup has.
pub(super) fn parts(backup: &Backup, options: &RecoverOptions) -> Result<BTreeSet<Part>> {
    let mut parts = options.parts.clone();
    parts.retain(|part| backup.files_in(part.place()).next().is_some());
    if parts.contains(&Part::Store) {
        // It is in there, as it was.
        parts.remove(&Part::Directory);
    }
    if parts.is_empty() {
        let wanted: Vec<&str> = options.parts.iter().map(|part| part.as_str()).collect();
        let what = wanted.join(", ");
        let advice = "take another backup, or other --parts".to_owned();
        return Err(BackupError::Lacks { what, advice }.into());
    }
    if options.hostname.is_some() && !parts.contains(&Part::Config) {
        let cause = "--hostname goes into the settings: recover the part config too";
        return Err(SetupError::invalid("recover", cause));
    }
    Ok(parts)
}

/// Whether this release knows what is in it.
pub(super) fn forms(backup: &Backup, release: &ReleaseFacts) -> Result<()> {
    let was = &backup.manifest.release;
    let newer = |what| BackupError::Newer { version: was.version.clone(), what };
    if was.schemas.registry > release.schemas.registry {
        return Err(newer("registry").into());
    }
    if was.schemas.index > release.schemas.index {
        return Err(newer("index").into());
    }
    Ok(())
}

/// What is installed here; none if nothing is, or if nobody knows what.
pub(super) fn installed(survey: &Survey) -> Result<Option<&Registry>> {
    match &survey.registry {
        Ok(registry) => Ok(registry.as_ref()),
        Err(RegistryError::Damaged { .. }) => Ok(survey.copy.as_ref()),
        Err(error) => Err(error.clone().into()),
    }
}

/// Whose server this is against whose backup it is.
pub(super) fn identity(
    backup: &Backup,
    survey: &Survey,
    here: Option<&Registry>,
    parts: &BTreeSet<Part>,
    options: &RecoverOptions,
) -> Result<()> {
    let theirs = &backup.manifest.identity;
    let directory = survey.directory.as_ref();
    let organisation = directory
        .and_then(|d| d.organisation.as_ref())
        .or_else(|| here.and_then(|r| r.identity.organisation.as_ref()));
    if let (Some(backup), Some(here)) = (&theirs.organisation, organisation)
        && backup != here
    {
        let (backup, here) = (backup.clone(), here.clone());
        return Err(BackupError::OtherOrganisation { backup, here }.into());
    }
    let mail = [Part::Store, Part::Directory].iter().any(|part| parts.contains(part));
    // What the store says counts; without one, what Setup remembers of it.
    let lineage =
        directory.and_then(|d| d.lineage).or_else(|| here.and_then(|r| r.identity.lineage));
    if let (true, Some(backup), Some(here)) =
        (mail && !options.adopt_lineage, theirs.lineage, lineage)
        && backup != here
    {
        let organisation = organisation.cloned().unwrap_or_default();
        let (backup, here) = (backup.to_string(), here.to_string());
        return Err(BackupError::OtherLineage { organisation, backup, here }.into());
    }
    Ok(())
}

/// Whether the directory here is known, to be merged into.
pub(super) fn directory_is_known(survey: &Survey, parts: &BTreeSet<Part>) -> Result<()> {
    if !parts.contains(&Part::Directory) {
        return Ok(());
    }
    if let Some(cause) = &survey.directory_error {
        return Err(BackupError::UnknownStore(cause.clone()).into());
    }
    if survey.directory.is_none() {
        let cause = "there is no store here yet to merge into; recover it with --parts store";
        return Err(SetupError::invalid("recover the directory", cause));
    }
    Ok(())
}

/// Whether there is room for what is staged.
pub(super) fn space(host: &Host, backup: &Backup, parts: &BTreeSet<Part>) -> Result<()> {
    let place = host.layout.setup();
    let files = parts.iter().flat_map(|part| backup.files_in(part.place()));
    let mut needed = files.map(|file| file.size).sum::<u64>().saturating_add(BESIDE);
    if parts.contains(&Part::Store) {
        needed = needed.saturating_add(kept_elsewhere(host));
    }
    match host.system.free_space(&place) {
        Some(free) if free < needed => Err(BackupError::NoSpace {
            path: place,
            needed: ByteSize(needed).to_string(),
            free: ByteSize(free).to_string(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Octets of the present store if it is on a volume of its own: then quarantine
/// is a copy of it.
fn kept_elsewhere(host: &Host) -> u64 {
    let device = |path: &Path| std::fs::metadata(path).ok().map(|found| found.dev());
    let data = host.layout.root().data();
    match (device(&data), device(host.layout.root().path())) {
        (Some(data_is_on), Some(root_is_on)) if data_is_on != root_is_on => size_of(&data),
        _ => 0,
    }
}
