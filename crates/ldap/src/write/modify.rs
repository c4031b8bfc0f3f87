//! Modify (RFC 4511 section 4.6).

use super::edit::{self, Edit, Password, canonical};
use super::{changeable, current, locate, password, refused, store, violation};
use crate::client::Client;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::{Attr, Class};
use concord_address::SmtpAddress;
use concord_directory::{Details, DirectoryAct, Kind, Object, Proxy, Subject};
use ldap3_proto::proto::{LdapModify, LdapModifyRequest, LdapModifyType};

/// Changes an entry in one act.
pub(crate) async fn modify(client: &mut Client, asked: &LdapModifyRequest) -> Outcome<()> {
    client.refresh().await?;
    client.must_be_somebody()?;
    let place = {
        let catalogue = client.server.follower.read();
        locate(client, &catalogue, &asked.dn)?
    };
    changeable(place.kind)?;
    let writer = std::sync::Arc::clone(&client.server.writer);
    let turn = writer.object(place.id).await;
    let mut object = Object::clone(&*current(client, place.id).await?);
    let before = Edit::of(&object);
    let mut after = before.clone();
    {
        let catalogue = client.server.follower.read();
        let subject = Subject::of(&object, client.access());
        let find = |name: &str, value: &[u8]| edit::id(client, &catalogue, name, value);
        for change in &asked.changes {
            let attr = allowed(client, &catalogue, &subject, change)?;
            if attr == Attr::ObjectClass {
                same_classes(object.kind(), change)?;
                continue;
            }
            after.apply(&find, &change.operation, attr, &change.modification.vals)?;
        }
    }
    let known: Vec<Proxy> = object.proxies.clone();
    store::store(&mut object, &before, &after)?;
    own_domains(client, &object, &known).await?;
    let Some(secret) = after.password else {
        client.server.directory.change(DirectoryAct::Set(object)).await?;
        return Ok(());
    };
    if !client.may_send_passwords() {
        return Err(Refusal::new(
            Code::ConfidentialityRequired,
            "passwords are taken over TLS only, use STARTTLS or ldaps",
        ));
    }
    let credentials = match secret {
        Password::Set(password) => Some(password::hash(client, password).await?),
        Password::Remove => None,
    };
    let Details::Mailbox(mailbox) = &mut object.details else {
        return Err(violation("only mailboxes have passwords"));
    };
    mailbox.credentials = credentials;
    client.server.directory.change(DirectoryAct::Set(object)).await?;
    drop(turn);
    Ok(())
}

/// The attribute of a change, if this client may change it.
fn allowed(
    client: &Client,
    catalogue: &crate::catalogue::Catalogue,
    subject: &Subject,
    change: &LdapModify,
) -> Outcome<Attr> {
    let name = change.modification.atype.as_str();
    let attr = attribute(name, subject.kind)?;
    let access = client.access();
    let canonical = attr.definition().name();
    let may = match attr {
        Attr::UserPassword => access.sets_password(subject, &catalogue.tree),
        _ => {
            access.changes(subject, &catalogue.tree) || access.changes_attribute(canonical, subject)
        }
    };
    if may { Ok(attr) } else { Err(refused(format!("you may not change {canonical} here"))) }
}

/// The attribute of a name, if it can be written.
pub(crate) fn attribute(name: &str, kind: Kind) -> Outcome<Attr> {
    let Some(attr) = Attr::from_name(name) else {
        let message = format!("there is no attribute '{name}'");
        return Err(Refusal::new(Code::UndefinedAttributeType, message));
    };
    let attr = canonical(attr, kind.is_recipient());
    if attr == Attr::Co {
        return Err(violation("co follows from c; write that"));
    }
    if !attr.definition().writable {
        return Err(violation(format!("{} cannot be written", attr.definition().name())));
    }
    Ok(attr)
}

/// Clients send the classes along; they do not change.
pub(crate) fn same_classes(kind: Kind, change: &LdapModify) -> Outcome<()> {
    let classes = Class::of(Some(kind));
    let same = change.operation == LdapModifyType::Replace
        && change.modification.vals.iter().all(|value| {
            let name = String::from_utf8_lossy(value);
            Class::from_name(&name).is_some_and(|class| classes.contains(&class.name))
        });
    if same {
        return Ok(());
    }
    Err(Refusal::new(
        Code::ObjectClassModsProhibited,
        "what kind of object an entry is does not change",
    ))
}

/// Refuses addresses by which no mail could come, because their domain is
/// somebody else's.
pub(super) async fn own_domains(client: &Client, object: &Object, known: &[Proxy]) -> Outcome<()> {
    for smtp in new_addresses(object, known) {
        if !client.server.directory.is_local_domain(smtp.domain()).await? {
            return Err(foreign_domain(&smtp));
        }
    }
    Ok(())
}

/// Internet addresses that an object did not have; those of contacts are somewhere
/// else.
pub(crate) fn new_addresses(object: &Object, known: &[Proxy]) -> Vec<SmtpAddress> {
    if object.kind() == Kind::Contact {
        return Vec::new();
    }
    let new = object.proxies.iter().map(|proxy| &proxy.address);
    let new = new.filter(|address| !known.iter().any(|had| had.address == **address));
    new.filter_map(|address| address.smtp()).collect()
}

pub(crate) fn foreign_domain(address: &SmtpAddress) -> Refusal {
    violation(format!(
        "{address} cannot be an address here: {} is not a mail domain of this organisation",
        address.domain()
    ))
}
