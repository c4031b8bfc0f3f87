//! Verbs.

use super::CommandError;

/// Verbs of HTTP (RFC 9110 section 9): a browser that somebody made talk to this
/// port says one of them first, and SMTP in the body.
const HTTP: [&[u8]; 7] = [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE"];

/// A command's verb. The order is that of the columns in [`crate::State`]'s table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // their names say it
pub enum Verb {
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    StartTls,
    Auth,
    Xforward,
    Etrn,
}

impl Verb {
    /// All verbs in order.
    pub const ALL: [Self; 17] = [
        Self::Ehlo,
        Self::Helo,
        Self::Lhlo,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Bdat,
        Self::Rset,
        Self::Noop,
        Self::Quit,
        Self::Vrfy,
        Self::Expn,
        Self::Help,
        Self::StartTls,
        Self::Auth,
        Self::Xforward,
        Self::Etrn,
    ];

    /// As it stands in a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::Lhlo => "LHLO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Bdat => "BDAT",
            Self::Rset => "RSET",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Vrfy => "VRFY",
            Self::Expn => "EXPN",
            Self::Help => "HELP",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Xforward => "XFORWARD",
            Self::Etrn => "ETRN",
        }
    }

    /// RFC 6531 section 3.2: where addresses stand.
    pub(super) const fn allows_utf8(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt | Self::Vrfy | Self::Expn)
    }

    /// The verb of a line, and what follows its space.
    pub(super) fn split(line: &[u8]) -> Result<(Self, &[u8]), CommandError> {
        let end = memchr::memchr(b' ', line).unwrap_or(line.len());
        let word = line.get(..end).unwrap_or_default();
        if word.iter().any(|c| !c.is_ascii() || c.is_ascii_control()) {
            return Err(CommandError::BadOctet);
        }
        let verb = Self::ALL
            .into_iter()
            .find(|verb| verb.as_str().as_bytes().eq_ignore_ascii_case(word))
            .ok_or_else(|| match HTTP.iter().any(|verb| verb.eq_ignore_ascii_case(word)) {
                true => CommandError::Http,
                false => CommandError::UnknownVerb,
            })?;
        Ok((verb, line.get(end.saturating_add(1)..).unwrap_or_default()))
    }
}
