//! Plans over model directories.

mod dump;
mod export;
mod import;
mod model;
mod properties;

use concord_mapping::{
    Attribute, Attributes, FilterSet, Parameters, RuleSet, RuleTable, SchemaTable, Table, shipped,
};

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let mut found = Attributes::new();
    for (name, value) in pairs {
        found.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    found
}

fn known(schema: &SchemaTable) -> Vec<Attribute> {
    schema.lines().map(|line| line.attribute.clone()).collect()
}

/// Rules for one direction with everything that goes with them.
struct Mapping {
    rules: RuleSet,
    filters: FilterSet,
    parameters: Parameters,
}

impl Mapping {
    /// The shipped import rules with local ones over them.
    fn import(shipped: &shipped::Shipped, local: &str, filters: &str) -> Self {
        let tables = shipped.tables().unwrap();
        let rules = RuleTable::parse(local).unwrap().over(&tables.import);
        let needs = shipped::IMPORT_NEEDS;
        Self {
            rules: RuleSet::activate(&rules, &tables.theirs, &tables.ours, needs).unwrap(),
            filters: FilterSet::parse(filters, &known(&tables.theirs)).unwrap(),
            parameters: Parameters::new("own"),
        }
    }

    /// The shipped export rules with local ones over them.
    fn export(shipped: &shipped::Shipped, local: &str, filters: &str) -> Self {
        let tables = shipped.tables().unwrap();
        let rules = RuleTable::parse(local).unwrap().over(&tables.export);
        let needs = shipped.export_needs;
        Self {
            rules: RuleSet::activate(&rules, &tables.ours, &tables.theirs, needs).unwrap(),
            filters: FilterSet::parse(filters, &known(&tables.ours)).unwrap(),
            parameters: Parameters::new("own"),
        }
    }
}
