//! Why a message does not reach a remote host.

use super::answer;
use concord_base::{EnhancedStatus, Fault, Retry};
use concord_connector::Outcome;
use concord_mail_authentication::AuthenticationError;
use concord_smtp::{RemoteAnswer, Reply};
use concord_smtp_tokio::{ClientError, Phase};
use concord_tls::TlsError;
use concord_transport_security::SecurityError;
use std::path::PathBuf;

/// A recipient's destination cannot be reached, or not in the way it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutError {
    /// NXDOMAIN
    #[error("the domain {0} does not exist")]
    NoSuchDomain(String),
    /// Neither MX nor addresses.
    #[error("the domain {0} has no mail host")]
    NoMailHost(String),
    /// A host that the operator named has no address.
    #[error("the host {0}, which mail is routed to, has no address; is its name right?")]
    NoSmartHost(String),
    /// The operator named this host itself.
    #[error("mail is routed to {0}, which is this host; correct the route")]
    RouteToOurselves(String),
    /// The file of a route's password.
    #[error("cannot use the password in {}: {cause}; correct password-file", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The policy bounds what goes to the domain.
    #[error("messages to {domain} have at most {limit} octets; this one has {octets}")]
    TooLarge {
        /// The recipients' domain.
        domain: String,
        /// The bound.
        limit: u64,
        /// The message's size.
        octets: u64,
    },
    /// The policy bounds the recipients of a transaction.
    #[error("{domain} gets at most {limit} recipients in one transaction; the rest comes later")]
    TooManyRecipients {
        /// The recipients' domain.
        domain: String,
        /// The bound.
        limit: usize,
    },
    /// RFC 7505
    #[error("the domain {0} takes no mail (null MX)")]
    NullMx(String),
    /// The name servers did not answer.
    #[error("cannot look up {name}: {cause}")]
    Dns {
        /// What was looked up.
        name: String,
        /// The resolver's words.
        cause: String,
    },
    /// The best mail host is this one, yet the core sends it out.
    #[error("mail for {0} loops back to this host; is the domain missing in the directory?")]
    Loop(String),
    /// No connection to any host.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// The last one that was tried.
        host: String,
        /// The system's words.
        cause: String,
    },
    /// The session broke, or the host refused it.
    #[error("{host}: {cause}")]
    Session {
        /// `name [ip]`
        host: String,
        /// What happened.
        cause: ClientError,
    },
    /// The host is not as it must be.
    #[error(transparent)]
    Security(Box<SecurityError>),
    /// The handshake failed, and nobody asks for TLS.
    #[error("TLS with {host} failed: {cause}")]
    Handshake {
        /// `name [ip]`
        host: String,
        /// The library's words.
        cause: String,
    },
    /// A configuration for TLS is missing.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A password may not go in the clear.
    #[error("will not log in at {host} without TLS")]
    LoginInClear {
        /// `name [ip]`
        host: String,
    },
    /// No connection became free in time.
    #[error("all connections to {0} are busy")]
    Congested(String),
    /// It complained, and is left alone for a while.
    #[error("{0} said that it gets too much; it is given a rest")]
    Resting(String),
    /// The policy bounds the messages a minute.
    #[error("{0} has had its messages of this minute")]
    Paced(String),
    /// The author's domain has a key that cannot be used: unsigned the message
    /// would be taken for forged.
    #[error("cannot sign messages of {author}: {cause}")]
    SigningKeys {
        /// The author's domain.
        author: String,
        /// What is wrong with the keys.
        cause: String,
    },
    /// Signing, or rewriting the sender, does not work.
    #[error(transparent)]
    Authentication(AuthenticationError),
    /// Too many messages are being signed.
    #[error("there is no room for the message to be signed")]
    NoRoom,
    /// More octets came than were announced.
    #[error("the message is longer than was announced")]
    Longer,
    /// The host does not take 8-bit messages (RFC 6152).
    #[error("{0} does not offer 8BITMIME, and the message has 8-bit octets")]
    EightBit(String),
    /// The host does not take international addresses (RFC 6531).
    #[error("{0} does not offer SMTPUTF8, and the message needs it")]
    SmtpUtf8(String),
}

/// The phase in which a host refused the session for good. It has not heard of
/// the message, so this is no verdict on it: a wrong password or a blocked
/// address is mended by somebody, and the mail must still be there then.
const fn unready(cause: &ClientError) -> Option<Phase> {
    match cause {
        ClientError::Refused {
            phase: phase @ (Phase::Greeting | Phase::Hello | Phase::StartTls | Phase::Auth),
            reply,
        } if reply.is_permanent() => Some(*phase),
        _ => None,
    }
}

/// Whether a session broke before a host heard of the message, so that it is
/// the host that is not there.
const fn is_early(cause: &ClientError) -> bool {
    matches!(
        cause,
        ClientError::Io { phase, .. }
            | ClientError::Closed(phase)
            | ClientError::TimedOut(phase)
            | ClientError::Protocol { phase, .. }
            if matches!(phase, Phase::Greeting | Phase::Hello | Phase::StartTls | Phase::Auth)
    )
}

impl Fault for OutError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchDomain(_) => "internet-mail.no-such-domain",
            Self::NoMailHost(_) => "internet-mail.no-mail-host",
            Self::NoSmartHost(_) => "internet-mail.no-smart-host",
            Self::RouteToOurselves(_) => "internet-mail.route-to-ourselves",
            Self::Password { .. } => "internet-mail.password",
            Self::TooLarge { .. } => "internet-mail.too-large",
            Self::TooManyRecipients { .. } => "internet-mail.too-many-recipients",
            Self::Resting(_) => "internet-mail.resting",
            Self::Paced(_) => "internet-mail.paced",
            Self::SigningKeys { .. } => "internet-mail.signing-keys",
            Self::Authentication(error) => error.code(),
            Self::NoRoom => "internet-mail.no-room",
            Self::Longer => "internet-mail.longer",
            Self::NullMx(_) => "internet-mail.null-mx",
            Self::Dns { .. } => "internet-mail.dns",
            Self::Loop(_) => "internet-mail.loop",
            Self::Connect { .. } => "internet-mail.connect",
            Self::Session { cause, .. } => cause.code(),
            Self::Security(e) => e.code(),
            Self::Handshake { .. } => "internet-mail.handshake",
            Self::Tls(e) => e.code(),
            Self::LoginInClear { .. } => "internet-mail.login-in-clear",
            Self::Congested(_) => "internet-mail.congested",
            Self::EightBit(_) => "internet-mail.eight-bit",
            Self::SmtpUtf8(_) => "internet-mail.smtputf8",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoSuchDomain(_)
            | Self::NoMailHost(_)
            | Self::NullMx(_)
            | Self::Loop(_)
            | Self::TooLarge { .. }
            | Self::EightBit(_)
            | Self::SmtpUtf8(_) => Retry::Permanent,
            Self::Session { cause, .. } => match unready(cause) {
                Some(Phase::Auth) => Retry::Operator,
                Some(_) => Retry::Temporary,
                None => cause.retry(),
            },
            Self::NoSmartHost(_)
            | Self::RouteToOurselves(_)
            | Self::Password { .. }
            | Self::SigningKeys { .. }
            | Self::Authentication(_)
            | Self::Tls(_)
            | Self::LoginInClear { .. } => Retry::Operator,
            Self::Longer => Retry::Bug,
            Self::Security(e) => e.retry(),
            _ => Retry::Temporary,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        let (class, subject, detail) = match self {
            // RFC 3463 section 3.2: X.1.2 bad destination system; RFC 7505: X.1.10
            Self::NoSuchDomain(_) => (5, 1, 2),
            Self::NullMx(_) => (5, 1, 10),
            // Section 3.5: X.4.1 no answer, X.4.3 directory server failure,
            // X.4.4 unable to route, X.4.5 congestion, X.4.6 routing loop
            Self::NoMailHost(_) => (5, 4, 4),
            Self::Dns { .. } => (4, 4, 3),
            Self::Loop(_) => (5, 4, 6),
            Self::Connect { .. } => (4, 4, 1),
            // Section 3.4: X.3.4 message too big, X.3.5 system incorrectly
            // configured; section 3.6: X.5.3 too many recipients
            Self::TooLarge { .. } => (5, 3, 4),
            Self::NoSmartHost(_) | Self::RouteToOurselves(_) | Self::Password { .. } => (4, 3, 5),
            // Not X.3.5, which would say that the destination is not there.
            Self::SigningKeys { .. } | Self::Authentication(_) => (4, 7, 0),
            // X.3.2: not accepting messages now; X.3.0: other
            Self::NoRoom => (4, 3, 2),
            Self::Longer => (4, 3, 0),
            Self::TooManyRecipients { .. } => (4, 5, 3),
            Self::Session { cause, .. } => match unready(cause) {
                Some(Phase::Auth) => (4, 3, 5),
                Some(_) => (4, 4, 0),
                None if is_early(cause) => (4, 4, 1),
                None => return cause.enhanced_status(),
            },
            Self::Congested(_) | Self::Resting(_) | Self::Paced(_) => (4, 4, 5),
            // Section 3.7: X.6.3 conversion required; RFC 6531: X.6.7
            Self::EightBit(_) => (5, 6, 3),
            Self::SmtpUtf8(_) => (5, 6, 7),
            // Section 3.8: X.7.5 cryptographic failure, X.7.0 other
            Self::Security(e) => return e.enhanced_status(),
            Self::Handshake { .. } => (4, 7, 5),
            Self::Tls(_) | Self::LoginInClear { .. } => (4, 7, 0),
        };
        EnhancedStatus::new(class, subject, detail)
    }
}

impl OutError {
    /// What the core is told.
    pub(crate) fn outcome(&self) -> Outcome {
        if let Self::Session { host, cause } = self
            && let (ClientError::Refused { reply, .. }, None) = (cause, unready(cause))
        {
            let answer = RemoteAnswer { host: host.clone(), dsn: true, reply: reply.clone() };
            return Outcome::Remote(answer);
        }
        let status = self.enhanced_status();
        let code = match self {
            // RFC 7505 section 4.1
            Self::NullMx(_) => 556,
            Self::NoSuchDomain(_) | Self::NoMailHost(_) => 550,
            Self::SmtpUtf8(_) => 553,
            Self::TooLarge { .. } => 552,
            Self::TooManyRecipients { .. } => 452,
            // RFC 8689 section 8
            Self::Security(e) if e.retry() == Retry::Permanent => 550,
            _ if status.class == 5 => 554,
            _ => 451,
        };
        Outcome::Own(Reply { code, status: Some(status), text: self.to_string().into() })
    }

    /// Of two errors about two hosts the one that leaves hope.
    pub(crate) fn or_temporary(self, earlier: Self) -> Self {
        let hopeless = self.retry() == Retry::Permanent;
        // What stands there before the first host is tried says nothing.
        if hopeless && earlier.retry() != Retry::Permanent { earlier } else { self }
    }

    /// Whether the next host of the domain may fare better.
    pub(crate) const fn try_next(&self) -> bool {
        !matches!(self, Self::Tls(_) | Self::Password { .. })
    }

    /// Whether the host said that it gets too much.
    pub(crate) fn is_complaint(&self) -> bool {
        matches!(self, Self::Session { cause, .. } if answer::complains(cause))
    }
}
