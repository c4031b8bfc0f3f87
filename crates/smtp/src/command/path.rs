//! Reverse-paths and forward-paths (RFC 5321 section 4.1.2).

use crate::limits::MAX_PATH;
use concord_address::SmtpAddress;
use std::fmt;

/// The reverse-path: `<>` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ReversePath(pub Option<SmtpAddress>);

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(address) => write!(f, "<{address}>"),
            None => f.write_str("<>"),
        }
    }
}

/// The forward-path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<postmaster>`, which every server must take (RFC 5321 section 4.5.1).
    Postmaster,
    /// `<local-part@domain>`
    Mailbox(SmtpAddress),
}

impl ForwardPath {
    /// The address, if it is not `<postmaster>`.
    pub const fn address(&self) -> Option<&SmtpAddress> {
        match self {
            Self::Postmaster => None,
            Self::Mailbox(address) => Some(address),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<postmaster>"),
            Self::Mailbox(address) => write!(f, "<{address}>"),
        }
    }
}

/// Cuts `FROM:<path> parameters` or `TO:<path> parameters` into path and
/// parameters; `None` if it has not that form.
pub(super) fn split<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let head = rest.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    // A space after the colon is against the grammar, yet common.
    let path = rest.get(keyword.len()..)?.trim_start_matches(' ').strip_prefix('<')?;
    let end = closing_bracket(path)?;
    let params = path.get(end.saturating_add(1)..)?;
    if !params.is_empty() && !params.starts_with(' ') {
        return None;
    }
    Some((without_route(path.get(..end)?), params))
}

/// Where the `>` stands that is not inside quotes.
fn closing_bracket(path: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in path.bytes().enumerate().take(MAX_PATH) {
        match c {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            b'<' if !quoted => return None,
            _ => {}
        }
    }
    None
}

/// RFC 5321 appendix C: a source route must be taken, and should be ignored.
fn without_route(path: &str) -> &str {
    match path.split_once(':') {
        Some((route, mailbox)) if route.starts_with('@') && !route.contains('"') => mailbox,
        _ => path,
    }
}
