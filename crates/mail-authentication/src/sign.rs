//! Signing what we send: DKIM (RFC 6376) and ARC (RFC 8617).

use crate::body;
use crate::error::AuthenticationError;
use crate::keys::{KeyAlgorithm, Material};
use crate::results::{ArcResult, Results};
use concord_base::Timestamp;
use mail_auth::arc::{ArcSealer, Set};
use mail_auth::common::crypto::{DkimKey, HashAlgorithm, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::{Header, HeaderStream, HeaderWriter, Writable, Writer};
use mail_auth::dkim::canonicalize::CanonicalHeaders;
use mail_auth::dkim::{Canonicalization, Done, Signature};
use mail_auth::{ArcOutput, AuthenticatedMessage, AuthenticationResults, DkimResult};

/// Signed in every message, and once more than they are there, so that nobody
/// can add another one (RFC 6376 section 8.15).
const ALWAYS: &[&str] = &[
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];
/// Signed where they are. Lists may add their own to messages without.
const IF_THERE: &[&str] = &[
    "Sender",
    "Resent-Date",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Auto-Submitted",
];

/// A key that signs.
struct Active {
    domain: String,
    selector: String,
    algorithm: KeyAlgorithm,
    key: DkimKey,
    /// For seals; RSA only, because few verify others there.
    sealing: Option<RsaKey<Sha256>>,
}

/// Signs messages with all active keys of a domain. Made by
/// [`KeyStore::signer`](crate::KeyStore::signer); blocks for some milliseconds
/// for each signature.
#[derive(Default)]
pub struct Signer {
    keys: Vec<Active>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Signer {
    pub(crate) fn add(
        &mut self,
        domain: &str,
        selector: &str,
        material: &Material,
    ) -> Result<(), String> {
        let sealing = match material.algorithm {
            KeyAlgorithm::Rsa => Some(material.rsa()?),
            KeyAlgorithm::Ed25519 => None,
        };
        self.keys.push(Active {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            algorithm: material.algorithm,
            key: material.signing_key()?,
            sealing,
        });
        // RSA first: of several signatures some verifiers look at one.
        self.keys.sort_by(|a, b| (&a.domain, a.algorithm).cmp(&(&b.domain, b.algorithm)));
        Ok(())
    }

    /// The domains that can sign.
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = self.keys.iter().map(|key| key.domain.as_str()).collect();
        domains.dedup();
        domains
    }

    /// The domain that signs for an author's domain: itself, or the nearest one
    /// above it that has keys, which is aligned as long as DMARC is relaxed.
    pub fn domain_for(&self, author: &str) -> Option<&str> {
        let author = author.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = author.as_str();
        loop {
            if let Some(key) = self.keys.iter().find(|key| key.domain == rest) {
                return Some(&key.domain);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The domain of the message's author, in A-labels. The header is enough.
    pub fn author_domain(header: &[u8]) -> Option<String> {
        author(&AuthenticatedMessage::parse(header)?)
    }

    /// Signs for the domain of the message's author. Gives the fields to put in
    /// front of the message, one for each active key, folded, with their
    /// CRLFs; `None` if no key is the author's. The message must be as it will
    /// be sent: lines end with CRLF, nothing is added to it later but in front.
    ///
    /// # Errors
    /// The message has no `From`, or the library refuses.
    pub fn sign(
        &self,
        message: &[u8],
        now: Timestamp,
    ) -> Result<Option<String>, AuthenticationError> {
        let parsed = AuthenticatedMessage::parse(message);
        let author = parsed.as_ref().and_then(author);
        let author = author.ok_or(AuthenticationError::NothingToSign)?;
        match self.domain_for(&author) {
            Some(domain) => self.sign_as(domain, message, now).map(Some),
            None => Ok(None),
        }
    }

    /// Signs for a domain, whoever wrote the message; empty if it has no keys.
    ///
    /// # Errors
    /// The message has no `From`, or the library refuses.
    pub fn sign_as(
        &self,
        domain: &str,
        message: &[u8],
        now: Timestamp,
    ) -> Result<String, AuthenticationError> {
        let parsed =
            AuthenticatedMessage::parse(message).ok_or(AuthenticationError::NothingToSign)?;
        let names = names(&parsed, false);
        if !names.iter().any(|name| name == "From") {
            return Err(AuthenticationError::NothingToSign);
        }
        let mut fields = String::new();
        for key in self.keys.iter().filter(|key| key.domain == domain) {
            fields.push_str(&key.sign(&parsed, &names, now)?);
        }
        Ok(fields)
    }

    /// Adds a set to the message's ARC chain, before it is passed on: the fields
    /// to put in front of it. `results` are those of this message as it came,
    /// which is what the set says; the message is as it will be sent. `None` if
    /// the domain has no RSA key. A chain that does not verify gets no further
    /// set: it says nothing any more (RFC 8617 section 5.1). The time in the
    /// seal is the machine's.
    ///
    /// # Errors
    /// The chain is broken or not known, or the message has no `From`.
    pub fn seal(
        &self,
        domain: &str,
        authserv_id: &str,
        message: &[u8],
        results: &Results,
    ) -> Result<Option<String>, AuthenticationError> {
        let state = match results.arc.result {
            ArcResult::None => DkimResult::None,
            ArcResult::Pass => DkimResult::Pass,
            ArcResult::Fail => return Err(AuthenticationError::ChainBroken),
            ArcResult::TempError => return Err(AuthenticationError::ChainUnknown),
        };
        let key = self.keys.iter().find(|key| key.domain == domain && key.sealing.is_some());
        let Some(key) = key else { return Ok(None) };
        let mut parsed = AuthenticatedMessage::parse_with_opts(message, None, false)
            .ok_or(AuthenticationError::NothingToSign)?;
        let relaxed = Canonicalization::Relaxed;
        let canonical = relaxed.canonical_body(body::relaxed(parsed.raw_body()), 0);
        let hash = HashAlgorithm::Sha256.hash(canonical).as_ref().to_vec();
        // The library takes the first that fits.
        parsed.body_hashes.insert(0, (relaxed, HashAlgorithm::Sha256, 0, hash));
        let text = results.results_on_one_line(authserv_id);
        key.seal(&parsed, state, &text, names(&parsed, true)).map(Some)
    }
}

impl Active {
    fn sign(
        &self,
        message: &AuthenticatedMessage<'_>,
        names: &[String],
        now: Timestamp,
    ) -> Result<String, AuthenticationError> {
        let template = Signature {
            v: 1,
            a: self.key.algorithm(),
            d: self.domain.clone(),
            s: self.selector.clone(),
            h: names.to_vec(),
            t: u64::try_from(now.seconds()).unwrap_or(0),
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Relaxed,
            ..Signature::default()
        };
        let (_, headers, h, body) = template.canonicalize(Parsed {
            headers: message.raw_parsed_headers().iter(),
            body: body::relaxed(message.raw_body()),
        });
        let mut signature = Signature { h, ..template };
        signature.bh = self.key.hash(body).as_ref().to_vec();
        signature.b = self
            .key
            .sign(Unsigned { headers, signature: &signature })
            .map_err(|e| AuthenticationError::Sign(e.to_string()))?;
        Ok(signature.to_header())
    }

    fn seal(
        &self,
        message: &AuthenticatedMessage<'_>,
        state: DkimResult,
        results: &str,
        names: Vec<String>,
    ) -> Result<String, AuthenticationError> {
        let Some(key) = self.sealing.as_ref() else { return Err(AuthenticationError::ChainBroken) };
        let mut chain = ArcOutput::default().with_result(state);
        let sets = message.as_headers.iter().zip(&message.ams_headers).zip(&message.aar_headers);
        for ((seal, signature), results) in sets {
            chain = chain.with_set(Set {
                seal: Header::new(seal.name, seal.value, &seal.header),
                signature: Header::new(signature.name, signature.value, &signature.header),
                results: Header::new(results.name, results.value, &results.header),
            });
        }
        // The library writes what it is given as the name of the server as it
        // is. On one line with single spaces it is its own canonical form, so
        // it can be folded when all is signed.
        let said = AuthenticationResults::new(results);
        let sealer: ArcSealer<Borrowed<'_>, Done> = ArcSealer::from_key(Borrowed(key))
            .domain(self.domain.clone())
            .selector(self.selector.clone())
            .headers(names);
        let set = sealer
            .seal(message, &said, &chain)
            .map_err(|e| AuthenticationError::Sign(e.to_string()))?;
        Ok(set.to_header().replace("; ", ";\r\n\t"))
    }
}

fn author(message: &AuthenticatedMessage<'_>) -> Option<String> {
    let (_, domain) = message.froms().first()?.rsplit_once('@')?;
    Some(crate::check::a_labels(domain))
}

/// A message as the library's signing reads it.
struct Parsed<'x> {
    headers: std::slice::Iter<'x, (&'x [u8], &'x [u8])>,
    body: &'x [u8],
}

impl<'x> HeaderStream<'x> for Parsed<'x> {
    fn next_header(&mut self) -> Option<(&'x [u8], &'x [u8])> {
        self.headers.next().copied()
    }

    fn body(&mut self) -> &'x [u8] {
        self.body
    }
}

/// What a DKIM signature is made of.
struct Unsigned<'a> {
    headers: CanonicalHeaders<'a>,
    signature: &'a Signature,
}

impl Writable for Unsigned<'_> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        self.signature.write(writer, false);
    }
}

/// The library's sealer takes its key for good; ours stays here.
struct Borrowed<'a>(&'a RsaKey<Sha256>);

impl SigningKey for Borrowed<'_> {
    type Hasher = Sha256;

    fn sign(&self, input: impl Writable) -> mail_auth::Result<Vec<u8>> {
        self.0.sign(input)
    }

    fn algorithm(&self) -> mail_auth::common::crypto::Algorithm {
        self.0.algorithm()
    }
}

/// The names to sign in this message.
fn names(message: &AuthenticatedMessage<'_>, for_seal: bool) -> Vec<String> {
    let has = |wanted: &str| {
        let wanted = wanted.as_bytes();
        message.raw_parsed_headers().iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if !has("From") {
        return Vec::new();
    }
    // Twice: the library signs each as often as it is there, and names that it
    // does not find once more.
    let always = ALWAYS.iter().chain(ALWAYS);
    let some = IF_THERE.iter().filter(|name| has(name));
    let signatures = ["DKIM-Signature"].into_iter().filter(|name| for_seal && has(name));
    always.chain(some).copied().chain(signatures).map(str::to_owned).collect()
}
