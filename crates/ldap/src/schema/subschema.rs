//! The values of `cn=Subschema`.

use super::attribute::{ATTRIBUTES, Attr, Definition, Syntax, Usage};
use super::class::CLASSES;
use crate::text::Rule;

/// Syntaxes (RFC 4517 section 3.3) and what they are called.
pub(crate) const SYNTAXES: &[(&str, &str)] = &[
    ("1.3.6.1.4.1.1466.115.121.1.3", "Attribute Type Description"),
    ("1.3.6.1.4.1.1466.115.121.1.7", "Boolean"),
    ("1.3.6.1.4.1.1466.115.121.1.11", "Country String"),
    ("1.3.6.1.4.1.1466.115.121.1.12", "DN"),
    ("1.3.6.1.4.1.1466.115.121.1.15", "Directory String"),
    ("1.3.6.1.4.1.1466.115.121.1.24", "Generalized Time"),
    ("1.3.6.1.4.1.1466.115.121.1.26", "IA5 String"),
    ("1.3.6.1.4.1.1466.115.121.1.27", "INTEGER"),
    ("1.3.6.1.4.1.1466.115.121.1.30", "Matching Rule Description"),
    ("1.3.6.1.4.1.1466.115.121.1.37", "Object Class Description"),
    ("1.3.6.1.4.1.1466.115.121.1.38", "OID"),
    ("1.3.6.1.4.1.1466.115.121.1.40", "Octet String"),
    ("1.3.6.1.4.1.1466.115.121.1.50", "Telephone Number"),
    ("1.3.6.1.4.1.1466.115.121.1.54", "LDAP Syntax Description"),
    ("1.3.6.1.4.1.1466.115.121.1.58", "Substring Assertion"),
    ("1.3.6.1.1.16.1", "UUID"),
];

/// Matching rules (RFC 4517 section 4.2, RFC 4530): number, name, syntax of the
/// assertion.
pub(crate) const MATCHING_RULES: &[(&str, &str, &str)] = &[
    ("2.5.13.0", "objectIdentifierMatch", "1.3.6.1.4.1.1466.115.121.1.38"),
    ("2.5.13.1", "distinguishedNameMatch", "1.3.6.1.4.1.1466.115.121.1.12"),
    ("2.5.13.2", "caseIgnoreMatch", "1.3.6.1.4.1.1466.115.121.1.15"),
    ("2.5.13.3", "caseIgnoreOrderingMatch", "1.3.6.1.4.1.1466.115.121.1.15"),
    ("2.5.13.4", "caseIgnoreSubstringsMatch", "1.3.6.1.4.1.1466.115.121.1.58"),
    ("2.5.13.5", "caseExactMatch", "1.3.6.1.4.1.1466.115.121.1.15"),
    ("2.5.13.6", "caseExactOrderingMatch", "1.3.6.1.4.1.1466.115.121.1.15"),
    ("2.5.13.7", "caseExactSubstringsMatch", "1.3.6.1.4.1.1466.115.121.1.58"),
    ("2.5.13.13", "booleanMatch", "1.3.6.1.4.1.1466.115.121.1.7"),
    ("2.5.13.14", "integerMatch", "1.3.6.1.4.1.1466.115.121.1.27"),
    ("2.5.13.15", "integerOrderingMatch", "1.3.6.1.4.1.1466.115.121.1.27"),
    ("2.5.13.17", "octetStringMatch", "1.3.6.1.4.1.1466.115.121.1.40"),
    ("2.5.13.20", "telephoneNumberMatch", "1.3.6.1.4.1.1466.115.121.1.50"),
    ("2.5.13.21", "telephoneNumberSubstringsMatch", "1.3.6.1.4.1.1466.115.121.1.58"),
    ("2.5.13.27", "generalizedTimeMatch", "1.3.6.1.4.1.1466.115.121.1.24"),
    ("2.5.13.28", "generalizedTimeOrderingMatch", "1.3.6.1.4.1.1466.115.121.1.24"),
    ("1.3.6.1.4.1.1466.109.114.2", "caseIgnoreIA5Match", "1.3.6.1.4.1.1466.115.121.1.26"),
    ("1.3.6.1.4.1.1466.109.114.3", "caseIgnoreIA5SubstringsMatch", "1.3.6.1.4.1.1466.115.121.1.58"),
    ("1.3.6.1.1.16.2", "UUIDMatch", "1.3.6.1.1.16.1"),
];

/// The values of one attribute of the subschema entry.
pub(crate) fn lines(attr: Attr) -> Vec<String> {
    match attr {
        Attr::AttributeTypes => ATTRIBUTES.iter().map(attribute).collect(),
        Attr::ObjectClasses => CLASSES.iter().map(super::Class::description).collect(),
        Attr::LdapSyntaxes => {
            SYNTAXES.iter().map(|(oid, name)| format!("( {oid} DESC '{name}' )")).collect()
        }
        Attr::MatchingRules => MATCHING_RULES
            .iter()
            .map(|(oid, name, syntax)| format!("( {oid} NAME '{name}' SYNTAX {syntax} )"))
            .collect(),
        _ => Vec::new(),
    }
}

/// RFC 4512 section 4.1.2
fn attribute(definition: &Definition) -> String {
    let names: Vec<_> = definition.names.iter().map(|name| format!("'{name}'")).collect();
    let names = match names.as_slice() {
        [one] => one.clone(),
        many => format!("( {} )", many.join(" ")),
    };
    let mut text = format!("( {} NAME {names}", definition.oid());
    if !definition.doc.is_empty() {
        text.push_str(&format!(" DESC '{}'", definition.doc));
    }
    let (equality, ordering, substrings) = rules(definition);
    for (word, rule) in [("EQUALITY", equality), ("ORDERING", ordering), ("SUBSTR", substrings)] {
        if let Some(rule) = rule {
            text.push_str(&format!(" {word} {rule}"));
        }
    }
    text.push_str(&format!(" SYNTAX {}", syntax(definition.syntax)));
    if !definition.many {
        text.push_str(" SINGLE-VALUE");
    }
    if !definition.writable && definition.usage != Usage::User {
        text.push_str(" NO-USER-MODIFICATION");
    }
    match definition.usage {
        Usage::User => {}
        Usage::Operational => text.push_str(" USAGE directoryOperation"),
        Usage::Server => text.push_str(" USAGE dSAOperation"),
    }
    text.push_str(" )");
    text
}

fn rules(definition: &Definition) -> (Option<&str>, Option<&str>, Option<&str>) {
    match (definition.rule, definition.syntax) {
        (Rule::CaseIgnore, Syntax::Ia5) => {
            (Some("caseIgnoreIA5Match"), None, Some("caseIgnoreIA5SubstringsMatch"))
        }
        (Rule::CaseIgnore, _) => (
            Some("caseIgnoreMatch"),
            Some("caseIgnoreOrderingMatch"),
            Some("caseIgnoreSubstringsMatch"),
        ),
        (Rule::CaseExact, _) => (
            Some("caseExactMatch"),
            Some("caseExactOrderingMatch"),
            Some("caseExactSubstringsMatch"),
        ),
        (Rule::Telephone, _) => {
            (Some("telephoneNumberMatch"), None, Some("telephoneNumberSubstringsMatch"))
        }
        (Rule::Integer, _) => (Some("integerMatch"), Some("integerOrderingMatch"), None),
        (Rule::Boolean, _) => (Some("booleanMatch"), None, None),
        (Rule::Time, _) => {
            (Some("generalizedTimeMatch"), Some("generalizedTimeOrderingMatch"), None)
        }
        (Rule::Dn, _) => (Some("distinguishedNameMatch"), None, None),
        (Rule::Uuid, _) => (Some("UUIDMatch"), None, None),
        (Rule::Oid, Syntax::Oid) => (Some("objectIdentifierMatch"), None, None),
        (Rule::Oid, _) | (Rule::Secret, _) => (None, None, None),
    }
}

fn syntax(syntax: Syntax) -> &'static str {
    match syntax {
        Syntax::Text => "1.3.6.1.4.1.1466.115.121.1.15",
        Syntax::Ia5 => "1.3.6.1.4.1.1466.115.121.1.26",
        Syntax::Telephone => "1.3.6.1.4.1.1466.115.121.1.50",
        Syntax::Country => "1.3.6.1.4.1.1466.115.121.1.11",
        Syntax::Dn => "1.3.6.1.4.1.1466.115.121.1.12",
        Syntax::Boolean => "1.3.6.1.4.1.1466.115.121.1.7",
        Syntax::Integer => "1.3.6.1.4.1.1466.115.121.1.27",
        Syntax::Time => "1.3.6.1.4.1.1466.115.121.1.24",
        Syntax::Oid => "1.3.6.1.4.1.1466.115.121.1.38",
        Syntax::Uuid => "1.3.6.1.1.16.1",
        Syntax::Octets => "1.3.6.1.4.1.1466.115.121.1.40",
        Syntax::AttributeType => "1.3.6.1.4.1.1466.115.121.1.3",
        Syntax::ObjectClass => "1.3.6.1.4.1.1466.115.121.1.37",
        Syntax::MatchingRule => "1.3.6.1.4.1.1466.115.121.1.30",
        Syntax::LdapDescription => "1.3.6.1.4.1.1466.115.121.1.54",
    }
}
