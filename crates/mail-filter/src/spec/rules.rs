//! Rules, from their keys.

use super::Mistakes;
use crate::config::{FilterConfig, RuleAction};
use crate::edit::{Field, name, value};
use crate::limits::{ARCHIVE_DEPTH, MAX_ARCHIVE_DEPTH, MAX_PATTERNS, MAX_REGEX};
use crate::rule::{AttachmentRule, Consequence, HeaderRule, Test};
use concord_smtp::Reply;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

pub(super) fn header(filter: &FilterConfig, mistakes: &mut Mistakes) -> Option<HeaderRule> {
    let consequence = consequence(filter, mistakes);
    let Some(header) = &filter.header else {
        mistakes.missing("header", "write the name of a header field, like \"Subject\"");
        return None;
    };
    if Field::new(header, b"").is_none() {
        mistakes.value("header", header, "write the name of a header field, without colon");
    }
    let test = match (&filter.contains, &filter.matches) {
        (None, None) => {
            mistakes.missing("contains", "write 'contains' or 'matches'");
            None
        }
        (Some(text), Some(_)) => {
            mistakes.value("contains", text, "there is 'matches' too; keep one of them");
            None
        }
        (Some(text), None) if text.is_empty() => {
            mistakes.value("contains", text, "every value contains it; write a text");
            None
        }
        (Some(text), None) => Some(Test::Contains(text.to_lowercase())),
        (None, Some(pattern)) => regex("matches", pattern, mistakes).map(Test::Matches),
    };
    Some(HeaderRule { header: header.clone(), test: test?, consequence: consequence? })
}

pub(super) fn attachment(filter: &FilterConfig, mistakes: &mut Mistakes) -> Option<AttachmentRule> {
    let consequence = consequence(filter, mistakes);
    if filter.action == Some(RuleAction::Strip) {
        mistakes.value("action", "strip", "only rules of kind header strip; quarantine instead");
    }
    let nothing = [&filter.file_names, &filter.types, &filter.real_types];
    if nothing.iter().all(|patterns| patterns.is_empty()) {
        mistakes.missing("file-names", "write 'file-names', 'types' or 'real-types'");
    }
    let depth = filter.archive_depth.unwrap_or(ARCHIVE_DEPTH);
    if depth > MAX_ARCHIVE_DEPTH {
        let why = format!("write at most {MAX_ARCHIVE_DEPTH}");
        mistakes.value("archive-depth", &depth.to_string(), why);
    }
    Some(AttachmentRule {
        file_names: patterns("file-names", &filter.file_names, mistakes)?,
        types: patterns("types", &filter.types, mistakes)?,
        real_types: patterns("real-types", &filter.real_types, mistakes)?,
        archive_depth: depth,
        consequence: consequence?,
    })
}

fn consequence(filter: &FilterConfig, mistakes: &mut Mistakes) -> Option<Consequence> {
    let Some(action) = filter.action else {
        mistakes.missing("action", "write \"refuse\", \"quarantine\", \"mark\" or \"strip\"");
        return None;
    };
    if let Some(mark) = filter.mark.as_ref().filter(|_| action != RuleAction::Mark) {
        mistakes.value("mark", mark, "the action is not \"mark\"; change that or remove this");
    }
    if let Some(text) = filter.text.as_ref().filter(|_| action != RuleAction::Refuse) {
        mistakes.value("text", text, "the action is not \"refuse\"; change that or remove this");
    }
    Some(match action {
        RuleAction::Refuse => {
            let usual = "the message is refused by policy".to_owned();
            Consequence::Refuse(Reply::new(550, (5, 7, 1), filter.text.clone().unwrap_or(usual)))
        }
        RuleAction::Quarantine => Consequence::Quarantine,
        RuleAction::Strip => Consequence::Strip,
        RuleAction::Mark => {
            let Some(mark) = &filter.mark else {
                mistakes.missing("mark", "write a header field, like \"X-Spam: Yes\"");
                return None;
            };
            let field = name(mark.as_bytes())
                .and_then(|name| Field::new(name, value(mark.as_bytes()).trim_ascii()));
            if field.is_none() {
                mistakes.value("mark", mark, "write a header field, like \"X-Spam: Yes\"");
            }
            Consequence::Mark(field?)
        }
    })
}

fn regex(key: &'static str, pattern: &str, mistakes: &mut Mistakes) -> Option<Regex> {
    match RegexBuilder::new(pattern).size_limit(MAX_REGEX).build() {
        Ok(regex) => Some(regex),
        Err(e) => {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim().to_owned();
            mistakes.value(key, pattern, format!("{why}; see the syntax of the regex crate"));
            None
        }
    }
}

/// Patterns with `*` and `?`, as one automaton.
fn patterns(key: &'static str, globs: &[String], mistakes: &mut Mistakes) -> Option<RegexSet> {
    if globs.len() > MAX_PATTERNS {
        let why = format!("write at most {MAX_PATTERNS} in one rule");
        mistakes.value(key, &format!("{} patterns", globs.len()), why);
        return None;
    }
    if let Some(empty) = globs.iter().find(|glob| glob.is_empty()) {
        mistakes.value(key, empty, "it is empty; remove it");
        return None;
    }
    let all = globs.iter().map(|glob| {
        let glob = regex::escape(glob).replace(r"\*", ".*").replace(r"\?", ".");
        format!("^{glob}$")
    });
    let set = RegexSetBuilder::new(all)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(MAX_REGEX)
        .build();
    if set.is_err() {
        mistakes.value(key, &globs.join(" "), "the patterns are too large; write fewer");
    }
    set.ok()
}
