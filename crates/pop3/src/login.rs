//! USER, PASS, AUTH and STLS.

use crate::config::MAX_SASL_LINE;
use crate::connection::End;
use crate::session::{Maildrop, Session};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord_base::MailboxId;
use concord_directory::Object;
use concord_sasl::{
    LoginNames, Mechanism, Outcome, ServerSession, authenticate_password, authenticate_step,
};
use concord_store::{FolderName, StoreError};
use std::sync::Arc;
use tokio::time::timeout;

/// Whether a password may cross this connection.
pub(crate) fn may_send_passwords(session: &Session) -> bool {
    session.tls || session.server.config.allow_plaintext_login
}

fn privacy_required(session: &mut Session) {
    session.connection.line("-ERR passwords are taken over TLS only, use STLS");
}

/// USER. Says yes to any name, so that names cannot be found out.
pub(crate) fn user(session: &mut Session, name: &str) {
    if !may_send_passwords(session) {
        return privacy_required(session);
    }
    session.user = Some(name.to_owned());
    session.connection.line("+OK");
}

/// PASS
pub(crate) async fn pass(session: &mut Session, password: &str) -> Result<(), End> {
    if !may_send_passwords(session) {
        privacy_required(session);
        return Ok(());
    }
    let Some(name) = session.user.take() else {
        session.connection.line("-ERR USER comes first");
        return Ok(());
    };
    let server = Arc::clone(&session.server);
    match authenticate_password(
        &*server.directory,
        &server.gate,
        &name,
        password,
        LoginNames::AlsoOthers,
    )
    .await
    {
        Ok(Some(mailbox)) => enter(session, &mailbox).await,
        Ok(None) => refuse(session, &name).await,
        Err(error) => unavailable(session, &error),
    }
    Ok(())
}

/// AUTH, RFC 5034. Without a mechanism it lists them, as old programs ask.
pub(crate) async fn auth(
    session: &mut Session,
    mechanism: Option<&str>,
    initial: Option<&str>,
) -> Result<(), End> {
    let Some(mechanism) = mechanism else {
        session.connection.line("+OK");
        for mechanism in Mechanism::ALL {
            if may_send_passwords(session) || !mechanism.shows_password() {
                session.connection.line(mechanism.name());
            }
        }
        session.connection.line(".");
        return Ok(());
    };
    let Some(mechanism) = Mechanism::from_name(mechanism) else {
        session.connection.line("-ERR this mechanism is not supported");
        return Ok(());
    };
    if mechanism.shows_password() && !may_send_passwords(session) {
        privacy_required(session);
        return Ok(());
    }
    let mut input = match initial {
        None => None,
        Some("=") => Some(Vec::new()),
        Some(text) => match BASE64.decode(text) {
            Ok(octets) => Some(octets),
            Err(_) => {
                session.connection.line("-ERR this is not base64");
                return Ok(());
            }
        },
    };
    let server = Arc::clone(&session.server);
    let mut exchange = ServerSession::new(mechanism);
    loop {
        let step = authenticate_step(
            &mut exchange,
            input.as_deref(),
            &*server.directory,
            &server.gate,
            LoginNames::AlsoOthers,
        );
        match step.await {
            Outcome::Challenge(octets) => {
                session.connection.line(&format!("+ {}", BASE64.encode(octets)));
                match response(session).await? {
                    Some(octets) => input = Some(octets),
                    None => return Ok(()),
                }
            }
            outcome => {
                match outcome {
                    Outcome::Success(mailbox) => enter(session, &mailbox).await,
                    Outcome::Unavailable(error) => unavailable(session, &error),
                    Outcome::Failed | Outcome::Challenge(_) => {
                        refuse(session, mechanism.name()).await;
                    }
                }
                return Ok(());
            }
        }
    }
}

/// One line of the client, decoded; `None` if it was refused.
async fn response(session: &mut Session) -> Result<Option<Vec<u8>>, End> {
    let wait = session.server.config.command_timeout;
    let line = timeout(wait, session.connection.read_line(MAX_SASL_LINE))
        .await
        .map_err(|_| End::Farewell("the answer took too long to arrive"))??;
    let refusal = match line.as_deref() {
        None => "-ERR the line is too long",
        Some(b"*") => "-ERR authentication cancelled",
        Some(text) => match BASE64.decode(text) {
            Ok(octets) => return Ok(Some(octets)),
            Err(_) => "-ERR this is not base64",
        },
    };
    session.connection.line(refusal);
    Ok(None)
}

/// The login went well: the mailbox is locked and listed.
async fn enter(session: &mut Session, user: &Object) {
    // logins by result: ok, refused, or in use
    metrics::counter!("pop3_logins_total", "result" => "ok").increment(1);
    tracing::info!(mailbox = %user.name, tls = session.tls, "logged in");
    let mailbox = MailboxId::from(user.id);
    let Some(lock) = session.server.locks.take(mailbox) else {
        metrics::counter!("pop3_logins_total", "result" => "in-use").increment(1);
        session.connection.line("-ERR [IN-USE] another session has the mailbox");
        return;
    };
    match open(session, mailbox).await {
        Ok((folder, uid_validity, items)) => {
            let deleted = vec![false; items.len()];
            let count = items.len();
            session.maildrop = Some(Maildrop { folder, uid_validity, items, deleted, _lock: lock });
            session.failed_logins = 0;
            session.connection.line(&format!("+OK {count} messages"));
        }
        Err(error) => session.refuse(&error),
    }
}

type Opened = (concord_base::FolderId, u32, Arc<Vec<concord_store::Item>>);

async fn open(session: &mut Session, mailbox: MailboxId) -> Result<Opened, StoreError> {
    let store = Arc::clone(&session.server.store);
    let inbox = FolderName::inbox();
    let folder = store
        .folder(mailbox, &inbox)
        .await?
        .ok_or_else(|| StoreError::FolderMissing(inbox.to_string()))?;
    let (items, _) = store.items(folder.id).await?;
    Ok((folder.id, folder.uid_validity, items))
}

/// It did not; the answer comes late and says no more than that.
async fn refuse(session: &mut Session, login: &str) {
    metrics::counter!("pop3_logins_total", "result" => "refused").increment(1);
    tracing::warn!(login, tls = session.tls, "login refused");
    session.failed_logins += 1;
    tokio::time::sleep(session.server.config.failed_login_delay).await;
    session.connection.line("-ERR [AUTH] wrong name or password");
}

fn unavailable(session: &mut Session, error: &concord_sasl::SaslError) {
    tracing::warn!(%error, "a login could not be decided");
    session.connection.line("-ERR [SYS/TEMP] cannot check logins now, try again");
}

/// STLS, RFC 2595. What came behind it in the clear is thrown away.
pub(crate) async fn stls(session: &mut Session) -> Result<(), End> {
    if session.tls || !session.server.entrance.has_tls() {
        session.connection.line("-ERR there is no TLS to begin");
        return Ok(());
    }
    session.connection.line("+OK begin TLS now");
    session.connection.flush().await?;
    let io = session.connection.take_io();
    let io = session.server.entrance.handshake(io).await.ok_or(End::Closed)?;
    session.connection.set_io(io);
    session.tls = true;
    session.user = None;
    Ok(())
}
