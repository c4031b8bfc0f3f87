//! What a dry run asks of the entries that are there, and of those that the file
//! would have brought so far.

use super::import::{Import, NO_ATTRIBUTES, dn_key, is_link};
use crate::caller::{CallerError, Filter};
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::write::text;
use concord_address::TypedAddress;
use concord_directory::{Object, Proxy};
use ldap3_proto::proto::LdapModify;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tokio::io::{AsyncRead, AsyncWrite};

impl<S: AsyncRead + AsyncWrite + Unpin> Import<'_, S> {
    /// Whether the addresses of an entry would be free; they are not any more then.
    pub(super) async fn claim(
        &mut self,
        object: &Object,
        key: &str,
    ) -> Result<Outcome<()>, CallerError> {
        let attribute = Attr::ProxyAddresses.definition().name();
        let taken = |address: &TypedAddress, dn: &str| {
            let message = format!("{address} is an address of {dn}");
            Ok(Err(Refusal::new(Code::ConstraintViolation, message)))
        };
        for Proxy { address, .. } in &object.proxies {
            let value = format!("{}:{}", address.kind(), address.value());
            let filter = Filter::Equality(attribute.to_owned(), value);
            let found = self.caller.search(&self.base, &filter, &[NO_ATTRIBUTES]).await?;
            // one that the file removed is there still
            let other = |dn: &str| dn_key(dn).is_some_and(|o| o != key && self.known.contains(&o));
            if let Some(entry) = found.iter().find(|entry| other(&entry.dn)) {
                return taken(address, &entry.dn);
            }
            let claimed = format!("{}:{}", address.kind(), address.key());
            let by = self.claimed.entry(claimed).or_insert_with(|| key.to_owned());
            if by != key {
                return taken(address, "another entry of this file");
            }
        }
        Ok(Ok(()))
    }

    /// Whether what comes later names entries that would be there then.
    pub(super) fn links(&self, changes: &[LdapModify]) -> Outcome<()> {
        for LdapModify { modification, .. } in changes.iter().filter(|c| is_link(&c.modification)) {
            for value in &modification.vals {
                self.find(&modification.atype, value)?;
            }
        }
        Ok(())
    }

    /// Stands for the id of an entry in a dry run.
    pub(super) fn find(&self, name: &str, value: &[u8]) -> Outcome<u64> {
        let text = text(name, value)?;
        let key = dn_key(&text).ok_or_else(|| {
            Refusal::new(Code::InvalidAttributeSyntax, format!("{name}: '{text}' is not a DN"))
        })?;
        if !self.known.contains(&key) {
            let message = format!("{name}: there is no entry '{text}'");
            return Err(Refusal::new(Code::ConstraintViolation, message));
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Ok(hasher.finish())
    }
}
