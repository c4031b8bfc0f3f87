//! The schema as a commented file, and as a page of the manual.

use crate::duration::format_duration;
use crate::schema::{Key, Kind, Section, schema};
use std::fmt::Write;

/// Columns of the example file, comment sign included.
const WIDTH: usize = 88;

/// Which values stand in a rendered file as set ones; all others are
/// comments that show the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset<'a> {
    /// None: the documentation's example.
    Example,
    /// A new server of this name.
    Production {
        /// Its host name.
        hostname: &'a str,
    },
    /// A demonstration on 127.0.0.1, ports from 2000 on.
    Demo,
}

impl Preset<'_> {
    fn value(self, section: &Section, key: &Key) -> Option<String> {
        match self {
            Self::Example => None,
            Self::Production { hostname } => (section.name == "server" && key.name == "hostname")
                .then(|| format!("\"{}\"", hostname.escape_default())),
            Self::Demo => key.demo.map(str::to_owned),
        }
    }
}

/// The configuration file with every key, its meaning and its default.
pub fn example(preset: Preset<'_>) -> String {
    let mut out = String::from(
        "# Concord's configuration. Every key is listed; what is commented out shows the\n\
         # default. 'concord config check' finds every mistake, 'concord config example' prints\n\
         # this file afresh. Relative paths are seen from the root directory.\n",
    );
    for section in schema() {
        out.push('\n');
        comment(&mut out, section.doc);
        let _ = writeln!(out, "[{}]", section.name);
        for key in section.keys {
            out.push('\n');
            comment(&mut out, key.doc);
            if let Some(bounds) = bounds(&key.kind) {
                comment(&mut out, &bounds);
            }
            let _ = match preset.value(section, key) {
                Some(value) => writeln!(out, "{} = {value}", key.name),
                None => writeln!(out, "#{} = {}", key.name, key.sample),
            };
        }
    }
    out
}

fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

fn bounds(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Count(min, max, _) => Some(format!("{min} to {max}.")),
        Kind::Size(min, max, _) => Some(format!("{min} to {max}.")),
        Kind::Duration(min, max, _) => {
            Some(format!("{} to {}.", format_duration(*min), format_duration(*max)))
        }
        Kind::Durations(min, max, _) => {
            Some(format!("Each {} to {}.", format_duration(*min), format_duration(*max)))
        }
        Kind::Choice(words, _) => Some(format!("One of {}.", words.join(", "))),
        _ => None,
    }
}

fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Flag(_) => "true or false",
        Kind::Count(..) => "number",
        Kind::Size(..) => "size",
        Kind::Duration(..) => "duration",
        Kind::Durations(..) => "list of durations",
        Kind::Choice(..) => "word",
        Kind::Text(..) => "text",
        Kind::Texts(..) => "list of texts",
        Kind::Path(_) => "file",
        Kind::Listeners(_) => "list of address:port",
        Kind::Nameservers(_) | Kind::Addresses(_) => "list of addresses",
        Kind::Networks(..) => "list of networks",
    }
}

/// The reference page of the manual, in Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# Settings\n\n\
         `etc/concord.toml`, in TOML. This page is generated from the program's own table of \
         settings. Every key may be left out. Sizes are texts such as `\"50 MiB\"` or \
         `\"200 kB\"`; durations are texts such as `\"5 d\"`, `\"4 h\"`, `\"30 min\"`, \
         `\"15 s\"` or `\"200 ms\"`. Relative files are seen from the root directory. \
         `concord config check` reports every mistake of the file at once.\n",
    );
    for section in schema() {
        let _ = write!(out, "\n## [{}]\n\n{}\n\n", section.name, section.doc);
        out.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        for key in section.keys {
            let default = key.default.map_or("not set".to_owned(), |d| format!("`{d}`"));
            let bounds = bounds(&key.kind).map(|b| format!(" {b}")).unwrap_or_default();
            let _ = writeln!(
                out,
                "| `{}` | {} | {default} | {}{bounds} |",
                key.name,
                type_name(&key.kind),
                key.doc.replace('|', "\\|")
            );
        }
    }
    out
}
