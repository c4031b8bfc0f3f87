//! From a TOML value to the field that a row of the schema names.

use crate::check::shorten;
use crate::duration::{format_duration, parse_duration};
use crate::schema::Kind;
use crate::section::Settings;
use concord_base::{ByteSize, Network, ParseNetworkError};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// Far more than any machine listens on or asks; keeps a broken generator of
/// files from making thousands of sockets.
const MAX_LIST: usize = 1_000;
/// IANA's port for DNS.
const DNS_PORT: u16 = 53;

/// A mistake and where in the text it is.
pub(crate) type Flaw = (Range<usize>, String);

/// Puts `value` where `kind` says. Every flaw of it if it does not fit.
pub(crate) fn apply(
    kind: &Kind,
    value: &Spanned<DeValue<'_>>,
    settings: &mut Settings,
) -> Result<(), Vec<Flaw>> {
    let one = |what: String| vec![(value.span(), what)];
    match kind {
        Kind::Flag(set) => set(settings, flag(value).map_err(one)?),
        Kind::Count(min, max, set) => set(settings, count(value, *min, *max).map_err(one)?),
        Kind::Size(min, max, set) => set(settings, size(value, *min, *max).map_err(one)?),
        Kind::Duration(min, max, set) => set(settings, duration(value, *min, *max).map_err(one)?),
        Kind::Durations(min, max, set) => {
            let list = list(value, |item| duration(item, *min, *max))?;
            if list.is_empty() {
                return Err(one("the list is empty; write at least one duration".to_owned()));
            }
            set(settings, list);
        }
        Kind::Choice(words, set) => set(settings, choice(value, words).map_err(one)?),
        Kind::Text(check, set) => {
            let text = text(value).map_err(one)?;
            check(&text).map_err(one)?;
            set(settings, text);
        }
        Kind::Texts(check, set) => {
            let list = list(value, |item| {
                let text = text(item)?;
                check(&text)?;
                Ok(text)
            })?;
            set(settings, list);
        }
        Kind::Path(set) => {
            let text = text(value).map_err(one)?;
            if text.is_empty() || text.contains('\0') {
                return Err(one("this is not a path; write a file name".to_owned()));
            }
            set(settings, PathBuf::from(text));
        }
        Kind::Listeners(set) => set(settings, list(value, listener)?),
        Kind::Nameservers(set) => set(settings, list(value, nameserver)?),
        Kind::Addresses(set) => set(settings, list(value, address)?),
        Kind::Networks(check, set) => {
            let list = list(value, |item| {
                let network = network(item)?;
                check(&network)?;
                Ok(network)
            })?;
            set(settings, list);
        }
    }
    Ok(())
}

fn expected(what: &str, value: &Spanned<DeValue<'_>>) -> String {
    format!("expected {what}, found {}", found(value.get_ref()))
}

fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{}\"", shorten(text)),
        DeValue::Integer(number) => format!("the number {}", shorten(number.as_str())),
        DeValue::Float(number) => format!("the number {}", shorten(number.as_str())),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn text(value: &Spanned<DeValue<'_>>) -> Result<String, String> {
    value.get_ref().as_str().map(str::to_owned).ok_or_else(|| expected("a text in quotes", value))
}

fn flag(value: &Spanned<DeValue<'_>>) -> Result<bool, String> {
    value.get_ref().as_bool().ok_or_else(|| expected("true or false", value))
}

fn count(value: &Spanned<DeValue<'_>>, min: u64, max: u64) -> Result<u64, String> {
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok())
        .ok_or_else(|| expected("a whole number", value))?;
    u64::try_from(number)
        .ok()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| format!("{number} is out of range; write {min} to {max}"))
}

fn size(value: &Spanned<DeValue<'_>>, min: ByteSize, max: ByteSize) -> Result<ByteSize, String> {
    let Some(text) = value.get_ref().as_str() else {
        return Err(expected("a size in quotes such as \"50 MiB\"", value));
    };
    let size: ByteSize =
        text.parse().map_err(|e: concord_base::ParseByteSizeError| e.to_string())?;
    if size < min || size > max {
        return Err(format!("{size} is out of range; write {min} to {max}"));
    }
    Ok(size)
}

fn duration(
    value: &Spanned<DeValue<'_>>,
    min: Duration,
    max: Duration,
) -> Result<Duration, String> {
    let Some(text) = value.get_ref().as_str() else {
        return Err(expected("a duration in quotes such as \"30 s\"", value));
    };
    let duration = parse_duration(text).map_err(|e| e.to_string())?;
    if duration < min || duration > max {
        let (min, max) = (format_duration(min), format_duration(max));
        return Err(format!("{} is out of range; write {min} to {max}", format_duration(duration)));
    }
    Ok(duration)
}

fn choice(value: &Spanned<DeValue<'_>>, words: &[&str]) -> Result<String, String> {
    let text = text(value)?;
    if words.contains(&text.as_str()) {
        return Ok(text);
    }
    let nearest = nearest(&text, words.iter().copied())
        .map(|word| format!(" (did you mean \"{word}\"?)"))
        .unwrap_or_default();
    Err(format!("'{}' is not one of {}{nearest}", shorten(&text), words.join(", ")))
}

fn list<T>(
    value: &Spanned<DeValue<'_>>,
    item: impl Fn(&Spanned<DeValue<'_>>) -> Result<T, String>,
) -> Result<Vec<T>, Vec<Flaw>> {
    let Some(array) = value.get_ref().as_array() else {
        return Err(vec![(value.span(), expected("a list in brackets", value))]);
    };
    if array.len() > MAX_LIST {
        return Err(vec![(value.span(), format!("the list has more than {MAX_LIST} entries"))]);
    }
    let mut values = Vec::with_capacity(array.len());
    let mut flaws = Vec::new();
    for entry in array.iter() {
        match item(entry) {
            Ok(value) => values.push(value),
            Err(what) => flaws.push((entry.span(), what)),
        }
    }
    if flaws.is_empty() { Ok(values) } else { Err(flaws) }
}

fn listener(value: &Spanned<DeValue<'_>>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!(
            "'{}' is not an address and port; write \"0.0.0.0:25\" or \"[::]:25\"",
            shorten(&text)
        )
    })
}

fn address(value: &Spanned<DeValue<'_>>) -> Result<IpAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!("'{}' is not an address; write \"192.0.2.1\" or \"2001:db8::1\"", shorten(&text))
    })
}

fn network(value: &Spanned<DeValue<'_>>) -> Result<Network, String> {
    let text = text(value)?;
    text.parse().map_err(|e: ParseNetworkError| e.to_string())
}

fn nameserver(value: &Spanned<DeValue<'_>>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, DNS_PORT));
    }
    text.parse().map_err(|_| {
        format!("'{}' is not an address; write \"192.0.2.53\" or \"192.0.2.53:53\"", shorten(&text))
    })
}

/// The candidate that a person who typed `text` most likely meant.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    /// Under this likeness a suggestion confuses more than it helps.
    const LIKE: f64 = 0.75;
    let text = text.to_lowercase().replace('_', "-");
    candidates
        .map(|candidate| (strsim::jaro_winkler(&text, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
