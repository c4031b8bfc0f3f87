//! DKIM (RFC 6376, RFC 8301, RFC 8463), signature by signature.

use super::Checker;
use crate::body;
use crate::dns::{self, Watch};
use crate::results::{Dkim, DkimReason, DkimResult};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Algorithm, CryptoError};
use mail_auth::common::headers::Writable;
use mail_auth::dkim::{Canonicalization, DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DnsError, Error, Parameters};
use tokio::time::{Instant, timeout_at};

/// What was found.
pub(super) struct Found<'m> {
    pub(super) found: Vec<Dkim>,
    /// The library's outputs that DMARC may rely on.
    pub(super) outputs: Vec<DkimOutput<'m>>,
}

/// Two things that the library hashes otherwise than RFC 6376: `l=` counts
/// octets after canonicalisation (section 3.4.5), the library cuts the body
/// before it; and lines of white space at the end are nothing under relaxed
/// canonicalisation (section 3.4.4). Such hashes are made here.
pub(super) fn mend_body_hashes(message: &mut AuthenticatedMessage<'_>) {
    let body = message.raw_message.get(message.body_offset as usize..).unwrap_or_default();
    let ends_in_white_line = body::relaxed(body).len() + 2 < body.len();
    for (canonicalization, algorithm, length, hash) in &mut message.body_hashes {
        if *length == 0 {
            if *canonicalization == Canonicalization::Relaxed && ends_in_white_line {
                let canonical = canonicalization.canonical_body(body::relaxed(body), 0);
                *hash = algorithm.hash(canonical).as_ref().to_vec();
            }
            continue;
        }
        // A length beyond the end of the body makes the signature invalid.
        let canonical = canonical(*canonicalization, body);
        *hash = usize::try_from(*length)
            .ok()
            .and_then(|length| canonical.get(..length))
            .map(|covered| algorithm.hash(covered).as_ref().to_vec())
            .unwrap_or_default();
    }
}

fn canonical(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
    let body = match canonicalization {
        Canonicalization::Relaxed => body::relaxed(body),
        Canonicalization::Simple => body,
    };
    let mut canonical = Vec::with_capacity(body.len() + 2);
    canonicalization.canonical_body(body, 0).write(&mut canonical);
    canonical
}

pub(super) async fn check<'m>(
    checker: &Checker,
    message: Option<&'m AuthenticatedMessage<'m>>,
    watch: &'m Watch,
    deadline: Instant,
) -> Found<'m> {
    let mut all = Found { found: Vec::new(), outputs: Vec::new() };
    let Some(message) = message else { return all };
    // Fields that are no signatures. The library tells of some of them only.
    let broken =
        message.errors.iter().filter(|field| field.name.eq_ignore_ascii_case(b"dkim-signature"));
    all.found.extend(broken.map(|field| {
        describe(&Signature::default(), DkimResult::Neutral, Some(reason_of(&field.header)))
    }));
    if message.dkim_headers.is_empty() {
        return all;
    }
    let parameters = Parameters::new(message).with_txt_cache(watch);
    let Ok(outputs) = timeout_at(deadline, checker.library.verify_dkim(parameters)).await else {
        let unknown = |s: &Signature| describe(s, DkimResult::TempError, Some(DkimReason::Dns));
        all.found.extend(message.dkim_headers.iter().map(|header| unknown(&header.header)));
        let error = || Error::Dns(DnsError::Resolver("time is up".to_owned()));
        all.outputs = message
            .dkim_headers
            .iter()
            .map(|header| DkimOutput::temp_err(error()).with_signature(&header.header))
            .collect();
        return all;
    };
    for output in outputs {
        let Some(signature) = output.signature() else { continue };
        let (result, reason, testing) =
            judge(checker, message, signature, output.result(), deadline).await;
        all.found.push(Dkim { testing, ..describe(signature, result, reason) });
        let passes = matches!(output.result(), mail_auth::DkimResult::Pass);
        if !passes || result == DkimResult::Pass {
            all.outputs.push(output);
        }
    }
    all
}

/// The library's result, and what it does not look at.
async fn judge(
    checker: &Checker,
    message: &AuthenticatedMessage<'_>,
    signature: &Signature,
    result: &mail_auth::DkimResult,
    deadline: Instant,
) -> (DkimResult, Option<DkimReason>, bool) {
    // Section 3.5: without a version it is no signature.
    if signature.v != 1 {
        return (DkimResult::Neutral, Some(DkimReason::Syntax), false);
    }
    if !signature.h.iter().any(|name| name.eq_ignore_ascii_case("from")) {
        return (DkimResult::PermError, Some(DkimReason::FromNotSigned), false);
    }
    if signature.a == Algorithm::RsaSha1 {
        return (DkimResult::PermError, Some(DkimReason::Algorithm), false);
    }
    let name = format!("{}._domainkey.{}", signature.s, signature.d);
    let asked = timeout_at(deadline, dns::texts(&checker.resolver, &name)).await;
    let key = asked.ok().and_then(Result::ok).and_then(|texts| texts.into_iter().next());
    let key = KeyRecord::of(&key.unwrap_or_default());
    match result {
        mail_auth::DkimResult::Pass if !key.for_mail => {
            (DkimResult::PermError, Some(DkimReason::BadKey), key.testing)
        }
        mail_auth::DkimResult::Pass if signature.l > 0 && leaves_tail(message, signature) => {
            (DkimResult::Policy, Some(DkimReason::UnsignedTail), key.testing)
        }
        mail_auth::DkimResult::Pass => (DkimResult::Pass, None, key.testing),
        mail_auth::DkimResult::None => (DkimResult::None, None, false),
        other => {
            let reason = reason(other).unwrap_or(DkimReason::Syntax);
            (result_for(reason), Some(reason), key.testing)
        }
    }
}

/// Whether the body goes on behind what `l=` covers.
fn leaves_tail(message: &AuthenticatedMessage<'_>, signature: &Signature) -> bool {
    let whole = canonical(signature.cb, message.raw_body()).len();
    usize::try_from(signature.l).map_or(true, |length| length < whole)
}

/// The tags of a key record that say what it may be used for (RFC 6376 section
/// 3.6.1).
struct KeyRecord {
    /// `s=` has `email` or `*`, and `h=` has `sha256`, if they are there.
    for_mail: bool,
    testing: bool,
}

impl KeyRecord {
    fn of(record: &[u8]) -> Self {
        let text = String::from_utf8_lossy(record);
        let mut key = Self { for_mail: true, testing: false };
        for (tag, value) in text.split(';').filter_map(|part| part.split_once('=')) {
            let has = |word: &str| value.split(':').any(|one| one.trim() == word);
            match tag.trim() {
                "s" => key.for_mail &= has("*") || has("email"),
                "h" => key.for_mail &= has("sha256"),
                "t" => key.testing = has("y"),
                _ => {}
            }
        }
        key
    }
}

fn describe(signature: &Signature, result: DkimResult, reason: Option<DkimReason>) -> Dkim {
    Dkim {
        domain: super::a_labels(&signature.d),
        selector: signature.s.clone(),
        identity: signature.i.clone(),
        algorithm: match signature.a {
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::RsaSha1 => "rsa-sha1",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
        },
        signature: STANDARD.encode(signature.b.get(..6).unwrap_or_default()),
        result,
        reason,
        testing: false,
    }
}

fn reason(result: &mail_auth::DkimResult) -> Option<DkimReason> {
    use mail_auth::DkimResult as Theirs;
    match result {
        Theirs::Pass | Theirs::None => None,
        Theirs::Neutral(error)
        | Theirs::Fail(error)
        | Theirs::PermError(error)
        | Theirs::TempError(error) => Some(reason_of(error)),
    }
}

fn reason_of(error: &Error) -> DkimReason {
    match error {
        Error::Dkim(DkimError::FailedBodyHashMatch) => DkimReason::BodyHash,
        Error::Dkim(DkimError::FailedAuidMatch) => DkimReason::Identity,
        Error::Dkim(DkimError::RevokedPublicKey) => DkimReason::Revoked,
        Error::Dkim(DkimError::SignatureExpired) => DkimReason::Expired,
        Error::Dkim(DkimError::SignatureLength) => DkimReason::UnsignedTail,
        Error::Dkim(DkimError::UnsupportedAlgorithm) => DkimReason::Algorithm,
        Error::Dkim(DkimError::UnsupportedKeyType)
        | Error::Crypto(CryptoError::IncompatibleAlgorithms | CryptoError::Library(_))
        | Error::Dns(DnsError::InvalidRecordType) => DkimReason::BadKey,
        Error::Crypto(CryptoError::FailedVerification) => DkimReason::Signature,
        Error::Dns(DnsError::RecordNotFound(_)) => DkimReason::NoKey,
        Error::Dns(DnsError::Resolver(_)) => DkimReason::Dns,
        _ => DkimReason::Syntax,
    }
}

/// RFC 8601 section 2.7.1.
fn result_for(reason: DkimReason) -> DkimResult {
    match reason {
        DkimReason::BodyHash | DkimReason::Signature | DkimReason::Expired => DkimResult::Fail,
        DkimReason::UnsignedTail => DkimResult::Policy,
        DkimReason::Dns => DkimResult::TempError,
        DkimReason::Syntax => DkimResult::Neutral,
        DkimReason::NoKey
        | DkimReason::Revoked
        | DkimReason::BadKey
        | DkimReason::Algorithm
        | DkimReason::Identity
        | DkimReason::FromNotSigned => DkimResult::PermError,
    }
}
