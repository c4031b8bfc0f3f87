//! SPF (RFC 7208) of both identities.

use super::spf_syntax::is_well_formed;
use super::{Arrival, Checker};
use crate::dns::{self, Watch};
use crate::limits;
use crate::results::{Spf, SpfResult};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{Parameters, SpfOutput};
use tokio::time::{Instant, timeout_at};

/// The HELO identity (section 2.3).
pub(super) async fn helo(checker: &Checker, arrival: &Arrival<'_>, deadline: Instant) -> Spf {
    let domain = arrival.helo.trim_end_matches('.').to_ascii_lowercase();
    // An address literal or a single label has no record (section 2.3).
    if !domain.contains('.') || domain.starts_with('[') {
        return Spf { domain, result: SpfResult::None, explanation: None };
    }
    let parameters = SpfParameters::verify_ehlo(arrival.ip, &domain, &checker.host);
    evaluate(checker, arrival, &domain, parameters, deadline).await
}

/// The MAIL FROM identity (section 2.4): `postmaster@helo` for the null path.
pub(super) async fn mail_from(checker: &Checker, arrival: &Arrival<'_>, deadline: Instant) -> Spf {
    let helo = arrival.helo.trim_end_matches('.').to_ascii_lowercase();
    let sender = match arrival.reverse_path.rsplit_once('@') {
        Some(("", domain)) => format!("postmaster@{}", super::a_labels(domain)),
        Some((local, domain)) => format!("{local}@{}", super::a_labels(domain)),
        None => format!("postmaster@{helo}"),
    };
    let domain = sender.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    if !domain.contains('.') || domain.starts_with('[') {
        return Spf { domain, result: SpfResult::None, explanation: None };
    }
    let parameters = SpfParameters::verify_mail_from(arrival.ip, &helo, &checker.host, &sender);
    evaluate(checker, arrival, &domain, parameters, deadline).await
}

async fn evaluate(
    checker: &Checker,
    arrival: &Arrival<'_>,
    domain: &str,
    parameters: SpfParameters<'_>,
    deadline: Instant,
) -> Spf {
    let watch = Watch::new(arrival.ip);
    let parameters = Parameters::new(parameters)
        .with_txt_cache(&watch)
        .with_mx_cache(&watch)
        .with_ptr_cache(&watch)
        .with_ipv4_cache(&watch)
        .with_ipv6_cache(&watch);
    let whole = async {
        let output = checker.library.verify_spf(parameters).await;
        let result = judge(checker, &output, &watch).await;
        (output, result)
    };
    match timeout_at(deadline, whole).await {
        Ok((output, result)) => Spf {
            domain: domain.to_owned(),
            result,
            explanation: (result == SpfResult::Fail)
                .then(|| output.explanation().and_then(printable))
                .flatten(),
        },
        Err(_) => {
            Spf { domain: domain.to_owned(), result: SpfResult::TempError, explanation: None }
        }
    }
}

/// What the library does not look at: several records at one name (section
/// 4.5), records that are not well-formed (section 4.6), lookups without an
/// answer (section 4.6.4), and our own bound.
async fn judge(checker: &Checker, output: &SpfOutput, watch: &Watch) -> SpfResult {
    if watch.over_limit() || watch.void_lookups() > limits::MAX_VOID_LOOKUPS {
        return SpfResult::PermError;
    }
    for name in watch.names_with_text() {
        // From the resolver's cache, where the library has just put it.
        let texts = dns::texts(&checker.resolver, &name).await.unwrap_or_default();
        let mut records = texts.iter().filter(|text| is_spf(text));
        let first = records.next();
        if records.next().is_some() || first.is_some_and(|record| !is_well_formed(record)) {
            return SpfResult::PermError;
        }
    }
    match output.result() {
        // Text that is no SPF record at all: the library calls that an error.
        mail_auth::SpfResult::PermError if !has_record(checker, output.domain()).await => {
            SpfResult::None
        }
        other => from(other),
    }
}

/// Whether the name has an SPF record, well-formed or not. If the DNS does not
/// answer the question, the library's judgement stands.
async fn has_record(checker: &Checker, domain: &str) -> bool {
    match dns::texts(&checker.resolver, domain).await {
        Ok(texts) => texts.iter().any(|text| is_spf(text)),
        Err(dns::NoText::Absent) => false,
        Err(dns::NoText::Unanswered) => true,
    }
}

/// RFC 7208 section 4.5: the version, then a space or the end.
fn is_spf(text: &[u8]) -> bool {
    let version = text.get(..6).unwrap_or_default();
    version.eq_ignore_ascii_case(b"v=spf1") && matches!(text.get(6), None | Some(b' '))
}

fn from(result: mail_auth::SpfResult) -> SpfResult {
    match result {
        mail_auth::SpfResult::Pass => SpfResult::Pass,
        mail_auth::SpfResult::Fail => SpfResult::Fail,
        mail_auth::SpfResult::SoftFail => SpfResult::SoftFail,
        mail_auth::SpfResult::Neutral => SpfResult::Neutral,
        mail_auth::SpfResult::TempError => SpfResult::TempError,
        mail_auth::SpfResult::PermError => SpfResult::PermError,
        mail_auth::SpfResult::None => SpfResult::None,
    }
}

/// The library's type for a result of ours.
pub(super) fn output(spf: &Spf) -> SpfOutput {
    SpfOutput::new(spf.domain.clone()).with_result(match spf.result {
        SpfResult::None => mail_auth::SpfResult::None,
        SpfResult::Neutral => mail_auth::SpfResult::Neutral,
        SpfResult::Pass => mail_auth::SpfResult::Pass,
        SpfResult::Fail => mail_auth::SpfResult::Fail,
        SpfResult::SoftFail => mail_auth::SpfResult::SoftFail,
        SpfResult::TempError => mail_auth::SpfResult::TempError,
        SpfResult::PermError => mail_auth::SpfResult::PermError,
    })
}

/// Section 6.2: the explanation comes from outside, and only US-ASCII may be shown.
fn printable(text: &str) -> Option<String> {
    let kept: String =
        text.chars().filter(|c| matches!(c, ' '..='~')).take(limits::MAX_EXPLANATION).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}
