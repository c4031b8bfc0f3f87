//! Conditions, and the text that they are.

use crate::rule::{MAX_VALUES, MAX_WORD};
use crate::{Importance, Sensitivity};
use concord_address::{Domain, TypedAddress};
use concord_base::ByteSize;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Octets of a header field's name; RFC 5322 lines have 998, real names 40.
const MAX_FIELD_NAME: usize = 76;

/// The fields that name people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Who wrote the message.
    From,
    /// Who sent it: `Sender`, without it `From` (RFC 5322 section 3.6.2).
    Sender,
    /// Whom it is to.
    To,
    /// Who gets it for information.
    Cc,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::From, Self::Sender, Self::To, Self::Cc];

    /// Its word in conditions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Sender => "sender",
            Self::To => "to",
            Self::Cc => "cc",
        }
    }
}

/// Whom a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// Whoever has the address, by whichever of his addresses.
    Address(TypedAddress),
    /// Every address of a domain, written `@example.org`.
    Domain(Domain),
}

/// What a message must be like. Written as one line, `from=jane@example.org`; `|`
/// stands between alternatives, and a backslash before one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Condition {
    /// `from=`, `sender=`, `to=`, `cc=`: the field names one of them.
    Names(Field, Vec<Party>),
    /// `to-me`: the mailbox stands in `To`.
    ToMe,
    /// `cc-me`: the mailbox stands in `Cc`.
    CcMe,
    /// `not-named`: the mailbox stands in neither.
    NotNamed,
    /// `subject=`: it contains one of the words, in any case.
    Subject(Vec<String>),
    /// `header:NAME=`: a field of that name contains one of the words; without
    /// words it is there.
    Header(String, Vec<String>),
    /// `importance=high|normal|low`
    Importance(Vec<Importance>),
    /// `sensitivity=normal|personal|private|confidential`
    Sensitivity(Vec<Sensitivity>),
    /// `larger=SIZE`: the whole message has more octets.
    Larger(ByteSize),
    /// `attachment`: it carries a file or another message.
    Attachment,
    /// `report`: a report of delivery or a receipt.
    Report,
    /// `automatic`: a program wrote it and says so.
    Automatic,
    /// `from-list`: a mailing list passed it on and says so.
    FromList,
    /// What another release kept and this one cannot read, as after going back to an
    /// older one: the mailbox stays readable, and the answer is not known.
    Unread(String),
}

/// The text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a condition: {cause}")]
pub struct ParseConditionError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit, and what to write.
    pub cause: String,
}

const WORDS: [(&str, Condition); 7] = [
    ("to-me", Condition::ToMe),
    ("cc-me", Condition::CcMe),
    ("not-named", Condition::NotNamed),
    ("attachment", Condition::Attachment),
    ("report", Condition::Report),
    ("automatic", Condition::Automatic),
    ("from-list", Condition::FromList),
];

impl Condition {
    /// Whom it names, if it is about people.
    pub fn parties(&self) -> &[Party] {
        match self {
            Self::Names(_, parties) => parties,
            _ => &[],
        }
    }

    /// The fields whose people it asks about.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Names(Field::From, _) => &[Field::From],
            Self::Names(Field::Sender, _) => &[Field::Sender],
            Self::Names(Field::To, _) | Self::ToMe => &[Field::To],
            Self::Names(Field::Cc, _) | Self::CcMe => &[Field::Cc],
            Self::NotNamed => &[Field::To, Field::Cc],
            _ => &[],
        }
    }
}

/// What stands between the bars; a backslash makes a character an ordinary one.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, '|') => values.push(String::new()),
            (_, c) => {
                if let Some(value) = values.last_mut() {
                    value.push(c);
                }
                escaped = false;
            }
        }
    }
    values.iter_mut().for_each(|value| *value = value.trim().to_owned());
    values
}

fn join(values: impl Iterator<Item = String>) -> String {
    let escaped: Vec<String> =
        values.map(|value| value.replace('\\', "\\\\").replace('|', "\\|")).collect();
    escaped.join("|")
}

fn party(text: &str) -> Result<Party, String> {
    match text.strip_prefix('@') {
        Some(domain) => {
            let domain: Result<Domain, _> = domain.parse();
            domain.map(Party::Domain).map_err(|e| e.to_string())
        }
        None => text
            .parse()
            .map(Party::Address)
            .map_err(|e: concord_address::ParseTypedAddressError| e.to_string()),
    }
}

fn words(values: Vec<String>) -> Result<Vec<String>, String> {
    let fits = |word: &String| {
        !word.is_empty() && word.len() <= MAX_WORD && !word.chars().any(char::is_control)
    };
    if values.iter().all(fits) {
        return Ok(values);
    }
    Err(format!("a word has 1 to {MAX_WORD} octets and no control characters"))
}

fn field_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.len() <= MAX_FIELD_NAME
        && text.bytes().all(|c| c.is_ascii_graphic() && c != b':' && c != b'=');
    if fits { Ok(text.to_owned()) } else { Err("write header:NAME=WORD".to_owned()) }
}

fn read(text: &str) -> Result<Condition, String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value)),
        None => (text.trim(), None),
    };
    if let Some((_, condition)) = WORDS.iter().find(|(word, _)| *word == key) {
        return match value {
            None => Ok(condition.clone()),
            Some(_) => Err(format!("'{key}' stands by itself")),
        };
    }
    let values = value.map(split).unwrap_or_default();
    if values.len() > MAX_VALUES {
        return Err(format!("it has more than {MAX_VALUES} alternatives"));
    }
    if let Some(name) = key.strip_prefix("header:") {
        return Ok(Condition::Header(field_name(name.trim())?, words(values)?));
    }
    if value.is_none() {
        return Err("write one like from=jane@example.org or cc-me; see 'concord rule add --help'"
            .to_owned());
    }
    if let Some(field) = Field::ALL.into_iter().find(|field| field.as_str() == key) {
        let parties: Result<Vec<Party>, String> = values.iter().map(|v| party(v)).collect();
        return Ok(Condition::Names(field, parties?));
    }
    match key {
        "subject" => words(values).map(Condition::Subject),
        "importance" => {
            values.iter().map(|v| v.parse()).collect::<Result<_, _>>().map(Condition::Importance)
        }
        "sensitivity" => {
            values.iter().map(|v| v.parse()).collect::<Result<_, _>>().map(Condition::Sensitivity)
        }
        "larger" => {
            let size = value.unwrap_or_default().trim().parse::<ByteSize>();
            size.map(Condition::Larger).map_err(|e| e.to_string())
        }
        _ => Err(format!(
            "there is no condition '{}'; see 'concord rule add --help'",
            key.chars().take(40).collect::<String>()
        )),
    }
}

impl FromStr for Condition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        read(text)
            .map_err(|cause| ParseConditionError { text: text.chars().take(80).collect(), cause })
    }
}

/// As it is kept; what people type is parsed.
impl From<String> for Condition {
    fn from(text: String) -> Self {
        text.parse().unwrap_or(Self::Unread(text))
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> String {
        condition.to_string()
    }
}

impl fmt::Display for Party {
    /// Internet addresses without their type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) if address.kind().is_smtp() => f.write_str(address.value()),
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((word, _)) = WORDS.iter().find(|(_, condition)| condition == self) {
            return f.write_str(word);
        }
        match self {
            Self::Names(field, parties) => {
                let parties = join(parties.iter().map(ToString::to_string));
                write!(f, "{}={parties}", field.as_str())
            }
            Self::Subject(words) => write!(f, "subject={}", join(words.iter().cloned())),
            Self::Header(name, words) if words.is_empty() => write!(f, "header:{name}"),
            Self::Header(name, words) => {
                write!(f, "header:{name}={}", join(words.iter().cloned()))
            }
            Self::Importance(levels) => {
                let levels = levels.iter().map(|level| level.as_str().to_owned());
                write!(f, "importance={}", join(levels))
            }
            Self::Sensitivity(levels) => {
                let levels = levels.iter().map(|level| level.as_str().to_owned());
                write!(f, "sensitivity={}", join(levels))
            }
            // In octets: the short form rounds.
            Self::Larger(size) if size.0 % 1024 != 0 => write!(f, "larger={}", size.0),
            Self::Larger(size) if size.0 % (1 << 20) != 0 => {
                write!(f, "larger={} KiB", size.0 >> 10)
            }
            Self::Larger(size) => write!(f, "larger={} MiB", size.0 >> 20),
            Self::Unread(text) => f.write_str(text),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_read_as_they_are_written() {
        for text in [
            "from=jane@example.org|@example.net|NOTES:Jane Doe/Acme@ACME",
            "sender=a@b.test",
            "to=sales@example.org",
            "cc=a\\|b@example.org",
            "to-me",
            "cc-me",
            "not-named",
            "subject=year's end|a \\| b|c:\\\\temp",
            "header:X-Spam-Flag=yes",
            "header:List-Unsubscribe",
            "importance=high|low",
            "sensitivity=private|confidential",
            "larger=10 MiB",
            "larger=1500",
            "larger=3 KiB",
            "attachment",
            "report",
            "automatic",
            "from-list",
        ] {
            let read: Condition = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        let folded: Condition = "subject= Budget | plan ".parse().unwrap();
        assert_eq!(folded, Condition::Subject(vec!["Budget".into(), "plan".into()]));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let many = format!("subject={}", vec!["w"; 65].join("|"));
        let long = format!("subject={}", "w".repeat(257));
        for text in [
            "",
            "=",
            "from",
            "from=",
            "from=nobody",
            "from=@",
            "subject=",
            "subject=a||b",
            "subject",
            "header:=x",
            "header:a b=x",
            "importance=urgent",
            "larger=big",
            "cc-me=yes",
            "colour=red",
            "subject=a\u{7}",
            &many,
            &long,
        ] {
            let refused = text.parse::<Condition>();
            assert!(refused.is_err(), "{text:?} {refused:?}");
        }
        let kept = Condition::from("colour=red".to_owned());
        assert_eq!(kept, Condition::Unread("colour=red".into()));
        assert_eq!(String::from(kept), "colour=red", "it is kept as it was");
        let told = "colour=red".parse::<Condition>().unwrap_err().to_string();
        assert!(told.contains("no condition 'colour'"), "{told}");
    }

    proptest! {
        #[test]
        fn words_come_back_whatever_they_are(words in proptest::collection::vec("\\PC{1,20}", 1..5)) {
            let words: Vec<String> = words.iter().map(|w| w.trim().to_owned()).collect();
            prop_assume!(words.iter().all(|w| !w.is_empty()));
            let condition = Condition::Subject(words);
            prop_assert_eq!(condition.to_string().parse(), Ok(condition));
        }
    }
}
