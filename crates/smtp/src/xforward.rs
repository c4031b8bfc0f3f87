//! Postfix's XFORWARD (XFORWARD_README): a proxy tells the server behind it
//! whom it speaks for.

use crate::command::CommandError;
use crate::limits::MAX_XFORWARD_VALUE;
use crate::{decode_xtext, encode_xtext};
use std::fmt;

/// `XFORWARD attribute=value ...`; prints itself as a line without CRLF.
///
/// `None` is an attribute that was not sent, or `[UNAVAILABLE]`, or
/// `[TEMPUNAVAIL]`. `LOGIN`, the name that the client was authenticated with,
/// and `DESTADDR`, the address of ours that it connected to, are our additions,
/// named as in Postfix's XCLIENT; so is `HOLD`, why the message is to be put
/// aside, which may be said until its octets begin; so is `KEY`, by which the
/// server knows a message again that it has taken already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Xforward {
    /// The client's host name.
    pub name: Option<String>,
    /// The client's address; IPv6 with `IPV6:` in front on the wire, not here.
    pub addr: Option<String>,
    /// The client's port.
    pub port: Option<u16>,
    /// `ESMTP`, `ESMTPSA`, ...
    pub proto: Option<String>,
    /// What the client called itself.
    pub helo: Option<String>,
    /// The proxy's own name for the message.
    pub ident: Option<String>,
    /// `LOCAL` or `REMOTE`.
    pub source: Option<String>,
    /// The authenticated login name.
    pub login: Option<String>,
    /// Our address that the client connected to; as `addr` on the wire.
    pub destaddr: Option<String>,
    /// Why the message is to be put aside.
    pub hold: Option<String>,
    /// What the message is known by where it comes from. One with a key that the
    /// server took before is taken once.
    pub key: Option<String>,
}

impl Xforward {
    /// What the server offers in its EHLO answer.
    pub const ATTRIBUTES: &'static str =
        "NAME ADDR PORT PROTO HELO IDENT SOURCE LOGIN DESTADDR HOLD KEY";

    pub(crate) fn parse(rest: &str) -> Result<Self, CommandError> {
        const FORM: CommandError = CommandError::Syntax("XFORWARD attribute=value ...");
        let mut out = Self::default();
        let mut any = false;
        for word in rest.split_ascii_whitespace() {
            any = true;
            let (name, value) = word.split_once('=').ok_or(FORM)?;
            if value.len() > MAX_XFORWARD_VALUE {
                return Err(FORM);
            }
            out.set(name, decode(value).ok_or(FORM)?)?;
        }
        if any { Ok(out) } else { Err(FORM) }
    }

    fn set(&mut self, name: &str, value: Option<String>) -> Result<(), CommandError> {
        let slot = match name.to_ascii_uppercase().as_str() {
            "NAME" => &mut self.name,
            "ADDR" => {
                self.addr = value.map(bare_address);
                return Ok(());
            }
            "DESTADDR" => {
                self.destaddr = value.map(bare_address);
                return Ok(());
            }
            "HOLD" => &mut self.hold,
            "KEY" => &mut self.key,
            "PORT" => {
                self.port = match value {
                    Some(v) => Some(v.parse().map_err(|_| CommandError::BadParameter("PORT"))?),
                    None => None,
                };
                return Ok(());
            }
            "PROTO" => &mut self.proto,
            "HELO" => &mut self.helo,
            "IDENT" => &mut self.ident,
            "SOURCE" => &mut self.source,
            "LOGIN" => &mut self.login,
            _ => return Err(CommandError::Syntax("XFORWARD attribute=value ...")),
        };
        *slot = value;
        Ok(())
    }

    /// Takes over what a later command says; attributes it does not name stay.
    pub fn merge(&mut self, later: Self) {
        let keep = |old: &mut Option<String>, new: Option<String>| {
            if new.is_some() {
                *old = new;
            }
        };
        keep(&mut self.name, later.name);
        keep(&mut self.addr, later.addr);
        keep(&mut self.proto, later.proto);
        keep(&mut self.helo, later.helo);
        keep(&mut self.ident, later.ident);
        keep(&mut self.source, later.source);
        keep(&mut self.login, later.login);
        keep(&mut self.destaddr, later.destaddr);
        keep(&mut self.hold, later.hold);
        keep(&mut self.key, later.key);
        self.port = later.port.or(self.port);
    }
}

fn bare_address(value: String) -> String {
    match value.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPV6:") => value.chars().skip(5).collect(),
        _ => value,
    }
}

/// Outer `None`: not well formed. Inner: not available.
fn decode(value: &str) -> Option<Option<String>> {
    if matches!(value.to_ascii_uppercase().as_str(), "" | "[UNAVAILABLE]" | "[TEMPUNAVAIL]") {
        return Some(None);
    }
    let text = String::from_utf8(decode_xtext(value.as_bytes())?).ok()?;
    (!text.chars().any(char::is_control)).then_some(Some(text))
}

impl fmt::Display for Xforward {
    /// Values that would be too long are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XFORWARD")?;
        let tagged = |address: &Option<String>| {
            address.as_ref().map(|a| match a.contains(':') {
                true => format!("IPV6:{a}"),
                false => a.clone(),
            })
        };
        let (addr, destaddr) = (tagged(&self.addr), tagged(&self.destaddr));
        let port = self.port.map(|p| p.to_string());
        let all = [
            ("NAME", &self.name),
            ("ADDR", &addr),
            ("PORT", &port),
            ("PROTO", &self.proto),
            ("HELO", &self.helo),
            ("IDENT", &self.ident),
            ("SOURCE", &self.source),
            ("LOGIN", &self.login),
            ("DESTADDR", &destaddr),
            ("HOLD", &self.hold),
            ("KEY", &self.key),
        ];
        let mut any = false;
        for (name, value) in all {
            let value = value.as_deref().map(|v| encode_xtext(v.as_bytes()));
            if let Some(value) = value.filter(|v| v.len() <= MAX_XFORWARD_VALUE) {
                any = true;
                write!(f, " {name}={value}")?;
            }
        }
        if any { Ok(()) } else { f.write_str(" SOURCE=[UNAVAILABLE]") }
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(parsed) = Xforward::parse(text)
    {
        let again = parsed.to_string();
        let _ = Xforward::parse(again.trim_start_matches("XFORWARD"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_read_back() {
        let all = Xforward {
            name: Some("client.example.test".into()),
            addr: Some("2001:db8::1".into()),
            port: Some(2525),
            proto: Some("ESMTPSA".into()),
            helo: Some("a b=+".into()),
            ident: None,
            source: Some("REMOTE".into()),
            login: Some("jürgen@example.test".into()),
            destaddr: Some("::1".into()),
            hold: Some("virus: Eicar-Test".into()),
            key: Some("NODEA.17.e39d66be00000000".into()),
        };
        let line = all.to_string();
        assert!(line.contains(" ADDR=IPV6:2001:db8::1 "), "{line}");
        assert_eq!(Xforward::parse(line.strip_prefix("XFORWARD").unwrap()), Ok(all));
    }

    #[test]
    fn unavailable_is_none_and_unknown_is_refused() {
        let read = Xforward::parse("NAME=[UNAVAILABLE] ADDR=192.0.2.1 port=[tempunavail]").unwrap();
        assert_eq!((read.name, read.addr.as_deref(), read.port), (None, Some("192.0.2.1"), None));
        for bad in ["", "NAME", "COLOUR=red", "PORT=http", "PORT=99999", "NAME=a+0Db"] {
            assert!(Xforward::parse(bad).is_err(), "{bad}");
        }
    }
}
