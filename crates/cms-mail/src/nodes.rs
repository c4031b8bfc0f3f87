//! The table of nodes (`OVDFILE.DAT`, Q174101): what a node is, and which user
//! there distributes its mail.

use crate::limits::MAX_ENTRIES;
use crate::{HostAddress, TableError};
use std::collections::BTreeMap;

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// OfficeVision/VM, with the user that manages mail there and the location
    /// code of three characters.
    OfficeVision {
        /// The mail manager.
        manager: HostAddress,
        /// The location code.
        location: String,
    },
    /// CMS without OfficeVision.
    Cms,
    /// One of our own.
    Local,
}

/// The nodes of a table. What a node that is not in it can do is not documented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes {
    known: BTreeMap<String, Node>,
}

/// Characters of a location code.
const MAX_LOCATION: usize = 3;

impl Nodes {
    /// Reads lines of three words: node, mail manager, location. `CMS CMS` is a
    /// plain node, `LOCAL LME` one of ours.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let mut known = BTreeMap::new();
        for (at, row) in text.lines().enumerate() {
            let line = at.saturating_add(1);
            let words: Vec<&str> = row.split_whitespace().collect();
            let (name, manager, location) = match words.as_slice() {
                [] => continue,
                [node, manager, location] => (*node, *manager, location.to_ascii_uppercase()),
                _ => {
                    let expected = "a node, its mail manager and its location code";
                    return Err(TableError::Words { line, words: words.len(), expected });
                }
            };
            let manager = HostAddress::new(name, manager)
                .map_err(|_| TableError::Name { line, word: format!("{name} {manager}") })?;
            if location.chars().count() > MAX_LOCATION {
                return Err(TableError::Name { line, word: location });
            }
            let name = manager.node().to_owned();
            let node = match (manager.user(), location.as_str()) {
                ("CMS", "CMS") => Node::Cms,
                ("LOCAL", "LME") => Node::Local,
                _ => Node::OfficeVision { manager, location },
            };
            known.insert(name, node);
            if known.len() > MAX_ENTRIES {
                return Err(TableError::TooMany { line, what: "nodes", most: MAX_ENTRIES });
            }
        }
        Ok(Self { known })
    }

    /// What a node is; none if the table does not have it.
    pub fn get(&self, node: &str) -> Option<&Node> {
        self.known.get(&node.trim().to_ascii_uppercase())
    }

    /// Every node by its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.known.iter().map(|(name, node)| (name.as_str(), node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_known_by_their_kind() {
        let text = "OVVMNODE MAILMAN  LOC\nCMSNODE  CMS      CMS\n\nEXCHNODE LOCAL    LME\n";
        let nodes = Nodes::parse(text).unwrap();
        let manager = HostAddress::new("OVVMNODE", "MAILMAN").unwrap();
        let expected = Node::OfficeVision { manager, location: "LOC".into() };
        assert_eq!(nodes.get("ovvmnode"), Some(&expected));
        assert_eq!(nodes.get("CMSNODE"), Some(&Node::Cms));
        assert_eq!(nodes.get("EXCHNODE"), Some(&Node::Local));
        assert_eq!(nodes.get("OTHER"), None);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        assert!(matches!(Nodes::parse("A B"), Err(TableError::Words { line: 1, .. })));
        assert!(matches!(Nodes::parse("\nTOOLONGNODE B C"), Err(TableError::Name { line: 2, .. })));
        assert!(matches!(Nodes::parse("A B LONG"), Err(TableError::Name { line: 1, .. })));
    }
}
