//! From the text of the file to [`Settings`], or to every mistake.

use crate::check;
use crate::convert::{apply, nearest};
use crate::error::{Mistake, SettingsError};
use crate::root::Root;
use crate::schema::{Key, Section, schema};
use crate::section::Settings;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration is a few kilobytes; a larger file is some other file.
const MAX_FILE: u64 = 1024 * 1024;

/// Reads the root's configuration file and makes its paths absolute. Blocks.
pub fn load(root: &Root) -> Result<Settings, SettingsError> {
    let file = root.config_file();
    let text = read(&file).map_err(|cause| SettingsError::Unreadable {
        advice: match cause.kind() {
            std::io::ErrorKind::NotFound => "run 'concord up' to set up a new root, or give --root",
            std::io::ErrorKind::PermissionDenied => "run as the user that owns the root",
            _ => "check the file and the disk",
        },
        file: file.clone(),
        cause,
    })?;
    let mut settings = parse(&text, &file)?;
    let absolute = |path: &mut Option<std::path::PathBuf>| {
        if let Some(path) = path {
            *path = root.resolve(path);
        }
    };
    absolute(&mut settings.tls.certificate);
    absolute(&mut settings.tls.key);
    absolute(&mut settings.acme.hook);
    absolute(&mut settings.acme.dns_key_file);
    absolute(&mut settings.acme.trusted_root);
    absolute(&mut settings.acme.external_account_key_file);
    absolute(&mut settings.internet_mail.smart_host_password_file);
    Ok(settings)
}

fn read(file: &Path) -> std::io::Result<String> {
    if std::fs::metadata(file)?.len() > MAX_FILE {
        return Err(std::io::Error::other(format!("it is larger than {MAX_FILE} bytes")));
    }
    std::fs::read_to_string(file)
}

/// Reads a configuration text. `file` only names it in mistakes.
pub fn parse(text: &str, file: &Path) -> Result<Settings, SettingsError> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut places = Places::new(text);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|e| {
            places.at(
                &e.span().unwrap_or(0..0),
                None,
                format!("cannot read this TOML: {}", e.message()),
            )
        })
        .collect();
    let mut settings = defaults();
    for (name, value) in document.get_ref() {
        let Some(section) = schema().iter().find(|s| s.name == name.get_ref().as_ref()) else {
            mistakes.push(unknown_section(&places, name));
            continue;
        };
        let Some(table) = value.get_ref().as_table() else {
            let what =
                format!("'{0}' is a section; write [{0}] and its keys below it", section.name);
            mistakes.push(places.at(&name.span(), Some(section.name.to_owned()), what));
            continue;
        };
        read_section(section, table, &mut settings, &mut places, &mut mistakes);
    }
    // Checks across values would blame values that were never taken.
    if mistakes.is_empty() {
        mistakes = check::together(&settings, &places);
    }
    if mistakes.is_empty() {
        return Ok(settings);
    }
    mistakes.sort();
    mistakes.dedup();
    Err(SettingsError::Mistakes { file: file.to_owned(), mistakes })
}

fn read_section(
    section: &Section,
    table: &DeTable<'_>,
    settings: &mut Settings,
    places: &mut Places,
    mistakes: &mut Vec<Mistake>,
) {
    for (name, value) in table {
        let Some(key) = section.keys.iter().find(|k| k.name == name.get_ref().as_ref()) else {
            mistakes.push(unknown_key(places, section, name));
            continue;
        };
        places.remember(section.name, key.name, value);
        if let Err(flaws) = apply(&key.kind, value, settings) {
            let path = format!("{}.{}", section.name, key.name);
            mistakes.extend(
                flaws.into_iter().map(|(span, what)| places.at(&span, Some(path.clone()), what)),
            );
        }
    }
}

type Name<'i> = Spanned<std::borrow::Cow<'i, str>>;

fn unknown_section(places: &Places, name: &Name<'_>) -> Mistake {
    let text = name.get_ref();
    let keys = schema().iter().flat_map(|s| s.keys.iter().map(move |k| (s, k)));
    let what = if let Some((section, key)) = keys.clone().find(|(_, k)| k.name == text.as_ref()) {
        format!(
            "'{text}' stands outside its section; write it under [{}] as {}",
            section.name, key.name
        )
    } else if let Some(near) = nearest(text, schema().iter().map(|s| s.name)) {
        format!("unknown section '{}'; did you mean [{near}]?", check::shorten(text))
    } else {
        let all: Vec<_> = schema().iter().map(|s| s.name).collect();
        format!("unknown section '{}'; there are {}", check::shorten(text), all.join(", "))
    };
    places.at(&name.span(), None, what)
}

fn unknown_key(places: &Places, section: &Section, name: &Name<'_>) -> Mistake {
    let text = name.get_ref();
    let elsewhere = schema().iter().find(|s| s.keys.iter().any(|k| k.name == text.as_ref()));
    let what = if let Some(other) = elsewhere {
        format!("unknown key; '{text}' belongs to [{}]", other.name)
    } else if let Some(near) = nearest(text, section.keys.iter().map(|k| k.name)) {
        format!("unknown key; did you mean '{near}'?")
    } else {
        let all: Vec<_> = section.keys.iter().map(|k| k.name).collect();
        format!("unknown key; [{}] has {}", section.name, all.join(", "))
    };
    places.at(&name.span(), Some(format!("{}.{}", section.name, check::shorten(text))), what)
}

/// What an empty file means.
pub(crate) fn defaults() -> Settings {
    let mut settings = Settings::blank();
    for key in schema().iter().flat_map(|section| section.keys) {
        apply_literal(key, key.default, &mut settings);
    }
    settings
}

/// The schema's own literals are valid; a test applies every one of them.
pub(crate) fn apply_literal(key: &Key, literal: Option<&str>, settings: &mut Settings) -> bool {
    let Some(value) = literal.and_then(|text| DeValue::parse(text).ok()) else {
        return literal.is_none();
    };
    apply(&key.kind, &value, settings).is_ok()
}

/// Where things are in the text.
pub(crate) struct Places {
    /// Byte offset at which each line begins.
    lines: Vec<usize>,
    text: String,
    /// The span of each value, followed by those of a list's entries.
    values: HashMap<(String, String), Vec<Range<usize>>>,
}

impl Places {
    fn new(text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self {
            lines: std::iter::once(0).chain(starts).collect(),
            text: text.to_owned(),
            values: HashMap::new(),
        }
    }

    fn remember(&mut self, section: &str, key: &str, value: &Spanned<DeValue<'_>>) {
        let mut spans = vec![value.span()];
        if let Some(entries) = value.get_ref().as_array() {
            spans.extend(entries.iter().map(Spanned::span));
        }
        self.values.insert((section.to_owned(), key.to_owned()), spans);
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        (line, before + 1)
    }

    fn at(&self, span: &Range<usize>, key: Option<String>, what: String) -> Mistake {
        let (line, column) = self.position(span.start);
        Mistake { line, column, key, what }
    }

    /// The line of a key's value; 0 if it is a default.
    pub(crate) fn line(&self, section: &str, key: &str) -> usize {
        self.span(section, key, 0).map_or(0, |span| self.position(span.start).0)
    }

    fn span(&self, section: &str, key: &str, index: usize) -> Option<&Range<usize>> {
        self.values.get(&(section.to_owned(), key.to_owned()))?.get(index)
    }

    /// A mistake of a key that is known; line 0 if its value is a default.
    pub(crate) fn mistake(&self, section: &str, key: &str, what: String) -> Mistake {
        self.place(self.span(section, key, 0), section, key, what)
    }

    /// A mistake of one entry of a list.
    pub(crate) fn mistake_at(
        &self,
        section: &str,
        key: &str,
        index: usize,
        what: String,
    ) -> Mistake {
        self.place(self.span(section, key, index + 1), section, key, what)
    }

    fn place(
        &self,
        span: Option<&Range<usize>>,
        section: &str,
        key: &str,
        what: String,
    ) -> Mistake {
        let path = Some(format!("{section}.{key}"));
        match span {
            Some(span) => self.at(span, path, what),
            None => Mistake { line: 0, column: 0, key: path, what },
        }
    }
}
