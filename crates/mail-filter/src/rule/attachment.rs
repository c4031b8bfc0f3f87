//! Rules on attachments.

use super::archive::{Budget, is_archive, search};
use super::{Consequence, real_type};
use crate::draft::Draft;
use crate::fault::FilterFault;
use crate::limits::{MAX_NESTED_MESSAGES, MAX_PARTS, MAX_WORDS};
use crate::verdict::{Action, Opinion};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use regex::RegexSet;

/// A rule on every part of a message that has a name or is no text, and on
/// what is in archives.
#[derive(Debug)]
pub(crate) struct AttachmentRule {
    pub file_names: RegexSet,
    pub types: RegexSet,
    pub real_types: RegexSet,
    pub archive_depth: u8,
    pub consequence: Consequence,
}

impl AttachmentRule {
    /// Reads the whole message; blocks for as long as that takes.
    ///
    /// # Errors
    /// [`FilterFault::TooComplex`].
    pub fn judge(&self, message: &[u8]) -> Result<Opinion, FilterFault> {
        let Some(parsed) = MessageParser::new().parse(message) else {
            return Ok(Opinion::new(Action::Accept, "not found"));
        };
        let mut look = Look { rule: self, parts: 0, budget: Budget::default() };
        let Some(found) = look.message(&parsed, 0)? else {
            return Ok(Opinion::new(Action::Accept, "not found"));
        };
        let found: String = found.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
        let mut opinion = self.consequence.opinion(found);
        if let Consequence::Mark(field) = &self.consequence {
            let mut draft = Draft::new(message, 0..0);
            draft.add(field.clone());
            opinion.edits = draft.finish();
        }
        Ok(opinion)
    }

    fn real_type(&self, content: &[u8]) -> Option<&'static str> {
        real_type::of(content).filter(|found| self.real_types.is_match(found))
    }
}

struct Look<'a> {
    rule: &'a AttachmentRule,
    parts: usize,
    budget: Budget,
}

impl Look<'_> {
    /// What was found, in words.
    fn message(
        &mut self,
        message: &Message<'_>,
        depth: usize,
    ) -> Result<Option<String>, FilterFault> {
        if depth > MAX_NESTED_MESSAGES {
            let (what, most) = ("messages within messages", MAX_NESTED_MESSAGES);
            return Err(FilterFault::TooComplex { what, most });
        }
        for part in &message.parts {
            self.parts = self.parts.saturating_add(1);
            if self.parts > MAX_PARTS {
                return Err(FilterFault::TooComplex { what: "parts", most: MAX_PARTS });
            }
            if let Some(found) = self.part(part)? {
                return Ok(Some(found));
            }
            if let PartType::Message(inner) = &part.body
                && let Some(found) = self.message(inner, depth.saturating_add(1))?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn part(&mut self, part: &MessagePart<'_>) -> Result<Option<String>, FilterFault> {
        let rule = self.rule;
        let name = part.attachment_name();
        if let Some(name) = name.map(last_name).filter(|name| rule.file_names.is_match(name)) {
            return Ok(Some(format!("attachment '{name}'")));
        }
        if let Some(declared) = part.content_type() {
            let subtype = declared.subtype().unwrap_or_default();
            let declared = format!("{}/{subtype}", declared.ctype());
            if rule.types.is_match(&declared) {
                return Ok(Some(format!("attachment of type {declared}")));
            }
        }
        // Texts too: what a part says of itself is the sender's word.
        let content = match &part.body {
            PartType::Multipart(_) | PartType::Message(_) => return Ok(None),
            _ => part.contents(),
        };
        if let Some(real) = rule.real_type(content) {
            return Ok(Some(format!("attachment that is {real}")));
        }
        if !is_archive(content) {
            return Ok(None);
        }
        let mut found = None;
        search(content, rule.archive_depth, &mut self.budget, &mut |name, begin| {
            if rule.file_names.is_match(name) {
                found = Some(format!("'{name}' in an archive"));
            } else if let Some(real) = rule.real_type(begin) {
                found = Some(format!("'{name}' in an archive, which is {real}"));
            }
            found.is_some()
        })?;
        Ok(found)
    }
}

/// Mail programs use what stands behind the last separator, and Windows drops
/// dots and blanks at the end.
fn last_name(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name.trim().trim_end_matches(['.', ' '])
}

pub(super) fn fuzz(data: &[u8]) {
    let all = || RegexSet::new(["^never$"]).unwrap_or_else(|_| RegexSet::empty());
    let rule = AttachmentRule {
        file_names: all(),
        types: all(),
        real_types: all(),
        archive_depth: 2,
        consequence: Consequence::Quarantine,
    };
    let _ = rule.judge(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use std::io::Write;

    fn set(patterns: &[&str]) -> RegexSet {
        RegexSet::new(patterns).unwrap()
    }

    fn rule(names: &[&str], types: &[&str], real: &[&str], depth: u8) -> AttachmentRule {
        AttachmentRule {
            file_names: set(names),
            types: set(types),
            real_types: set(real),
            archive_depth: depth,
            consequence: Consequence::Quarantine,
        }
    }

    fn with(name: &str, content: &[u8]) -> Vec<u8> {
        let content = STANDARD.encode(content);
        format!(
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n\
             Content-Type: application/octet-stream; name=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{content}\r\n--b--\r\n"
        )
        .into_bytes()
    }

    fn zip(name: &str, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut archive = rawzip::ZipArchiveWriter::new(&mut out);
        let builder = archive.new_file(name).compression_method(CompressionMethod::Deflate);
        let (mut entry, config) = builder.start().unwrap();
        let packer = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(packer);
        writer.write_all(content).unwrap();
        let (packer, descriptor) = writer.finish().unwrap();
        packer.finish().unwrap();
        entry.finish(descriptor).unwrap();
        archive.finish().unwrap();
        out
    }

    use rawzip::CompressionMethod;

    fn finds(rule: &AttachmentRule, message: &[u8]) -> Option<String> {
        match rule.judge(message).unwrap().action {
            Action::Quarantine { reason } => Some(reason),
            _ => None,
        }
    }

    #[test]
    fn attachments_are_found_by_name_declared_and_real_type() {
        let mut program = b"MZ".to_vec();
        program.resize(200, 0);
        let message = with("Bill.EXE. ", &program);
        let exe = rule(&["(?i)^.*\\.exe$"], &[], &[], 2);
        assert_eq!(finds(&exe, &message).as_deref(), Some("attachment 'Bill.EXE'"));
        let declared = rule(&[], &["^application/octet-stream$"], &[], 2);
        assert!(finds(&declared, &message).is_some());
        let real = rule(&[], &[], &["portable-executable"], 2);
        assert!(finds(&real, &with("bill.pdf", &program)).is_some());
        assert_eq!(finds(&real, &with("bill.pdf", b"%PDF-1.7 ...")), None);
    }

    #[test]
    fn archives_are_looked_into_down_to_their_depth() {
        let inner = zip("run.exe", b"MZ");
        let outer = zip("dir/inner.zip", &inner);
        let message = with("a.zip", &zip("dir/x.exe", b"MZ"));
        let nested = with("a.zip", &outer);
        let exe = |depth| rule(&["(?i)^.*\\.exe$"], &[], &[], depth);
        assert_eq!(finds(&exe(0), &message), None);
        assert_eq!(finds(&exe(1), &message).as_deref(), Some("'x.exe' in an archive"));
        assert_eq!(finds(&exe(1), &nested), None);
        assert_eq!(finds(&exe(2), &nested).as_deref(), Some("'run.exe' in an archive"));
    }

    #[test]
    fn a_bomb_fails_the_rule_and_no_memory() {
        let bomb = [zip("x.txt", b"x"), vec![0; 80 * 1024 * 1024]].concat();
        let message = with("a.zip", &zip("inner.zip", &bomb));
        let found = rule(&["^never$"], &[], &[], 3).judge(&message);
        assert!(matches!(found, Err(FilterFault::TooComplex { .. })), "{found:?}");
    }

    #[test]
    fn messages_within_messages_are_looked_into() {
        let inner = with("x.exe", b"MZ");
        let mut message = b"Subject: y\r\nContent-Type: message/rfc822\r\n\r\n".to_vec();
        message.extend(inner);
        assert!(finds(&rule(&["^x.exe$"], &[], &[], 0), &message).is_some());
    }
}
