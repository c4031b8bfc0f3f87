//! Passwords: RFC 3062, and hashing.

use super::{current, refused, violation};
use crate::ber::{self, SEQUENCE};
use crate::client::Client;
use crate::dn;
use crate::result::{Code, Outcome, Refusal};
use concord_base::{ObjectId, StorageError};
use concord_directory::{Credentials, Details, DirectoryAct, Object, Subject, Who};
use rand::RngCore as _;
use std::sync::Arc;

/// Characters that nobody mistakes for others, 32 of them.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
/// Characters of a password that the server makes: 80 bits.
const MADE_LENGTH: usize = 16;

/// Hashes a password on a thread where it disturbs nobody.
pub(super) async fn hash(client: &Client, password: String) -> Outcome<Credentials> {
    let stopping =
        |_| Refusal::from(concord_directory::DirectoryError::from(StorageError::Stopping));
    // the semaphore is never closed
    let _turn = client.server.hashing.acquire().await.map_err(stopping)?;
    let made = tokio::task::spawn_blocking(move || {
        concord_sasl::make_credentials(&password, &mut rand::rng())
    });
    let made = made
        .await
        .map_err(|e| Refusal::new(Code::Other, format!("hashing a password ended early: {e}")))?;
    Ok(made?)
}

struct Asked {
    user: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

fn parse(value: Option<&[u8]>) -> Option<Asked> {
    let mut asked = Asked { user: None, old: None, new: None };
    let Some(value) = value else { return Some(asked) };
    let (sequence, _) = ber::read(value).filter(|(element, _)| element.tag == SEQUENCE)?;
    for element in ber::elements(sequence.content)? {
        let text = String::from_utf8(element.content.to_vec()).ok()?;
        match element.tag {
            0x80 => asked.user = Some(text),
            0x81 => asked.old = Some(text),
            0x82 => asked.new = Some(text),
            _ => return None,
        }
    }
    Some(asked)
}

/// Sets a mailbox's password; gives back the one that was made if none was given.
pub(crate) async fn change_password(
    client: &mut Client,
    value: Option<&[u8]>,
) -> Outcome<Option<String>> {
    let asked = parse(value)
        .ok_or_else(|| Refusal::new(Code::ProtocolError, "the request cannot be read"))?;
    if !client.may_send_passwords() {
        return Err(Refusal::new(
            Code::ConfidentialityRequired,
            "passwords are taken over TLS only, use STARTTLS or ldaps",
        ));
    }
    client.refresh().await?;
    client.must_be_somebody()?;
    let id = whose(client, asked.user.as_deref()).await?;
    let object = current(client, id).await?;
    allowed(client, &object)?;
    if let Some(old) = &asked.old {
        let credentials = object.mailbox().and_then(|mailbox| mailbox.credentials.as_ref());
        if !client.server.gate.check(credentials, old).await? {
            tokio::time::sleep(client.server.config.failed_login_delay).await;
            return Err(Refusal::new(Code::InvalidCredentials, "the old password is wrong"));
        }
    }
    let made = asked.new.is_none().then(make);
    let new = asked.new.or_else(|| made.clone()).unwrap_or_default();
    let credentials = hash(client, new).await?;
    let writer = Arc::clone(&client.server.writer);
    let _turn = writer.object(id).await;
    let mut object = Object::clone(&*current(client, id).await?);
    let Details::Mailbox(mailbox) = &mut object.details else {
        return Err(violation("only mailboxes have passwords"));
    };
    mailbox.credentials = Some(credentials);
    client.server.directory.change(DirectoryAct::Set(object)).await?;
    Ok(made)
}

async fn whose(client: &Client, user: Option<&str>) -> Outcome<ObjectId> {
    let missing = || Refusal::new(Code::NoSuchObject, "there is no such mailbox");
    let Some(user) = user.filter(|user| !user.is_empty()) else {
        return match client.who() {
            Who::Mailbox(id) => Ok(id),
            Who::Anonymous | Who::Local => Err(violation("say whose password")),
        };
    };
    let user = user.strip_prefix("dn:").or_else(|| user.strip_prefix("u:")).unwrap_or(user);
    if user.contains('=') {
        let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{user}' is not a DN"));
        let rdns = dn::parse(user).ok_or_else(bad)?;
        let catalogue = client.server.follower.read();
        let found = catalogue.find(&rdns).ok().and_then(|slot| catalogue.get(slot));
        let seen = found.filter(|entry| catalogue.sees(client.access(), entry));
        return seen.map(|entry| ObjectId(entry.id)).ok_or_else(missing);
    }
    client.server.directory.login(user).await?.map(|object| object.id).ok_or_else(missing)
}

fn allowed(client: &Client, object: &Object) -> Outcome<()> {
    let catalogue = client.server.follower.read();
    let subject = Subject::of(object, client.access());
    if client.access().sets_password(&subject, &catalogue.tree) {
        return Ok(());
    }
    Err(refused("you may not set this password"))
}

fn make() -> String {
    let mut random = [0; MADE_LENGTH];
    rand::rng().fill_bytes(&mut random);
    random
        .iter()
        .filter_map(|octet| ALPHABET.get(usize::from(octet % 32)))
        .map(|octet| char::from(*octet))
        .collect()
}
