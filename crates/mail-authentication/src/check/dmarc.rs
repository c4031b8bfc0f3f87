//! DMARC by the tree walk of RFC 9989, with what RFC 7489 reports about it.

use super::{Arrival, Checker, a_labels, spf};
use crate::dns::{self, NoText, Watch};
use crate::error::AuthenticationError;
use crate::limits;
use crate::results::{Author, Dmarc, DmarcPolicy, DmarcRecord, DmarcResult, Spf};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::dmarc::{Alignment, Policy};
use mail_auth::{AuthenticatedMessage, DkimOutput, DnsError, Error, Parameters, Txt};
use std::collections::HashMap;
use tokio::time::{Instant, timeout_at};

/// What DMARC builds on.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a, 'm> {
    pub(super) arrival: &'a Arrival<'a>,
    pub(super) parsed: Option<&'m AuthenticatedMessage<'m>>,
    pub(super) author: &'a Author,
    pub(super) spf: &'a Spf,
}

const NOTHING: Dmarc = Dmarc {
    result: DmarcResult::None,
    spf_aligned: false,
    dkim_aligned: false,
    policy: DmarcPolicy::None,
    record: None,
};

pub(super) async fn check(
    checker: &Checker,
    basis: Basis<'_, '_>,
    dkim: &[DkimOutput<'_>],
    deadline: Instant,
) -> Dmarc {
    let (Some(message), Author::Domain(author)) = (basis.parsed, basis.author) else {
        return NOTHING;
    };
    match timeout_at(deadline, evaluate(checker, basis, message, author, dkim)).await {
        Ok(dmarc) => dmarc,
        Err(_) => Dmarc { result: DmarcResult::TempError, ..NOTHING },
    }
}

async fn evaluate(
    checker: &Checker,
    basis: Basis<'_, '_>,
    message: &AuthenticatedMessage<'_>,
    author: &str,
    dkim: &[DkimOutput<'_>],
) -> Dmarc {
    let Ok(walk) = walk(checker, author).await else {
        return Dmarc { result: DmarcResult::TempError, ..NOTHING };
    };
    let spf_output = spf::output(basis.spf);
    let watch = Watch::new(basis.arrival.ip).answering(walk.instead);
    let parameters = Parameters::new(DmarcParameters {
        message,
        dkim_output: dkim,
        dkim2_output: None,
        rfc5321_mail_from_domain: &basis.spf.domain,
        spf_output: &spf_output,
    })
    .with_txt_cache(&watch)
    .with_ipv4_cache(&watch);
    let output = checker.library.verify_dmarc(parameters).await;
    let result = match output.result() {
        mail_auth::DmarcResult::Pass => DmarcResult::Pass,
        mail_auth::DmarcResult::Fail(_) => DmarcResult::Fail,
        mail_auth::DmarcResult::TempError(_) => DmarcResult::TempError,
        mail_auth::DmarcResult::PermError(_) => DmarcResult::PermError,
        mail_auth::DmarcResult::None => DmarcResult::None,
    };
    Dmarc {
        result,
        spf_aligned: *output.spf_result() == mail_auth::DmarcResult::Pass,
        dkim_aligned: *output.dkim_result() == mail_auth::DmarcResult::Pass,
        policy: policy(output.policy()),
        record: output.dmarc_record().map(|record| published(record, author, &walk.found)),
    }
}

/// The names of a walk with their one record each, the longest first.
struct Walk {
    found: Vec<(String, Tags)>,
    /// Names with several records count as names without one (RFC 9989 section
    /// 4.7, RFC 7489 section 6.6.3), and so do texts that do not begin with the
    /// version; the library would take the first, and skip space.
    instead: HashMap<Box<str>, Txt>,
}

async fn walk(checker: &Checker, author: &str) -> Result<Walk, NoText> {
    let labels: Vec<&str> = author.split('.').filter(|label| !label.is_empty()).collect();
    let mut walk = Walk { found: Vec::new(), instead: HashMap::new() };
    let mut left = labels.len();
    while left > 0 {
        let name = labels.get(labels.len() - left..).unwrap_or_default().join(".");
        let place = format!("_dmarc.{name}.");
        let texts = match dns::texts(&checker.resolver, &place).await {
            Ok(texts) => texts,
            Err(NoText::Absent) => Vec::new(),
            Err(NoText::Unanswered) => return Err(NoText::Unanswered),
        };
        let mut records = texts.iter().filter_map(|text| Tags::of(text));
        match (records.next(), records.next()) {
            (Some(tags), None) => {
                let last = tags.get("psd").is_some_and(|psd| matches!(psd, "y" | "n"));
                walk.found.push((name, tags));
                if last {
                    break;
                }
            }
            _ => {
                let none = Error::Dns(DnsError::InvalidRecordType);
                let there = !texts.is_empty();
                there.then(|| walk.instead.insert(place.into_boxed_str(), Txt::Error(none)));
            }
        }
        // Eight questions at most: from eight labels on the walk goes to seven
        // (RFC 9989 section 4.10).
        left = if left >= 8 { 7 } else { left - 1 };
    }
    Ok(walk)
}

/// The tags of a record.
struct Tags(Vec<(String, String)>);

impl Tags {
    /// `None` if the text is no DMARC record: the version must come first.
    fn of(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        if !text.starts_with(['v', 'V']) {
            return None;
        }
        let tags: Vec<(String, String)> = text
            .split(';')
            .filter_map(|part| part.split_once('='))
            .map(|(tag, value)| (tag.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let (tag, value) = tags.first()?;
        (tag == "v" && value == "DMARC1").then_some(Self(tags))
    }

    fn get(&self, tag: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == tag).map(|(_, value)| value.as_str())
    }
}

fn published(
    record: &mail_auth::dmarc::Dmarc,
    author: &str,
    walk: &[(String, Tags)],
) -> DmarcRecord {
    // The author's own record, or that of the organisation (RFC 9989 section
    // 4.10.1): the one that says it is, or the last of the walk.
    let own = walk.iter().find(|(name, _)| name == author);
    let says = walk.iter().find(|(_, tags)| tags.get("psd") == Some("n"));
    let place = own.or(says).or(walk.last());
    let tag = |name: &str| place.and_then(|(_, tags)| tags.get(name));
    DmarcRecord {
        domain: place.map_or_else(|| author.to_owned(), |(name, _)| name.clone()),
        p: policy(record.p),
        sp: policy(record.sp),
        np: policy(record.np),
        strict_dkim: record.adkim == Alignment::Strict,
        strict_spf: record.aspf == Alignment::Strict,
        pct: tag("pct").and_then(|pct| pct.parse().ok()).map_or(100, |pct: u8| pct.min(100)),
        testing: record.t,
        fo: tag("fo").filter(|fo| fo.len() <= 16).unwrap_or("0").to_owned(),
        rua: record
            .rua()
            .iter()
            .take(limits::MAX_REPORT_ADDRESSES)
            .map(|uri| (uri.uri().to_owned(), uri.max_size() as u64))
            .collect(),
    }
}

fn policy(policy: Policy) -> DmarcPolicy {
    match policy {
        Policy::None | Policy::Unspecified => DmarcPolicy::None,
        Policy::Quarantine => DmarcPolicy::Quarantine,
        Policy::Reject => DmarcPolicy::Reject,
    }
}

pub(super) async fn report_addresses(
    checker: &Checker,
    domain: &str,
    wanted: &[(String, u64)],
) -> Result<Vec<(String, u64)>, AuthenticationError> {
    let wanted: Vec<(&str, u64)> = wanted
        .iter()
        .take(limits::MAX_REPORT_ADDRESSES)
        .map(|(address, size)| (address.as_str(), *size))
        .filter(|(address, _)| address.contains('@'))
        .collect();
    let addresses: Vec<&str> = wanted.iter().map(|(address, _)| *address).collect();
    let domain = a_labels(domain);
    let none: Option<&Watch> = None;
    let asked = checker.library.verify_dmarc_report_address(&domain, &addresses, none);
    let allowed = tokio::time::timeout(checker.time, asked).await.ok().flatten();
    let allowed = allowed.ok_or_else(|| AuthenticationError::ReportAddress(domain.clone()))?;
    Ok(wanted
        .into_iter()
        .filter(|(address, _)| allowed.iter().any(|one| **one == *address))
        .map(|(address, size)| (address.to_owned(), size))
        .collect())
}
