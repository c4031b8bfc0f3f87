//! ETRN (RFC 1985).

use super::CommandError;
use concord_address::Domain;
use std::fmt;

/// `ETRN [@]domain`: the client wants the mail that waits for a domain to be
/// sent to it, on connections of the server's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtrnCommand {
    /// The domain, in lower case.
    pub domain: String,
    /// `@`: also of the domains below it.
    pub below: bool,
}

impl EtrnCommand {
    /// What follows the verb. A `#`, the name of a queue, is none that we know.
    pub(super) fn parse(rest: &str) -> Result<Self, CommandError> {
        const FORM: CommandError = CommandError::Syntax("ETRN [@]domain");
        let rest = rest.trim();
        let (below, name) = match rest.strip_prefix('@') {
            Some(name) => (true, name),
            None => (false, rest),
        };
        match name.parse::<Domain>() {
            Ok(domain @ Domain::Name(_)) => Ok(Self { domain: domain.to_string(), below }),
            _ => Err(FORM),
        }
    }
}

impl fmt::Display for EtrnCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.below { "@" } else { "" };
        write!(f, "ETRN {option}{}", self.domain)
    }
}
