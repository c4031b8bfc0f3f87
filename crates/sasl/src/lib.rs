//! SASL for servers, and the verifiers that passwords are turned into.
//!
//! What it does: makes [`Credentials`](concord_directory::Credentials)
//! (argon2id, SCRAM-SHA-256), checks passwords against them without letting a
//! crowd of clients take the machine's memory ([`PasswordGate`]), and runs the
//! server half of PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login) and
//! SCRAM-SHA-256 (RFC 5802, RFC 7677). SMTP, IMAP and POP3 only put its octets
//! into their own base64 frames ([`authenticate_step`]).
//!
//! What it does not: channel binding (no `-PLUS`), proxy authorisation (an
//! authorisation identity other than the login is refused), rate limits
//! between connections (the listeners' task).
//!
//! Invariants: a login that does not exist, has no credentials or is disabled
//! takes as long and answers the same as a wrong password. Passwords are
//! neither kept nor printed.

mod authenticate;
mod error;
mod gate;
mod login;
mod mechanism;
mod password;
mod plain;
mod scram;
mod session;

pub use authenticate::{LoginNames, Outcome, authenticate_password, authenticate_step};
pub use error::SaslError;
pub use gate::{GateLimits, PasswordGate};
pub use mechanism::Mechanism;
pub use password::{MAX_PASSWORD, check_password, make_credentials};
pub use session::{Lookup, ServerSession, Step};

/// Feeds arbitrary octets to everything here that reads what a client sent.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    for mechanism in Mechanism::ALL {
        let mut session = ServerSession::new(mechanism);
        let mut step = session.start(None);
        for line in data.split(|c| *c == b'\n') {
            step = match step {
                Step::Challenge(_) => session.respond(line),
                Step::NeedVerifier { .. } => session.verifier(None, &[7; 32]),
                Step::NeedPasswordCheck { .. } | Step::Success { .. } | Step::Failed => return,
            };
        }
    }
}
