//! The mapping language of directory synchronisation.
//!
//! - [`SchemaTable`]: which attributes of a directory take part, how they are
//!   called in rules, and how long they may be.
//! - [`RuleTable`] and [`RuleSet`]: how the attributes of one directory are made
//!   out of those of another one; [`Needs`] says what the target cannot do without.
//! - [`FilterSet`]: which entries take part.
//! - [`shipped`]: the tables that connectors come with; [`differences`] and
//!   [`Table::over`] put an administrator's own ones over them.
//!
//! The language is that of the Exchange connectors (Q180517), so that their
//! tables can be taken over; what crashed or surprised there is an error with
//! its place here, and bounds are far higher. [`Attribute`] reads the names that
//! those tables use.
//!
//! Pure: no I/O, no clock, no panic on any input. Floor: ground.

mod attribute;
mod customise;
mod evaluate;
mod expression;
mod filter;
mod function;
mod lexer;
mod limits;
mod names;
mod parameters;
mod problem;
mod rule_set;
mod rule_table;
mod schema;
pub mod shipped;
mod text;
mod x500;

#[cfg(test)]
mod tests;

pub use attribute::{Attribute, Attributes, ParseAttributeError};
pub use customise::{Difference, Table, differences};
pub use filter::FilterSet;
pub use limits::*;
pub use parameters::Parameters;
pub use problem::{Cause, Problem, Problems, Side};
pub use rule_set::{Mapped, MappedValue, Needs, Notice, RuleSet, Warning};
pub use rule_table::RuleTable;
pub use schema::{SchemaLine, SchemaTable};

/// Feeds arbitrary octets to everything here that reads by hand what came from
/// outside: a schema, rules, filters and an entry, apart by form feeds.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\u{c}');
    let mut part = || parts.next().unwrap_or_default();
    let schema = SchemaTable::parse(part()).or_else(|_| SchemaTable::parse(shipped::OUR_SCHEMA));
    let rules = RuleTable::parse(part());
    let Ok(schema) = schema else { return };
    let known: Vec<Attribute> = schema.lines().map(|line| line.attribute.clone()).collect();
    let filters = FilterSet::parse(part(), &known);
    let value = part();
    let mut entry = Attributes::new();
    for attribute in &known {
        entry.insert(attribute.to_string(), vec![value.to_owned(), part().to_owned()]);
    }
    if let Ok(filters) = filters {
        let _ = filters.excludes(&entry);
    }
    let Ok(rules) = rules else { return };
    let written: String = rules.canonical().values().map(|line| format!("{line}\n")).collect();
    if let Ok(again) = RuleTable::parse(&written) {
        assert_eq!(again.canonical(), rules.canonical(), "rules read back as they are written");
    }
    if let Ok(active) = RuleSet::activate(&rules, &schema, &schema, Needs::default()) {
        let mapped = active.apply(&entry, &Parameters::new("own"));
        assert!(mapped.values.iter().all(|value| value.text.chars().count() <= MAX_RESULT));
    }
}
