//! `[web]`

use crate::check::{display_name, host_name, mx_pattern};
use crate::schema::{Key, Kind, Section};
use std::time::Duration;

/// `[web]`: what the component web says to mail servers and mail programs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Web {
    /// The MTA-STS policy's mode; none if there is no policy.
    pub mta_sts: Option<MtaStsMode>,
    /// Hosts of the policy; empty means `server.hostname`.
    pub mta_sts_mx: Vec<String>,
    /// How long senders keep the policy.
    pub mta_sts_max_age: Duration,
    /// The service's name for people; the domain if absent.
    pub service_name: Option<String>,
    /// The host that mail programs are told; `server.hostname` if absent.
    pub client_host: Option<String>,
}

/// The mode of an MTA-STS policy (RFC 8461 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MtaStsMode {
    /// There is no policy any more.
    None,
    /// Failures are reported only.
    Testing,
    /// Mail is not sent where the certificate is not good.
    Enforce,
}

impl MtaStsMode {
    const WORDS: &'static [&'static str] = &["off", "none", "testing", "enforce"];

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "testing" => Some(Self::Testing),
            "enforce" => Some(Self::Enforce),
            _ => None,
        }
    }

    /// As the policy writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Testing => "testing",
            Self::Enforce => "enforce",
        }
    }
}

/// RFC 8461 section 3.2 says weeks and more; less than a day protects nobody.
const MIN_AGE: Duration = Duration::from_secs(86_400);
/// RFC 8461 section 3.2: at most 31,557,600 seconds.
const MAX_AGE: Duration = Duration::from_secs(31_557_600);

pub(crate) const SECTION: Section = Section {
    name: "web",
    doc: "What the component web tells other mail servers and mail programs.",
    keys: &[
        Key::new(
            "mta-sts",
            "\"off\"",
            Kind::Choice(MtaStsMode::WORDS, |s, v| s.web.mta_sts = MtaStsMode::from_word(&v)),
            "The MTA-STS policy (RFC 8461) at https://mta-sts.DOMAIN/.well-known/mta-sts.txt. \
             off: there is none. testing: others report what would fail. enforce: they send \
             nothing to hosts whose certificate is not good. none: takes an earlier policy back.",
        ),
        Key::new(
            "mta-sts-mx",
            "[]",
            Kind::Texts(mx_pattern, |s, v| s.web.mta_sts_mx = v),
            "Every host of your MX records, \"*.example.com\" stands for one label. Empty: \
             server.hostname.",
        ),
        Key::new(
            "mta-sts-max-age",
            "\"7 d\"",
            Kind::Duration(MIN_AGE, MAX_AGE, |s, v| s.web.mta_sts_max_age = v),
            "How long others keep the policy.",
        ),
        Key::optional(
            "service-name",
            "\"Example Mail\"",
            Kind::Text(display_name, |s, v| s.web.service_name = Some(v)),
            "The name that mail programs show for the accounts that they set up. Without it the \
             domain.",
        ),
        Key::optional(
            "client-host",
            "\"mail.example.com\"",
            Kind::Text(host_name, |s, v| s.web.client_host = Some(v)),
            "The host that mail programs are told for IMAP, POP3 and submission. Without it \
             server.hostname.",
        ),
    ],
};
