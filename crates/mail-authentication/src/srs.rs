//! The Sender Rewriting Scheme, so that forwarded mail passes SPF and its
//! bounces come back (Meng Wong, "SRS", 2003; the forms SRS0 and SRS1).
//!
//! `alice@a.example`, forwarded by `b.example`, leaves as
//! `SRS0=hash=day=a.example=alice@b.example`. What is already rewritten by
//! another forwarder leaves as `SRS1=hash=forwarder==rest@b.example`, so that
//! addresses do not grow with each forwarder and bounces go to the first one.
//! Hash and day make it useless for others: bounces come back for some days
//! only, and only to addresses that were really rewritten here.
//!
//! Local parts may change case on their way, so hash and day are in base32 and
//! the hash is of the address in lower case.

use concord_base::{EnhancedStatus, Fault, Retry, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The days begin anew after so many: two characters of base32.
const DAYS: i64 = 1_024;
/// Characters of the hash, each five bits: 40 bits, which at a thousand tries a
/// second take 17 years to hit, and an address lives for days.
const HASH: usize = 8;
/// Longest address that is made. RFC 5321 section 4.5.3.1.3 bounds a path by
/// 256 octets with its brackets. The bound of 64 for local parts (section
/// 4.5.3.1.1) cannot be kept by SRS; receivers take longer ones.
const MAX_ADDRESS: usize = 254;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Rewrites reverse-paths, and finds the way back.
#[derive(Clone)]
pub struct Srs {
    domain: String,
    secrets: Vec<Vec<u8>>,
    days: i64,
}

impl std::fmt::Debug for Srs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srs").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// Why an address is not rewritten, or has no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrsError {
    /// It has no domain.
    #[error("cannot rewrite the sender: it has no domain; correct the address")]
    NoDomain,
    /// It would become longer than SMTP allows.
    #[error(
        "cannot rewrite the sender: the address would become longer than 254 octets; forward without it"
    )]
    TooLong,
    /// It is no rewritten address of this domain.
    #[error("cannot find the sender: the address is none that was rewritten here; check it")]
    NotOurs,
    /// It is not written as such an address should be.
    #[error("cannot find the sender: the rewritten address is damaged; check it")]
    Damaged,
    /// The hash does not fit: it was made up, or the secret was changed.
    #[error("cannot find the sender: the rewritten address was not made here; check it")]
    Forged,
    /// It was made too long ago.
    #[error("cannot find the sender: the rewritten address has expired; nothing can be done")]
    Expired,
}

impl Fault for SrsError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDomain => "srs.no-domain",
            Self::TooLong => "srs.too-long",
            Self::NotOurs => "srs.not-ours",
            Self::Damaged => "srs.damaged",
            Self::Forged => "srs.forged",
            Self::Expired => "srs.expired",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::NoDomain | Self::TooLong => EnhancedStatus::new(5, 1, 7),
            _ => EnhancedStatus::new(5, 1, 1),
        }
    }
}

impl Srs {
    /// For addresses of `domain`. The first secret makes hashes, all are taken,
    /// so that a secret can be changed without losing bounces under way. `days`
    /// is how long an address is good; at least 1, at most 1,000.
    pub fn new(domain: &str, secrets: Vec<Vec<u8>>, days: u16) -> Self {
        let days = i64::from(days).clamp(1, DAYS - 24);
        Self { domain: domain.trim_end_matches('.').to_ascii_lowercase(), secrets, days }
    }

    /// The reverse-path of a message that is forwarded now. The null path and
    /// addresses of the own domain stay as they are.
    ///
    /// # Errors
    /// [`SrsError::NoDomain`], [`SrsError::TooLong`].
    pub fn forward(&self, address: &str, now: Timestamp) -> Result<String, SrsError> {
        if address.is_empty() {
            return Ok(String::new());
        }
        let (local, domain) = address.rsplit_once('@').ok_or(SrsError::NoDomain)?;
        if local.is_empty() || domain.is_empty() {
            return Err(SrsError::NoDomain);
        }
        if domain.eq_ignore_ascii_case(&self.domain) {
            return Ok(address.to_owned());
        }
        let rewritten = match (tagged(local, "SRS0"), tagged(local, "SRS1")) {
            // Their first separator stays, as part of what they gave out.
            (Some(rest), _) => self.second(domain, rest),
            (None, Some(rest)) => match rest.get(1..).and_then(|rest| rest.split_once('=')) {
                Some((_, path)) => match path.split_once('=') {
                    Some((first, rest)) if !first.is_empty() && !rest.is_empty() => {
                        self.second(first, rest)
                    }
                    _ => self.first(local, domain, now),
                },
                None => self.first(local, domain, now),
            },
            (None, None) => self.first(local, domain, now),
        };
        if rewritten.len() > MAX_ADDRESS { Err(SrsError::TooLong) } else { Ok(rewritten) }
    }

    /// Where a bounce to `address` really goes.
    ///
    /// # Errors
    /// All but [`SrsError::NoDomain`] and [`SrsError::TooLong`].
    pub fn reverse(&self, address: &str, now: Timestamp) -> Result<String, SrsError> {
        let (local, domain) = address.rsplit_once('@').ok_or(SrsError::NotOurs)?;
        if !domain.trim_end_matches('.').eq_ignore_ascii_case(&self.domain) {
            return Err(SrsError::NotOurs);
        }
        if let Some(rest) = tagged(local, "SRS0") {
            self.reverse_first(rest.get(1..).unwrap_or_default(), now)
        } else if let Some(rest) = tagged(local, "SRS1") {
            self.reverse_second(rest.get(1..).unwrap_or_default())
        } else {
            Err(SrsError::NotOurs)
        }
    }

    /// Whether an address looks as if [`Srs::reverse`] knew a way.
    pub fn is_rewritten(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(local, domain)| {
            domain.trim_end_matches('.').eq_ignore_ascii_case(&self.domain)
                && (tagged(local, "SRS0").is_some() || tagged(local, "SRS1").is_some())
        })
    }

    fn first(&self, local: &str, domain: &str, now: Timestamp) -> String {
        let day = encode_day(day(now));
        let hash = self.hash(0, &[&day, domain, local]);
        format!("SRS0={hash}={day}={domain}={local}@{}", self.domain)
    }

    fn second(&self, first: &str, rest: &str) -> String {
        let hash = self.hash(0, &[first, rest]);
        format!("SRS1={hash}={first}={rest}@{}", self.domain)
    }

    fn reverse_first(&self, rest: &str, now: Timestamp) -> Result<String, SrsError> {
        let mut parts = rest.splitn(4, '=');
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(SrsError::Damaged);
        let (hash, day_text, domain, local) = (part()?, part()?, part()?, part()?);
        self.verify(hash, &[day_text, domain, local])?;
        let made = decode_day(day_text).ok_or(SrsError::Damaged)?;
        let age = (day(now) - made).rem_euclid(DAYS);
        // A clock that stood a day ahead when the address was made.
        if age > self.days && age != DAYS - 1 {
            return Err(SrsError::Expired);
        }
        Ok(format!("{local}@{domain}"))
    }

    fn reverse_second(&self, rest: &str) -> Result<String, SrsError> {
        let mut parts = rest.splitn(3, '=');
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(SrsError::Damaged);
        let (hash, first, rest) = (part()?, part()?, part()?);
        self.verify(hash, &[first, rest])?;
        Ok(format!("SRS0{rest}@{first}"))
    }

    fn hash(&self, secret: usize, parts: &[&str]) -> String {
        let secret = self.secrets.get(secret).map(Vec::as_slice).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
        for part in parts {
            mac.update(part.to_ascii_lowercase().as_bytes());
            mac.update(b"=");
        }
        let octets = mac.finalize().into_bytes();
        let bits = octets.iter().take(5).fold(0u64, |bits, octet| bits << 8 | u64::from(*octet));
        (0..HASH).map(|at| letter(bits >> (5 * (HASH - 1 - at)))).collect()
    }

    fn verify(&self, hash: &str, parts: &[&str]) -> Result<(), SrsError> {
        let given = hash.to_ascii_uppercase();
        let fits = (0..self.secrets.len())
            .any(|secret| bool::from(self.hash(secret, parts).as_bytes().ct_eq(given.as_bytes())));
        if fits { Ok(()) } else { Err(SrsError::Forged) }
    }
}

/// What stands behind a tag, with its separator (`=`, `+` or `-`).
fn tagged<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let rest = local.get(tag.len()..)?;
    let starts = local.get(..tag.len())?.eq_ignore_ascii_case(tag);
    (starts && rest.starts_with(['=', '+', '-'])).then_some(rest)
}

fn day(now: Timestamp) -> i64 {
    now.seconds().div_euclid(86_400).rem_euclid(DAYS)
}

fn letter(bits: u64) -> char {
    ALPHABET.get((bits & 31) as usize).map_or('A', |octet| char::from(*octet))
}

fn encode_day(day: i64) -> String {
    let day = day.rem_euclid(DAYS).unsigned_abs();
    [letter(day >> 5), letter(day)].iter().collect()
}

fn decode_day(text: &str) -> Option<i64> {
    let digit = |c: u8| ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase());
    let [high, low] = text.as_bytes() else { return None };
    i64::try_from(digit(*high)? * 32 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn srs(domain: &str) -> Srs {
        Srs::new(domain, vec![b"a secret of this server".to_vec()], 10)
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + day * DAY)
    }

    #[test]
    fn a_bounce_finds_its_way_back_over_three_forwarders() {
        let (b, c, d) = (srs("b.example"), srs("c.example"), srs("d.example"));
        let first = b.forward("alice@a.example", at(0)).unwrap();
        let second = c.forward(&first, at(0)).unwrap();
        let third = d.forward(&second, at(0)).unwrap();
        assert!(second.starts_with("SRS1=") && second.contains("=b.example=="), "{second}");
        assert_eq!(third.len(), second.len(), "it does not grow any more");
        assert_eq!(d.reverse(&third, at(1)).unwrap(), first, "the first forwarder is asked");
        assert_eq!(c.reverse(&second, at(1)).unwrap(), first);
        assert_eq!(b.reverse(&first, at(1)).unwrap(), "alice@a.example");
    }

    #[test]
    fn it_expires_and_cannot_be_made_up() {
        let srs = srs("b.example");
        let address = srs.forward("alice@a.example", at(0)).unwrap();
        assert!(srs.reverse(&address, at(10)).is_ok());
        assert_eq!(srs.reverse(&address, at(11)), Err(SrsError::Expired));
        assert!(srs.reverse(&address, at(-1)).is_ok(), "a clock may be a day ahead");
        assert_eq!(srs.reverse(&address, at(-2)), Err(SrsError::Expired));
        let other = address.replace("alice", "mallory");
        assert_eq!(srs.reverse(&other, at(0)), Err(SrsError::Forged));
        assert_eq!(srs.reverse("SRS0=x@b.example", at(0)), Err(SrsError::Damaged));
        assert_eq!(srs.reverse("bob@b.example", at(0)), Err(SrsError::NotOurs));
        assert_eq!(srs.reverse(&address.replace("@b.", "@x."), at(0)), Err(SrsError::NotOurs));
    }

    #[test]
    fn a_new_secret_still_takes_the_old_addresses() {
        let old = Srs::new("b.example", vec![b"old".to_vec()], 10);
        let new = Srs::new("b.example", vec![b"new".to_vec(), b"old".to_vec()], 10);
        let address = old.forward("alice@a.example", at(0)).unwrap();
        assert_eq!(new.reverse(&address, at(0)).unwrap(), "alice@a.example");
        let address = new.forward("alice@a.example", at(0)).unwrap();
        assert_eq!(old.reverse(&address, at(0)), Err(SrsError::Forged));
        let none = Srs::new("b.example", Vec::new(), 10);
        assert_eq!(none.reverse(&address, at(0)), Err(SrsError::Forged));
    }

    #[test]
    fn what_needs_no_rewriting_stays() {
        assert_eq!(srs("b.example").forward("", at(0)).unwrap(), "");
        assert_eq!(srs("b.example").forward("x@B.example", at(0)).unwrap(), "x@B.example");
        assert_eq!(srs("b.example").forward("x", at(0)), Err(SrsError::NoDomain));
        let long = format!("{}@a.example", "x".repeat(240));
        assert_eq!(srs("b.example").forward(&long, at(0)), Err(SrsError::TooLong));
    }

    proptest! {
        #[test]
        fn every_address_comes_back(
            local in "[A-Za-z0-9.=+-]{1,40}",
            domain in "[a-z0-9-]{1,20}\\.[a-z]{2,6}",
            day in 0i64..5_000,
            later in 0i64..=10,
            upper in any::<bool>(),
        ) {
            let srs = srs("forward.example");
            let address = format!("{local}@{domain}");
            prop_assume!(tagged(&local, "SRS0").is_none() && tagged(&local, "SRS1").is_none());
            let made = srs.forward(&address, at(day)).unwrap();
            let seen = if upper { made.to_ascii_uppercase() } else { made.to_ascii_lowercase() };
            let back = srs.reverse(&seen, at(day + later)).unwrap();
            prop_assert!(back.eq_ignore_ascii_case(&address), "{} became {}", address, back);
            prop_assert_eq!(srs.reverse(&made, at(day + later)).unwrap(), address);
        }

        #[test]
        fn nothing_panics_and_nothing_foreign_is_taken(address in "\\PC{0,80}", srs0 in "[=+A-Za-z0-9-]{0,60}") {
            let srs = srs("b.example");
            let _ = srs.forward(&address, at(0));
            let _ = srs.forward(&format!("SRS1{srs0}@x.example"), at(0));
            let _ = srs.forward(&format!("SRS0{srs0}@x.example"), at(0));
            prop_assert!(srs.reverse(&address, at(0)).is_err());
            for tag in ["SRS0", "SRS1"] {
                let made_up = format!("{tag}{srs0}@b.example");
                prop_assert!(srs.reverse(&made_up, at(0)).is_err());
            }
        }
    }
}
