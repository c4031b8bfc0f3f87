//! The rules that a registry keeps.

use crate::model::Registry;
use crate::resource::Resource;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component as Part, Path};

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the registry, as in its exported form.
    pub place: String,
    /// What does not fit, and what to do.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Names of components, services and connectors: they become file and socket
/// names, and the longest socket path holds 107 bytes.
const MAX_NAME: usize = 32;

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A path that stays where it says it is. An empty one is the root itself.
fn is_plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Part::Normal(_) | Part::RootDir))
}

struct Rules(Vec<Mistake>);

impl Rules {
    fn that(&mut self, holds: bool, place: impl fmt::Display, what: impl fmt::Display) {
        if !holds {
            self.0.push(Mistake { place: place.to_string(), what: what.to_string() });
        }
    }
}

impl Registry {
    /// Every rule that is broken; none if the registry may be stored.
    pub fn check(&self) -> Vec<Mistake> {
        let mut rules = Rules(Vec::new());
        rules.that(
            self.schema == Self::SCHEMA,
            "schema",
            format_args!("{} is not this release's, {}", self.schema, Self::SCHEMA),
        );
        rules.that(!self.identity.hostname.is_empty(), "identity.hostname", "it is empty");
        rules.that(!self.identity.server.is_nil(), "identity.server", "it is nil");
        self.check_releases(&mut rules);
        self.check_components(&mut rules);
        self.check_resources(&mut rules);
        rules.0
    }

    fn check_releases(&self, rules: &mut Rules) {
        let mut seen = BTreeSet::new();
        for release in &self.releases {
            let place = format!("releases.{}", release.version);
            rules.that(seen.insert(&release.version), &place, "it stands twice");
            rules.that(!release.version.is_empty(), &place, "a version is not empty");
        }
        rules.that(
            self.release().is_some(),
            "current",
            format_args!("release {} is not among the releases", self.current),
        );
        if let Some(previous) = &self.previous {
            rules.that(
                self.release_of(previous).is_some(),
                "previous",
                format_args!("release {previous} is not among the releases"),
            );
        }
    }

    fn check_components(&self, rules: &mut Rules) {
        for (name, component) in &self.components {
            let place = format!("components.{name}");
            rules.that(
                is_name(name),
                &place,
                "a name has 1 to 32 of a-z, 0-9 and '-' (not at its ends)",
            );
            if component.origin.is_of_release() {
                rules.that(
                    component.version == self.current,
                    &place,
                    format_args!(
                        "it has version {}, but the release is {}: every part of a release \
                         has its version",
                        component.version, self.current
                    ),
                );
            }
            let owns = self.resources.iter().any(|owned| owned.owners.contains(name));
            rules.that(owns, &place, "it owns nothing; remove it");
        }
    }

    fn check_resources(&self, rules: &mut Rules) {
        let mut seen = BTreeSet::new();
        for owned in &self.resources {
            let key = owned.resource.key();
            let place = format!("resources.{key}");
            rules.that(seen.insert(key), &place, "it stands twice");
            rules.that(!owned.owners.is_empty(), &place, "nobody owns it; remove it");
            for owner in &owned.owners {
                rules.that(
                    self.components.contains_key(owner),
                    &place,
                    format_args!("its owner '{owner}' is not installed"),
                );
            }
            if let Some(path) = owned.resource.path() {
                rules.that(is_plain(path), &place, "a path has no '.' or '..'");
            }
            match &owned.resource {
                Resource::Service { name, .. } | Resource::Connector { name } => {
                    rules.that(is_name(name), &place, "the name does not fit");
                }
                Resource::Directory { mode, .. } | Resource::File { mode, .. } => {
                    rules.that(*mode <= 0o777, &place, "the mode is more than permission bits");
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Component, Identity, Installation, Manager, Place, Release, Schemas};
    use concord_base::Timestamp;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    /// A registry that keeps the rules but for owning nothing.
    pub(crate) fn registry() -> Registry {
        let component = || Component {
            version: "1.0.0".into(),
            enabled: true,
            installed: Timestamp(1),
            origin: crate::model::Origin::Release,
            listeners: BTreeMap::new(),
        };
        Registry {
            schema: Registry::SCHEMA,
            identity: Identity {
                server: Uuid::from_u128(7),
                lineage: None,
                organisation: None,
                hostname: "mail.example.test".into(),
                created: Timestamp(1),
            },
            installation: Installation {
                manager: Manager::None,
                user: None,
                command_link: None,
                unit_directory: None,
                package: None,
            },
            current: "1.0.0".into(),
            previous: None,
            releases: vec![Release {
                version: "1.0.0".into(),
                platform: "x86_64-linux".into(),
                schemas: Schemas { index: 1, registry: 1, contract: 1 },
                installed: Timestamp(1),
                place: Place::Staged,
            }],
            components: ["a", "b", "c"].map(|n| (n.to_owned(), component())).into(),
            resources: Vec::new(),
        }
    }

    /// A registry that keeps the rules.
    pub(crate) fn sound() -> Registry {
        let mut registry = registry();
        for name in ["a", "b", "c"] {
            let listener = Resource::Listener { name: format!("listener-{name}") };
            registry.own(name, vec![listener]);
        }
        assert_eq!(registry.check(), []);
        registry
    }

    #[test]
    fn mistakes_are_all_told() {
        let mut bad = sound();
        bad.current = "2.0.0".into();
        bad.previous = Some("0.9.0".into());
        bad.identity.hostname.clear();
        if let Some(owned) = bad.resources.first_mut() {
            owned.owners = ["nobody".to_owned()].into();
            owned.resource =
                Resource::Link { path: "../etc/passwd".into(), target: "elsewhere".into() };
        }
        let told: Vec<String> = bad.check().iter().map(ToString::to_string).collect();
        for word in ["current", "previous", "hostname", "'nobody'", "'..'", "components.a"] {
            assert!(told.iter().any(|t| t.contains(word)), "no {word} in {told:#?}");
        }
    }

    #[test]
    fn a_mixed_version_vector_cannot_be_stored() {
        let mut bad = sound();
        if let Some(b) = bad.components.get_mut("b") {
            b.version = "0.9.0".into();
        }
        assert_eq!(bad.check().len(), 1);
    }
}
