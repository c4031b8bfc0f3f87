//! Binding (RFC 4511 section 4.2, RFC 4513): by DN, alias or address and
//! password, or by SASL.

use crate::client::Client;
use crate::connection::Output;
use crate::dn;
use crate::operation::Next;
use crate::result::{Code, Outcome, Refusal};
use crate::server::Way;
use crate::session::answer;
use concord_directory::{Kind, Who};
use concord_sasl::{
    LoginNames, Mechanism, Outcome as Step, ServerSession, authenticate_password, authenticate_step,
};
use ldap3_proto::proto::{LdapBindCred, LdapBindRequest, SaslCredentials};

/// A login name that nobody can have, for a DN that leads to no mailbox: the
/// refusal takes as long as for a wrong password.
const NOBODY: &str = " ";
/// RFC 4422 appendix A
pub(crate) const EXTERNAL: &str = "EXTERNAL";

enum Reply {
    Done,
    More(Vec<u8>),
}

/// Binds and answers.
pub(crate) async fn bind(
    client: &mut Client,
    id: i32,
    asked: LdapBindRequest,
    output: &mut Output,
) -> Next {
    // RFC 4513 section 4: while a bind runs, and if it fails, nobody is logged in
    client.become_nobody();
    let done = match asked.cred {
        _ if asked.version != 3 => {
            Err(Refusal::new(Code::ProtocolError, "this server speaks LDAP version 3"))
        }
        LdapBindCred::Simple(password) => simple(client, &asked.dn, &password).await,
        LdapBindCred::SASL(credentials) => sasl(client, credentials).await,
        LdapBindCred::Unsupported => {
            Err(Refusal::new(Code::AuthMethodNotSupported, "use a password or SASL"))
        }
    };
    let (result, octets) = match done {
        Ok(Reply::Done) => (Refusal::new(Code::Success, ""), None),
        Ok(Reply::More(octets)) => (Refusal::new(Code::SaslBindInProgress, ""), Some(octets)),
        Err(refusal) => (refusal, None),
    };
    if result.code != Code::SaslBindInProgress {
        client.exchange = None;
    }
    answer(&mut output.answer, id, 0x61, &result, &[], |writer| {
        if let Some(octets) = octets {
            writer.primitive(0x87, &octets);
        }
    });
    let too_many = client.failed_binds >= crate::config::MAX_FAILED_BINDS;
    if too_many { Next::Close } else { Next::Go }
}

async fn simple(client: &mut Client, name: &str, password: &str) -> Outcome<Reply> {
    client.exchange = None;
    if password.is_empty() {
        if name.is_empty() {
            return Ok(Reply::Done);
        }
        // RFC 4513 section 5.1.2: who forgets the password must not seem logged in
        return Err(Refusal::new(Code::UnwillingToPerform, "a password is needed"));
    }
    if !client.may_send_passwords() {
        return Err(privacy_required());
    }
    client.server.follower.catch_up().await?;
    let login = login_of(client, name)?;
    let server = &client.server;
    let found =
        authenticate_password(&*server.directory, &server.gate, &login, password, LoginNames::Own)
            .await?;
    match found {
        Some(mailbox) => enter(client, mailbox.id.into(), &mailbox.name).await,
        None => Err(refuse(client, name).await),
    }
}

/// The login name of a bind: the alias behind a DN, else what was given.
fn login_of(client: &Client, name: &str) -> Outcome<String> {
    if !name.contains('=') {
        return Ok(name.to_owned());
    }
    let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{name}' is not a DN"));
    let rdns = dn::parse(name).ok_or_else(bad)?;
    let catalogue = client.server.follower.read();
    let entry = catalogue.find(&rdns).ok().and_then(|slot| catalogue.get(slot));
    let mailbox = entry.filter(|entry| entry.kind == Some(Kind::Mailbox));
    Ok(mailbox.map_or(NOBODY, |entry| entry.name().1).to_owned())
}

async fn sasl(client: &mut Client, credentials: SaslCredentials) -> Outcome<Reply> {
    if credentials.mechanism.eq_ignore_ascii_case(EXTERNAL) {
        return external(client, &credentials.credentials).await;
    }
    let Some(mechanism) = Mechanism::from_name(&credentials.mechanism)
        .filter(|mechanism| *mechanism != Mechanism::Login)
    else {
        return Err(Refusal::new(
            Code::AuthMethodNotSupported,
            "the mechanisms are PLAIN and SCRAM-SHA-256",
        ));
    };
    if mechanism.shows_password() && !client.may_send_passwords() {
        return Err(privacy_required());
    }
    let going_on = client.exchange.take().filter(|exchange| exchange.mechanism() == mechanism);
    let first = going_on.is_none();
    let mut exchange = going_on.unwrap_or_else(|| ServerSession::new(mechanism));
    // an absent initial response comes as an empty one
    let input = (!first || !credentials.credentials.is_empty())
        .then_some(credentials.credentials.as_slice());
    let server = &client.server;
    let step =
        authenticate_step(&mut exchange, input, &*server.directory, &server.gate, LoginNames::Own)
            .await;
    match step {
        Step::Challenge(octets) => {
            client.exchange = Some(exchange);
            Ok(Reply::More(octets))
        }
        Step::Success(mailbox) => enter(client, mailbox.id.into(), &mailbox.name).await,
        Step::Failed => Err(refuse(client, mechanism.name()).await),
        Step::Unavailable(error) => Err(error.into()),
    }
}

/// The administrator of this machine, by a socket of it.
async fn external(client: &mut Client, identity: &[u8]) -> Outcome<Reply> {
    if client.way != (Way::Local { administrator: true }) {
        return Err(Refusal::new(
            Code::InvalidCredentials,
            "EXTERNAL is for the administrator of this machine, by the local socket",
        ));
    }
    if !identity.is_empty() {
        return Err(Refusal::new(Code::InvalidCredentials, "act for nobody else"));
    }
    client.become_who(Who::Local).await?;
    Ok(Reply::Done)
}

async fn enter(client: &mut Client, id: concord_base::MailboxId, name: &str) -> Outcome<Reply> {
    client.become_who(Who::Mailbox(id.into())).await?;
    client.failed_binds = 0;
    // binds by result: ok, or refused
    metrics::counter!("ldap_binds_total", "result" => "ok").increment(1);
    tracing::debug!(mailbox = name, tls = client.tls, "logged in");
    Ok(Reply::Done)
}

/// The answer comes late and says no more than that.
async fn refuse(client: &mut Client, name: &str) -> Refusal {
    metrics::counter!("ldap_binds_total", "result" => "refused").increment(1);
    tracing::warn!(login = name, tls = client.tls, "login refused");
    client.failed_binds += 1;
    tokio::time::sleep(client.server.config.failed_login_delay).await;
    Refusal::new(Code::InvalidCredentials, "wrong name or password")
}

fn privacy_required() -> Refusal {
    Refusal::new(
        Code::ConfidentialityRequired,
        "passwords are taken over TLS only, use STARTTLS or ldaps",
    )
}
