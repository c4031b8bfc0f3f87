//! A certificate for a machine that was given none.

use crate::error::TlsError;
use crate::files::CertificateFiles;
use concord_base::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
/// Nobody renews it by hand, so it is long; Apple's clients take at most 825
/// days (<https://support.apple.com/en-us/103769>).
const VALID: Duration = DAY.saturating_mul(824);
/// Made afresh when it has less than this left.
const RENEW: Duration = DAY.saturating_mul(60);
/// Clients whose clocks are behind accept it too.
const CLOCK_SKEW: Duration = DAY;

/// The self-made certificate under `directory`, for `hostname`, `localhost`,
/// `127.0.0.1` and `::1`. Made if there is none, if it is for another name,
/// or if it ends within 60 days of `now`; else left alone. Blocks.
///
/// Certificate and key are one file of mode 0600, replaced in one step, so
/// that processes which start together never see half of each.
pub fn self_made(
    directory: &Path,
    hostname: &str,
    now: Timestamp,
) -> Result<CertificateFiles, TlsError> {
    let file = directory.join("self-made.pem");
    let files = CertificateFiles { certificate: file.clone(), key: file.clone() };
    if is_fresh(&file, hostname, now) {
        return Ok(files);
    }
    let text = make(hostname, now)?;
    concord_files::replace(&file, text.as_bytes())
        .map_err(|cause| TlsError::Unwritable { file, cause })?;
    Ok(files)
}

/// The first line says what the rest is; PEM readers skip it.
fn header(hostname: &str, until: Timestamp) -> String {
    format!(
        "# made by concord for {hostname}, valid until {} (seconds since 1970)",
        until.seconds()
    )
}

fn is_fresh(file: &Path, hostname: &str, now: Timestamp) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else {
        return false;
    };
    let until = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# made by concord for "))
        .and_then(|rest| rest.strip_prefix(hostname))
        .and_then(|rest| rest.strip_prefix(", valid until "))
        .and_then(|rest| rest.split(' ').next())
        .and_then(|seconds| seconds.parse().ok())
        .map(Timestamp::from_seconds);
    until.is_some_and(|until| now + RENEW < until)
}

fn make(hostname: &str, now: Timestamp) -> Result<String, TlsError> {
    let fail = |cause: String| TlsError::SelfMade { hostname: hostname.to_owned(), cause };
    let refused = |cause: rcgen::Error| fail(cause.to_string());
    let key = KeyPair::generate().map_err(refused)?;
    let mut names = vec![hostname.to_owned()];
    if hostname != "localhost" {
        names.push("localhost".to_owned());
    }
    let mut params = CertificateParams::new(names).map_err(refused)?;
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, hostname);
    let until = now + VALID;
    let outside = || fail("the machine's clock is far off".to_owned());
    let (year, month, day) = date(now - CLOCK_SKEW).ok_or_else(outside)?;
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(until).ok_or_else(outside)?;
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let certificate = params.self_signed(&key).map_err(refused)?;
    Ok(format!("{}\n{}{}", header(hostname, until), certificate.pem(), key.serialize_pem()))
}

/// Midnight of the day; X.509 needs no finer.
fn date(at: Timestamp) -> Option<(i32, u8, u8)> {
    let date = jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let (month, day) = (u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?);
    Some((date.year().into(), month, day))
}
