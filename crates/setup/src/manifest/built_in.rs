//! Connectors that every release has. One of them can be there several times,
//! under names of its own: two gateways are two connectors of one kind.

use crate::package::ConnectorManifest;

/// The kinds, with what a package's `connector.toml` would say of each.
const KINDS: &[(&str, &str)] = &[
    ("groupwise", include_str!("connectors/groupwise.toml")),
    ("ovvm", include_str!("connectors/ovvm.toml")),
];

/// Names of the kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// What a kind says of itself; none if this release does not have it.
pub fn kind(name: &str) -> Option<ConnectorManifest> {
    let (_, text) = KINDS.iter().find(|(known, _)| *known == name)?;
    // A test reads all of them.
    ConnectorManifest::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_says_what_it_is() {
        for (name, text) in KINDS {
            let manifest = ConnectorManifest::parse(text).unwrap();
            assert_eq!(manifest.connector.name, *name);
            assert_eq!(manifest.connector.arguments.first().map(String::as_str), Some("serve"));
        }
        assert!(kind("groupwise").is_some() && kind("nothing").is_none());
    }
}
