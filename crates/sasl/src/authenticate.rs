//! The exchange over a directory: what the protocols call.

use crate::{PasswordGate, SaslError, ServerSession, Step};
use concord_directory::{Credentials, Directory, DirectoryError, Kind, Object};
use std::sync::Arc;

/// What to tell the client.
#[derive(Debug)]
pub enum Outcome {
    /// Send these octets, base64 in the protocol's frame, and come back with
    /// the answer.
    Challenge(Vec<u8>),
    /// This mailbox is logged in.
    Success(Arc<Object>),
    /// Refuse; say no more than that.
    Failed,
    /// Could not be decided; answer as a temporary failure.
    Unavailable(SaslError),
}

/// Which login names are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginNames {
    /// A mailbox's own: its alias or one of its addresses.
    Own,
    /// `LOGIN/RECIPIENT` as well: who logs in with his own password opens another
    /// mailbox whose delegate he is, or a public folder or resource that he owns.
    /// The original's form (`domain/account/alias`) without the domain.
    AlsoOthers,
}

/// The two parts of a login name.
fn parts(login: &str, names: LoginNames) -> (&str, Option<&str>) {
    match login.rsplit_once('/') {
        Some((own, other)) if names == LoginNames::AlsoOthers && !other.is_empty() => {
            (own, Some(other))
        }
        _ => (login, None),
    }
}

/// What somebody who has proved who he is opens; none if he may not.
async fn opened(
    directory: &dyn Directory,
    who: Arc<Object>,
    other: Option<&str>,
) -> Result<Option<Arc<Object>>, DirectoryError> {
    let Some(other) = other else { return Ok(Some(who)) };
    for kind in [Kind::Mailbox, Kind::PublicFolder, Kind::Resource] {
        if let Some(object) = directory.find(kind, other).await? {
            let may =
                object.policy.delegates.contains(&who.id) || object.owners().contains(&who.id);
            return Ok(may.then_some(object));
        }
    }
    Ok(None)
}

/// One step of an exchange: the first call begins it, with the initial
/// response that the command carried, or `None`; each later call takes the
/// client's decoded response to the challenge before.
///
/// ```text
/// let mut session = ServerSession::new(mechanism);
/// let mut input = initial_response;
/// loop {
///     match authenticate_step(&mut session, input.as_deref(), directory, gate, names).await {
///         Outcome::Challenge(octets) => input = Some(send base64(octets), read a line, decode it),
///         Outcome::Success(mailbox) => ..., Outcome::Failed => ..., Outcome::Unavailable(e) => ...
///     }
/// }
/// ```
pub async fn authenticate_step(
    session: &mut ServerSession,
    input: Option<&[u8]>,
    directory: &dyn Directory,
    gate: &PasswordGate,
    names: LoginNames,
) -> Outcome {
    let mut step = session.advance(input);
    loop {
        step = match step {
            Step::Challenge(octets) => return Outcome::Challenge(octets),
            Step::Failed => return Outcome::Failed,
            Step::NeedVerifier { login } => match directory.login(parts(&login, names).0).await {
                Ok(found) => {
                    let verifier = found
                        .as_deref()
                        .and_then(usable)
                        .map(|credentials| credentials.scram_sha_256.clone());
                    session.verifier(verifier, gate.decoy_key())
                }
                Err(e) => return Outcome::Unavailable(e.into()),
            },
            Step::NeedPasswordCheck { login, password } => {
                return match authenticate_password(directory, gate, &login, &password, names).await
                {
                    Ok(Some(mailbox)) => Outcome::Success(mailbox),
                    Ok(None) => Outcome::Failed,
                    Err(e) => Outcome::Unavailable(e),
                };
            }
            Step::Success { login } => {
                // looked up again: it may have been disabled during the exchange
                return match proven(directory, &login, names).await {
                    Ok(Some(object)) => Outcome::Success(object),
                    Ok(None) => Outcome::Failed,
                    Err(e) => Outcome::Unavailable(e.into()),
                };
            }
        };
    }
}

/// What a login that was proven opens.
async fn proven(
    directory: &dyn Directory,
    login: &str,
    names: LoginNames,
) -> Result<Option<Arc<Object>>, DirectoryError> {
    let (own, other) = parts(login, names);
    match directory.login(own).await? {
        Some(object) if usable(&object).is_some() => opened(directory, object, other).await,
        _ => Ok(None),
    }
}

/// Checks a login name and password (IMAP LOGIN, POP3 USER and PASS). `None`
/// is a refusal, whatever its cause, and takes as long for every cause.
///
/// # Errors
/// [`SaslError::Busy`], [`SaslError::Directory`]: answer as temporary.
pub async fn authenticate_password(
    directory: &dyn Directory,
    gate: &PasswordGate,
    login: &str,
    password: &str,
    names: LoginNames,
) -> Result<Option<Arc<Object>>, SaslError> {
    let (own, other) = parts(login, names);
    let found = directory.login(own).await?;
    let credentials = found.as_deref().and_then(usable);
    let fits = gate.check(credentials, password).await?;
    match found.filter(|object| fits && usable(object).is_some()) {
        Some(who) => Ok(opened(directory, who, other).await?),
        None => Ok(None),
    }
}

/// The credentials with which somebody may log in at this object.
fn usable(object: &Object) -> Option<&Credentials> {
    object.mailbox().filter(|m| !m.login_disabled).and_then(|m| m.credentials.as_ref())
}

#[cfg(test)]
mod tests;
