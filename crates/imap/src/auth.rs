//! LOGIN, AUTHENTICATE, STARTTLS and COMPRESS: who speaks, and over what.

use crate::error::{Done, End, Fail, Outcome};
use crate::reader::read_line;
use crate::session::{Reply, Session};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord_directory::Object;
use concord_sasl::{
    LoginNames, Mechanism, Outcome as Step, ServerSession, authenticate_password, authenticate_step,
};
use std::sync::Arc;
use tokio::time::timeout;

/// Octets of one line of an authentication exchange in base64.
const MAX_SASL_LINE: usize = 8 * 1024;

fn already(session: &Session) -> Outcome<()> {
    match session.user {
        Some(_) => Err(Fail::Bad("you are logged in already")),
        None => Ok(()),
    }
}

fn privacy_required() -> Fail {
    Fail::No("PRIVACYREQUIRED", "passwords are taken over TLS only, use STARTTLS".to_owned())
}

/// The login went well.
fn enter(session: &mut Session, user: Arc<Object>) -> Reply {
    // logins by result: ok, or refused
    metrics::counter!("imap_logins_total", "result" => "ok").increment(1);
    tracing::info!(mailbox = %user.name, tls = session.tls, "logged in");
    session.user = Some(user);
    session.failed_logins = 0;
    Done::with_code(format!("CAPABILITY {}", session.capabilities()), "logged in").into()
}

/// It did not; the answer comes late and says no more than that.
async fn refuse(session: &mut Session, login: &str) -> Fail {
    metrics::counter!("imap_logins_total", "result" => "refused").increment(1);
    tracing::warn!(login, tls = session.tls, "login refused");
    session.failed_logins += 1;
    tokio::time::sleep(session.server.config.failed_login_delay).await;
    Fail::No("AUTHENTICATIONFAILED", "wrong name or password".to_owned())
}

/// LOGIN
pub(crate) async fn login(session: &mut Session, name: &[u8], password: &[u8]) -> Outcome<Reply> {
    already(session)?;
    if !session.may_send_passwords() {
        return Err(privacy_required());
    }
    let server = Arc::clone(&session.server);
    let found = match (std::str::from_utf8(name), std::str::from_utf8(password)) {
        (Ok(name), Ok(password)) => {
            authenticate_password(
                &*server.directory,
                &server.gate,
                name,
                password,
                LoginNames::AlsoOthers,
            )
            .await?
        }
        _ => None,
    };
    match found {
        Some(user) => Ok(enter(session, user)),
        None => Err(refuse(session, &String::from_utf8_lossy(name)).await),
    }
}

/// AUTHENTICATE, RFC 3501 section 6.2.2 and RFC 4959.
pub(crate) async fn authenticate(
    session: &mut Session,
    mechanism: &str,
    initial: Option<&[u8]>,
) -> Outcome<Reply> {
    already(session)?;
    let Some(mechanism) = Mechanism::from_name(mechanism) else {
        return Err(Fail::No("CANNOT", "this mechanism is not supported".to_owned()));
    };
    if mechanism.shows_password() && !session.may_send_passwords() {
        return Err(privacy_required());
    }
    let server = Arc::clone(&session.server);
    let mut exchange = ServerSession::new(mechanism);
    let mut input = initial.map(<[u8]>::to_vec);
    loop {
        let step = authenticate_step(
            &mut exchange,
            input.as_deref(),
            &*server.directory,
            &server.gate,
            LoginNames::AlsoOthers,
        );
        match step.await {
            Step::Challenge(octets) => {
                let line = format!("+ {}\r\n", BASE64.encode(octets));
                session.connection.push(line.as_bytes());
                input = Some(response(session).await?);
            }
            Step::Success(user) => return Ok(enter(session, user)),
            Step::Failed => return Err(refuse(session, mechanism.name()).await),
            Step::Unavailable(error) => return Err(error.into()),
        }
    }
}

/// One line of the client, decoded.
async fn response(session: &mut Session) -> Outcome<Vec<u8>> {
    let mut line = Vec::new();
    let wait = session.server.config.command_timeout;
    let fits = timeout(wait, read_line(&mut session.connection, &mut line, MAX_SASL_LINE))
        .await
        .map_err(|_| End::Bye("the answer took too long to arrive"))??;
    let text = line.trim_ascii();
    if !fits {
        return Err(Fail::Bad("the line is too long"));
    }
    if text == b"*" {
        return Err(Fail::Bad("authentication cancelled"));
    }
    BASE64.decode(text).map_err(|_| Fail::Bad("this is not base64"))
}

/// STARTTLS. What came behind it in the clear is thrown away.
pub(crate) async fn start_tls(session: &mut Session, tag: &str) -> Outcome<Reply> {
    if session.tls {
        return Err(Fail::Bad("TLS is on already"));
    }
    already(session)?;
    if !session.server.entrance.has_tls() {
        return Err(Fail::Bad("this server has no TLS"));
    }
    session.tagged(tag, "OK", "", "begin TLS now");
    session.connection.flush().await?;
    let io = session.connection.take_io();
    let Some(io) = session.server.entrance.handshake(io).await else {
        return Err(End::Closed.into());
    };
    session.connection.set_io(io);
    session.tls = true;
    Ok(Reply::Written)
}

/// COMPRESS, RFC 4978.
pub(crate) async fn compress(session: &mut Session, tag: &str) -> Outcome<Reply> {
    if session.connection.is_compressed() {
        return Err(Fail::No("COMPRESSIONACTIVE", "DEFLATE is on already".to_owned()));
    }
    if !session.server.config.compress {
        return Err(Fail::No("CANNOT", "compression is off on this server".to_owned()));
    }
    session.tagged(tag, "OK", "", "DEFLATE is on");
    session.connection.flush().await?;
    session.connection.start_deflate();
    Ok(Reply::Written)
}
