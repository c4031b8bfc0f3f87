//! Ids, from which everything is found again without a table.

use super::bounds::MAX_PLAIN_ID;
use concord_address::{Domain, SmtpAddress};
use std::fmt;

/// What the id of an item that we send says: which message of the queue it is
/// and to whom. GroupWise repeats it in every status.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SentKey {
    /// The message's id in the core's queue.
    pub queue_id: String,
    /// The recipient, as the queue knows it.
    pub recipient: SmtpAddress,
    /// The meeting that the message is about (iCalendar UID), which an answer
    /// to it has to name.
    pub meeting: Option<String>,
}

const PREFIX: &str = "concord/";

impl SentKey {
    /// Reads an id. `None` if it is not one of ours.
    pub fn parse(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix(PREFIX)?.split('/').map(plain);
        let (queue_id, recipient) = (parts.next()??, parts.next()??);
        if queue_id.is_empty() {
            return None;
        }
        let meeting = parts.next().flatten().filter(|uid| !uid.is_empty());
        Some(Self { queue_id, recipient: recipient.parse().ok()?, meeting })
    }
}

/// The id as it is written: parts between slashes, with nothing in them that
/// the files would have to escape.
impl fmt::Display for SentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipient = self.recipient.to_string();
        write!(f, "{PREFIX}{}/{}", escaped(&self.queue_id), escaped(&recipient))?;
        match &self.meeting {
            Some(uid) => write!(f, "/{}", escaped(uid)),
            None => Ok(()),
        }
    }
}

fn escaped(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for octet in part.bytes() {
        let plain = octet.is_ascii_alphanumeric()
            || matches!(octet, b'.' | b'-' | b'_' | b'@' | b'+' | b'=' | b':');
        if plain {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("%{octet:02x}"));
        }
    }
    text
}

fn plain(part: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    String::from_utf8(octets).ok()
}

/// The Message-ID, without brackets, of an item that comes from GroupWise.
/// The same item always has the same one.
pub fn message_id(item_id: &str, domain: &Domain) -> String {
    let kept = item_id.as_bytes().get(..MAX_PLAIN_ID).unwrap_or(item_id.as_bytes());
    let hex: String = kept.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("gw.{hex}@{domain}")
}

/// The id of the GroupWise item that has this Message-ID; `None` if it is not
/// one of [`message_id`]'s for `domain`.
pub fn item_id(message_id: &str, domain: &Domain) -> Option<String> {
    let (hex, at) = message_id.strip_prefix("gw.")?.split_once('@')?;
    if at.parse::<Domain>().ok()? != *domain || hex.is_empty() || hex.len() % 2 != 0 {
        return None;
    }
    let octets: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(octets?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_of_ours_says_message_and_recipient() {
        let key = SentKey {
            queue_id: "Q0123".into(),
            recipient: "\"a/b\"@gw.example".parse().unwrap(),
            meeting: Some("040000008200; 100%/x".into()),
        };
        assert!(!key.to_string().contains([';', ',', '\\', ' ']));
        assert_eq!(SentKey::parse(&key.to_string()), Some(key));
        assert_eq!(SentKey::parse("3FCD7DD9.2A0A.000B.000"), None);
    }

    proptest! {
        #[test]
        fn an_item_is_found_by_its_message_id(id in "\\PC{1,60}") {
            let domain: Domain = "gw.example".parse().unwrap();
            prop_assert_eq!(item_id(&message_id(&id, &domain), &domain), Some(id));
        }

        #[test]
        fn never_panics(id in "(gw\\.)?[0-9a-z\\PC]{0,20}@?[a-z.]{0,10}") {
            let domain: Domain = "gw.example".parse().unwrap();
            let _ = item_id(&id, &domain);
            let _ = SentKey::parse(&id);
        }
    }
}
