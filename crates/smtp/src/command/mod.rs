//! Commands.

mod etrn;
mod mail;
mod params;
mod path;
mod rcpt;
mod verb;

pub use etrn::EtrnCommand;
pub use mail::{BodyType, MailCommand, Return, TlsWish};
pub use path::{ForwardPath, ReversePath};
pub use rcpt::{Notify, RcptCommand};
pub use verb::Verb;

use crate::chunk::Chunk;
use crate::limits::{MAX_BDAT, MAX_HELLO, MAX_MECHANISM};
use crate::reply::Reply;
use crate::xforward::Xforward;

/// One command line, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `EHLO name`
    Ehlo(String),
    /// `HELO name`
    Helo(String),
    /// `LHLO name` (RFC 2033)
    Lhlo(String),
    /// `MAIL FROM:<reverse-path> [parameters]`
    Mail(Box<MailCommand>),
    /// `RCPT TO:<forward-path> [parameters]`
    Rcpt(Box<RcptCommand>),
    /// `DATA`
    Data,
    /// `BDAT size [LAST]` (RFC 3030)
    Bdat(Chunk),
    /// `RSET`
    Rset,
    /// `NOOP [anything]`
    Noop,
    /// `QUIT`
    Quit,
    /// `VRFY name`
    Vrfy(String),
    /// `EXPN name`
    Expn(String),
    /// `HELP [topic]`
    Help,
    /// `STARTTLS` (RFC 3207)
    StartTls,
    /// `AUTH mechanism [initial-response]` (RFC 4954)
    Auth(AuthCommand),
    /// `XFORWARD attribute=value ...` (Postfix)
    Xforward(Box<Xforward>),
    /// `ETRN [@]domain` (RFC 1985)
    Etrn(EtrnCommand),
}

/// `AUTH mechanism [initial-response]`
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCommand {
    /// The mechanism in upper case.
    pub mechanism: String,
    /// The initial response as it stands in the line (base64 or `=`), if any.
    pub initial: Option<String>,
}

impl std::fmt::Debug for AuthCommand {
    /// Without the response: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthCommand")
            .field("mechanism", &self.mechanism)
            .field("initial", &self.initial.as_ref().map(|_| "..."))
            .finish()
    }
}

/// Why a line is no command that can be carried out; [`CommandError::reply`]
/// is the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The verb is none we know.
    #[error("the command is not recognised")]
    UnknownVerb,
    /// A request of HTTP.
    #[error("the client speaks HTTP")]
    Http,
    /// NUL, another control character, or 8-bit where none may stand.
    #[error("the line has octets that may not stand in a command")]
    BadOctet,
    /// An argument where none may stand, or none where one must.
    #[error("syntax: {0}")]
    Syntax(&'static str),
    /// The path in MAIL is no address.
    #[error("bad sender address: {0}")]
    BadSender(String),
    /// The path in RCPT is no address.
    #[error("bad recipient address: {0}")]
    BadRecipient(String),
    /// A parameter that is unknown or not offered.
    #[error("unknown parameter {0}")]
    UnknownParameter(String),
    /// A parameter's value does not fit, or it stands twice.
    #[error("bad parameter {0}")]
    BadParameter(&'static str),
    /// The address is not ASCII, and SMTPUTF8 was not said.
    #[error("the address needs SMTPUTF8")]
    NeedsSmtpUtf8,
}

impl CommandError {
    /// The answer to the line.
    pub fn reply(&self) -> Reply {
        match self {
            Self::UnknownVerb => Reply::new(500, (5, 5, 1), "command not recognised"),
            // 421 ends the session, with whatever SMTP stands behind.
            Self::Http => Reply::new(421, (4, 7, 0), "this is SMTP, not HTTP; closing"),
            Self::BadOctet => Reply::new(500, (5, 5, 2), "invalid character in command"),
            Self::Syntax(form) => Reply::new(501, (5, 5, 4), format!("syntax: {form}")),
            Self::BadSender(cause) => Reply::new(501, (5, 1, 7), cause.clone()),
            Self::BadRecipient(cause) => Reply::new(501, (5, 1, 3), cause.clone()),
            Self::UnknownParameter(name) => {
                Reply::new(555, (5, 5, 4), format!("parameter {name} not recognised"))
            }
            Self::BadParameter(name) => Reply::new(501, (5, 5, 4), format!("bad parameter {name}")),
            Self::NeedsSmtpUtf8 => {
                Reply::new(553, (5, 6, 7), "the address needs SMTPUTF8 in the MAIL command")
            }
        }
    }
}

impl Command {
    /// Parses a line without its CRLF, as [`crate::frame_line`] gives it.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let (verb, rest) = Verb::split(line)?;
        if memchr::memchr(0, rest).is_some() || rest.iter().any(|c| c.is_ascii_control()) {
            return Err(CommandError::BadOctet);
        }
        let rest = std::str::from_utf8(rest).map_err(|_| CommandError::BadOctet)?;
        if !verb.allows_utf8() && !rest.is_ascii() {
            return Err(CommandError::BadOctet);
        }
        match verb {
            Verb::Ehlo => hello(rest, "EHLO name").map(Self::Ehlo),
            Verb::Helo => hello(rest, "HELO name").map(Self::Helo),
            Verb::Lhlo => hello(rest, "LHLO name").map(Self::Lhlo),
            Verb::Mail => MailCommand::parse(rest).map(|m| Self::Mail(Box::new(m))),
            Verb::Rcpt => RcptCommand::parse(rest).map(|r| Self::Rcpt(Box::new(r))),
            Verb::Data => bare(rest, "DATA", Self::Data),
            Verb::Bdat => bdat(rest).map(Self::Bdat),
            Verb::Rset => bare(rest, "RSET", Self::Rset),
            Verb::Noop => Ok(Self::Noop),
            Verb::Quit => bare(rest, "QUIT", Self::Quit),
            Verb::Vrfy => some(rest, "VRFY name").map(Self::Vrfy),
            Verb::Expn => some(rest, "EXPN name").map(Self::Expn),
            Verb::Help => Ok(Self::Help),
            Verb::StartTls => bare(rest, "STARTTLS", Self::StartTls),
            Verb::Auth => auth(rest).map(Self::Auth),
            Verb::Xforward => Xforward::parse(rest).map(|x| Self::Xforward(Box::new(x))),
            Verb::Etrn => EtrnCommand::parse(rest).map(Self::Etrn),
        }
    }

    /// The command's verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Ehlo(_) => Verb::Ehlo,
            Self::Helo(_) => Verb::Helo,
            Self::Lhlo(_) => Verb::Lhlo,
            Self::Mail(_) => Verb::Mail,
            Self::Rcpt(_) => Verb::Rcpt,
            Self::Data => Verb::Data,
            Self::Bdat(_) => Verb::Bdat,
            Self::Rset => Verb::Rset,
            Self::Noop => Verb::Noop,
            Self::Quit => Verb::Quit,
            Self::Vrfy(_) => Verb::Vrfy,
            Self::Expn(_) => Verb::Expn,
            Self::Help => Verb::Help,
            Self::StartTls => Verb::StartTls,
            Self::Auth(_) => Verb::Auth,
            Self::Xforward(_) => Verb::Xforward,
            Self::Etrn(_) => Verb::Etrn,
        }
    }
}

fn bare(rest: &str, form: &'static str, command: Command) -> Result<Command, CommandError> {
    // RFC 5321 section 4.1.1: trailing white space is tolerated.
    if rest.trim().is_empty() { Ok(command) } else { Err(CommandError::Syntax(form)) }
}

fn some(rest: &str, form: &'static str) -> Result<String, CommandError> {
    let value = rest.trim();
    if value.is_empty() { Err(CommandError::Syntax(form)) } else { Ok(value.to_owned()) }
}

/// What a client calls itself is often no domain; any word of printable
/// characters is taken, for it decides nothing.
fn hello(rest: &str, form: &'static str) -> Result<String, CommandError> {
    let name = rest.trim();
    if name.is_empty() || name.len() > MAX_HELLO || !name.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(CommandError::Syntax(form));
    }
    Ok(name.to_owned())
}

fn bdat(rest: &str) -> Result<Chunk, CommandError> {
    const FORM: CommandError = CommandError::Syntax("BDAT size [LAST]");
    let mut words = rest.split_ascii_whitespace();
    let size = words.next().ok_or(FORM)?;
    if !size.bytes().all(|c| c.is_ascii_digit()) {
        return Err(FORM);
    }
    let size = size.parse().ok().filter(|size| *size <= MAX_BDAT).ok_or(FORM)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(FORM),
    };
    if words.next().is_some() {
        return Err(FORM);
    }
    Ok(Chunk { size, last })
}

fn auth(rest: &str) -> Result<AuthCommand, CommandError> {
    const FORM: CommandError = CommandError::Syntax("AUTH mechanism [initial-response]");
    let mut words = rest.split_ascii_whitespace();
    let mechanism = words.next().ok_or(FORM)?;
    let named = mechanism.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if !named || mechanism.len() > MAX_MECHANISM {
        return Err(FORM);
    }
    let initial = words.next().map(str::to_owned);
    if words.next().is_some() {
        return Err(FORM);
    }
    Ok(AuthCommand { mechanism: mechanism.to_ascii_uppercase(), initial })
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    match Command::parse(data) {
        Ok(Command::Mail(mail)) => {
            let again = Command::parse(mail.to_string().as_bytes());
            assert_eq!(again, Ok(Command::Mail(mail)));
        }
        Ok(Command::Rcpt(mut rcpt)) => {
            // A domain of U-labels prints as A-labels, which are ASCII.
            rcpt.utf8 = rcpt.utf8 && !rcpt.to.to_string().is_ascii();
            let again = Command::parse(rcpt.to_string().as_bytes());
            assert_eq!(again, Ok(Command::Rcpt(rcpt)));
        }
        Ok(Command::Etrn(etrn)) => {
            assert_eq!(Command::parse(etrn.to_string().as_bytes()), Ok(Command::Etrn(etrn)));
        }
        Ok(_) => {}
        Err(error) => {
            let _ = error.reply().to_bytes();
        }
    }
}

#[cfg(test)]
mod tests;
