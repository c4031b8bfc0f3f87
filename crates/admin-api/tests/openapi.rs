//! The description and the route table say the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_admin_api::ROUTES;
use std::collections::BTreeSet;

const OPENAPI: &str = include_str!("../../../docs/openapi.yaml");

/// Methods and paths: keys at two and four spaces below `paths:`.
fn described() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut path = "";
    let lines = OPENAPI.lines().skip_while(|line| *line != "paths:").skip(1);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        let key = line.trim_end().strip_suffix(':').unwrap_or_default();
        if let Some(rest) = key.strip_prefix("    ").filter(|rest| !rest.starts_with(' ')) {
            if ["get", "put", "post", "patch", "delete"].contains(&rest) {
                found.insert(format!("{} {path}", rest.to_uppercase()));
            }
        } else if let Some(rest) = key.strip_prefix("  ").filter(|rest| rest.starts_with('/')) {
            path = rest;
        }
    }
    found
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let routes: BTreeSet<String> = ROUTES.iter().map(|route| format!("{route:?}")).collect();
    assert_eq!(routes.len(), ROUTES.len(), "a route stands twice in the table");
    assert_eq!(routes, described());
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    for part in OPENAPI.split("\"#/components/").skip(1) {
        let (place, _) = part.split_once('"').unwrap();
        let (section, name) = place.split_once('/').unwrap();
        let below = OPENAPI.split_once(&format!("\n  {section}:\n")).unwrap().1;
        assert!(
            below.contains(&format!("\n    {name}:")) || below.starts_with(&format!("    {name}:")),
            "{place}"
        );
    }
}
