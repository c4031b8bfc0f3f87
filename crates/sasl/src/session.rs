//! One exchange, whatever the mechanism.

use crate::gate::decoy_verifier;
use crate::login::Login;
use crate::scram::Scram;
use crate::{Mechanism, plain};
use concord_directory::ScramVerifier;
use std::fmt;

/// Octets of a login name; an address has at most 254.
pub(crate) const MAX_LOGIN: usize = 320;

/// What the server does next.
pub enum Step {
    /// Send these octets (base64 in the protocol's frame) and feed the answer
    /// to [`ServerSession::respond`]. May be empty.
    Challenge(Vec<u8>),
    /// Find the SCRAM verifier of this login and call [`ServerSession::verifier`].
    NeedVerifier {
        /// The login name.
        login: String,
    },
    /// Check this password; the exchange itself is over.
    NeedPasswordCheck {
        /// The login name.
        login: String,
        /// The password.
        password: String,
    },
    /// The client proved that it knows the password of this login.
    Success {
        /// The login name.
        login: String,
    },
    /// The exchange broke its rules, or the proof was wrong.
    Failed,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Challenge(_) => "Challenge(..)",
            Self::NeedVerifier { .. } => "NeedVerifier { .. }",
            Self::NeedPasswordCheck { .. } => "NeedPasswordCheck { .. }",
            Self::Success { .. } => "Success { .. }",
            Self::Failed => "Failed",
        })
    }
}

/// What a login name led to, for [`ServerSession::verifier`].
pub type Lookup = Option<ScramVerifier>;

enum Machine {
    Plain,
    Login(Login),
    Scram(Box<Scram>),
    Over,
}

/// The server half of one SASL exchange. No I/O; the caller moves the octets.
///
/// Every mechanism ends after a client's response, never with data from the
/// server, so the protocol's success line carries nothing.
pub struct ServerSession {
    mechanism: Mechanism,
    machine: Machine,
    started: bool,
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl ServerSession {
    /// A new exchange.
    pub fn new(mechanism: Mechanism) -> Self {
        let machine = match mechanism {
            Mechanism::Plain => Machine::Plain,
            Mechanism::Login => Machine::Login(Login::default()),
            Mechanism::ScramSha256 => Machine::Scram(Box::new(Scram::new(crate::scram::nonce()))),
        };
        Self { mechanism, machine, started: false }
    }

    #[cfg(test)]
    pub(crate) fn scram_with_nonce(nonce: &str) -> Self {
        let machine = Machine::Scram(Box::new(Scram::new(nonce.to_owned())));
        Self { mechanism: Mechanism::ScramSha256, machine, started: false }
    }

    /// Its mechanism.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Begins, with the client's initial response if its command carried one.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Step {
        self.started = true;
        match (initial, &self.machine) {
            (Some(response), _) => self.respond(response),
            (None, Machine::Login(_)) => Login::prompt(),
            (None, _) => Step::Challenge(Vec::new()),
        }
    }

    /// Takes the client's response to a challenge.
    pub fn respond(&mut self, response: &[u8]) -> Step {
        let step = match &mut self.machine {
            Machine::Plain => plain::respond(response),
            Machine::Login(login) => login.respond(response),
            Machine::Scram(scram) => scram.respond(response),
            Machine::Over => Step::Failed,
        };
        self.end_if_over(step)
    }

    /// Takes the verifier that [`Step::NeedVerifier`] asked for. `None` goes on
    /// with a decoy made from `decoy_key`, and fails at the proof.
    pub fn verifier(&mut self, found: Lookup, decoy_key: &[u8; 32]) -> Step {
        let step = match &mut self.machine {
            Machine::Scram(scram) => {
                let known = found.is_some();
                let verifier = found.unwrap_or_else(|| decoy_verifier(decoy_key, scram.login()));
                scram.verifier(verifier, known)
            }
            _ => Step::Failed,
        };
        self.end_if_over(step)
    }

    /// [`Self::start`] the first time, [`Self::respond`] afterwards.
    pub(crate) fn advance(&mut self, input: Option<&[u8]>) -> Step {
        match input {
            input if !self.started => self.start(input),
            Some(response) => self.respond(response),
            None => Step::Failed,
        }
    }

    fn end_if_over(&mut self, step: Step) -> Step {
        if !matches!(step, Step::Challenge(_) | Step::NeedVerifier { .. }) {
            self.machine = Machine::Over;
        }
        step
    }
}
