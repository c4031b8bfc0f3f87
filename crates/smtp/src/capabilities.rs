//! What a server offers: writing and reading EHLO answers.

use crate::reply::Reply;
use crate::xforward::Xforward;
use std::fmt::Write as _;

/// Extensions that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// RFC 2920
    pub pipelining: bool,
    /// RFC 1870
    pub size: bool,
    /// RFC 6152
    pub eight_bit_mime: bool,
    /// RFC 6531
    pub smtputf8: bool,
    /// RFC 3030
    pub chunking: bool,
    /// RFC 2034
    pub enhanced_status_codes: bool,
    /// RFC 3461
    pub dsn: bool,
    /// RFC 3207
    pub starttls: bool,
    /// RFC 4954
    pub auth: bool,
    /// RFC 8689; offered under TLS only (section 2).
    pub requiretls: bool,
    /// Postfix XFORWARD, with at least NAME, ADDR, PROTO and HELO.
    pub xforward: bool,
    /// RFC 1985
    pub etrn: bool,
}

impl Extensions {
    /// Everything of Internet mail that needs neither TLS nor a user database.
    pub const fn standard() -> Self {
        Self {
            pipelining: true,
            size: true,
            eight_bit_mime: true,
            smtputf8: true,
            chunking: true,
            enhanced_status_codes: true,
            dsn: true,
            starttls: false,
            auth: false,
            requiretls: false,
            xforward: false,
            etrn: false,
        }
    }
}

/// An EHLO answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// What the server calls itself.
    pub hostname: String,
    /// What it offers.
    pub extensions: Extensions,
    /// RFC 1870: the largest message it takes, if it says so and it is not 0.
    pub size_limit: Option<u64>,
    /// SASL mechanisms in upper case.
    pub auth: Vec<String>,
}

impl Capabilities {
    /// The EHLO answer that says this.
    pub fn to_reply(&self) -> Reply {
        let e = &self.extensions;
        let mut text = self.hostname.clone();
        let flags = [
            (e.pipelining, "PIPELINING"),
            (e.eight_bit_mime, "8BITMIME"),
            (e.smtputf8, "SMTPUTF8"),
            (e.chunking, "CHUNKING"),
            (e.enhanced_status_codes, "ENHANCEDSTATUSCODES"),
            (e.dsn, "DSN"),
            (e.starttls, "STARTTLS"),
            (e.requiretls, "REQUIRETLS"),
            (e.etrn, "ETRN"),
        ];
        if e.size {
            // Writing to a String cannot fail.
            let _ = match self.size_limit {
                Some(limit) => write!(text, "\nSIZE {limit}"),
                None => write!(text, "\nSIZE"),
            };
        }
        for (_, name) in flags.into_iter().filter(|(on, _)| *on) {
            let _ = write!(text, "\n{name}");
        }
        if e.auth && !self.auth.is_empty() {
            let _ = write!(text, "\nAUTH {}", self.auth.join(" "));
        }
        if e.xforward {
            let _ = write!(text, "\nXFORWARD {}", Xforward::ATTRIBUTES);
        }
        Reply::plain(250, text)
    }

    /// Reads an EHLO (LHLO) answer; lines that are unknown or malformed are
    /// skipped (RFC 5321 section 4.1.1.1).
    pub fn from_reply(reply: &Reply) -> Self {
        let mut lines = reply.lines();
        let greeting = lines.next().unwrap_or_default();
        let mut read = Self {
            hostname: greeting.split_whitespace().next().unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for line in lines {
            read.line(line);
        }
        read
    }

    fn line(&mut self, line: &str) {
        // `AUTH=PLAIN` is what old servers write beside `AUTH PLAIN`.
        let mut words = line.split([' ', '=', '\t']).filter(|w| !w.is_empty());
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        let e = &mut self.extensions;
        match keyword.as_str() {
            "PIPELINING" => e.pipelining = true,
            "8BITMIME" => e.eight_bit_mime = true,
            "SMTPUTF8" => e.smtputf8 = true,
            "CHUNKING" => e.chunking = true,
            "ENHANCEDSTATUSCODES" => e.enhanced_status_codes = true,
            "DSN" => e.dsn = true,
            "STARTTLS" => e.starttls = true,
            "REQUIRETLS" => e.requiretls = true,
            "ETRN" => e.etrn = true,
            "SIZE" => {
                e.size = true;
                let limit = words.next().and_then(|n| n.parse().ok());
                self.size_limit = limit.filter(|n| *n > 0).or(self.size_limit);
            }
            "AUTH" => {
                e.auth = true;
                for mechanism in words.map(str::to_ascii_uppercase) {
                    if !self.auth.contains(&mechanism) {
                        self.auth.push(mechanism);
                    }
                }
            }
            "XFORWARD" => {
                let has: Vec<String> = words.map(str::to_ascii_uppercase).collect();
                let needs = ["NAME", "ADDR", "PROTO", "HELO"];
                e.xforward = needs.iter().all(|n| has.iter().any(|h| h == n));
            }
            _ => {}
        }
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let _ = Capabilities::from_reply(&Reply::plain(250, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_reads_back() {
        let offered = Capabilities {
            hostname: "mail.example.test".into(),
            extensions: Extensions {
                auth: true,
                xforward: true,
                starttls: true,
                etrn: true,
                ..Extensions::standard()
            },
            size_limit: Some(52_428_800),
            auth: vec!["PLAIN".into(), "SCRAM-SHA-256".into()],
        };
        assert_eq!(Capabilities::from_reply(&offered.to_reply()), offered);
    }

    #[test]
    fn odd_answers_are_read_leniently() {
        let reply = Reply::plain(
            250,
            "mx at your service\nsize 0\nAUTH=LOGIN PLAIN\nAUTH plain\nXFORWARD NAME\n\n X\n8BITMIME",
        );
        let read = Capabilities::from_reply(&reply);
        assert_eq!((read.hostname.as_str(), read.size_limit), ("mx", None));
        assert_eq!(read.auth, ["LOGIN", "PLAIN"]);
        assert!(read.extensions.eight_bit_mime && !read.extensions.xforward);
    }
}
