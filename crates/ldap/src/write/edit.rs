//! The attributes of an entry while they are changed (RFC 4511 section 4.6).

use super::{syntax, violation};
use crate::catalogue::draft::Draft;
use crate::catalogue::{Catalogue, Slot};
use crate::client::Client;
use crate::dn;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::text::{Rule, normalise};
use concord_directory::Object;
use ldap3_proto::proto::LdapModifyType;
use std::collections::BTreeMap;

/// Attributes with all their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    pub texts: BTreeMap<Attr, Vec<String>>,
    pub links: BTreeMap<Attr, Vec<u64>>,
    /// What is to become of the password.
    pub password: Option<Password>,
}

/// See [`Edit::password`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Password {
    Set(String),
    Remove,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The attribute that stands for another at recipients.
pub(crate) fn canonical(attr: Attr, recipient: bool) -> Attr {
    match attr {
        Attr::O if recipient => Attr::Company,
        Attr::Ou if recipient => Attr::Department,
        Attr::MailNickname => Attr::Uid,
        other => other,
    }
}

impl Edit {
    /// The attributes that an object has now.
    pub fn of(object: &Object) -> Self {
        let draft = Draft::of(object);
        let mut edit = Self::default();
        for (attr, id) in draft.links {
            edit.links.entry(attr).or_default().push(id);
        }
        for (attr, value) in draft.values {
            edit.texts.entry(attr).or_default().push(value);
        }
        if object.kind().is_recipient() {
            let mut names = vec![object.display_name.clone(), object.name.clone()];
            names.retain(|name| !name.is_empty());
            names.dedup_by_key(|name| normalise(Rule::CaseIgnore, name));
            edit.texts.insert(Attr::Cn, names);
        }
        edit
    }

    /// Carries out one change of an attribute. `find` gives the id of the object
    /// whose name is a value of an attribute, which it is told for its refusal.
    pub fn apply(
        &mut self,
        find: &dyn Fn(&str, &[u8]) -> Outcome<u64>,
        change: &LdapModifyType,
        attr: Attr,
        values: &[Vec<u8>],
    ) -> Outcome<()> {
        let name = attr.definition().name();
        if *change == LdapModifyType::Increment {
            return Err(Refusal::new(
                Code::ProtocolError,
                "modify-increment (RFC 4525) is not supported here",
            ));
        }
        if *change == LdapModifyType::Add && values.is_empty() {
            return Err(Refusal::new(Code::ProtocolError, format!("{name} without a value")));
        }
        match attr.rule() {
            Rule::Secret => self.password(change, values),
            Rule::Dn => {
                let ids =
                    values.iter().map(|value| find(name, value)).collect::<Outcome<Vec<u64>>>()?;
                let stored = self.links.remove(&attr).unwrap_or_default();
                let kept = changed(change, name, stored, ids, |id| *id)?;
                if !kept.is_empty() {
                    self.links.insert(attr, kept);
                }
                Ok(())
            }
            rule => {
                let values =
                    values.iter().map(|value| text(name, value)).collect::<Outcome<Vec<_>>>()?;
                let stored = self.texts.remove(&attr).unwrap_or_default();
                let kept = changed(change, name, stored, values, |text| normalise(rule, text))?;
                if !kept.is_empty() {
                    self.texts.insert(attr, kept);
                }
                Ok(())
            }
        }
    }

    fn password(&mut self, change: &LdapModifyType, values: &[Vec<u8>]) -> Outcome<()> {
        self.password = Some(match (change, values) {
            // clients that know the old value delete it; nobody is shown it here
            (LdapModifyType::Delete, _) | (LdapModifyType::Replace, []) => {
                if matches!(self.password, Some(Password::Set(_))) {
                    return Ok(());
                }
                Password::Remove
            }
            (_, [one]) => {
                let password = text("userPassword", one)?;
                let scheme = password.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                if scheme
                    .is_some_and(|(s, _)| s.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'))
                {
                    return Err(violation(
                        "send the password as it is, not hashed; it is hashed here",
                    ));
                }
                Password::Set(password)
            }
            _ => return Err(violation("userPassword has one value here")),
        });
        Ok(())
    }

    pub fn first(&self, attr: Attr) -> Option<&str> {
        self.texts.get(&attr).and_then(|values| values.first()).map(String::as_str)
    }

    /// Refuses several values where one is allowed.
    pub fn check_single(&self) -> Outcome<()> {
        let texts = self.texts.iter().map(|(attr, values)| (*attr, values.len()));
        let links = self.links.iter().map(|(attr, ids)| (*attr, ids.len()));
        for (attr, count) in texts.chain(links) {
            if count > 1 && !attr.definition().many {
                return Err(violation(format!("{} has one value", attr.definition().name())));
            }
        }
        Ok(())
    }
}

pub(crate) fn text(name: &str, value: &[u8]) -> Outcome<String> {
    let text = std::str::from_utf8(value)
        .map_err(|_| syntax(format!("a value of {name} is not UTF-8")))?;
    if text.is_empty() {
        return Err(syntax(format!("a value of {name} is empty")));
    }
    Ok(text.to_owned())
}

/// The object of a name, if this client sees it.
pub(super) fn id(client: &Client, catalogue: &Catalogue, name: &str, value: &[u8]) -> Outcome<u64> {
    let text = text(name, value)?;
    let rdns = dn::parse(&text).ok_or_else(|| syntax(format!("{name}: '{text}' is not a DN")))?;
    let sees = |slot: &Slot| {
        catalogue.get(*slot).is_some_and(|entry| catalogue.sees(client.access(), entry))
    };
    let found = catalogue.find(&rdns).ok().filter(sees).and_then(|slot| catalogue.get(slot));
    found
        .map(|entry| entry.id)
        .ok_or_else(|| violation(format!("{name}: there is no entry '{text}'")))
}

/// The values after a change.
fn changed<T: Clone, K: PartialEq>(
    change: &LdapModifyType,
    name: &str,
    mut stored: Vec<T>,
    values: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Outcome<Vec<T>> {
    let exists =
        || Refusal::new(Code::AttributeOrValueExists, format!("{name} has that value already"));
    match change {
        LdapModifyType::Add | LdapModifyType::Replace => {
            if *change == LdapModifyType::Replace {
                stored.clear();
            }
            for value in values {
                let wanted = key(&value);
                if stored.iter().any(|has| key(has) == wanted) {
                    return Err(exists());
                }
                stored.push(value);
            }
        }
        _ => {
            let missing =
                || Refusal::new(Code::NoSuchAttribute, format!("{name} does not have that value"));
            if values.is_empty() {
                return if stored.is_empty() { Err(missing()) } else { Ok(Vec::new()) };
            }
            for value in values {
                let wanted = key(&value);
                let place = stored.iter().position(|has| key(has) == wanted);
                stored.remove(place.ok_or_else(missing)?);
            }
        }
    }
    Ok(stored)
}
