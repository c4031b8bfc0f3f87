//! What is declared and is not so.

use crate::converge::differences;
use crate::doctor::codes::{self, Code};
use crate::doctor::{Case, Finding, Mend};
use crate::error::Result;
use crate::plan::Plan;
use crate::record::ServiceRecord;
use crate::resource::{self, Seen, Sight};
use crate::survey;
use concord_registry::{Class, Origin, Owned, Registry, Resource};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let Some(registry) = case.survey.known() else { return Ok(Vec::new()) };
    let objects = survey::objects(case.host, registry);
    let sight = case.survey.sight(case.host, registry, &objects);
    let mut findings = Vec::new();
    let unknown = case.survey.directory.is_none();
    for (resource, seen) in differences(registry, &sight)? {
        // What cannot be read is not known to be missing.
        let in_directory =
            matches!(resource, Resource::Connector { .. } | Resource::Generator { .. });
        if in_directory && unknown {
            continue;
        }
        let owner = registry.resource(&resource.key());
        let code = code_of(resource, &seen, owner, registry, case);
        findings.push(Finding {
            code,
            place: resource.what(),
            seen: match &seen {
                Seen::Differs(how) => how.clone(),
                _ => "it is not there".to_owned(),
            },
            mend: mend(resource, &seen, &sight, owner)?,
        });
    }
    Ok(findings)
}

fn external(owned: Option<&Owned>, registry: &Registry) -> bool {
    let mut owners = owned.into_iter().flat_map(|o| &o.owners);
    owners.any(|name| {
        registry.components.get(name).is_some_and(|c| matches!(c.origin, Origin::Package { .. }))
    })
}

fn code_of(
    resource: &Resource,
    seen: &Seen,
    owned: Option<&Owned>,
    registry: &Registry,
    case: &Case<'_>,
) -> &'static Code {
    let absent = *seen == Seen::Absent;
    match resource {
        Resource::Directory { .. } | Resource::File { .. } if absent => &codes::MISSING_PATH,
        Resource::Directory { .. } => &codes::ACCESS,
        Resource::File { .. } => &codes::CHANGED_PROGRAM,
        Resource::Link { .. } => &codes::WRONG_LINK,
        Resource::Tree { .. } if absent && external(owned, registry) => &codes::GHOST,
        Resource::Tree { .. } if absent => &codes::MISSING_PROGRAM,
        Resource::Tree { .. } => match seen {
            Seen::Differs(how) if how.ends_with("is missing") => &codes::MISSING_PROGRAM,
            _ => &codes::CHANGED_PROGRAM,
        },
        Resource::User { .. } => &codes::USER_MISSING,
        Resource::Unit { .. } => &codes::UNIT,
        Resource::Service { name, .. } if absent => {
            let directory = case.survey.directory.as_ref();
            let known = directory.is_some_and(|d| d.connectors.iter().any(|c| c.name == *name));
            if known { &codes::CONNECTOR_WITHOUT_SERVICE } else { &codes::MISSING_SERVICE }
        }
        Resource::Service { name, record } => {
            let version = |text: &str| ServiceRecord::from_text(text).ok().map(|r| r.version);
            let there = std::fs::read_to_string(case.host.layout.record(name)).unwrap_or_default();
            match (version(&there), version(record)) {
                (Some(there), Some(declared)) if there != declared => &codes::VERSION_SKEW,
                _ => &codes::CHANGED_SERVICE,
            }
        }
        Resource::Connector { .. } => &codes::SERVICE_WITHOUT_CONNECTOR,
        Resource::Generator { .. } => &codes::MISSING_GENERATOR,
        Resource::Schema { .. } => &codes::SCHEMA,
        Resource::Listener { .. } => &codes::PORT_TAKEN,
    }
}

fn mend(
    resource: &Resource,
    seen: &Seen,
    sight: &Sight<'_>,
    owned: Option<&Owned>,
) -> Result<Mend> {
    if let Resource::Tree { path, .. } = resource {
        let owner = owned.and_then(|o| o.owners.iter().next()).cloned().unwrap_or_default();
        if *seen == Seen::Absent && path.starts_with(crate::layout::CONNECTORS) {
            return Ok(Mend::Forget(owner));
        }
        return Ok(Mend::Advice(
            "run 'concord setup repair --from FILE' with the bundle or package that it was \
             installed from"
                .to_owned(),
        ));
    }
    if let (Resource::Schema { .. }, Seen::Differs(how)) = (resource, seen) {
        return Ok(Mend::Advice(format!(
            "{how}: run the release that wrote it, or 'concord update apply' a newer one"
        )));
    }
    if let Resource::Directory { path, class: Class::Data, .. } = resource
        && !sight.host.layout.resolve(path).is_dir()
    {
        return Ok(Mend::Advice(
            "mount its volume if it has one of its own; else 'concord recover' a backup. An empty \
             one would be a new store"
                .to_owned(),
        ));
    }
    let mut plan = Plan::default();
    resource::apply(resource, seen, sight, &mut plan)?;
    Ok(Mend::Repair(plan.words()))
}
