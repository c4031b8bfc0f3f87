//! `[logging]`

use crate::schema::{Key, Kind, Section};
use concord_base::ByteSize;

/// `[logging]`: what the services write to log/.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logging {
    /// Least important events written.
    pub level: LogLevel,
    /// Form of a line.
    pub format: LogFormat,
    /// Size at which a log file is put aside as `<service>.log.1`.
    pub rotate_size: ByteSize,
    /// Files put aside that are kept, per service.
    pub rotate_keep: u64,
}

/// Importance of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Something could not be done.
    Error,
    /// Something an operator should look at.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// Why it happened.
    Debug,
    /// Every step, protocol lines included.
    Trace,
}

impl LogLevel {
    const WORDS: &'static [&'static str] = &["error", "warn", "info", "debug", "trace"];

    fn from_word(word: &str) -> Self {
        match word {
            "error" => Self::Error,
            "warn" => Self::Warn,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => Self::Info,
        }
    }

    /// The word in the file, which `tracing` understands too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

pub(crate) const SECTION: Section = Section {
    name: "logging",
    doc: "What the services write to log/.",
    keys: &[
        Key::new(
            "level",
            "\"info\"",
            Kind::Choice(LogLevel::WORDS, |s, v| s.logging.level = LogLevel::from_word(&v)),
            "Least important events written.",
        ),
        Key::new(
            "format",
            "\"text\"",
            Kind::Choice(&["text", "json"], |s, v| {
                s.logging.format = if v == "json" { LogFormat::Json } else { LogFormat::Text };
            }),
            "text: a line for people. json: one object a line.",
        ),
        Key::new(
            "rotate-size",
            "\"16 MiB\"",
            Kind::Size(ByteSize::kib(64), ByteSize::mib(4_096), |s, v| s.logging.rotate_size = v),
            "Size at which a service's log file is put aside and a new one begun.",
        ),
        Key::new(
            "rotate-keep",
            "4",
            Kind::Count(0, 100, |s, v| s.logging.rotate_keep = v),
            "How many files put aside are kept for each service.",
        ),
    ],
};
