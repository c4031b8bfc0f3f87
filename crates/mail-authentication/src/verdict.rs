//! What is done with a message, from what was found and what the administrator
//! wants.

use crate::results::{ArcResult, Author, DmarcPolicy, DmarcResult, Results, SpfResult};
use concord_base::EnhancedStatus;
use serde::{Deserialize, Serialize};

/// What is done about DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcEnforcement {
    /// Nothing: the result is written into the message, and that is all.
    None,
    /// The same, and what would have been done is reported to the domain.
    #[default]
    ReportOnly,
    /// What the domain wants is done.
    Enforce,
}

/// What the administrator wants done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Enforcement {
    /// DMARC.
    pub dmarc: DmarcEnforcement,
    /// Refuse when SPF of the reverse-path fails, without looking at DMARC.
    /// RFC 7489 section 10.1 warns that this breaks forwarded mail whose DKIM
    /// signature is good.
    pub refuse_spf_fail: bool,
    /// Refuse mail without an author, or with authors of several domains, which
    /// would get around DMARC (RFC 9989 section 5.3.1).
    pub refuse_unclear_author: bool,
    /// Answer with a temporary refusal while the DNS does not say whether the
    /// message may be refused. Otherwise it is let in.
    pub defer_unknown: bool,
    /// Domains whose ARC seals are believed: a chain that verifies and whose
    /// last seal is of one of them overrides a failure of DMARC, if its first
    /// results say that DMARC passed there.
    pub trusted_sealers: Vec<String>,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is let in.
    Accept,
    /// It is let in, marked as suspicious: the reason is for the administrator
    /// and for the header.
    Quarantine(String),
    /// It is refused with `550`.
    Refuse(Refusal),
    /// It is refused for now with `451`.
    TempRefuse(Refusal),
}

/// The answer to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `550` or `451`.
    pub code: u16,
    /// The enhanced status (RFC 7372).
    pub status: EnhancedStatus,
    /// One line of printable ASCII, without code and status.
    pub text: String,
}

/// Why a message was treated otherwise than its domain wants (RFC 7489
/// appendix C, `PolicyOverrideType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// A trusted sealer vouches for it.
    TrustedForwarder,
    /// The administrator wants it so.
    LocalPolicy,
}

/// What DMARC came to, for the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Applied {
    /// What was done.
    pub disposition: DmarcPolicy,
    /// Why not what the domain wants.
    pub reason: Option<Override>,
}

impl Results {
    /// What is to be done with the message.
    pub fn verdict(&self, enforcement: &Enforcement) -> Verdict {
        if enforcement.refuse_unclear_author && self.author_domain().is_none() {
            let text = match &self.author {
                Author::Several(_) => "the message has authors of several domains",
                Author::Missing | Author::Domain(_) => "the message has no author",
            };
            return refuse(7, text.to_owned());
        }
        if enforcement.refuse_spf_fail && self.spf.result == SpfResult::Fail {
            let because = self.spf.explanation.as_ref().map(|words| format!(": {words}"));
            return refuse(
                23,
                format!(
                    "{} does not permit {} to send its mail (SPF){}",
                    ascii(&self.spf.domain),
                    self.ip,
                    because.unwrap_or_default()
                ),
            );
        }
        let unknown = enforcement.dmarc == DmarcEnforcement::Enforce
            && self.dmarc.result == DmarcResult::TempError
            || enforcement.refuse_spf_fail && self.spf.result == SpfResult::TempError;
        if unknown && enforcement.defer_unknown {
            let text = "the DNS does not say who may send this message; try again".to_owned();
            let status = EnhancedStatus::new(4, 7, 24);
            return Verdict::TempRefuse(Refusal { code: 451, status, text });
        }
        let domain = ascii(self.author_domain().unwrap_or_default());
        match self.applied(enforcement).disposition {
            DmarcPolicy::None => Verdict::Accept,
            DmarcPolicy::Quarantine => Verdict::Quarantine(format!(
                "neither SPF nor DKIM shows that it is of {domain}, which wants such mail quarantined"
            )),
            DmarcPolicy::Reject => refuse(
                26,
                format!(
                    "neither SPF nor DKIM shows that it is of {domain}, which wants such mail refused (DMARC)"
                ),
            ),
        }
    }

    /// What DMARC comes to under this enforcement.
    pub fn applied(&self, enforcement: &Enforcement) -> Applied {
        let wanted = self.dmarc.policy;
        if self.dmarc.result != DmarcResult::Fail || wanted == DmarcPolicy::None {
            return Applied { disposition: DmarcPolicy::None, reason: None };
        }
        let spared = |reason| Applied { disposition: DmarcPolicy::None, reason: Some(reason) };
        if self.vouched(&enforcement.trusted_sealers) {
            return spared(Override::TrustedForwarder);
        }
        match enforcement.dmarc {
            DmarcEnforcement::None | DmarcEnforcement::ReportOnly => spared(Override::LocalPolicy),
            DmarcEnforcement::Enforce => Applied { disposition: wanted, reason: None },
        }
    }

    /// Whether a trusted sealer says that the message was good when the chain
    /// began. Every seal must be of a trusted domain: whoever sealed in between
    /// could have changed the message and said anything (RFC 8617 section 7.2).
    fn vouched(&self, trusted: &[String]) -> bool {
        let is_trusted = |sealer: &str| trusted.iter().any(|one| one.eq_ignore_ascii_case(sealer));
        self.arc.result == ArcResult::Pass
            && !self.arc.sets.is_empty()
            && self.arc.sets.iter().all(|set| is_trusted(&set.sealer))
            && self.arc.sets.first().is_some_and(|set| says_dmarc_passed(&set.results))
    }
}

/// Whether results, on one line, have `dmarc=pass`. Quoted strings and comments
/// do not count: they hold what others wrote.
fn says_dmarc_passed(results: &str) -> bool {
    let mut plain = String::new();
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for c in results.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 && !quoted => plain.push(c),
            _ => {}
        }
    }
    plain.split(';').any(|part| {
        part.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("dmarc=pass"))
    })
}

fn refuse(detail: u16, text: String) -> Verdict {
    Verdict::Refuse(Refusal { code: 550, status: EnhancedStatus::new(5, 7, detail), text })
}

fn ascii(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '!'..='~')).take(255).collect()
}
