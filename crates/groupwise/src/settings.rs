//! What the administrator set.

use concord_connector::wire::OwnObject;
use concord_groupwise_api::{Characters, CodePage};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Octets of a message, its files included, if the service is not told another
/// bound.
pub const DEFAULT_MESSAGE_SIZE: u64 = 50 << 20;
/// Looks into `API_OUT` are at most so far apart: beyond that people take the
/// connector for dead.
const MAX_POLL_SECONDS: u64 = 3_600;

/// The settings of one connector, checked.
#[derive(Debug, Clone)]
pub struct GroupWiseSettings {
    /// The gateway's directory.
    pub directory: PathBuf,
    /// The External Foreign domain that stands for this organisation.
    pub foreign_domain: String,
    /// The post office of senders without a GroupWise address.
    pub post_office: String,
    /// The gateway's own domain; may be empty.
    pub gateway_domain: String,
    /// What the files' octets mean.
    pub characters: Characters,
    /// Between looks into `API_OUT`.
    pub poll: Duration,
    /// The zone of dates without an offset.
    pub zone: TimeZone,
    /// How long a header may stay unfinished before somebody is told.
    pub unfinished_after: Duration,
    /// How old a file without a header in `ATT_OUT` is when somebody is told.
    pub orphan_after: Duration,
    /// How long a directory request may be unanswered.
    pub directory_answer: Duration,
}

impl GroupWiseSettings {
    /// Reads the settings of the connector's object.
    ///
    /// # Errors
    /// Every mistake, each with what to do.
    pub fn read(own: &OwnObject) -> Result<Self, Vec<String>> {
        let mut reader = Reader { own, mistakes: Vec::new() };
        let minutes = |seconds: u64| Duration::from_secs(seconds * 60);
        let settings = Self {
            directory: reader.directory(),
            foreign_domain: reader.text("foreign-domain", "EXCHANGE"),
            post_office: reader.text("post-office", "FIRST"),
            gateway_domain: reader.text("gateway-domain", ""),
            characters: reader.code_page(),
            poll: Duration::from_secs(reader.number("poll-seconds", 2, 1..=MAX_POLL_SECONDS)),
            zone: reader.zone(),
            unfinished_after: minutes(reader.number("unfinished-minutes", 10, 1..=1_440)),
            orphan_after: minutes(reader.number("orphan-minutes", 15, 1..=10_080)),
            directory_answer: minutes(reader.number("directory-answer-minutes", 60, 1..=1_440)),
        };
        for (name, value) in
            [("foreign-domain", &settings.foreign_domain), ("post-office", &settings.post_office)]
        {
            if value.is_empty() || value.contains('.') {
                reader.mistakes.push(format!(
                    "{name} is '{value}': write the name as GroupWise knows it, without dots"
                ));
            }
        }
        if settings.gateway_domain.eq_ignore_ascii_case(&settings.foreign_domain) {
            reader.mistakes.push(format!(
                "gateway-domain and foreign-domain are both '{}': the gateway belongs to a \
                 GroupWise domain, and the foreign domain stands for this organisation",
                settings.foreign_domain
            ));
        }
        if reader.mistakes.is_empty() { Ok(settings) } else { Err(reader.mistakes) }
    }
}

struct Reader<'a> {
    own: &'a OwnObject,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str, default: &str) -> String {
        match self.own.settings.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => default.to_owned(),
        }
    }

    fn number(&mut self, name: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
        let text = self.text(name, "");
        if text.is_empty() {
            return default;
        }
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (from, to) = (range.start(), range.end());
                self.mistakes.push(format!("{name} is '{text}': write {from} to {to}"));
                default
            }
        }
    }

    fn directory(&mut self) -> PathBuf {
        let path = PathBuf::from(self.text("directory", ""));
        if !path.is_absolute() {
            self.mistakes.push(format!(
                "directory is '{}': write the whole path of the gateway's directory, which has \
                 API_IN and API_OUT in it",
                path.display()
            ));
        }
        path
    }

    fn code_page(&mut self) -> Characters {
        let text = self.text("code-page", "437").to_ascii_lowercase();
        let page = match text.trim_start_matches("cp") {
            "437" => CodePage::Cp437,
            "850" => CodePage::Cp850,
            "1252" | "windows-1252" => CodePage::Windows1252,
            _ => {
                let known = "write 437, 850 or windows-1252";
                self.mistakes.push(format!("code-page is '{text}': {known}"));
                CodePage::Cp437
            }
        };
        Characters::new(page)
    }

    fn zone(&mut self) -> TimeZone {
        let text = self.text("time-zone", "UTC");
        TimeZone::get(&text).unwrap_or_else(|_| {
            let known = "write an IANA name, such as Europe/Berlin";
            self.mistakes.push(format!("time-zone is '{text}': {known}"));
            TimeZone::UTC
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn own(settings: Value) -> OwnObject {
        let settings = settings.as_object().cloned().unwrap_or_default();
        OwnObject { settings, ..OwnObject::default() }
    }

    #[test]
    fn defaults_are_enough_beside_the_directory() {
        let settings = GroupWiseSettings::read(&own(json!({ "directory": "/gw" }))).unwrap();
        assert_eq!(settings.foreign_domain, "EXCHANGE");
        assert_eq!(settings.poll, Duration::from_secs(2));
        assert_eq!(settings.characters.page, CodePage::Cp437);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let mistakes = GroupWiseSettings::read(&own(json!({
            "code-page": "ebcdic", "time-zone": "Mars/North", "poll-seconds": 0,
            "gateway-domain": "exchange", "post-office": "A.B",
        })))
        .unwrap_err();
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
    }
}
