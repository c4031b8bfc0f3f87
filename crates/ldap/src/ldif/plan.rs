//! What a content record means for what is there.

use super::Attribute;
use crate::dn::{self, Rdn};
use crate::result::{Code, Outcome, Refusal};
use crate::schema::{Attr, Class};
use crate::text::{Rule, normalise};
use crate::write::{canonical, kind};
use concord_directory::Kind;
use ldap3_proto::proto::{LdapModify, LdapModifyType, LdapPartialAttribute};
use std::collections::BTreeMap;

/// What other servers write into their copies of entries and no client may write.
const FOREIGN_OPERATIONAL: [&str; 4] = ["creatorsname", "modifiersname", "entrycsn", "contextcsn"];

/// What there is to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Planned {
    Add(Vec<LdapPartialAttribute>),
    Modify(Vec<LdapModify>, Vec<String>),
    Nothing,
}

/// The values of an entry, by attribute, each of them once.
pub(super) type Values = BTreeMap<Attr, Vec<Vec<u8>>>;

/// Plans a content record; `present` is the entry as it is.
pub(super) fn content(
    rdn: &Rdn,
    given: &[Attribute],
    present: Option<&[LdapPartialAttribute]>,
) -> Outcome<Planned> {
    let as_sent: Vec<LdapPartialAttribute> = given.iter().map(super::import::sent).collect();
    let kind = present.and_then(|present| kind(present).ok()).or_else(|| kind(&as_sent).ok());
    let wanted = values(&as_sent, kind)?;
    let Some(present) = present else {
        let attributes = wanted.into_iter().map(|(attr, vals)| partial(attr, vals));
        return Ok(Planned::Add(attributes.collect()));
    };
    let has = values(present, kind)?;
    same_kind(&as_sent, present)?;
    let (mut changes, mut told) = (Vec::new(), Vec::new());
    for (attr, mut vals) in wanted {
        match attr {
            Attr::ObjectClass => continue,
            // the name is a value of it, whether the file says so or not
            Attr::Cn => merge(&mut vals, attr, rdn.value.as_bytes().to_vec()),
            _ => {}
        }
        let before = has.get(&attr).map_or(&[][..], Vec::as_slice);
        if attr != Attr::UserPassword && same(attr, before, &vals) {
            continue;
        }
        tell(attr, before, &vals, &mut told);
        let operation = LdapModifyType::Replace;
        changes.push(LdapModify { operation, modification: partial(attr, vals) });
    }
    Ok(if changes.is_empty() { Planned::Nothing } else { Planned::Modify(changes, told) })
}

pub(super) fn partial(attr: Attr, vals: Vec<Vec<u8>>) -> LdapPartialAttribute {
    LdapPartialAttribute { atype: attr.definition().name().to_owned(), vals }
}

/// What clients may write of an entry. What only the server writes is in many
/// files, and is left out; so is what follows from other attributes.
pub(super) fn values(given: &[LdapPartialAttribute], kind: Option<Kind>) -> Outcome<Values> {
    let recipient = kind.is_some_and(|kind| kind.is_recipient());
    let mut values = Values::new();
    for attribute in given {
        let name = attribute.atype.as_str();
        let Some(attr) = Attr::from_name(name) else {
            if FOREIGN_OPERATIONAL.contains(&name.to_ascii_lowercase().as_str()) {
                continue;
            }
            let message = format!("there is no attribute '{name}'");
            return Err(Refusal::new(Code::UndefinedAttributeType, message));
        };
        let attr = canonical(attr, recipient);
        if !attr.definition().writable || attr == Attr::Co {
            continue;
        }
        let into = values.entry(attr).or_default();
        for value in &attribute.vals {
            // what is FALSE is left out of entries
            let usual = attr.rule() == Rule::Boolean && value.eq_ignore_ascii_case(b"FALSE");
            if !usual {
                merge(into, attr, value.clone());
            }
        }
    }
    Ok(values)
}

fn merge(values: &mut Vec<Vec<u8>>, attr: Attr, value: Vec<u8>) {
    let wanted = key(attr, &value);
    if !values.iter().any(|has| key(attr, has) == wanted) {
        values.push(value);
    }
}

/// A value as it is compared.
fn key(attr: Attr, value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if attr.rule() == Rule::Dn
        && let Some(rdns) = dn::parse(&text)
    {
        return dn::key(&rdns);
    }
    // a type in capitals is what makes an address primary
    if attr == Attr::ProxyAddresses
        && let Some((kind, value)) = text.split_once(':')
    {
        return format!("{kind}:{}", normalise(Rule::CaseIgnore, value));
    }
    normalise(attr.rule(), &text)
}

fn keys(attr: Attr, values: &[Vec<u8>]) -> Vec<String> {
    let mut keys: Vec<String> = values.iter().map(|value| key(attr, value)).collect();
    keys.sort_unstable();
    keys
}

fn same(attr: Attr, a: &[Vec<u8>], b: &[Vec<u8>]) -> bool {
    keys(attr, a) == keys(attr, b)
}

/// A record whose classes are of another kind is about another entry. A person may
/// be either of two kinds.
fn same_kind(given: &[LdapPartialAttribute], present: &[LdapPartialAttribute]) -> Outcome<()> {
    let (Ok(wanted), Ok(has)) = (kind(given), kind(present)) else { return Ok(()) };
    let person = wanted == Kind::Mailbox && has == Kind::Contact && !says_ours(given);
    if wanted == has || person {
        return Ok(());
    }
    Err(Refusal::new(
        Code::ObjectClassModsProhibited,
        format!("there is a {has} of this name, and the record is of a {wanted}"),
    ))
}

/// Whether a class is one of ours, which leave no doubt.
fn says_ours(given: &[LdapPartialAttribute]) -> bool {
    let classes = given.iter().filter(|a| Attr::from_name(&a.atype) == Some(Attr::ObjectClass));
    classes.flat_map(|a| &a.vals).any(|class| {
        let name = String::from_utf8_lossy(class);
        Class::from_name(&name).is_some_and(|class| class.name.starts_with("concord"))
    })
}

fn tell(attr: Attr, before: &[Vec<u8>], after: &[Vec<u8>], told: &mut Vec<String>) {
    let name = attr.definition().name();
    if attr == Attr::UserPassword {
        told.push(format!("{name}: set"));
        return;
    }
    let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
    if !attr.definition().many {
        let one = |values: &[Vec<u8>]| values.first().map(text).unwrap_or_default();
        told.push(format!("{name}: '{}' -> '{}'", one(before), one(after)));
        return;
    }
    for (sign, these, others) in [("-", before, after), ("+", after, before)] {
        let others = keys(attr, others);
        let gone = these.iter().filter(|value| others.binary_search(&key(attr, value)).is_err());
        told.extend(gone.map(|value| format!("{name}: {sign} '{}'", text(value))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &[&str])]) -> Vec<Attribute> {
        let octets = |values: &&[&str]| values.iter().map(|v| v.as_bytes().to_vec()).collect();
        let pairs = pairs.iter();
        pairs.map(|(n, v)| Attribute { name: (*n).to_owned(), values: octets(v) }).collect()
    }

    fn planned(file: &[(&str, &[&str])]) -> Outcome<Planned> {
        let present: Vec<LdapPartialAttribute> = given(&[
            ("objectClass", &["top", "inetOrgPerson", "concordMailbox"]),
            ("cn", &["Jane Doe", "jane"]),
            ("uid", &["jane"]),
            ("company", &["Acme"]),
            ("o", &["Acme"]),
            ("telephoneNumber", &["1 2", "3"]),
            ("concordDelegate", &["cn=bob,o=x"]),
            ("proxyAddresses", &["SMTP:jane@x.test", "smtp:j@x.test"]),
        ])
        .iter()
        .map(super::super::import::sent)
        .collect();
        let rdn = dn::parse("cn=jane").unwrap().remove(0);
        content(&rdn, &given(file), Some(&present))
    }

    #[test]
    fn what_is_as_the_file_says_is_left_alone() {
        let same: &[&[(&str, &[&str])]] = &[
            &[("objectClass", &["person"]), ("commonName", &["jane  DOE"])],
            &[("telephoneNumber", &["3", "12"]), ("o", &["acme"]), ("company", &["ACME"])],
            &[("concordHidden", &["false"]), ("concordDelegate", &["uid=Bob, o=X"])],
            &[("entryUUID", &["x"]), ("entryCSN", &["y"]), ("co", &["z"]), ("memberOf", &["o=q"])],
            &[("proxyAddresses", &["smtp:J@x.test", "SMTP:jane@X.test"])],
        ];
        for file in same {
            assert_eq!(planned(file), Ok(Planned::Nothing), "{file:?}");
        }
    }

    #[test]
    fn what_differs_is_told_and_replaced() {
        let Ok(Planned::Modify(changes, told)) = planned(&[
            ("telephoneNumber", &["3", "4"]),
            ("proxyAddresses", &["smtp:jane@x.test", "SMTP:j@x.test"]),
            ("title", &["Boss"]),
            ("userPassword", &["secret"]),
        ]) else {
            panic!()
        };
        assert_eq!(changes.len(), 4);
        assert!(changes.iter().all(|change| change.operation == LdapModifyType::Replace));
        let expected = [
            "title: '' -> 'Boss'",
            "telephoneNumber: - '1 2'",
            "telephoneNumber: + '4'",
            "proxyAddresses: - 'SMTP:jane@x.test'",
            "proxyAddresses: - 'smtp:j@x.test'",
            "proxyAddresses: + 'smtp:jane@x.test'",
            "proxyAddresses: + 'SMTP:j@x.test'",
            "userPassword: set",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn another_kind_and_unknown_attributes_are_refused() {
        let code = |file: &[(&str, &[&str])]| planned(file).unwrap_err().code;
        let list: &[(&str, &[&str])] = &[("objectClass", &["concordDistributionList"])];
        assert_eq!(code(list), Code::ObjectClassModsProhibited);
        assert_eq!(code(&[("loginShell", &["/bin/sh"])]), Code::UndefinedAttributeType);
    }
}
