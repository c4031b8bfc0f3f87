//! The exchange over a directory: what the protocols call.

use crate::{PasswordGate, SaslError, ServerSession, Step};
use concord_directory::{Credentials, Directory, Object};
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

/// One step of an exchange: the first call begins it, with the initial
/// response that the command carried, or `None`; each later call takes the
/// client's decoded response to the challenge before.
///
/// ```text
/// let mut session = ServerSession::new(mechanism);
/// let mut input = initial_response;
/// loop {
///     match authenticate_step(&mut session, input.as_deref(), directory, gate).await {
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
) -> Outcome {
    let mut step = session.advance(input);
    loop {
        step = match step {
            Step::Challenge(octets) => return Outcome::Challenge(octets),
            Step::Failed => return Outcome::Failed,
            Step::NeedVerifier { login } => match directory.login(&login).await {
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
                return match authenticate_password(directory, gate, &login, &password).await {
                    Ok(Some(mailbox)) => Outcome::Success(mailbox),
                    Ok(None) => Outcome::Failed,
                    Err(e) => Outcome::Unavailable(e),
                };
            }
            Step::Success { login } => {
                // looked up again: it may have been disabled during the exchange
                return match directory.login(&login).await {
                    Ok(Some(object)) if usable(&object).is_some() => Outcome::Success(object),
                    Ok(_) => Outcome::Failed,
                    Err(e) => Outcome::Unavailable(e.into()),
                };
            }
        };
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
) -> Result<Option<Arc<Object>>, SaslError> {
    let found = directory.login(login).await?;
    let credentials = found.as_deref().and_then(usable);
    let fits = gate.check(credentials, password).await?;
    Ok(found.filter(|object| fits && usable(object).is_some()))
}

/// The credentials with which somebody may log in at this object.
fn usable(object: &Object) -> Option<&Credentials> {
    object.mailbox().filter(|m| !m.login_disabled).and_then(|m| m.credentials.as_ref())
}

#[cfg(test)]
mod tests;
