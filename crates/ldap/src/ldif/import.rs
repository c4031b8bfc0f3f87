//! Carrying out records over LDAP.

use super::check::Around;
use super::known::Known;
use super::plan::{self, Planned};
use super::{Attribute, Change, How, Record};
use crate::caller::{Caller, CallerError, Filter};
use crate::dn::{self, Rdn};
use crate::result::{Code, Refusal};
use crate::schema::Attr;
use ldap3_proto::proto::{
    LdapAddRequest, LdapModify, LdapModifyDNRequest, LdapModifyRequest, LdapModifyType, LdapOp,
    LdapPartialAttribute, LdapSearchResultEntry,
};
use std::collections::{HashMap, HashSet};
use tokio::io::{AsyncRead, AsyncWrite};

/// Asks for no attribute (RFC 4511 section 4.5.1.8).
pub(super) const NO_ATTRIBUTES: &str = "1.1";

/// How the key of the place of mail domains begins.
const DOMAINS: &str = "cn=domains\0cn=configuration\0";

/// What became of a record, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The entry was not there.
    Added,
    /// What changed.
    Changed(Vec<String>),
    /// The entry is not there any more.
    Removed,
    /// It was as the record says.
    Nothing,
}

/// What names entries of the same file that were not there yet.
#[derive(Debug)]
pub(super) struct Later {
    line: u64,
    dn: String,
    changes: Vec<LdapModify>,
}

/// A file on its way into a directory. What a server refuses is a record's failure;
/// an error is everybody's.
#[derive(Debug)]
pub struct Import<'a, S> {
    pub(super) caller: &'a mut Caller<S>,
    pub(super) dry_run: bool,
    /// Keys of the entries that are there.
    pub(super) known: Known,
    /// Keys of those that the file still brings.
    pub(super) coming: HashSet<String>,
    pub(super) later: Vec<Later>,
    /// For a dry run: mail domains, and who got which address in it.
    pub(super) domains: Vec<String>,
    pub(super) base: String,
    pub(super) claimed: HashMap<String, String>,
}

/// What became of a record, or what the server says against it.
type Said = Result<Done, String>;

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Import<'a, S> {
    /// Learns what is there. A file of entries alone has no order: what stands
    /// above others is put first.
    pub async fn new(
        caller: &'a mut Caller<S>,
        records: &mut [Record],
        dry_run: bool,
    ) -> Result<Self, CallerError> {
        if records.iter().all(|record| matches!(record.change, Change::Content(_))) {
            records.sort_by_cached_key(|record| dn::parse(&record.dn).map_or(0, |rdns| rdns.len()));
        }
        let base = caller.base().await?;
        let all = Filter::Present("objectClass".to_owned());
        let found = caller.search(&base, &all, &[NO_ATTRIBUTES]).await?;
        let known: Known = found.iter().filter_map(|entry| dn_key(&entry.dn)).collect();
        let brings =
            |record: &&Record| matches!(record.change, Change::Content(_) | Change::Add(_));
        let coming = records.iter().filter(brings).filter_map(|record| dn_key(&record.dn));
        let coming = coming.filter(|key| !known.contains(key)).collect();
        let is_domain = Filter::Equality("objectClass".to_owned(), "concordDomain".to_owned());
        let domains = caller.search(&base, &is_domain, &[NO_ATTRIBUTES]).await?;
        let name =
            |entry: &LdapSearchResultEntry| Some(dn::parse(&entry.dn)?.first()?.value.clone());
        let domains = domains.iter().filter_map(name).collect();
        let (later, claimed) = (Vec::new(), HashMap::new());
        Ok(Self { caller, dry_run, known, coming, later, domains, base, claimed })
    }

    /// Carries out one record.
    pub async fn one(&mut self, record: &Record) -> Result<Said, CallerError> {
        let rdns = dn::parse(&record.dn).filter(|rdns| !rdns.is_empty());
        let Some((rdns, rdn)) = rdns.and_then(|all| all.first().cloned().map(|rdn| (all, rdn)))
        else {
            let message = format!("'{}' is not a DN", record.dn);
            return Ok(Err(Refusal::new(Code::InvalidDnSyntax, message).to_string()));
        };
        let key = dn::key(&rdns);
        let above = dn::key(rdns.get(1..).unwrap_or_default());
        let said = match &record.change {
            Change::Content(given) => self.content(record, given, &rdn, &key, &above).await?,
            Change::Add(given) => {
                let attributes = given.iter().map(sent).collect();
                self.add(&record.dn, attributes, &rdn, &key, &above).await?
            }
            Change::Delete => self.delete(&record.dn, &key).await?,
            Change::Modify(changes) => {
                let changes: Vec<LdapModify> = changes.iter().map(modification).collect();
                let told = changes.iter().map(say).collect();
                let present = match self.dry_run {
                    true => self.caller.entry(&record.dn).await?,
                    false => None,
                };
                self.modify(&record.dn, changes, told, &rdn, present).await?
            }
            Change::Rename { .. } => self.rename(record, &key, &above).await?,
        };
        self.coming.remove(&key);
        if matches!(said, Ok(Done::Added)) {
            if above.starts_with(DOMAINS) {
                self.domains.push(rdn.value);
            }
            self.known.insert(key);
        }
        Ok(said)
    }

    /// Says of entries what the file's other entries had to be there for. Failures
    /// with the lines of their records.
    pub async fn finish(mut self) -> Result<Vec<(u64, String)>, CallerError> {
        let mut failed = Vec::new();
        for Later { line, dn, changes } in std::mem::take(&mut self.later) {
            let said = match self.dry_run {
                true => self.links(&changes).map_err(|refusal| refusal.to_string()),
                false => {
                    let asked = LdapModifyRequest { dn, changes };
                    self.caller.change(LdapOp::ModifyRequest(asked)).await?
                }
            };
            failed.extend(said.err().map(|cause| (line, cause)));
        }
        Ok(failed)
    }

    async fn content(
        &mut self,
        record: &Record,
        given: &[Attribute],
        rdn: &Rdn,
        key: &str,
        above: &str,
    ) -> Result<Said, CallerError> {
        let present = match self.known.contains(key) {
            true => self.caller.entry(&record.dn).await?,
            false => None,
        };
        // in a dry run, an entry that would have come further above
        if present.is_none() && self.known.contains(key) {
            return Ok(Ok(Done::Nothing));
        }
        let attributes = present.as_ref().map(|entry| entry.attributes.as_slice());
        let (said, later) = match plan::content(rdn, given, attributes) {
            Err(refusal) => return Ok(Err(refusal.to_string())),
            Ok(Planned::Nothing) => return Ok(Ok(Done::Nothing)),
            Ok(Planned::Add(attributes)) => {
                let (now, later) = self.split(attributes, |attribute| attribute);
                let said = self.add(&record.dn, now, rdn, key, above).await?;
                let add =
                    |modification| LdapModify { operation: LdapModifyType::Add, modification };
                (said, later.into_iter().map(add).collect())
            }
            Ok(Planned::Modify(changes, told)) => {
                let (now, later) = self.split(changes, |change| &change.modification);
                if now.is_empty() {
                    (Ok(Done::Changed(told)), later)
                } else {
                    (self.modify(&record.dn, now, told, rdn, present).await?, later)
                }
            }
        };
        if said.is_ok() && !later.is_empty() {
            let (line, dn) = (record.line, record.dn.clone());
            self.later.push(Later { line, dn, changes: later });
        }
        Ok(said)
    }

    /// Parts what can be said now from what names entries that come further below.
    /// What means something else without that waits along: a role without its scope
    /// would hold everywhere, and so has no members until then.
    fn split<T>(&self, all: Vec<T>, of: impl Fn(&T) -> &LdapPartialAttribute) -> (Vec<T>, Vec<T>) {
        let waits = |attribute: &LdapPartialAttribute| {
            attribute.vals.iter().any(|value| {
                is_link(attribute) && link(value).is_some_and(|key| self.coming.contains(&key))
            })
        };
        let waiting: HashSet<Attr> = all
            .iter()
            .map(&of)
            .filter(|attribute| waits(attribute))
            .filter_map(|attribute| Attr::from_name(&attribute.atype))
            .collect();
        let along = |attr| match attr {
            Attr::Member => waiting.contains(&Attr::RoleScope),
            Attr::ForwardKeep => waiting.contains(&Attr::ForwardTo),
            _ => false,
        };
        all.into_iter().partition(|one| {
            let attr = Attr::from_name(&of(one).atype);
            !attr.is_some_and(|attr| waiting.contains(&attr) || along(attr))
        })
    }

    async fn add(
        &mut self,
        dn: &str,
        attributes: Vec<LdapPartialAttribute>,
        rdn: &Rdn,
        key: &str,
        above: &str,
    ) -> Result<Said, CallerError> {
        if !self.dry_run {
            let asked = LdapAddRequest { dn: dn.to_owned(), attributes };
            let said = self.caller.change(LdapOp::AddRequest(asked)).await?;
            return Ok(said.map(|()| Done::Added));
        }
        let refusal = if self.known.contains(key) {
            Some(Refusal::new(Code::EntryAlreadyExists, "there is such an entry already"))
        } else if !self.known.contains(above) {
            let message = "there is nothing at the place where the entry is to be";
            Some(Refusal::new(Code::NoSuchObject, message))
        } else {
            let find = |name: &str, value: &[u8]| self.find(name, value);
            match (Around { domains: &self.domains, find: &find }).add(rdn, &attributes) {
                Ok(object) => self.claim(&object, key).await?.err(),
                Err(refusal) => Some(refusal),
            }
        };
        Ok(refusal.map_or(Ok(Done::Added), |refusal| Err(refusal.to_string())))
    }

    async fn modify(
        &mut self,
        dn: &str,
        changes: Vec<LdapModify>,
        told: Vec<String>,
        rdn: &Rdn,
        present: Option<LdapSearchResultEntry>,
    ) -> Result<Said, CallerError> {
        if !self.dry_run {
            let asked = LdapModifyRequest { dn: dn.to_owned(), changes };
            let said = self.caller.change(LdapOp::ModifyRequest(asked)).await?;
            return Ok(said.map(|()| Done::Changed(told)));
        }
        let find = |name: &str, value: &[u8]| self.find(name, value);
        let around = Around { domains: &self.domains, find: &find };
        let key = dn_key(dn).unwrap_or_default();
        let checked = match &present {
            Some(entry) => match around.modify(rdn, &entry.attributes, &changes) {
                Ok(object) => self.claim(&object, &key).await?,
                Err(refusal) => Err(refusal),
            },
            // an entry that would have come further above
            None if self.known.contains(&key) => Ok(()),
            None => Err(missing()),
        };
        Ok(checked.map(|()| Done::Changed(told)).map_err(|refusal| refusal.to_string()))
    }

    async fn delete(&mut self, dn: &str, key: &str) -> Result<Said, CallerError> {
        let said = match self.dry_run {
            false => self.caller.change(LdapOp::DelRequest(dn.to_owned())).await?,
            true if !self.known.contains(key) => Err(missing().to_string()),
            true if self.known.has_below(key) => {
                let message = "there are entries below it; move or remove them first";
                Err(Refusal::new(Code::NotAllowedOnNonLeaf, message).to_string())
            }
            true => Ok(()),
        };
        if said.is_ok() {
            self.known.remove(key);
        }
        Ok(said.map(|()| Done::Removed))
    }

    async fn rename(
        &mut self,
        record: &Record,
        old: &str,
        above: &str,
    ) -> Result<Said, CallerError> {
        let Change::Rename { new_rdn, delete_old, new_superior } = &record.change else {
            return Ok(Ok(Done::Nothing));
        };
        let place = match new_superior {
            Some(superior) => dn_key(superior),
            None => Some(above.to_owned()),
        };
        let new = dn_key(new_rdn).zip(place.as_ref()).map(|(name, place)| format!("{name}{place}"));
        let said = if self.dry_run {
            let refusal = match (new.as_ref(), place) {
                _ if !self.known.contains(old) => Some(missing()),
                (Some(_), Some(place)) if !self.known.contains(&place) => Some(missing()),
                (Some(new), _) if new != old && self.known.contains(new) => {
                    let message = "there is an entry of that name";
                    Some(Refusal::new(Code::EntryAlreadyExists, message))
                }
                (Some(_), _) => None,
                (None, _) => Some(Refusal::new(Code::InvalidDnSyntax, "this is not a DN")),
            };
            refusal.map_or(Ok(()), |refusal| Err(refusal.to_string()))
        } else {
            let asked = LdapModifyDNRequest {
                dn: record.dn.clone(),
                newrdn: new_rdn.clone(),
                deleteoldrdn: *delete_old,
                new_superior: new_superior.clone(),
            };
            self.caller.change(LdapOp::ModifyDNRequest(asked)).await?
        };
        if let (Ok(()), Some(new)) = (&said, new) {
            self.known.rename(old, &new);
        }
        let mut told = vec![format!("name: '{new_rdn}'")];
        told.extend(new_superior.iter().map(|superior| format!("below: '{superior}'")));
        Ok(said.map(|()| Done::Changed(told)))
    }
}

fn missing() -> Refusal {
    Refusal::new(Code::NoSuchObject, "there is no such entry")
}

pub(super) fn dn_key(dn: &str) -> Option<String> {
    dn::parse(dn).map(|rdns| dn::key(&rdns))
}

fn link(value: &[u8]) -> Option<String> {
    dn_key(std::str::from_utf8(value).ok()?)
}

pub(super) fn is_link(attribute: &LdapPartialAttribute) -> bool {
    let attr = Attr::from_name(&attribute.atype);
    attr.is_some_and(|attr| attr.rule() == crate::text::Rule::Dn)
}

pub(super) fn sent(attribute: &Attribute) -> LdapPartialAttribute {
    LdapPartialAttribute { atype: attribute.name.clone(), vals: attribute.values.clone() }
}

fn modification((how, attribute): &(How, Attribute)) -> LdapModify {
    let operation = match how {
        How::Add => LdapModifyType::Add,
        How::Delete => LdapModifyType::Delete,
        How::Replace => LdapModifyType::Replace,
    };
    LdapModify { operation, modification: sent(attribute) }
}

/// A modification for people; passwords are nobody's to read.
fn say(change: &LdapModify) -> String {
    let LdapPartialAttribute { atype, vals } = &change.modification;
    let word = match change.operation {
        LdapModifyType::Add => "add",
        LdapModifyType::Delete => "delete",
        _ => "replace",
    };
    if Attr::from_name(atype) == Some(Attr::UserPassword) {
        return format!("{word} {atype}");
    }
    let texts: Vec<_> =
        vals.iter().map(|value| format!("'{}'", String::from_utf8_lossy(value))).collect();
    format!("{word} {atype} {}", texts.join(", ")).trim_end().to_owned()
}
