//! Filters as people write them (RFC 4515), for tests. The codec's own reader
//! knows neither spaces in values nor attribute options.

use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

/// Reads a filter; panics if it is none.
pub(crate) fn read(text: &str) -> LdapFilter {
    let (filter, rest) = one(text);
    assert_eq!(rest, "", "{text}");
    filter
}

fn one(text: &str) -> (LdapFilter, &str) {
    let inner = text.strip_prefix('(').unwrap_or_else(|| panic!("no parenthesis: {text}"));
    let (filter, rest) = match inner.as_bytes()[0] {
        b'&' | b'|' => {
            let (mut filters, mut rest) = (Vec::new(), &inner[1..]);
            while rest.starts_with('(') {
                let (filter, behind) = one(rest);
                filters.push(filter);
                rest = behind;
            }
            let and = inner.starts_with('&');
            (if and { LdapFilter::And(filters) } else { LdapFilter::Or(filters) }, rest)
        }
        b'!' => {
            let (filter, rest) = one(&inner[1..]);
            (LdapFilter::Not(Box::new(filter)), rest)
        }
        _ => {
            let end = inner.find(')').unwrap_or_else(|| panic!("no end: {text}"));
            (condition(&inner[..end]), &inner[end..])
        }
    };
    (filter, rest.strip_prefix(')').unwrap_or_else(|| panic!("no end: {text}")))
}

fn condition(text: &str) -> LdapFilter {
    let (name, value) = text.split_once('=').unwrap_or_else(|| panic!("no =: {text}"));
    let value = value.to_owned();
    if let Some(name) = name.strip_suffix('>') {
        return LdapFilter::GreaterOrEqual(name.into(), value);
    }
    if let Some(name) = name.strip_suffix('<') {
        return LdapFilter::LessOrEqual(name.into(), value);
    }
    if let Some(name) = name.strip_suffix('~') {
        return LdapFilter::Approx(name.into(), value);
    }
    if let Some(name) = name.strip_suffix(':') {
        let mut parts: Vec<&str> = name.split(':').collect();
        let dn = parts.iter().position(|part| *part == "dn").map(|at| parts.remove(at)).is_some();
        let part = |at: usize| parts.get(at).filter(|p| !p.is_empty()).map(|p| (*p).to_owned());
        return LdapFilter::Extensible(LdapMatchingRuleAssertion {
            matching_rule: part(1),
            type_: part(0),
            match_value: value,
            dn_attributes: dn,
        });
    }
    match value.as_str() {
        "*" => LdapFilter::Present(name.into()),
        _ if value.contains('*') => {
            LdapFilter::Substring(name.into(), LdapSubstringFilter::from(value))
        }
        _ => LdapFilter::Equality(name.into(), value),
    }
}
