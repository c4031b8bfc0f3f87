//! The trace line (RFC 5321 section 4.4).

use concord_base::Timestamp;
use concord_smtp_tokio::TlsInfo;
use std::fmt::Write as _;
use std::net::IpAddr;

/// What is said of a message's way here.
#[derive(Debug)]
pub(super) struct Trace<'a> {
    pub(super) helo: &'a str,
    /// The client's name by reverse DNS, if it is known.
    pub(super) name: Option<&'a str>,
    pub(super) client: IpAddr,
    pub(super) hostname: &'a str,
    pub(super) protocol: &'a str,
    pub(super) tls: Option<&'a TlsInfo>,
    /// Only if there is one recipient: no recipient learns of another.
    pub(super) recipient: Option<&'a str>,
    pub(super) at: Timestamp,
}

impl Trace<'_> {
    pub(super) fn line(&self) -> String {
        let mut line = format!("Received: from {} (", plain(self.helo));
        // Writing to a String cannot fail.
        if let Some(name) = self.name {
            let _ = write!(line, "{} ", plain(name));
        }
        let _ = match self.client {
            IpAddr::V4(ip) => write!(line, "[{ip}])"),
            IpAddr::V6(ip) => write!(line, "[IPv6:{ip}])"),
        };
        let _ = write!(line, "\r\n\tby {} (Concord) with {}", self.hostname, self.protocol);
        if let Some(tls) = self.tls {
            let _ = write!(line, "\r\n\t({} {})", plain(&tls.version), plain(&tls.cipher));
        }
        if let Some(recipient) = self.recipient {
            let _ = write!(line, "\r\n\tfor {recipient}");
        }
        let _ = write!(line, ";\r\n\t{}\r\n", concord_message::date::rfc5322(self.at));
        line
    }
}

/// The registered word (RFC 3848, RFC 6531 section 4.3).
pub(super) const fn protocol(
    extended: bool,
    utf8: bool,
    tls: bool,
    authenticated: bool,
) -> &'static str {
    match (extended, utf8, tls, authenticated) {
        (false, ..) => "SMTP",
        (true, false, false, false) => "ESMTP",
        (true, false, true, false) => "ESMTPS",
        (true, false, false, true) => "ESMTPA",
        (true, false, true, true) => "ESMTPSA",
        (true, true, false, false) => "UTF8SMTP",
        (true, true, true, false) => "UTF8SMTPS",
        (true, true, false, true) => "UTF8SMTPA",
        (true, true, true, true) => "UTF8SMTPSA",
    }
}

/// What a client says of itself must not break the line's grammar.
fn plain(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    name.chars().map(|c| if fits(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_is_known() {
        let tls = TlsInfo { version: "TLSv1.3".into(), cipher: "TLS13_AES_256_GCM_SHA384".into() };
        let mut trace = Trace {
            helo: "client(x)\"",
            name: Some("c.example.test"),
            client: IpAddr::from([192, 0, 2, 1]),
            hostname: "mail.example.test",
            protocol: protocol(true, false, true, false),
            tls: Some(&tls),
            recipient: Some("<a@example.test>"),
            at: Timestamp::from_seconds(1_234_567_890),
        };
        assert_eq!(
            trace.line(),
            "Received: from client?x?? (c.example.test [192.0.2.1])\r\n\
             \tby mail.example.test (Concord) with ESMTPS\r\n\
             \t(TLSv1.3 TLS13_AES_256_GCM_SHA384)\r\n\
             \tfor <a@example.test>;\r\n\
             \tFri, 13 Feb 2009 23:31:30 +0000\r\n"
        );
        trace.client = "2001:db8::1".parse().unwrap();
        (trace.name, trace.tls, trace.recipient) = (None, None, None);
        trace.protocol = protocol(true, true, false, true);
        assert_eq!(
            trace.line(),
            "Received: from client?x?? ([IPv6:2001:db8::1])\r\n\
             \tby mail.example.test (Concord) with UTF8SMTPA;\r\n\
             \tFri, 13 Feb 2009 23:31:30 +0000\r\n"
        );
    }
}
