//! What address books know of an object: the attributes of `inetOrgPerson` (RFC
//! 2798, RFC 4519) and fifteen that the administrator may use as he likes
//! (Q148283, Q247030).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Attributes that an object can have, in the order in which they are shown.
/// Names, addresses and what follows from them are not among them: the object
/// has them elsewhere.
pub const ATTRIBUTES: &[AttributeType] = &[
    text("givenName", 64, "Given name"),
    text("sn", 64, "Surname"),
    text("initials", 16, "Initials"),
    text("title", 128, "Job title"),
    text("company", 128, "Company"),
    text("department", 128, "Department"),
    text("physicalDeliveryOfficeName", 128, "Office"),
    many("telephoneNumber", 64, "Telephone"),
    many("mobile", 64, "Mobile telephone"),
    many("facsimileTelephoneNumber", 64, "Fax"),
    many("homePhone", 64, "Home telephone"),
    many("pager", 64, "Pager"),
    text("street", 256, "Street"),
    text("l", 128, "City"),
    text("st", 128, "State or province"),
    text("postalCode", 40, "Postal code"),
    text("c", 2, "Country, as two letters"),
    text("employeeNumber", 64, "Employee number"),
    text("employeeType", 64, "Employee type"),
    text("preferredLanguage", 40, "Language (RFC 5646)"),
    many("description", 1024, "Description"),
    many("labeledURI", 1024, "Web page"),
    text("info", 1024, "Notes"),
    text("custom1", 1024, "Custom attribute 1"),
    text("custom2", 1024, "Custom attribute 2"),
    text("custom3", 1024, "Custom attribute 3"),
    text("custom4", 1024, "Custom attribute 4"),
    text("custom5", 1024, "Custom attribute 5"),
    text("custom6", 1024, "Custom attribute 6"),
    text("custom7", 1024, "Custom attribute 7"),
    text("custom8", 1024, "Custom attribute 8"),
    text("custom9", 1024, "Custom attribute 9"),
    text("custom10", 1024, "Custom attribute 10"),
    text("custom11", 1024, "Custom attribute 11"),
    text("custom12", 1024, "Custom attribute 12"),
    text("custom13", 1024, "Custom attribute 13"),
    text("custom14", 1024, "Custom attribute 14"),
    text("custom15", 1024, "Custom attribute 15"),
];

/// Values of an attribute that may have several; more are a mistake in a script.
pub const MAX_VALUES: usize = 100;

/// An attribute that an object can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeType {
    /// Its name, as LDAP writes it; case does not matter.
    pub name: &'static str,
    /// Characters of a value.
    pub length: usize,
    /// Whether it may have several values.
    pub many: bool,
    /// What people call it.
    pub label: &'static str,
}

const fn text(name: &'static str, length: usize, label: &'static str) -> AttributeType {
    AttributeType { name, length, many: false, label }
}

const fn many(name: &'static str, length: usize, label: &'static str) -> AttributeType {
    AttributeType { name, length, many: true, label }
}

/// The attribute of this name, if there is one.
pub fn attribute_type(name: &str) -> Option<&'static AttributeType> {
    ATTRIBUTES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// An object's attributes: each has at least one value, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// The values of an attribute.
    pub fn all(&self, name: &str) -> &[String] {
        let known = attribute_type(name);
        known.and_then(|known| self.0.get(known.name)).map_or(&[], Vec::as_slice)
    }

    /// The first value of an attribute.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// Replaces an attribute's values; none takes the attribute away. Blanks at
    /// a value's ends go, and values that are empty then.
    ///
    /// # Errors
    /// Why the attribute cannot have these values.
    pub fn set(&mut self, name: &str, values: Vec<String>) -> Result<(), String> {
        let known =
            attribute_type(name).ok_or_else(|| format!("there is no attribute '{name}'"))?;
        let mut kept: Vec<String> = Vec::with_capacity(values.len());
        for value in values {
            let value = value.trim();
            if !value.is_empty() && !kept.iter().any(|k| k == value) {
                kept.push(value.to_owned());
            }
        }
        check_values(known, &kept)?;
        if kept.is_empty() {
            self.0.remove(known.name);
        } else {
            self.0.insert(known.name.to_owned(), kept);
        }
        Ok(())
    }

    /// Attributes and their values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first rule that they break.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|(name, values)| match attribute_type(name) {
            Some(known) if known.name == name && !values.is_empty() => check_values(known, values),
            _ => Err(format!("there is no attribute '{name}'")),
        })
    }
}

fn check_values(known: &AttributeType, values: &[String]) -> Result<(), String> {
    let name = known.name;
    if values.len() > 1 && !known.many {
        return Err(format!("{name} has one value"));
    }
    if values.len() > MAX_VALUES {
        return Err(format!("{name} has more than {MAX_VALUES} values"));
    }
    for value in values {
        if value.chars().count() > known.length {
            return Err(format!("{name} has at most {} characters", known.length));
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(format!("{name} has no control characters"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_those_of_the_table_in_any_case() {
        let mut attributes = Attributes::default();
        attributes.set("GIVENNAME", vec![" Jane ".into(), String::new()]).unwrap();
        attributes.set("telephonenumber", vec!["1".into(), "2".into(), "1".into()]).unwrap();
        assert_eq!(attributes.first("givenName"), Some("Jane"));
        assert_eq!(attributes.all("telephoneNumber"), ["1", "2"]);
        assert_eq!(attributes.check(), Ok(()));
        attributes.set("givenName", vec![]).unwrap();
        assert_eq!(attributes.iter().count(), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut attributes = Attributes::default();
        assert!(attributes.set("shoeSize", vec!["44".into()]).is_err());
        assert!(attributes.set("sn", vec!["a".into(), "b".into()]).is_err());
        assert!(attributes.set("c", vec!["DEU".into()]).is_err());
        assert!(attributes.set("title", vec!["a\u{0}b".into()]).is_err());
        assert!(attributes.is_empty());
    }
}
