//! The certificate.

use super::services::free;
use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::manifest::WEB;
use crate::step::Step;
use crate::verb::remove_all::stamp;
use concord_acme::AcmeState;
use concord_settings::Settings;
use concord_tls::CertificateFiles;
use std::time::Duration;

/// A renewal that has not come by then needs somebody.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// Where the certificate in use comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Given,
    Ordered,
    SelfMade,
}

impl Source {
    fn advice(self) -> &'static str {
        match self {
            Self::Given => "put a good one there; it is read again without a restart",
            Self::Ordered => {
                "run 'concord certificate renew --force'; 'concord certificate show' has the last \
                 failure"
            }
            Self::SelfMade => "restart: the self-made certificate is made anew at the start",
        }
    }
}

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let Ok(settings) = &case.survey.settings else { return Ok(Vec::new()) };
    let mut findings = in_use(case, settings);
    findings.extend(not_renewed(case, settings));
    Ok(findings)
}

fn in_use(case: &Case<'_>, settings: &Settings) -> Vec<Finding> {
    let directory = case.host.layout.root().tls();
    let ordered = concord_tls::ordered_files(&directory);
    let (files, from) = match (&settings.tls.certificate, &settings.tls.key) {
        (Some(certificate), Some(key)) => {
            (CertificateFiles { certificate: certificate.clone(), key: key.clone() }, Source::Given)
        }
        _ if settings.acme.is_on() && ordered.certificate.exists() => (ordered, Source::Ordered),
        _ => (concord_tls::self_made_files(&directory), Source::SelfMade),
    };
    // The self-made one is made at the first start.
    if from == Source::SelfMade && !files.certificate.exists() {
        return Vec::new();
    }
    let found = |code, seen: String| Finding {
        code,
        place: files.certificate.display().to_string(),
        seen,
        mend: Mend::Advice(from.advice().to_owned()),
    };
    let facts = match concord_tls::facts(&files) {
        Ok(facts) => facts,
        Err(error) => {
            let broken = found(&codes::CERTIFICATE_UNUSABLE, error.to_string());
            return vec![match from {
                Source::SelfMade => Finding { mend: make_anew(case, &files), ..broken },
                Source::Given | Source::Ordered => broken,
            }];
        }
    };
    // The next start makes the self-made one anew if it does not fit.
    if from == Source::SelfMade && case.survey.services.is_none() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let now = case.host.now();
    // Ordered ones may live for days only; they are renewed at two thirds.
    let soon = match from {
        Source::Ordered => SOON.min(facts.not_after.since(facts.not_before) / 5),
        Source::Given | Source::SelfMade => SOON,
    };
    if now + soon > facts.not_after {
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
    findings
}

/// Whether somebody orders what `[acme]` wants, and how that goes.
fn not_renewed(case: &Case<'_>, settings: &Settings) -> Option<Finding> {
    let directory = settings.acme.directory.as_ref()?;
    let found = |seen: String, advice: &str| {
        Some(Finding {
            code: &codes::CERTIFICATE_NOT_RENEWED,
            place: directory.clone(),
            seen,
            mend: Mend::Advice(advice.to_owned()),
        })
    };
    let installed = case.survey.known().is_none_or(|known| known.components.contains_key(WEB));
    if !installed {
        let advice = "run 'concord setup add web'";
        return found("the component web is not installed, so nobody orders".to_owned(), advice);
    }
    let state = AcmeState::read(&case.host.layout.root().tls());
    let failed = state.failed.filter(|_| state.failures > 0)?;
    let times = match state.failures {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let next = state.next.map_or_else(|| "the next start".to_owned(), stamp);
    found(
        format!(
            "failed {times}, last at {}: {}; tried again at {next}",
            stamp(failed.at),
            failed.reason
        ),
        "mend what it says, then run 'concord certificate order'",
    )
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
