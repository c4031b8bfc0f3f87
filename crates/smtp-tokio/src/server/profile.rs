//! What a server offers and bounds.

use concord_smtp::{BareNewlines, Capabilities, Extensions, limits};
use std::time::Duration;

/// Which kind of server a session speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// SMTP from anyone.
    Smtp,
    /// RFC 6409: SMTP from users.
    Submission,
    /// RFC 2033: LHLO, a reply for each recipient.
    Lmtp,
    /// SMTP from our own services over a Unix socket.
    Internal,
}

/// Time-outs of a server; RFC 5321 section 4.5.3.2.7 asks for 5 minutes
/// between commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTimeouts {
    /// Until the next command line is complete.
    pub command: Duration,
    /// Until the next octets of a message come, and for every write.
    pub data: Duration,
    /// For a whole message from DATA or the first BDAT to its end, so that a
    /// sender of one octet a minute does not hold a session for ever.
    pub message: Duration,
    /// For a TLS handshake.
    pub tls: Duration,
}

impl ServerTimeouts {
    /// RFC 5321 section 4.5.3.2.7.
    pub const COMMAND: Duration = Duration::from_secs(300);
    /// RFC 5321 section 4.5.3.2.5 has clients wait 3 minutes for a block; the
    /// server is as patient.
    pub const DATA: Duration = Duration::from_secs(180);
    /// 50 MiB at 15 kB/s.
    pub const MESSAGE: Duration = Duration::from_secs(3600);
    /// Two round trips, on the worst of lines.
    pub const TLS: Duration = Duration::from_secs(30);
}

impl Default for ServerTimeouts {
    fn default() -> Self {
        Self { command: Self::COMMAND, data: Self::DATA, message: Self::MESSAGE, tls: Self::TLS }
    }
}

/// What a server offers and bounds; shared by its sessions.
#[derive(Debug, Clone)]
pub struct ServerProfile {
    /// The name in greeting and hello.
    pub hostname: String,
    /// What stands behind the name in the greeting; not empty.
    pub banner: String,
    /// The kind of server.
    pub mode: Mode,
    /// What EHLO offers. `starttls` needs an acceptor, `auth` mechanisms.
    pub extensions: Extensions,
    /// SASL mechanisms in upper case, best first.
    pub mechanisms: Vec<String>,
    /// Offer and take AUTH only under TLS.
    pub auth_needs_tls: bool,
    /// `530 5.7.0` to MAIL without AUTH.
    pub require_auth: bool,
    /// Octets of a message; RFC 1870.
    pub size_limit: u64,
    /// Recipients of a message; RFC 5321 section 4.5.3.1.8 wants at least 100.
    pub max_recipients: usize,
    /// Refused commands after which the session ends with 421.
    pub max_errors: u32,
    /// Failed AUTHs after which the session ends with 421.
    pub max_auth_failures: u32,
    /// Messages after which the session ends with 421; 0 is no bound.
    pub max_messages: u32,
    /// Octets of a line of a message without CRLF.
    pub max_line: usize,
    /// What becomes of bare LF and CR in messages.
    pub bare_newlines: BareNewlines,
    /// Wait so long before the greeting; who talks meanwhile gets 554. For
    /// `Smtp` only; spam engines do not wait.
    pub greeting_delay: Option<Duration>,
    /// Time-outs.
    pub timeouts: ServerTimeouts,
}

impl ServerProfile {
    /// A profile with defaults.
    pub fn new(hostname: impl Into<String>, mode: Mode) -> Self {
        let internal = mode == Mode::Internal;
        let trusted = matches!(mode, Mode::Internal | Mode::Lmtp);
        Self {
            hostname: hostname.into(),
            banner: if mode == Mode::Lmtp { "LMTP ready" } else { "ESMTP ready" }.to_owned(),
            mode,
            extensions: Extensions {
                xforward: internal,
                requiretls: trusted,
                ..Extensions::standard()
            },
            mechanisms: Vec::new(),
            auth_needs_tls: !internal,
            require_auth: mode == Mode::Submission,
            size_limit: 50 * 1024 * 1024,
            max_recipients: 1000,
            max_errors: if trusted { u32::MAX } else { 20 },
            max_auth_failures: if internal { u32::MAX } else { 3 },
            max_messages: 0,
            max_line: limits::DEFAULT_MAX_DATA_LINE,
            bare_newlines: if trusted { BareNewlines::Pass } else { BareNewlines::Refuse },
            greeting_delay: None,
            timeouts: ServerTimeouts::default(),
        }
    }

    /// What EHLO answers at this point of a session.
    pub fn capabilities(
        &self,
        tls_active: bool,
        tls_possible: bool,
        authenticated: bool,
    ) -> Capabilities {
        let mut extensions = self.extensions;
        // RFC 8689 section 2. Between our own services nobody listens in.
        let own = matches!(self.mode, Mode::Internal | Mode::Lmtp);
        extensions.requiretls &= tls_active || own;
        extensions.starttls &= tls_possible && !tls_active;
        extensions.auth &=
            !self.mechanisms.is_empty() && (tls_active || !self.auth_needs_tls) && !authenticated;
        Capabilities {
            hostname: self.hostname.clone(),
            extensions,
            size_limit: Some(self.size_limit),
            auth: if extensions.auth { self.mechanisms.clone() } else { Vec::new() },
        }
    }
}
