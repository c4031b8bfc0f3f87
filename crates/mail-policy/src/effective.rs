//! Which value applies to a domain, and where it is written.

use crate::error::PolicyError;
use crate::policy::Policy;
use toml_edit::{ArrayOfTables, Document, Item, Table};

/// A value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// `size-limit`
    pub key: String,
    /// As it is written.
    pub value: String,
    /// `domain example.org`, or `outbound`.
    pub place: String,
    /// Counted from 1.
    pub line: usize,
}

/// The values that the file says of mail to a domain; what is not there is the
/// default.
///
/// # Errors
/// [`PolicyError`], if the file cannot be used.
pub fn effective(text: &str, domain: &str) -> Result<Vec<Effective>, PolicyError> {
    let policy = Policy::parse(text)?;
    let syntax = |error: toml_edit::TomlError| PolicyError::Syntax(error.to_string());
    let document = Document::parse(text).map_err(syntax)?;
    let mut found: Vec<Effective> = Vec::new();
    let rows = document.get("domain").and_then(Item::as_array_of_tables);
    for row in policy.domains_for(domain) {
        let name = row.name.to_string();
        if let Some(table) = rows.and_then(|rows| row_named(rows, &row.name)) {
            collect(table, &format!("domain {name}"), text, &mut found);
        }
    }
    if let Some(table) = document.get("outbound").and_then(Item::as_table) {
        collect(table, "outbound", text, &mut found);
    }
    Ok(found)
}

fn row_named<'a>(rows: &'a ArrayOfTables, name: &crate::DomainPattern) -> Option<&'a Table> {
    rows.iter().find(|row| {
        let written = row.get("name").and_then(Item::as_str);
        written.and_then(|w| w.parse().ok()).as_ref() == Some(name)
    })
}

/// What a place says and no closer one has said.
fn collect(table: &Table, place: &str, text: &str, found: &mut Vec<Effective>) {
    for (key, item) in table {
        if key == "name" || found.iter().any(|one| one.key == key) {
            continue;
        }
        let span = item.span().unwrap_or_default();
        let before = text.get(..span.start).unwrap_or_default();
        found.push(Effective {
            key: key.to_owned(),
            value: text.get(span).unwrap_or_default().to_owned(),
            place: place.to_owned(),
            line: before.matches('\n').count().saturating_add(1),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_stands() {
        let text = "[outbound]\nsize-limit = '5 MiB'\nconnections = 3\n\n[[domain]]\nname = \
                    'Example.org'\nsize-limit = '1 MiB'\n";
        let found = effective(text, "mail.example.org").unwrap();
        let shown: Vec<String> =
            found.iter().map(|e| format!("{} {} {} {}", e.key, e.value, e.place, e.line)).collect();
        assert_eq!(shown, ["size-limit '1 MiB' domain example.org 7", "connections 3 outbound 3",]);
        assert_eq!(effective(text, "other.test").unwrap().len(), 2);
    }
}
