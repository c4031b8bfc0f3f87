//! Components of hierarchical names.
//!
//! Read are names of Exchange (`/o=Acme/ou=HQ/cn=Recipients/cn=jane`), canonical
//! ones of Notes (`CN=Jane Doe/OU=Sales/O=Acme/C=US`) and abbreviated ones
//! (`Jane Doe/Sales/Acme/US`). A text without hierarchy is a common name.

/// The parts that can be asked for.
const FIELDS: [&str; 4] = ["CN", "OU", "O", "C"];

pub(crate) fn is_field(text: &str) -> bool {
    FIELDS.iter().any(|field| field.eq_ignore_ascii_case(text.trim()))
}

/// The nth component of a field, in the order in which they are written.
pub(crate) fn component(name: &str, field: &str, number: usize) -> String {
    let Some(skipped) = number.checked_sub(1) else { return String::new() };
    let field = field.trim();
    let found = components(name)
        .into_iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(field))
        .nth(skipped);
    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn components(name: &str) -> Vec<(&str, &str)> {
    if let Some(rest) = name.strip_prefix('/') {
        return keyed(rest);
    }
    // Notes keeps all names of a person in one field; the first one counts.
    let name = name.split(';').next().unwrap_or(name).trim();
    let first = name.split('/').next().unwrap_or_default();
    if first.split_once('=').is_some_and(|(key, _)| is_field(key)) {
        return keyed(name);
    }
    abbreviated(name)
}

fn keyed(name: &str) -> Vec<(&str, &str)> {
    name.split('/')
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect()
}

fn abbreviated(name: &str) -> Vec<(&str, &str)> {
    let mut parts: Vec<&str> = name.split('/').map(str::trim).collect();
    let mut found = Vec::with_capacity(parts.len());
    // A country is two letters behind an organisation.
    let country = |last: &&str| last.len() == 2 && last.bytes().all(|c| c.is_ascii_alphabetic());
    let country = (parts.len() > 2).then(|| parts.pop_if(|last| country(&&**last))).flatten();
    let organisation = (parts.len() > 1).then(|| parts.pop()).flatten();
    for (n, part) in parts.into_iter().enumerate() {
        found.push((if n == 0 { "CN" } else { "OU" }, part));
    }
    found.extend(organisation.map(|part| ("O", part)));
    found.extend(country.map(|part| ("C", part)));
    found
}
