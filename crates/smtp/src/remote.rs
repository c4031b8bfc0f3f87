//! How a connector passes a remote host's words on to the core.
//!
//! An LMTP reply that came from a remote host has a first line
//! `remote-mta: dns; host.name [192.0.2.1]` (RFC 3464 section 2.3.5 as the
//! core puts it into reports), with `; no-dsn` behind it if that host takes no
//! DSN parameters, so that the core reports `relayed` itself (RFC 3461 section
//! 5.2.2). The following lines are the host's own words; code and enhanced
//! status are the host's too. A reply without that line is the connector's own.

use crate::reply::Reply;
use concord_base::EnhancedStatus;

/// What a remote host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAnswer {
    /// The host as reports name it: `mx.example.org [192.0.2.1]`.
    pub host: String,
    /// Whether it offers DSN; if not, reports of success are the sender's own
    /// system's task.
    pub dsn: bool,
    /// Its words.
    pub reply: Reply,
}

const PREFIX: &str = "remote-mta: dns; ";
const NO_DSN: &str = "; no-dsn";

impl RemoteAnswer {
    /// The reply that goes to the core.
    pub fn to_reply(&self) -> Reply {
        let flag = if self.dsn { "" } else { NO_DSN };
        let host: String =
            self.host.chars().filter(|c| !c.is_control() && *c != ';').take(300).collect();
        Reply {
            code: self.reply.code,
            status: Some(self.reply.status_or_generic()),
            text: format!("{PREFIX}{host}{flag}\n{}", self.reply.text).into(),
        }
    }

    /// Reads what [`to_reply`](Self::to_reply) wrote; `None` if the reply is
    /// the connector's own.
    pub fn from_reply(reply: &Reply) -> Option<Self> {
        let (first, words) = reply.text.split_once('\n').unwrap_or((&reply.text, ""));
        let host = first.strip_prefix(PREFIX)?;
        let (host, dsn) = match host.strip_suffix(NO_DSN) {
            Some(host) => (host, false),
            None => (host, true),
        };
        let status: Option<EnhancedStatus> = reply.status;
        let text = words.to_owned().into();
        Some(Self { host: host.to_owned(), dsn, reply: Reply { code: reply.code, status, text } })
    }
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    if let Some(answer) = RemoteAnswer::from_reply(&Reply::plain(550, text)) {
        assert!(RemoteAnswer::from_reply(&answer.to_reply()).is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for dsn in [true, false] {
            let answer = RemoteAnswer {
                host: "mx.example.org [192.0.2.1]".into(),
                dsn,
                reply: Reply::new(550, (5, 1, 1), "no such user\nask postmaster"),
            };
            let wire = answer.to_reply();
            assert!(wire.text.starts_with("remote-mta: dns; mx.example.org [192.0.2.1]"));
            assert_eq!(RemoteAnswer::from_reply(&wire), Some(answer));
        }
        assert_eq!(RemoteAnswer::from_reply(&Reply::new(451, (4, 3, 0), "busy")), None);
    }
}
