//! Why a connection of a proxy is closed.

use concord_base::{Fault, Retry};
use std::time::Duration;

/// Why it is not known who the client behind a proxy is. The connection is of
/// no use then.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Nothing came at all: what probes do that only try whether a port is open.
    #[error("the proxy closed the connection without a word")]
    Unused,
    /// The connection ended within the header.
    #[error("the proxy closed the connection within its header")]
    CutOff,
    /// The header was not complete in time.
    #[error("no complete header came within {} s; the proxy must send one (send-proxy)", within.as_secs())]
    Late {
        /// The time that there was.
        within: Duration,
    },
    /// The connection begins with something else.
    #[error("the connection does not begin with a header; the proxy must send one (send-proxy)")]
    NoHeader,
    /// The header is longer than any that we take.
    #[error("the header is longer than {most} octets")]
    TooLong {
        /// Octets that are allowed.
        most: usize,
    },
    /// A line of version 1 that is wrong (section 2.1).
    #[error("the header (version 1) is wrong: '{line}'")]
    Line {
        /// The line, what is not printable escaped.
        line: String,
    },
    /// A block of version 2 that is wrong (section 2.2).
    #[error("the header (version 2) is wrong: its version, command, family or lengths")]
    Block,
    /// The checksum does not fit (section 2.2.3).
    #[error("the header's checksum is wrong: it was changed on its way")]
    Checksum,
    /// The header is about UDP.
    #[error("the header is about datagrams, and this is a connection")]
    Datagrams,
    /// Too many connections of proxies wait for their header.
    #[error("{most} other connections of proxies wait for their header")]
    TooMany {
        /// Connections that may wait.
        most: usize,
    },
    /// The connection broke.
    #[error("the connection broke within the header: {0}")]
    Broken(std::io::Error),
}

impl Fault for ProxyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unused => "proxy.unused",
            Self::CutOff => "proxy.cut-off",
            Self::Late { .. } => "proxy.late",
            Self::NoHeader => "proxy.no-header",
            Self::TooLong { .. } => "proxy.too-long",
            Self::Line { .. } => "proxy.wrong-line",
            Self::Block => "proxy.wrong-block",
            Self::Checksum => "proxy.checksum",
            Self::Datagrams => "proxy.datagrams",
            Self::TooMany { .. } => "proxy.too-many",
            Self::Broken(_) => "proxy.broken",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unused | Self::CutOff | Self::Checksum | Self::TooMany { .. } => Retry::Temporary,
            Self::Broken(_) => Retry::Temporary,
            Self::Late { .. } | Self::NoHeader | Self::TooLong { .. } => Retry::Operator,
            Self::Line { .. } | Self::Block | Self::Datagrams => Retry::Operator,
        }
    }
}
