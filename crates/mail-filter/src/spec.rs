//! A filter's configuration, checked and ready for use.

mod place;
mod rules;

pub(crate) use place::Place;

use crate::config::{FilterConfig, FilterKind, OnFailure, Traffic};
use crate::config_error::{ConfigError, Mistake};
use crate::limits::{CONNECT_TIMEOUT, MAX_FILTERS, MAX_TOTAL_TIME, TIMEOUT, TOTAL_TIME};
use crate::rule::{AttachmentRule, HeaderRule};
use concord_settings::format_duration;
use std::sync::Arc;
use std::time::Duration;

/// The times of a filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub connect: Duration,
    pub answer: Duration,
    pub total: Duration,
}

/// What a filter is.
#[derive(Debug)]
pub(crate) enum What {
    Milter(Place),
    Rspamd { host: String, port: u16, path: String, password: Option<String> },
    Header(HeaderRule),
    Attachment(Arc<AttachmentRule>),
}

/// A filter, ready for use.
#[derive(Debug)]
pub(crate) struct Spec {
    pub name: Arc<str>,
    pub traffic: Vec<Traffic>,
    pub on_failure: OnFailure,
    pub times: Times,
    pub what: What,
}

/// The mistakes of one filter.
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub fn value(&mut self, key: &'static str, value: &str, why: impl Into<String>) {
        let value = value.chars().take(80).collect();
        self.0.push(Mistake::Value { key, value, why: why.into() });
    }

    pub fn missing(&mut self, key: &'static str, hint: &'static str) {
        self.0.push(Mistake::Missing { key, hint });
    }
}

impl Spec {
    /// All filters, or all mistakes. Password files are read if `read` is set.
    pub fn of_all(filters: &[FilterConfig], read: bool) -> Result<Vec<Self>, Vec<ConfigError>> {
        let mut specs = Vec::new();
        let mut errors = Vec::new();
        for (at, filter) in filters.iter().enumerate() {
            let mut mistakes = Mistakes(Vec::new());
            if at == MAX_FILTERS {
                mistakes.0.push(Mistake::TooMany(MAX_FILTERS));
            }
            if filters.iter().take(at).any(|other| other.name == filter.name) {
                mistakes.0.push(Mistake::SameName);
            }
            let spec = Self::of(filter, read, &mut mistakes);
            let filter = filter.name.chars().take(64).collect::<String>();
            let number = at.saturating_add(1);
            let tell = |mistake| ConfigError { number, filter: filter.clone(), mistake };
            errors.extend(mistakes.0.into_iter().map(tell));
            specs.extend(spec);
        }
        if errors.is_empty() { Ok(specs) } else { Err(errors) }
    }

    fn of(filter: &FilterConfig, read: bool, mistakes: &mut Mistakes) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=64).contains(&filter.name.len()) || !filter.name.chars().all(fits) {
            mistakes.0.push(Mistake::Name);
        }
        if filter.traffic.is_empty() {
            mistakes.0.push(Mistake::NoTraffic);
        }
        foreign(filter, mistakes);
        let times = times(filter, mistakes);
        let what = match filter.kind {
            FilterKind::Milter => milter(filter, mistakes),
            FilterKind::Rspamd => rspamd(filter, read, mistakes),
            FilterKind::Header => rules::header(filter, mistakes).map(What::Header),
            FilterKind::Attachment => {
                rules::attachment(filter, mistakes).map(|r| What::Attachment(Arc::new(r)))
            }
        };
        Some(Self {
            name: filter.name.as_str().into(),
            traffic: filter.traffic.clone(),
            on_failure: filter.on_failure,
            times,
            what: what?,
        })
    }
}

/// Keys that the filter's kind does not have.
fn foreign(filter: &FilterConfig, mistakes: &mut Mistakes) {
    use FilterKind::{Attachment, Header, Milter, Rspamd};
    let given: [(&'static str, bool, &[FilterKind]); 14] = [
        ("address", filter.address.is_some(), &[Milter]),
        ("url", filter.url.is_some(), &[Rspamd]),
        ("password-file", filter.password_file.is_some(), &[Rspamd]),
        ("connect-timeout", filter.connect_timeout.is_some(), &[Milter, Rspamd]),
        ("timeout", filter.timeout.is_some(), &[Milter, Rspamd]),
        ("header", filter.header.is_some(), &[Header]),
        ("contains", filter.contains.is_some(), &[Header]),
        ("matches", filter.matches.is_some(), &[Header]),
        ("file-names", !filter.file_names.is_empty(), &[Attachment]),
        ("types", !filter.types.is_empty(), &[Attachment]),
        ("real-types", !filter.real_types.is_empty(), &[Attachment]),
        ("archive-depth", filter.archive_depth.is_some(), &[Attachment]),
        ("action", filter.action.is_some(), &[Header, Attachment]),
        ("mark", filter.mark.is_some(), &[Header, Attachment]),
    ];
    let text = ("text", filter.text.is_some(), &[Header, Attachment][..]);
    let kind = match filter.kind {
        Milter => "milter",
        Rspamd => "rspamd",
        Header => "header",
        Attachment => "attachment",
    };
    for (key, is_given, kinds) in given.into_iter().chain([text]) {
        if is_given && !kinds.contains(&filter.kind) {
            mistakes.0.push(Mistake::Foreign { key, kind });
        }
    }
}

fn times(filter: &FilterConfig, mistakes: &mut Mistakes) -> Times {
    let total = filter.total_time.unwrap_or(TOTAL_TIME);
    let times = Times {
        connect: filter.connect_timeout.unwrap_or(CONNECT_TIMEOUT.min(total)),
        answer: filter.timeout.unwrap_or(TIMEOUT.min(total)),
        total,
    };
    let most = MAX_TOTAL_TIME;
    for (key, time, most, why) in [
        ("total-time", times.total, most, "clients wait ten minutes"),
        ("timeout", times.answer, times.total, "total-time is not longer"),
        ("connect-timeout", times.connect, times.total, "total-time is not longer"),
    ] {
        if time.is_zero() || time > most {
            let most = format_duration(most);
            let why = format!("write more than 0 s and at most {most}, because {why}");
            mistakes.value(key, &format_duration(time), why);
        }
    }
    times
}

fn milter(filter: &FilterConfig, mistakes: &mut Mistakes) -> Option<What> {
    let Some(address) = &filter.address else {
        mistakes.missing("address", "write \"host:port\" or \"unix:/path\"");
        return None;
    };
    let place = Place::parse(address);
    if place.is_none() {
        mistakes.value("address", address, "write \"host:port\" or \"unix:/path\"");
    }
    place.map(What::Milter)
}

fn rspamd(filter: &FilterConfig, read: bool, mistakes: &mut Mistakes) -> Option<What> {
    let Some(text) = &filter.url else {
        mistakes.missing("url", "write \"http://127.0.0.1:11333\"");
        return None;
    };
    let url = url::Url::parse(text).ok();
    let url = url.filter(|url| url.scheme() == "http" && url.query().is_none());
    let host = url.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
    let (Some(url), Some(host)) = (url, host) else {
        let why = "write http:// and host and port, like http://127.0.0.1:11333; \
                   for another machine use a tunnel, for rspamd has no TLS there";
        mistakes.value("url", text, why);
        return None;
    };
    let path = if url.path() == "/" { "/checkv2" } else { url.path() }.to_owned();
    let password = match &filter.password_file {
        Some(path) if read => match std::fs::read_to_string(path) {
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(e) => {
                let (key, path) = ("password-file", path.clone());
                mistakes.0.push(Mistake::File { key, path, why: e.to_string() });
                None
            }
        },
        _ => None,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(What::Rspamd { host, port: url.port().unwrap_or(80), path, password })
}
