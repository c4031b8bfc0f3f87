//! The world against what is wanted.

mod host;
mod mail;
mod text;

use crate::facts::{Facts, is_public};
use crate::record::{Data, Record};
use crate::wanted::{Need, Purpose, Wanted, wanted};
use crate::world::{Answer, World};
use futures_util::stream::{self, StreamExt};

/// Questions under way at once: a name server that is silent costs its time
/// once, and one that answers is not flooded.
const AT_ONCE: usize = 16;

/// How a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It is not there.
    Missing,
    /// What is there says something else.
    Wrong,
    /// It works, and somebody should look at it.
    Warning,
    /// No name server said.
    Unanswered,
}

impl State {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Warning => "warning",
            Self::Unanswered => "unanswered",
        }
    }
}

/// How bad that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is wrong.
    Fine,
    /// Something could be better, or should be looked at.
    Warning,
    /// Mail does not come, or is refused or taken for a forgery; or nobody can
    /// say whether it is.
    Trouble,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What the record is for.
    pub purpose: Purpose,
    /// The mail domain; none for the host.
    pub domain: Option<String>,
    /// Where was looked.
    pub name: String,
    /// How it is.
    pub state: State,
    /// How bad that is.
    pub severity: Severity,
    /// What is there, as behind the type in a zone file.
    pub seen: Vec<String>,
    /// What is wrong, or what is to be known; may be empty.
    pub what: String,
    /// The record to set.
    pub set: Option<Record>,
}

impl Finding {
    /// A finding that is about no wanted record.
    fn beside(
        purpose: Purpose,
        domain: Option<&str>,
        name: &str,
        (state, severity): (State, Severity),
        what: impl Into<String>,
    ) -> Self {
        Self {
            purpose,
            domain: domain.map(str::to_owned),
            name: name.to_owned(),
            state,
            severity,
            seen: Vec::new(),
            what: what.into(),
            set: None,
        }
    }

    fn of(wanted: &Wanted, judgement: Judgement, seen: &[Data]) -> Self {
        let Judgement { state, severity, what } = judgement;
        Self {
            purpose: wanted.purpose,
            domain: wanted.domain.clone(),
            name: wanted.record.name.clone(),
            state,
            severity,
            seen: seen.iter().map(ToString::to_string).collect(),
            what,
            set: (state != State::Ok && state != State::Unanswered).then(|| wanted.record.clone()),
        }
    }
}

/// What one record comes to.
struct Judgement {
    state: State,
    severity: Severity,
    what: String,
}

impl Judgement {
    fn ok() -> Self {
        Self { state: State::Ok, severity: Severity::Fine, what: String::new() }
    }

    fn remark(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::ok() }
    }

    fn missing(need: Need) -> Self {
        let severity = match need {
            Need::Optional => Severity::Fine,
            Need::Recommended => Severity::Warning,
            Need::Required => Severity::Trouble,
        };
        Self { state: State::Missing, severity, what: String::new() }
    }

    /// What is there does harm, or does not do what it is needed for.
    fn wrong(what: impl Into<String>) -> Self {
        Self { state: State::Wrong, severity: Severity::Trouble, what: what.into() }
    }

    fn warning(what: impl Into<String>) -> Self {
        Self { state: State::Warning, severity: Severity::Warning, what: what.into() }
    }

    fn unanswered(need: Need, cause: &str) -> Self {
        let severity = match need {
            Need::Required => Severity::Trouble,
            _ => Severity::Warning,
        };
        Self { state: State::Unanswered, severity, what: cause.to_owned() }
    }
}

/// Looks for every record that is wanted, and for what speaks against us
/// beside them. Findings come in the order of [`wanted`], what is beside them
/// at the end. Changes nothing.
pub async fn check(facts: &Facts, world: &World) -> Vec<Finding> {
    let mut facts = facts.clone();
    let mut findings = Vec::new();
    if facts.addresses.iter().all(|address| !is_public(*address)) {
        match host::learn(&facts, world).await {
            Ok(addresses) => facts.addresses = addresses,
            Err(finding) => findings.push(*finding),
        }
    }
    let all = wanted(&facts);
    let judged = all.iter().map(|wanted| judge(wanted, &facts, world));
    findings.extend(stream::iter(judged).buffered(AT_ONCE).collect::<Vec<_>>().await);
    findings.extend(host::beside(&facts, world).await);
    let beside = facts.domains.iter().map(|domain| mail::beside(&facts, world, domain));
    let beside: Vec<Vec<Finding>> = stream::iter(beside).buffered(AT_ONCE).collect().await;
    findings.extend(beside.into_iter().flatten());
    findings
}

/// The worst of some findings.
pub fn verdict(findings: &[Finding]) -> Severity {
    findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Fine)
}

async fn judge(wanted: &Wanted, facts: &Facts, world: &World) -> Finding {
    let record = &wanted.record;
    // Another name may stand for an alias, or addresses of its own.
    if let Data::Alias(target) = &record.data {
        let (judgement, seen) = host::alias(wanted, target, world).await;
        return Finding::of(wanted, judgement, &seen);
    }
    let answer = world.lookup(&record.name, record.data.kind()).await;
    let judgement = match &answer {
        Answer::Unanswered(cause) => Judgement::unanswered(wanted.need, cause),
        Answer::Nothing => Judgement::missing(wanted.need),
        Answer::Records(there) => match wanted.purpose {
            Purpose::HostAddress => host::address(wanted, there),
            Purpose::ReverseName => host::reverse_name(wanted, there, world).await,
            Purpose::Tlsa => host::association(wanted, there, facts),
            Purpose::Exchanger => mail::exchanger(facts, there, world).await,
            Purpose::Spf => text::spf(wanted, there, facts, world).await,
            Purpose::HostSpf => text::host_spf(wanted, there, facts, world).await,
            Purpose::Dkim => text::key(wanted, there, facts),
            Purpose::Dmarc => text::dmarc(wanted, there),
            Purpose::ReportAuthorisation => text::one_of(wanted, there, "v=DMARC1"),
            Purpose::MtaSts => text::one_of(wanted, there, "v=STSv1"),
            Purpose::TlsReporting => text::one_of(wanted, there, "v=TLSRPTv1"),
            Purpose::ClientService | Purpose::Autoconfiguration => {
                mail::client_service(wanted, there)
            }
        },
    };
    let seen: Vec<Data> = match wanted.purpose {
        // Of many texts at a domain only ours are of interest.
        Purpose::Spf | Purpose::HostSpf => text::policies(answer.records()),
        _ => answer.records().to_vec(),
    };
    Finding::of(wanted, judgement, &seen)
}

#[cfg(test)]
mod tests;
