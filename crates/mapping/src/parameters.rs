//! What `CFGPARM` can ask for.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings in sections; names mean the same in either case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    own: String,
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl Parameters {
    /// None yet. `own` is the section that is meant where a rule names none.
    pub fn new(own: &str) -> Self {
        Self { own: own.to_lowercase(), sections: BTreeMap::new() }
    }

    /// Sets one, in `section`, or in the own one.
    pub fn set(&mut self, section: Option<&str>, key: &str, value: &str) {
        let section = section.map_or_else(|| self.own.clone(), str::to_lowercase);
        self.sections.entry(section).or_default().insert(key.to_lowercase(), value.to_owned());
    }

    /// The value, empty if there is none.
    pub fn get(&self, key: &str, section: Option<&str>) -> &str {
        let section = section.map_or_else(|| self.own.clone(), str::to_lowercase);
        let found = self.sections.get(&section).and_then(|keys| keys.get(&key.to_lowercase()));
        found.map(String::as_str).unwrap_or_default()
    }
}
