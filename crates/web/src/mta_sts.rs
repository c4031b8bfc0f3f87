//! The MTA-STS policy (RFC 8461 section 3.2).

use std::fmt::Write;
use std::time::Duration;

/// What a sender does with a host that does not fit (RFC 8461 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The policy is taken back.
    None,
    /// It is reported only.
    Testing,
    /// Nothing is sent there.
    Enforce,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its mode.
    pub mode: Mode,
    /// Hosts of the MX records; `*.` stands for one label.
    pub hosts: Vec<String>,
    /// How long it is kept.
    pub max_age: Duration,
}

impl Policy {
    /// The file's text.
    pub fn to_text(&self) -> String {
        let mode = match self.mode {
            Mode::None => "none",
            Mode::Testing => "testing",
            Mode::Enforce => "enforce",
        };
        let mut text = format!("version: STSv1\r\nmode: {mode}\r\n");
        for host in &self.hosts {
            let _ = write!(text, "mx: {host}\r\n");
        }
        let _ = write!(text, "max_age: {}\r\n", self.max_age.as_secs());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_the_standard_shows_it() {
        let policy = Policy {
            mode: Mode::Enforce,
            hosts: vec!["mail.example.com".into(), "*.example.net".into()],
            max_age: Duration::from_secs(604_800),
        };
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n\
                    mx: *.example.net\r\nmax_age: 604800\r\n";
        assert_eq!(policy.to_text(), text);
    }
}
