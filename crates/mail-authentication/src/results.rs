//! What was found out about one message.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Everything that was found out. Made by [`Checker::check`](crate::Checker::check);
/// a value without ties, which can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// The client.
    pub ip: IpAddr,
    /// What the client called itself.
    pub helo: String,
    /// The reverse-path without angle brackets; empty for `<>`.
    pub reverse_path: String,
    /// Our name, as SPF's explanations and `Received-SPF` have it.
    pub host: String,
    /// The name of the client's address (RFC 8601 section 3).
    pub iprev: Iprev,
    /// SPF of the HELO name.
    pub spf_helo: Spf,
    /// SPF of the reverse-path, or of `postmaster@helo` if it is empty.
    pub spf: Spf,
    /// One for each DKIM signature that was looked at, none for an unsigned message.
    pub dkim: Vec<Dkim>,
    /// The ARC chain.
    pub arc: Arc,
    /// Who the message says that wrote it.
    pub author: Author,
    /// DMARC.
    pub dmarc: Dmarc,
}

/// Whose the domain in `From` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// One domain, in lower case, international ones as A-labels.
    Domain(String),
    /// No `From` field, or none with a domain.
    Missing,
    /// Several `From` fields, or addresses of several domains in one: DMARC
    /// cannot judge it (RFC 7489 section 6.6.1, RFC 9989 section 5.3.1).
    Several(Vec<String>),
}

/// The result of SPF (RFC 7208 section 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfResult {
    /// No record, or no name to look for.
    None,
    /// The domain says nothing on this client.
    Neutral,
    /// The client may use the name.
    Pass,
    /// The client must not use the name.
    Fail,
    /// The client probably must not.
    SoftFail,
    /// The DNS did not answer.
    TempError,
    /// The records cannot be understood.
    PermError,
}

/// SPF of one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spf {
    /// The domain that was looked at.
    pub domain: String,
    /// What came of it.
    pub result: SpfResult,
    /// The domain's own words to a failure (`exp=`): printable ASCII, bounded.
    pub explanation: Option<String>,
}

/// The result for one DKIM signature (RFC 8601 section 2.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimResult {
    /// Not signed.
    None,
    /// It verifies.
    Pass,
    /// It does not.
    Fail,
    /// It verifies, and is not taken: see the reason.
    Policy,
    /// It cannot be understood.
    Neutral,
    /// The DNS did not answer.
    TempError,
    /// It can never verify.
    PermError,
}

/// Why a signature did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DkimReason {
    /// The body is not what was signed.
    BodyHash,
    /// The header fields are not what was signed, or another key signed.
    Signature,
    /// It is past its `x=`.
    Expired,
    /// Something was added behind the part that `l=` covers.
    UnsignedTail,
    /// `From` is not signed (RFC 6376 section 5.4).
    FromNotSigned,
    /// There is no key of that name.
    NoKey,
    /// The key was revoked: its `p=` is empty.
    Revoked,
    /// The key's record cannot be understood, or is not for this use.
    BadKey,
    /// SHA-1 (RFC 8301 section 3), or an algorithm that nobody knows.
    Algorithm,
    /// The identity `i=` is not the domain's.
    Identity,
    /// The field does not follow RFC 6376 section 3.5.
    Syntax,
    /// The DNS did not answer.
    Dns,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dkim {
    /// The domain that signs (`d=`); empty if the field cannot be read.
    pub domain: String,
    /// The selector (`s=`).
    pub selector: String,
    /// The identity (`i=`), if it is given.
    pub identity: String,
    /// The algorithm (`a=`), `rsa-sha256`, `ed25519-sha256` or `rsa-sha1`.
    pub algorithm: &'static str,
    /// The first eight characters of the signature, which tell it from others
    /// (RFC 6008).
    pub signature: String,
    /// What came of it.
    pub result: DkimResult,
    /// Why, if it did not pass.
    pub reason: Option<DkimReason>,
    /// The key says that the domain only tests (`t=y`). The result counts all
    /// the same; RFC 6376 section 3.6.1 says that failures should not.
    pub testing: bool,
}

/// The state of an ARC chain (RFC 8617 section 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArcResult {
    /// No chain.
    None,
    /// It verifies.
    Pass,
    /// It does not.
    Fail,
    /// The DNS did not answer.
    TempError,
}

/// An ARC chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arc {
    /// Its state.
    pub result: ArcResult,
    /// Its sets, the oldest first.
    pub sets: Vec<ArcSet>,
}

/// One set of an ARC chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcSet {
    /// The domain of the seal.
    pub sealer: String,
    /// The selector of the seal.
    pub selector: String,
    /// What the sealer found: its `ARC-Authentication-Results`, unfolded.
    pub results: String,
}

/// The name of the client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iprev {
    /// What came of it.
    pub result: IprevResult,
    /// The name that leads back to the address, without the final dot.
    pub name: Option<String>,
}

/// The result of looking for the client's name (RFC 8601 section 2.7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IprevResult {
    /// A name leads back to the address.
    Pass,
    /// No name does.
    Fail,
    /// The DNS did not answer.
    TempError,
    /// The address has no name.
    PermError,
}

/// What a domain wants done with mail that fails DMARC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Nothing.
    #[default]
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

/// The result of DMARC (RFC 9989 section 5.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcResult {
    /// The domain has no policy, or the author is not one domain.
    None,
    /// SPF or DKIM passes for an aligned domain.
    Pass,
    /// Neither does.
    Fail,
    /// The DNS did not answer.
    TempError,
    /// The record cannot be understood.
    PermError,
}

/// DMARC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dmarc {
    /// What came of it.
    pub result: DmarcResult,
    /// An aligned domain passes SPF.
    pub spf_aligned: bool,
    /// An aligned domain passes DKIM.
    pub dkim_aligned: bool,
    /// What the domain wants for this message: `p`, `sp` or `np`, after test
    /// mode lowered it by one step.
    pub policy: DmarcPolicy,
    /// The record that applies, if there is one.
    pub record: Option<DmarcRecord>,
}

/// A DMARC record as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DmarcRecord {
    /// The domain where it stands: the author's, or one above it.
    pub domain: String,
    /// For the domain itself.
    pub p: DmarcPolicy,
    /// For domains below it.
    pub sp: DmarcPolicy,
    /// For domains below it that do not exist (RFC 9091, RFC 9989).
    pub np: DmarcPolicy,
    /// DKIM must be of the same domain, not only of one organisation.
    pub strict_dkim: bool,
    /// The same for SPF.
    pub strict_spf: bool,
    /// The share of failing mail that the domain wants the policy used for.
    /// RFC 9989 appendix C took it away: it is reported, and not drawn lots by.
    pub pct: u8,
    /// The domain only tests (`t=y`).
    pub testing: bool,
    /// When failure reports are wanted (`fo=`). This crate sends none.
    pub fo: String,
    /// Where aggregate reports go: addresses, with the largest size in octets,
    /// 0 for any.
    pub rua: Vec<(String, u64)>,
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word that header fields and reports have for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words!(SpfResult {
    None => "none", Neutral => "neutral", Pass => "pass", Fail => "fail",
    SoftFail => "softfail", TempError => "temperror", PermError => "permerror",
});
words!(DkimResult {
    None => "none", Pass => "pass", Fail => "fail", Policy => "policy",
    Neutral => "neutral", TempError => "temperror", PermError => "permerror",
});
words!(ArcResult { None => "none", Pass => "pass", Fail => "fail", TempError => "temperror" });
words!(IprevResult {
    Pass => "pass", Fail => "fail", TempError => "temperror", PermError => "permerror",
});
words!(DmarcPolicy { None => "none", Quarantine => "quarantine", Reject => "reject" });
words!(DmarcResult {
    None => "none", Pass => "pass", Fail => "fail",
    TempError => "temperror", PermError => "permerror",
});
words!(DkimReason {
    BodyHash => "body has changed",
    Signature => "signature does not verify",
    Expired => "expired",
    UnsignedTail => "text behind the signed length",
    FromNotSigned => "From is not signed",
    NoKey => "no key",
    Revoked => "key is revoked",
    BadKey => "key cannot be used",
    Algorithm => "algorithm is not accepted",
    Identity => "identity is not the domain's",
    Syntax => "syntax",
    Dns => "no answer from the DNS",
});

impl Results {
    /// The author's domain, if there is exactly one.
    pub fn author_domain(&self) -> Option<&str> {
        match &self.author {
            Author::Domain(domain) => Some(domain),
            Author::Missing | Author::Several(_) => None,
        }
    }
}
