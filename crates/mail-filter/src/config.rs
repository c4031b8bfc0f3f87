//! One filter as an administrator writes it.

use crate::config_error::ConfigError;
use crate::spec::Spec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::PathBuf;
use std::time::Duration;

/// What kind of filter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilterKind {
    /// A program that speaks the milter protocol.
    Milter,
    /// rspamd over HTTP.
    Rspamd,
    /// A rule on a header field.
    Header,
    /// A rule on attachments.
    Attachment,
}

/// What becomes of a message whose filter fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Take it as if the filter were not there.
    Accept,
    /// Tell the client to try again later (451). The default: nothing passes a
    /// filter that is down, and nothing is lost.
    #[default]
    Defer,
    /// Take it and hold it back for the administrator.
    Quarantine,
}

/// Whose messages a filter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// From other hosts.
    Inbound,
    /// From our own users and hosts.
    Submission,
}

/// What a rule does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// Refuse the message (550).
    Refuse,
    /// Take it and hold it back.
    Quarantine,
    /// Add a header field.
    Mark,
    /// Remove the header field that the rule found; header rules only.
    Strip,
}

/// One filter: a `[[filter]]` table. Keys that its kind does not have are
/// mistakes that [`FilterConfig::validate`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilterConfig {
    /// Its name in logs, metrics and stories: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// What it is.
    pub kind: FilterKind,
    /// Whose messages it sees; both unless set.
    #[serde(default = "both", rename = "for")]
    pub traffic: Vec<Traffic>,
    /// What becomes of a message if it fails; `defer` unless set.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Milter: `tcp:host:port`, `host:port`, `unix:/path` or `/path`; also
    /// `inet:port@host` and `local:/path` as Sendmail writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// rspamd: `http://host:port`, the normal worker (11333) or the proxy
    /// (11332). The path is `/checkv2` unless there is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// rspamd: file with the password that the worker wants, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Wait for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration")]
    pub connect_timeout: Option<Duration>,
    /// Wait for an answer. A milter's sign of life begins it anew.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration")]
    pub timeout: Option<Duration>,
    /// All of the filter's time for one message.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration")]
    pub total_time: Option<Duration>,
    /// Header rule: the field's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Header rule: text that its value, decoded, contains; upper and lower
    /// case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Header rule: a regular expression (`regex` crate) that is found in its
    /// value, decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Attachment rule: names with `*` and `?`, `*.exe`; upper and lower case
    /// are the same. Names within ZIP archives count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_names: Vec<String>,
    /// Attachment rule: types as the message declares them, `application/x-msdownload`
    /// or `video/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Attachment rule: types by the content's first octets, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub real_types: Vec<String>,
    /// Attachment rule: archives within archives that are looked into; 0 looks
    /// into none at all. 2 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_depth: Option<u8>,
    /// Rules: what becomes of a message that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleAction>,
    /// Rules that mark: the header field, `X-Spam: Yes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Rules that refuse: what the client hears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

fn both() -> Vec<Traffic> {
    vec![Traffic::Inbound, Traffic::Submission]
}

impl FilterConfig {
    /// A filter of which nothing is set but name and kind.
    pub fn new(name: impl Into<String>, kind: FilterKind) -> Self {
        Self {
            name: name.into(),
            kind,
            traffic: both(),
            on_failure: OnFailure::default(),
            address: None,
            url: None,
            password_file: None,
            connect_timeout: None,
            timeout: None,
            total_time: None,
            header: None,
            contains: None,
            matches: None,
            file_names: Vec::new(),
            types: Vec::new(),
            real_types: Vec::new(),
            archive_depth: None,
            action: None,
            mark: None,
            text: None,
        }
    }

    /// Every mistake in a list of filters, each with the filter's number and
    /// name and the key, and what to do. Reads no file.
    ///
    /// # Errors
    /// At least one mistake.
    pub fn validate(filters: &[Self]) -> Result<(), Vec<ConfigError>> {
        let mistakes = Spec::of_all(filters, false).err().unwrap_or_default();
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }
}

/// Durations as `30 s`, like everywhere in the settings.
mod duration {
    use super::{Deserialize, Deserializer, Duration, Serializer};
    use concord_settings::{format_duration, parse_duration};

    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_str(&format_duration(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
    }
}
