//! What the articles show, and what holds for every input.

mod filters;
mod functions;
mod properties;
mod tables;

use crate::{Attributes, Needs, Parameters, RuleSet, RuleTable, SchemaTable};

/// An entry out of pairs; a name that comes twice has two values.
fn entry(pairs: &[(&str, &str)]) -> Attributes {
    let mut entry = Attributes::new();
    for (name, value) in pairs {
        entry.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    entry
}

fn parameters() -> Parameters {
    let mut parameters = Parameters::new("LME-NOTES-DXAMEX");
    parameters.set(None, "executable", "lsdxamex.exe");
    parameters.set(Some("other"), "executable", "other.exe");
    parameters
}

/// The value of an expression; tags A, B and C have the values given.
fn value_with(expression: &str, values: [&str; 3]) -> String {
    let schema = SchemaTable::parse("A 5000 a\nB 5000 b\nC 5000 c\nX 16000 x").unwrap();
    let table = RuleTable::parse(&format!("X = {expression}")).unwrap();
    let rules = RuleSet::activate(&table, &schema, &schema, Needs::default()).unwrap();
    let [a, b, c] = values;
    let mapped = rules.apply(&entry(&[("a", a), ("b", b), ("c", c)]), &parameters());
    mapped.get("X").to_owned()
}

fn value(expression: &str) -> String {
    value_with(expression, ["", "", ""])
}

/// What is wrong with a rule, as one text.
fn refusal(rule: &str) -> String {
    let schema = SchemaTable::parse("A 50 a\nFIRSTNAME 50 givenname\nX 50 x").unwrap();
    match RuleTable::parse(rule) {
        Err(problems) => problems.to_string(),
        Ok(table) => RuleSet::activate(&table, &schema, &schema, Needs { tags: &["X"] })
            .unwrap_err()
            .to_string(),
    }
}
