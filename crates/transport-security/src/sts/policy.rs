//! The policy's text (RFC 8461 section 3.2).

use crate::limits::{MAX_AGE, MAX_PATTERNS, MAX_POLICY};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What a sender does with a host that does not follow the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StsMode {
    /// It does not deliver there.
    Enforce,
    /// It delivers, and reports (RFC 8460).
    Testing,
    /// Nothing: the domain has no policy any more.
    None,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsPolicy {
    /// What it asks for.
    pub mode: StsMode,
    /// The hosts that take the domain's mail.
    pub mx: Vec<MxPattern>,
    /// How long it may be kept.
    pub max_age: Duration,
}

/// A host of a policy: a name, or `*.` and the name below which any one label
/// stands (section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxPattern {
    wildcard: bool,
    /// In lower case, without a final dot.
    name: String,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyMistake {
    /// [`MAX_POLICY`]
    #[error("it is longer than {MAX_POLICY} octets")]
    TooLong,
    /// Octets that are no UTF-8.
    #[error("it is no text")]
    NotText,
    /// A line without `name: value`.
    #[error("line {0} is not of the form 'name: value'")]
    Line(usize),
    /// A field that must be there is not.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A field's value is none that it may have.
    #[error("its {0} is none that the standard knows")]
    Value(&'static str),
    /// [`MAX_PATTERNS`]
    #[error("it has more than {MAX_PATTERNS} hosts")]
    TooManyHosts,
}

impl StsPolicy {
    /// Reads a policy. Lines end with LF or CRLF. Fields that are unknown are
    /// passed over; of fields that stand there twice the first counts, except
    /// for `mx` (section 3.2).
    ///
    /// # Errors
    /// [`PolicyMistake`]: a policy with any of them is none at all.
    pub fn parse(octets: &[u8]) -> Result<Self, PolicyMistake> {
        if octets.len() > MAX_POLICY {
            return Err(PolicyMistake::TooLong);
        }
        let text = std::str::from_utf8(octets).map_err(|_| PolicyMistake::NotText)?;
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut mx = Vec::new();
        for (number, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
            if line.is_empty() {
                continue;
            }
            let wrong = PolicyMistake::Line(number.saturating_add(1));
            let (name, value) = field(line).ok_or(wrong)?;
            match name {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if mx.len() >= MAX_PATTERNS => return Err(PolicyMistake::TooManyHosts),
                "mx" => mx.push(MxPattern::parse(value).ok_or(PolicyMistake::Value("mx"))?),
                _ => {}
            }
        }
        if version.ok_or(PolicyMistake::Missing("version"))? != "STSv1" {
            return Err(PolicyMistake::Value("version"));
        }
        let mode = match mode.ok_or(PolicyMistake::Missing("mode"))? {
            "enforce" => StsMode::Enforce,
            "testing" => StsMode::Testing,
            "none" => StsMode::None,
            _ => return Err(PolicyMistake::Value("mode")),
        };
        let seconds = seconds(max_age.ok_or(PolicyMistake::Missing("max_age"))?)
            .ok_or(PolicyMistake::Value("max_age"))?;
        if mx.is_empty() && mode != StsMode::None {
            return Err(PolicyMistake::Missing("mx"));
        }
        Ok(Self { mode, mx, max_age: Duration::from_secs(seconds) })
    }

    /// Whether a host is one of the policy's.
    pub fn names(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| pattern.fits(host))
    }

    /// Its hosts as text.
    pub fn hosts(&self) -> Vec<String> {
        self.mx.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for StsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            StsMode::Enforce => "enforce",
            StsMode::Testing => "testing",
            StsMode::None => "none",
        };
        writeln!(f, "version: STSv1\nmode: {mode}")?;
        for pattern in &self.mx {
            writeln!(f, "mx: {pattern}")?;
        }
        writeln!(f, "max_age: {}", self.max_age.as_secs())
    }
}

/// `sts-policy-field`: a name of letters, digits, `_`, `-` and `.`, a colon,
/// blanks, and printable characters.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let first = name.bytes().next()?;
    let good = first.is_ascii_alphanumeric()
        && name.len() <= 32
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    let value = value.trim_start_matches([' ', '\t']);
    (good && !value.is_empty() && !value.chars().any(char::is_control)).then_some((name, value))
}

/// 1 to 10 digits, at most a year.
fn seconds(value: &str) -> Option<u64> {
    let digits = (1..=10).contains(&value.len()) && value.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| value.parse().ok()).flatten().map(|seconds: u64| seconds.min(MAX_AGE))
}

impl MxPattern {
    fn parse(text: &str) -> Option<Self> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
        };
        let good = name.len() <= 253 && name.split('.').all(label);
        good.then(|| Self { wildcard, name: name.to_ascii_lowercase() })
    }

    /// Whether a host is meant; case and a final dot do not count.
    pub fn fits(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        if !self.wildcard {
            return host.eq_ignore_ascii_case(&self.name);
        }
        host.split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(&self.name))
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 8461 section 3.2
    const EXAMPLE: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\n\
                           mx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n";

    #[test]
    fn the_example_of_the_standard_is_read() {
        for text in [EXAMPLE.to_owned(), EXAMPLE.replace('\n', "\r\n"), EXAMPLE.trim_end().into()] {
            let policy = StsPolicy::parse(text.as_bytes()).unwrap();
            assert_eq!(policy.mode, StsMode::Enforce);
            assert_eq!(policy.max_age, Duration::from_secs(604_800));
            assert_eq!(
                policy.hosts(),
                ["mail.example.com", "*.example.net", "backupmx.example.com"]
            );
            assert_eq!(StsPolicy::parse(policy.to_string().as_bytes()), Ok(policy));
        }
    }

    #[test]
    fn a_wildcard_is_one_label() {
        let policy = StsPolicy::parse(EXAMPLE.as_bytes()).unwrap();
        for (host, named) in [
            ("mail.example.com", true),
            ("MAIL.Example.com.", true),
            ("mx1.example.net", true),
            ("a.mx1.example.net", false),
            ("example.net", false),
            (".example.net", false),
            ("mail.example.com.evil.test", false),
            ("xmail.example.com", false),
        ] {
            assert_eq!(policy.names(host), named, "{host}");
        }
    }

    #[test]
    fn a_policy_with_a_mistake_is_none() {
        let base = "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 60\n";
        for (text, mistake) in [
            (base.replace("version: STSv1\n", ""), PolicyMistake::Missing("version")),
            (base.replace("STSv1", "STSv2"), PolicyMistake::Value("version")),
            (base.replace("mode: enforce\n", ""), PolicyMistake::Missing("mode")),
            (base.replace("enforce", "Enforce"), PolicyMistake::Value("mode")),
            (base.replace("mx: a.test\n", ""), PolicyMistake::Missing("mx")),
            (base.replace("a.test", "a..test"), PolicyMistake::Value("mx")),
            (base.replace("a.test", "mx.*.test"), PolicyMistake::Value("mx")),
            (base.replace("a.test", "*"), PolicyMistake::Value("mx")),
            (base.replace("max_age: 60\n", ""), PolicyMistake::Missing("max_age")),
            (base.replace("60", "-1"), PolicyMistake::Value("max_age")),
            (base.replace("60", "99999999999"), PolicyMistake::Value("max_age")),
            (base.replace("mx: a.test", "<html>"), PolicyMistake::Line(3)),
            (format!("{base}{}", "mx: a.test\n".repeat(256)), PolicyMistake::TooManyHosts),
            ("x".repeat(MAX_POLICY + 1), PolicyMistake::TooLong),
        ] {
            assert_eq!(StsPolicy::parse(text.as_bytes()), Err(mistake), "{text:.60}");
        }
        assert_eq!(StsPolicy::parse(&[0xff]), Err(PolicyMistake::NotText));
    }

    #[test]
    fn the_first_of_two_counts_and_unknown_fields_do_not() {
        let text = "version: STSv1\nmode: none\nmode: enforce\nmax_age: 5000000000\nnew-field: x\n";
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        assert_eq!(policy.mode, StsMode::None);
        assert_eq!(policy.max_age, Duration::from_secs(MAX_AGE));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_reads_back(octets: Vec<u8>, host: String) {
            if let Ok(policy) = StsPolicy::parse(&octets) {
                let _ = policy.names(&host);
                prop_assert_eq!(StsPolicy::parse(policy.to_string().as_bytes()), Ok(policy));
            }
        }

        #[test]
        fn lines_in_any_order_mean_the_same(order in Just(
            EXAMPLE.lines().map(str::to_owned).collect::<Vec<_>>()
        ).prop_shuffle()) {
            let policy = StsPolicy::parse(order.join("\n").as_bytes()).unwrap();
            prop_assert_eq!(policy.mx.len(), 3);
        }
    }
}
