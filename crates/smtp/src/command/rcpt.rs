//! `RCPT TO`.

use super::CommandError;
use super::mail::shorten;
use super::params::{once, parameters, xtext};
use super::path::{self, ForwardPath};
use crate::capabilities::Extensions;
use crate::encode_xtext;
use crate::limits::MAX_ORCPT;
use concord_address::SmtpAddress;
use std::fmt;

/// RFC 3461 NOTIFY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Notify {
    /// Report successful delivery.
    pub success: bool,
    /// Report failure.
    pub failure: bool,
    /// Report delay.
    pub delay: bool,
}

impl Notify {
    /// `NOTIFY=NEVER`
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };

    fn parse(value: &str) -> Option<Self> {
        let value = value.to_ascii_uppercase();
        if value == "NEVER" {
            return Some(Self::NEVER);
        }
        let mut notify = Self::NEVER;
        for word in value.split(',') {
            let slot = match word {
                "SUCCESS" => &mut notify.success,
                "FAILURE" => &mut notify.failure,
                "DELAY" => &mut notify.delay,
                _ => return None,
            };
            *slot = true;
        }
        Some(notify)
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let mut first = true;
        for (_, word) in words.into_iter().filter(|(on, _)| *on) {
            if !first {
                f.write_str(",")?;
            }
            first = false;
            f.write_str(word)?;
        }
        if first { f.write_str("NEVER") } else { Ok(()) }
    }
}

/// `RCPT TO:<forward-path> [parameters]`; prints itself as a line without CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptCommand {
    /// The recipient.
    pub to: ForwardPath,
    /// Whether the line was not ASCII: RFC 6531 wants SMTPUTF8 in MAIL then.
    pub utf8: bool,
    /// RFC 3461 NOTIFY; `None` if it was not said.
    pub notify: Option<Notify>,
    /// RFC 3461 ORCPT as `type;address`, decoded.
    pub orcpt: Option<String>,
}

impl RcptCommand {
    /// A command for an address, without parameters.
    pub fn new(to: SmtpAddress) -> Self {
        let utf8 = !to.is_ascii();
        Self { to: ForwardPath::Mailbox(to), utf8, notify: None, orcpt: None }
    }

    pub(super) fn parse(rest: &str) -> Result<Self, CommandError> {
        let form = CommandError::Syntax("RCPT TO:<address> [parameters]");
        let (path, params) = path::split(rest, "TO:").ok_or(form)?;
        let to = if path.eq_ignore_ascii_case("postmaster") {
            ForwardPath::Postmaster
        } else {
            let parsed = path.parse().map_err(|e: concord_address::ParseSmtpAddressError| {
                CommandError::BadRecipient(e.to_string())
            })?;
            ForwardPath::Mailbox(parsed)
        };
        let utf8 = !path.is_ascii();
        let mut rcpt = Self { to, utf8, notify: None, orcpt: None };
        for parameter in parameters(params) {
            let (keyword, value) = parameter?;
            match &*keyword {
                "NOTIFY" => once(&mut rcpt.notify, "NOTIFY", value.and_then(Notify::parse))?,
                "ORCPT" => once(&mut rcpt.orcpt, "ORCPT", orcpt(value))?,
                other => return Err(CommandError::UnknownParameter(shorten(other))),
            }
        }
        Ok(rcpt)
    }

    /// Refuses parameters of extensions that are not offered.
    pub fn check(&self, offered: &Extensions) -> Result<(), CommandError> {
        let name = match (offered.dsn, &self.notify, &self.orcpt) {
            (false, Some(_), _) => "NOTIFY",
            (false, None, Some(_)) => "ORCPT",
            _ => return Ok(()),
        };
        Err(CommandError::UnknownParameter(name.into()))
    }

    /// Drops the parameters of extensions that a peer does not offer.
    pub fn restrict(&mut self, offered: &Extensions) {
        if !offered.dsn {
            self.notify = None;
            self.orcpt = None;
        }
    }
}

/// `type;xtext`. Before the `;` stands an atom.
fn orcpt(value: Option<&str>) -> Option<String> {
    let value = value.filter(|v| v.len() <= MAX_ORCPT)?;
    let (kind, address) = value.split_once(';')?;
    let atom = kind.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if kind.is_empty() || !atom {
        return None;
    }
    Some(format!("{kind};{}", xtext(Some(address), MAX_ORCPT)?))
}

impl fmt::Display for RcptCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RCPT TO:{}", self.to)?;
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={notify}")?;
        }
        if let Some((kind, address)) = self.orcpt.as_deref().and_then(|o| o.split_once(';')) {
            write!(f, " ORCPT={kind};{}", encode_xtext(address.as_bytes()))?;
        }
        Ok(())
    }
}
