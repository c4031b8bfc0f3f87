//! Changing the directory: each operation is one act of it, or nothing.

mod add;
mod delete;
mod edit;
mod modify;
mod password;
mod rename;
mod store;

pub(crate) use add::{add, alone, kind, one_name};
pub(crate) use delete::delete;
pub(crate) use edit::{Edit, canonical, text};
pub(crate) use modify::{attribute, foreign_domain, modify, new_addresses, same_classes};
pub(crate) use password::change_password;
pub(crate) use rename::rename;
pub(crate) use store::store;

use crate::catalogue::{Catalogue, Slot};
use crate::client::Client;
use crate::result::{Code, Outcome, Refusal};
use concord_base::ObjectId;
use concord_directory::{Kind, Object, Subject};
use std::sync::Arc;

/// See [`crate::fuzz`].
pub(crate) fn fuzz(text: &str) {
    let _ = store::proxy(text);
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InsufficientAccessRights, message)
}

fn violation(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::ConstraintViolation, message)
}

fn syntax(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidAttributeSyntax, message)
}

fn unwilling(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::UnwillingToPerform, message)
}

/// Where an entry is that is to be changed, and what the rules know of it.
struct Place {
    slot: Slot,
    id: ObjectId,
    kind: Kind,
    subject: Subject,
}

/// The entry of a DN, if it is an object that LDAP can change.
fn locate(client: &Client, catalogue: &Catalogue, dn: &str) -> Outcome<Place> {
    let slot = client.find(catalogue, dn)?;
    let entry = catalogue.get(slot).filter(|_| !catalogue.is_made_up(slot));
    let Some((entry, kind)) = entry.and_then(|entry| Some((entry, entry.kind?))) else {
        return Err(unwilling("this entry is part of every directory"));
    };
    let subject = entry.subject(client.access());
    Ok(Place { slot, id: ObjectId(entry.id), kind, subject })
}

/// Refuses kinds that have more to them than LDAP tells.
fn changeable(kind: Kind) -> Outcome<()> {
    let other = match kind {
        Kind::Connector => "use 'concord connector'",
        Kind::Generator => "generators come and go with their components",
        Kind::Organisation | Kind::Site | Kind::Server => "use 'concord setup'",
        _ => return Ok(()),
    };
    Err(unwilling(format!("a {kind} is not changed over LDAP: {other}")))
}

/// The object as it is now; whoever changes it holds its turn.
async fn current(client: &Client, id: ObjectId) -> Outcome<Arc<Object>> {
    let found = client.server.directory.object(id).await?;
    found.ok_or_else(|| Refusal::new(Code::NoSuchObject, "the entry went meanwhile"))
}
