//! `MAIL FROM`.

use super::CommandError;
use super::params::{once, parameters, xtext};
use super::path::{self, ReversePath};
use crate::capabilities::Extensions;
use crate::limits::MAX_ENVID;
use crate::{encode_xtext, limits};
use concord_address::SmtpAddress;
use std::fmt;

/// RFC 6152 BODY. BINARYMIME (RFC 3030) is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyType {
    /// `BODY=7BIT`
    SevenBit,
    /// `BODY=8BITMIME`
    EightBit,
}

/// RFC 3461 RET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Return {
    /// `RET=FULL`
    Full,
    /// `RET=HDRS`
    Headers,
}

/// What a sender says of TLS on the message's whole way (RFC 8689).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsWish {
    /// `REQUIRETLS`: only under TLS, to hosts that show who they are and that
    /// promise the same.
    Require,
    /// The header has `TLS-Required: No`: rather without than not at all. It
    /// goes between our own services only, as `XTLSOPTIONAL`, where XFORWARD
    /// does.
    Optional,
}

/// `MAIL FROM:<reverse-path> [parameters]`; prints itself as a line without CRLF.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailCommand {
    /// Who gets reports.
    pub from: ReversePath,
    /// RFC 1870 SIZE, octets that the client announces.
    pub size: Option<u64>,
    /// RFC 6152 BODY.
    pub body: Option<BodyType>,
    /// RFC 6531 SMTPUTF8.
    pub smtputf8: bool,
    /// RFC 3461 RET.
    pub ret: Option<Return>,
    /// RFC 3461 ENVID, decoded.
    pub envid: Option<String>,
    /// RFC 4954 AUTH=, decoded; `Some("<>")` is unknown. Nobody is trusted by it.
    pub auth: Option<String>,
    /// RFC 8689.
    pub tls: Option<TlsWish>,
}

impl MailCommand {
    /// A command for a reverse-path, without parameters.
    pub fn new(from: Option<SmtpAddress>) -> Self {
        Self { from: ReversePath(from), ..Self::default() }
    }

    pub(super) fn parse(rest: &str) -> Result<Self, CommandError> {
        let form = CommandError::Syntax("MAIL FROM:<address> [parameters]");
        let (path, params) = path::split(rest, "FROM:").ok_or(form)?;
        let from = if path.is_empty() {
            None
        } else {
            let parsed = path.parse().map_err(|e: concord_address::ParseSmtpAddressError| {
                CommandError::BadSender(e.to_string())
            })?;
            Some(parsed)
        };
        let mut mail = Self::new(from);
        for parameter in parameters(params) {
            let (keyword, value) = parameter?;
            mail.set(&keyword, value)?;
        }
        if !rest.is_ascii() && !mail.smtputf8 {
            return Err(CommandError::NeedsSmtpUtf8);
        }
        Ok(mail)
    }

    fn set(&mut self, keyword: &str, value: Option<&str>) -> Result<(), CommandError> {
        match keyword {
            "SIZE" => once(&mut self.size, "SIZE", value.and_then(octets)),
            "BODY" => match value.map(str::to_ascii_uppercase).as_deref() {
                Some("BINARYMIME") => Err(CommandError::UnknownParameter("BODY=BINARYMIME".into())),
                Some("7BIT") => once(&mut self.body, "BODY", Some(BodyType::SevenBit)),
                Some("8BITMIME") => once(&mut self.body, "BODY", Some(BodyType::EightBit)),
                _ => Err(CommandError::BadParameter("BODY")),
            },
            "SMTPUTF8" if value.is_none() && !self.smtputf8 => {
                self.smtputf8 = true;
                Ok(())
            }
            "SMTPUTF8" => Err(CommandError::BadParameter("SMTPUTF8")),
            "RET" => match value.map(str::to_ascii_uppercase).as_deref() {
                Some("FULL") => once(&mut self.ret, "RET", Some(Return::Full)),
                Some("HDRS") => once(&mut self.ret, "RET", Some(Return::Headers)),
                _ => Err(CommandError::BadParameter("RET")),
            },
            "ENVID" => once(&mut self.envid, "ENVID", xtext(value, MAX_ENVID)),
            "AUTH" => once(&mut self.auth, "AUTH", xtext(value, limits::MAX_ORCPT)),
            "REQUIRETLS" => {
                once(&mut self.tls, "REQUIRETLS", value.is_none().then_some(TlsWish::Require))
            }
            "XTLSOPTIONAL" => {
                once(&mut self.tls, "XTLSOPTIONAL", value.is_none().then_some(TlsWish::Optional))
            }
            other => Err(CommandError::UnknownParameter(shorten(other))),
        }
    }

    /// Refuses parameters of extensions that are not offered.
    pub fn check(&self, offered: &Extensions) -> Result<(), CommandError> {
        let used = [
            (self.size.is_some() && !offered.size, "SIZE"),
            (self.body.is_some() && !offered.eight_bit_mime, "BODY"),
            (self.smtputf8 && !offered.smtputf8, "SMTPUTF8"),
            (self.ret.is_some() && !offered.dsn, "RET"),
            (self.envid.is_some() && !offered.dsn, "ENVID"),
            (self.auth.is_some() && !offered.auth, "AUTH"),
            (self.tls == Some(TlsWish::Require) && !offered.requiretls, "REQUIRETLS"),
            (self.tls == Some(TlsWish::Optional) && !offered.xforward, "XTLSOPTIONAL"),
        ];
        match used.into_iter().find(|(missing, _)| *missing) {
            Some((_, name)) => Err(CommandError::UnknownParameter(name.into())),
            None => Ok(()),
        }
    }

    /// Drops the parameters of extensions that a peer does not offer. What that
    /// loses (SMTPUTF8, 8BITMIME, REQUIRETLS) the caller has looked at before.
    pub fn restrict(&mut self, offered: &Extensions) {
        self.size = self.size.filter(|_| offered.size);
        self.body = self.body.filter(|_| offered.eight_bit_mime);
        self.smtputf8 &= offered.smtputf8;
        self.ret = self.ret.filter(|_| offered.dsn);
        self.envid = self.envid.take().filter(|_| offered.dsn);
        self.auth = self.auth.take().filter(|_| offered.auth);
        self.tls = self.tls.filter(|wish| match wish {
            TlsWish::Require => offered.requiretls,
            TlsWish::Optional => offered.xforward,
        });
    }
}

/// RFC 1870 section 4: at most 20 digits.
fn octets(value: &str) -> Option<u64> {
    let plain = !value.is_empty() && value.len() <= 20 && value.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| value.parse().unwrap_or(u64::MAX))
}

pub(super) fn shorten(name: &str) -> String {
    name.chars().take(40).collect()
}

impl fmt::Display for MailCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MAIL FROM:{}", self.from)?;
        if let Some(size) = self.size {
            write!(f, " SIZE={size}")?;
        }
        match self.body {
            Some(BodyType::SevenBit) => f.write_str(" BODY=7BIT")?,
            Some(BodyType::EightBit) => f.write_str(" BODY=8BITMIME")?,
            None => {}
        }
        if self.smtputf8 {
            f.write_str(" SMTPUTF8")?;
        }
        match self.ret {
            Some(Return::Full) => f.write_str(" RET=FULL")?,
            Some(Return::Headers) => f.write_str(" RET=HDRS")?,
            None => {}
        }
        if let Some(envid) = &self.envid {
            write!(f, " ENVID={}", encode_xtext(envid.as_bytes()))?;
        }
        if let Some(auth) = &self.auth {
            write!(f, " AUTH={}", encode_xtext(auth.as_bytes()))?;
        }
        match self.tls {
            Some(TlsWish::Require) => f.write_str(" REQUIRETLS")?,
            Some(TlsWish::Optional) => f.write_str(" XTLSOPTIONAL")?,
            None => {}
        }
        Ok(())
    }
}
