//! The directory against what is installed, and identity.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::host::{DirectoryState, ObjectKey};
use crate::manifest::BUILT_IN;
use crate::step::Step;
use concord_registry::{Registry, Resource};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let (Some(registry), Some(directory)) = (case.survey.known(), &case.survey.directory) else {
        return Ok(Vec::new());
    };
    let mut findings = connectors(case, registry, directory);
    findings.extend(generators(registry, directory));
    findings.extend(identity(case, registry, directory));
    findings.extend(servers(registry, directory));
    Ok(findings)
}

/// A connector that the directory knows and this machine does not run (Q188632).
fn connectors(case: &Case<'_>, registry: &Registry, directory: &DirectoryState) -> Vec<Finding> {
    let missing = directory.connectors.iter().filter(|c| {
        registry.resource(&Resource::Connector { name: c.name.clone() }.key()).is_none()
    });
    missing
        .map(|connector| {
            let name = &connector.name;
            let mend = if BUILT_IN.contains(&connector.component.as_str()) {
                Mend::Add(connector.component.clone())
            } else if crate::manifest::kind(&connector.component).is_some() {
                Mend::Advice(format!(
                    "run 'concord connector add {} --name {name}' (its settings are in the \
                     directory and stay), or take it out of the directory: 'concord connector \
                     remove {name} --object'",
                    connector.component
                ))
            } else if !crate::survey::entries(&case.host.layout.connectors().join(name)).is_empty()
            {
                Mend::Advice(format!(
                    "run 'concord connector install --again {name}': its package is still there"
                ))
            } else {
                Mend::Advice(format!(
                    "install the package of '{0}' ('concord connector install FILE.ccp'; its \
                     settings are in the directory and stay), or take the connector out of the \
                     directory: 'concord connector remove {name} --object'",
                    connector.component
                ))
            };
            Finding {
                code: &codes::CONNECTOR_WITHOUT_SERVICE,
                place: format!("connector {name}"),
                seen: format!("its component '{}' is not installed", connector.component),
                mend,
            }
        })
        .collect()
}

fn generators(registry: &Registry, directory: &DirectoryState) -> Vec<Finding> {
    let mut findings = Vec::new();
    for generator in &directory.generators {
        let kind = &generator.address_type;
        let key = format!("generator:{kind}");
        if registry.resource(&key).is_none() {
            findings.push(Finding {
                code: &codes::DANGLING_GENERATOR,
                place: format!("address generator {kind}"),
                seen: format!("its component '{}' is not installed", generator.component),
                mend: Mend::Steps {
                    what: "take it out of the directory; addresses that it made stay".to_owned(),
                    steps: vec![Step::RemoveObject { key: ObjectKey::Generator(kind.clone()) }],
                    after: Vec::new(),
                    loses_nothing: false,
                },
            });
        }
    }
    for (kind, count) in directory.without_address.iter().filter(|(_, count)| *count > 0) {
        findings.push(Finding {
            code: &codes::WITHOUT_ADDRESS,
            place: format!("address type {kind}"),
            seen: format!("{count} mailboxes have no {kind} address"),
            mend: Mend::Steps {
                what: "give them one by the generator's rule".to_owned(),
                steps: Vec::new(),
                after: vec![Step::Stamp],
                loses_nothing: true,
            },
        });
    }
    findings
}

/// One identity, compared with every copy of it (Q255073).
fn identity(case: &Case<'_>, registry: &Registry, directory: &DirectoryState) -> Vec<Finding> {
    let mut findings = Vec::new();
    let identity = &registry.identity;
    if let (Some(known), Some(there)) = (&identity.lineage, &directory.lineage)
        && known != there
    {
        findings.push(Finding {
            code: &codes::LINEAGE,
            place: case.host.layout.root().data().display().to_string(),
            seen: format!(
                "it holds the store {there} of organisation '{}'; this server's is {known} of \
                 '{}'",
                directory.organisation.as_deref().unwrap_or("(none)"),
                identity.organisation.as_deref().unwrap_or("(none)")
            ),
            mend: Mend::Learn {
                what: "take the store over as this server's (clients read their mailboxes anew)"
                    .to_owned(),
                loses_nothing: false,
            },
        });
    }
    let organisations = (&identity.organisation, &directory.organisation);
    if let (Some(known), Some(there)) = organisations
        && known != there
    {
        findings.push(Finding {
            code: &codes::IDENTITY,
            place: "organisation".to_owned(),
            seen: format!("the directory says '{there}', the registry '{known}'"),
            mend: Mend::Learn {
                what: format!("take '{there}' over into the registry"),
                loses_nothing: false,
            },
        });
    }
    let unknown = identity.lineage.is_none() && directory.lineage.is_some();
    if unknown {
        // Learned quietly by the next run; nothing disagrees.
        return findings;
    }
    if let Ok(settings) = &case.survey.settings
        && settings.server.hostname != identity.hostname
    {
        findings.push(Finding {
            code: &codes::IDENTITY,
            place: "host name".to_owned(),
            seen: format!(
                "etc/concord.toml says '{}', the registry '{}'",
                settings.server.hostname, identity.hostname
            ),
            mend: Mend::Learn {
                what: format!("take '{}' over as the new name", settings.server.hostname),
                loses_nothing: true,
            },
        });
    }
    findings
}

fn servers(registry: &Registry, directory: &DirectoryState) -> Vec<Finding> {
    let own = &registry.identity.hostname;
    if !directory.servers.contains(own) {
        return Vec::new();
    }
    let others = directory.servers.iter().filter(|name| *name != own);
    others
        .map(|name| Finding {
            code: &codes::ORPHAN_SERVER,
            place: format!("server {name}"),
            seen: format!("this server is {own}, and there is only one"),
            mend: Mend::Advice(
                "nothing uses it; it goes when servers can be removed from the directory".into(),
            ),
        })
        .collect()
}
