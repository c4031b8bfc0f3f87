//! Places: the parts of the foreign directory that belong to this organisation,
//! such as the foreign domain and its post offices in GroupWise.
//!
//! What is ours is configured. The original learnt it from the addresses that it
//! saw, and a recipient made by hand made a real domain its own (Q235497).

use concord_mapping::{Attribute, Attributes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How the place of an entry is told, and which places are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The attributes that tell the place, from the outermost inward. Their
    /// values are joined by the separator.
    pub attributes: Vec<Attribute>,
    /// Between the parts of a place.
    pub separator: char,
    /// How many parts from the outermost on tell the place; the rest is the
    /// entry's own name.
    pub parts: usize,
    /// Our places; what lies in one of them is ours too. Case does not matter.
    pub ours: BTreeSet<String>,
}

impl Places {
    /// The place of an entry.
    pub fn of(&self, entry: &Attributes) -> String {
        let values: Vec<String> = self.attributes.iter().map(|a| a.of(entry).join(";")).collect();
        let whole = values.join(&self.separator.to_string());
        let parts: Vec<&str> = whole.split(self.separator).take(self.parts).collect();
        parts.join(&self.separator.to_string())
    }

    /// Whether a place is ours.
    pub fn owns(&self, place: &str) -> bool {
        let place = place.to_lowercase();
        self.ours.iter().map(|ours| ours.to_lowercase()).any(|ours| {
            let rest = place.strip_prefix(&ours);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(self.separator))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_ours_with_all_that_lies_in_it() {
        let places = Places {
            attributes: vec!["address".parse().unwrap()],
            separator: '.',
            parts: 2,
            ours: BTreeSet::from(["EXCHANGE".to_owned(), "CORP.PO9".to_owned()]),
        };
        let of = |address: &str| {
            places.of(&Attributes::from([("address".to_owned(), vec![address.to_owned()])]))
        };
        assert_eq!(of("Exchange.US.jdoe"), "Exchange.US");
        for (address, ours) in [
            ("Exchange.US.jdoe", true),
            ("corp.po9.jdoe", true),
            ("corp.po1.jdoe", false),
            ("exchange2.us.jdoe", false),
            ("", false),
        ] {
            assert_eq!(places.owns(&of(address)), ours, "{address}");
        }
    }
}
