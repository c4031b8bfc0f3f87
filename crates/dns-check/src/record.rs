//! Records, and how zone files write them.

use std::fmt::{self, Write};
use std::net::IpAddr;

/// Octets of one string of a TXT record (RFC 1035 section 3.3.14).
const STRING: usize = 255;

/// The type of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Name of an address.
    Ptr,
    /// Mail exchanger.
    Mx,
    /// Text.
    Txt,
    /// Another name.
    Cname,
    /// Service.
    Srv,
    /// Certificate association.
    Tlsa,
}

impl Kind {
    /// As zone files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Ptr => "PTR",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Cname => "CNAME",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
        }
    }
}

/// What a record says. Names have no final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Data {
    /// An address of either family.
    Address(IpAddr),
    /// PTR.
    Pointer(String),
    /// CNAME.
    Alias(String),
    /// MX.
    Exchanger {
        /// The lowest is the best.
        preference: u16,
        /// The host; empty is none (RFC 7505).
        host: String,
    },
    /// TXT as one text; anything but ASCII is one character an octet (as in
    /// ISO 8859-1).
    Text(String),
    /// SRV (RFC 2782).
    Service {
        /// The lowest is the best.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// Port.
        port: u16,
        /// The host; empty is none.
        target: String,
    },
    /// TLSA (RFC 6698).
    Association {
        /// 3: this very key, whoever issued the certificate.
        usage: u8,
        /// 1: the public key.
        selector: u8,
        /// 1: SHA-256.
        matching: u8,
        /// Lower-case hex.
        data: String,
    },
}

impl Data {
    /// The type of such a record.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Address(IpAddr::V4(_)) => Kind::A,
            Self::Address(IpAddr::V6(_)) => Kind::Aaaa,
            Self::Pointer(_) => Kind::Ptr,
            Self::Alias(_) => Kind::Cname,
            Self::Exchanger { .. } => Kind::Mx,
            Self::Text(_) => Kind::Txt,
            Self::Service { .. } => Kind::Srv,
            Self::Association { .. } => Kind::Tlsa,
        }
    }
}

impl fmt::Display for Data {
    /// As behind the type in a zone file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Pointer(name) | Self::Alias(name) => write!(f, "{name}."),
            Self::Exchanger { preference, host } => write!(f, "{preference} {host}."),
            Self::Text(text) => strings(text, f),
            Self::Service { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {target}.")
            }
            Self::Association { usage, selector, matching, data } => {
                write!(f, "{usage} {selector} {matching} {data}")
            }
        }
    }
}

/// A text in strings of at most 255 octets, several of them in parentheses.
fn strings(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let characters: Vec<char> = text.chars().collect();
    let several = characters.len() > STRING;
    if several {
        f.write_str("( ")?;
    }
    let mut between = "";
    // An empty text is one empty string.
    let chunks = characters.chunks(STRING).chain(characters.is_empty().then_some(&[][..]));
    for chunk in chunks {
        f.write_str(between)?;
        f.write_char('"')?;
        for character in chunk {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => f.write_char(*character)?,
                // RFC 1035 section 5.1: decimal, three digits.
                other => write!(f, "\\{:03}", u32::from(*other) & 0xff)?,
            }
        }
        f.write_char('"')?;
        between = " ";
    }
    if several { f.write_str(" )") } else { Ok(()) }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Where it stands.
    pub name: String,
    /// What it says.
    pub data: Data,
}

impl fmt::Display for Record {
    /// A line of a zone file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. IN {} {}", self.name, self.data.kind().as_str(), self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(name: &str, data: Data) -> String {
        Record { name: name.into(), data }.to_string()
    }

    #[test]
    fn records_are_lines_of_a_zone_file() {
        assert_eq!(
            line("m.a.test", Data::Address("192.0.2.1".parse().unwrap())),
            "m.a.test. IN A 192.0.2.1"
        );
        assert_eq!(
            line("a.test", Data::Exchanger { preference: 10, host: "m.a.test".into() }),
            "a.test. IN MX 10 m.a.test."
        );
        let none = Data::Service { priority: 0, weight: 0, port: 0, target: String::new() };
        assert_eq!(line("_imap._tcp.a.test", none), "_imap._tcp.a.test. IN SRV 0 0 0 .");
        assert_eq!(
            line("a.test", Data::Text("say \"x\\\u{e9}\"".into())),
            "a.test. IN TXT \"say \\\"x\\\\\\233\\\"\""
        );
    }

    proptest! {
        /// What is between the quotes is the text, in strings that the DNS takes.
        #[test]
        fn long_texts_are_split_and_lose_nothing(text in "[a-zA-Z0-9=;+/ ]{0,900}") {
            let shown = Data::Text(text.clone()).to_string();
            let parts: Vec<&str> = shown.split('"').skip(1).step_by(2).collect();
            prop_assert!(parts.iter().all(|part| part.len() <= 255));
            prop_assert_eq!(parts.concat(), text.clone());
            prop_assert_eq!(shown.starts_with('('), text.len() > 255);
        }
    }
}
