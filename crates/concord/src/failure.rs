//! How a command fails: one message, one exit code.

use concord_base::{Fault, Retry};
use concord_controller::{ClientError, EXIT_REFUSED};
use concord_settings::SettingsError;
use concord_tls::TlsError;
use std::fmt;
use std::process::ExitCode;

/// What the help says about exit codes.
pub const EXIT_CODES: &str = "Exit codes:
   0  done
   1  not done; stderr says why and what to do
   2  changes are pending, or something was found (setup, doctor, --dry-run)
  64  wrong usage
  69  Concord does not run, or not here
  78  the configuration has mistakes";

/// Exit codes; those above 63 are sysexits.h's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It could not be done.
    NotDone,
    /// Changes are pending or something was found; no error.
    Pending,
    /// The options make no sense (EX_USAGE).
    Usage,
    /// Nobody answers (EX_UNAVAILABLE).
    NotRunning,
    /// The configuration has mistakes (EX_CONFIG); the controller does not
    /// restart a service that ends so.
    Configuration,
}

impl Exit {
    /// For the system.
    pub fn code(self) -> ExitCode {
        let number = match self {
            Self::NotDone => 1,
            Self::Pending => 2,
            Self::Usage => 64,
            Self::NotRunning => 69,
            Self::Configuration => u8::try_from(EXIT_REFUSED).unwrap_or(1),
        };
        ExitCode::from(number)
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: String,
    exit: Exit,
}

impl Failure {
    /// A failure of the command itself; `message` reads "cannot X: Y; do Z".
    pub fn new(code: &'static str, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: code.to_owned(), exit: Exit::NotDone }
    }

    /// What a service told, with its own code; `message` as for [`Failure::new`].
    pub fn told(code: String, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code, exit: Exit::NotDone }
    }

    /// No failure: what was asked for was looked at, and there is something to do.
    pub fn pending() -> Self {
        Self { message: String::new(), code: String::new(), exit: Exit::Pending }
    }

    /// Options that make no sense together; `message` as for [`Failure::new`].
    pub fn usage(code: &'static str, message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::new(code, message) }
    }

    /// Concord, or a part of it, does not run; `message` as for [`Failure::new`].
    pub fn not_running(code: &'static str, message: impl fmt::Display) -> Self {
        Self { exit: Exit::NotRunning, ..Self::new(code, message) }
    }

    /// A mistake in the configuration or in a file that it names.
    pub fn configuration(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: "settings.mistakes".to_owned(),
            exit: Exit::Configuration,
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes it to stderr, as JSON if so asked.
    pub fn print(&self, json: bool) {
        use std::io::Write;
        if self.exit == Exit::Pending {
            return;
        }
        let text = if json {
            serde_json::json!({ "code": self.code, "message": self.message }).to_string()
        } else {
            format!("concord: {}", self.message)
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Any error of Concord's crates: its own words, its own code.
impl<E: Fault> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn std::any::Any = &error;
        let (code, exit) = match any.downcast_ref::<ClientError>() {
            Some(ClientError::Refused { body, .. }) => (body.code.clone(), Exit::NotDone),
            Some(client) if client.is_not_running() => (error.code().to_owned(), Exit::NotRunning),
            _ if any.is::<SettingsError>() || any.is::<TlsError>() => {
                (error.code().to_owned(), Exit::Configuration)
            }
            _ => (error.code().to_owned(), Exit::NotDone),
        };
        let message = match error.retry() {
            Retry::Bug => format!("{error} (this is a defect; please report it)"),
            _ => error.to_string(),
        };
        Self { message, code, exit }
    }
}
