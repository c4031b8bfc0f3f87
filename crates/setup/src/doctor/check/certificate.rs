//! The certificate.

use super::services::free;
use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::step::Step;
use crate::verb::remove_all::stamp;
use concord_tls::CertificateFiles;
use std::time::Duration;

/// A renewal that has not come by then needs somebody.
const SOON: Duration = Duration::from_secs(14 * 86_400);

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let Ok(settings) = &case.survey.settings else { return Ok(Vec::new()) };
    let tls = &settings.tls;
    let (files, given) = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            (CertificateFiles { certificate: certificate.clone(), key: key.clone() }, true)
        }
        _ => (concord_tls::self_made_files(&case.host.layout.root().tls()), false),
    };
    // The self-made one is made at the first start.
    if !given && !files.certificate.exists() {
        return Ok(Vec::new());
    }
    let advice = if given {
        "put a good one there; it is read again without a restart"
    } else {
        "restart: the self-made certificate is made anew at the start"
    };
    let found = |code, seen: String| Finding {
        code,
        place: files.certificate.display().to_string(),
        seen,
        mend: Mend::Advice(advice.to_owned()),
    };
    let broken = |seen: String| Finding {
        mend: if given { Mend::Advice(advice.to_owned()) } else { make_anew(case, &files) },
        ..found(&codes::CERTIFICATE_UNUSABLE, seen)
    };
    let facts = match concord_tls::facts(&files) {
        Ok(facts) => facts,
        Err(error) => return Ok(vec![broken(error.to_string())]),
    };
    // The next start makes the self-made one anew if it does not fit.
    if !given && case.survey.services.is_none() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    let now = case.host.now();
    if now + SOON > facts.not_after {
        let word = if now > facts.not_after { "expired" } else { "expires" };
        findings.push(found(
            &codes::CERTIFICATE_EXPIRED,
            format!("it {word} at {}", stamp(facts.not_after)),
        ));
    }
    if now < facts.not_before {
        findings.push(found(
            &codes::CERTIFICATE_EXPIRED,
            format!("it is not valid before {}", stamp(facts.not_before)),
        ));
    }
    if !facts.names_host(&settings.server.hostname) {
        findings.push(found(
            &codes::CERTIFICATE_NAME,
            format!("it names {}, not {}", facts.names.join(", "), settings.server.hostname),
        ));
    }
    Ok(findings)
}

/// The start makes a new one only if there is none.
fn make_anew(case: &Case<'_>, files: &CertificateFiles) -> Mend {
    let to = free(case.host.layout.quarantine().join("tls").join("self-made.pem"));
    Mend::Steps {
        what: format!("move it to {}; the next start makes another", to.display()),
        steps: vec![Step::Move { from: files.certificate.clone(), to }],
        after: Vec::new(),
        loses_nothing: true,
    }
}
