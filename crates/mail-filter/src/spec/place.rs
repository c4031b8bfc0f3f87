//! Where a milter listens.

use std::fmt;
use std::path::PathBuf;

/// A host and port, or a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Place {
    /// `tcp:host:port`, `host:port`, `unix:/path`, `/path`, and Sendmail's
    /// `inet:port@host`, `inet6:port@host`, `local:/path`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Some(Self::Unix(text.into()));
        }
        let (form, rest) = text.split_once(':')?;
        match form {
            "unix" | "local" if rest.starts_with('/') => Some(Self::Unix(rest.into())),
            "unix" | "local" => None,
            "inet" | "inet6" if rest.contains('@') => {
                let (port, host) = rest.split_once('@')?;
                Self::tcp(host, port)
            }
            "tcp" | "inet" | "inet6" => rest.rsplit_once(':').and_then(|(h, p)| Self::tcp(h, p)),
            _ => text.rsplit_once(':').and_then(|(host, port)| Self::tcp(host, port)),
        }
    }

    fn tcp(host: &str, port: &str) -> Option<Self> {
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        (!host.is_empty() && host.chars().all(fits)).then(|| Self::Tcp(host.to_owned(), port))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_in_every_form() {
        for text in ["127.0.0.1:7357", "tcp:127.0.0.1:7357", "inet:7357@127.0.0.1"] {
            assert_eq!(Place::parse(text), Some(Place::Tcp("127.0.0.1".into(), 7357)), "{text}");
        }
        for text in ["[::1]:7357", "inet6:7357@[::1]", "tcp:[::1]:7357"] {
            assert_eq!(Place::parse(text).unwrap().to_string(), "[::1]:7357", "{text}");
        }
        for text in ["/run/m.sock", "unix:/run/m.sock", "local:/run/m.sock"] {
            assert_eq!(Place::parse(text), Some(Place::Unix("/run/m.sock".into())), "{text}");
        }
        for text in ["", "host", "host:", "host:0", "unix:relative", ":25", "ho st:1"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
