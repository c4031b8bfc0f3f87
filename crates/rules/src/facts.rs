//! What rules ask of a message.

use crate::header::{Header, text, written};
use crate::{Answer, Field, Reader};
use concord_address::{SmtpAddress, TypedAddress};

/// People that one field names and rules look at: each costs a look into the
/// directory. A message to more is one for a list.
const MAX_NAMED: usize = 1_000;

macro_rules! levels {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// Its word in conditions.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text.to_ascii_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("write one of {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

levels! {
    /// How important a message says that it is (RFC 2156 section 5.3.4).
    Importance {
        /// `high`
        High = "high",
        /// `normal`, and nothing said.
        Normal = "normal",
        /// `low`
        Low = "low",
    }
}

levels! {
    /// How sensitive a message says that it is (RFC 2156 section 5.3.4).
    Sensitivity {
        /// Nothing said.
        Normal = "normal",
        /// `Personal`
        Personal = "personal",
        /// `Private`
        Private = "private",
        /// `Company-Confidential`
        Confidential = "confidential",
    }
}

/// Whom a field names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The addresses that could be read, at most 1,000.
    pub named: Vec<TypedAddress>,
    /// Whether these are all that there are.
    pub certain: bool,
}

/// What rules ask of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    header: Header,
    /// The header was read to its end and has no damaged line: what is not found
    /// in it is not there.
    pub certain: bool,
    from: Addresses,
    sender: Addresses,
    to: Addresses,
    cc: Addresses,
    /// What `Importance` says, without it `X-Priority`, without it `Priority`.
    pub importance: Option<Importance>,
    /// What `Sensitivity` says.
    pub sensitivity: Option<Sensitivity>,
    /// `Content-Type: multipart/report` (RFC 6522).
    pub report: bool,
    /// `Auto-Submitted` is there and not `no` (RFC 3834 section 5).
    pub automatic: bool,
    /// `List-Id` or `List-Post` is there (RFC 2919, RFC 2369), or `Precedence: list`.
    pub from_list: bool,
    /// Whether it carries a file or another message.
    pub attachment: Answer,
    /// Octets of the whole message.
    pub octets: u64,
}

impl Facts {
    /// The facts of a message that is in one piece.
    pub fn of(message: &[u8]) -> Self {
        let mut reader = Reader::new();
        reader.feed(message);
        reader.finish()
    }

    pub(crate) fn new(header: Header, whole: bool, attachment: Answer, octets: u64) -> Self {
        let certain = whole && !header.damaged;
        let people = |name| addresses(&header, name, certain);
        let from = people("From");
        let sender = match header.values("Sender").next() {
            Some(_) => people("Sender"),
            None => from.clone(),
        };
        let precedence = header.keyword("Precedence");
        let automatic = header.keyword("Auto-Submitted");
        let content = header.content("Content-Type");
        Self {
            certain,
            sender,
            to: people("To"),
            cc: people("Cc"),
            from,
            importance: importance(&header),
            sensitivity: header.keyword("Sensitivity").map(|word| match word.as_str() {
                "personal" => Sensitivity::Personal,
                "private" => Sensitivity::Private,
                "company-confidential" | "confidential" => Sensitivity::Confidential,
                _ => Sensitivity::Normal,
            }),
            report: content.is_some_and(|c| c.kind == "multipart" && c.subtype == "report"),
            automatic: automatic.is_some_and(|word| word != "no"),
            from_list: ["List-Id", "List-Post"].iter().any(|n| header.values(n).next().is_some())
                || precedence.is_some_and(|word| word == "list"),
            attachment,
            octets,
            header,
        }
    }

    /// Whom a field names.
    pub fn of_field(&self, field: Field) -> &Addresses {
        match field {
            Field::From => &self.from,
            Field::Sender => &self.sender,
            Field::To => &self.to,
            Field::Cc => &self.cc,
        }
    }

    /// The texts of every field of a name, decoded, in lower case.
    pub(crate) fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.header.values(name).map(text)
    }
}

fn importance(header: &Header) -> Option<Importance> {
    if let Some(word) = header.keyword("Importance") {
        return word.parse().ok();
    }
    // In nobody's standard and in most mail programs: 1 is the highest.
    if let Some(word) = header.keyword("X-Priority") {
        return match word.as_bytes().first() {
            Some(b'1' | b'2') => Some(Importance::High),
            Some(b'4' | b'5') => Some(Importance::Low),
            _ => Some(Importance::Normal),
        };
    }
    header.keyword("Priority").and_then(|word| match word.as_str() {
        "urgent" => Some(Importance::High),
        "non-urgent" => Some(Importance::Low),
        _ => None,
    })
}

fn addresses(header: &Header, name: &str, certain: bool) -> Addresses {
    let mut found = Addresses { named: Vec::new(), certain };
    for written in header.values(name).flat_map(written) {
        match written.and_then(|text| text.parse::<SmtpAddress>().ok()) {
            Some(address) if found.named.len() < MAX_NAMED => found.named.push(address.into()),
            _ => found.certain = false,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(header: &str) -> Facts {
        Facts::of(format!("{}\r\n\r\nbody", header.trim().replace('\n', "\r\n")).as_bytes())
    }

    fn named(facts: &Facts, field: Field) -> Vec<&str> {
        facts.of_field(field).named.iter().map(TypedAddress::value).collect()
    }

    #[test]
    fn an_ordinary_header_is_read() {
        let facts = facts(
            "From: Jane Doe <jane@Example.org>\n\
             To: Sales: bob@example.org, =?utf-8?Q?J=C3=BCrgen?= <j@example.org>;,\n <\"a b\"@x.test>\n\
             to: late@example.org\nCc: undisclosed-recipients:;\n\
             Importance: High\nSensitivity: Company-Confidential\n\
             Auto-Submitted: auto-replied; owner-email=x\nList-Id: <l.example.org>",
        );
        assert!(facts.certain);
        assert_eq!(named(&facts, Field::From), ["jane@example.org"]);
        assert_eq!(named(&facts, Field::Sender), ["jane@example.org"], "without Sender it is From");
        assert_eq!(
            named(&facts, Field::To),
            ["bob@example.org", "j@example.org", "\"a b\"@x.test", "late@example.org"]
        );
        assert!(facts.of_field(Field::To).certain && facts.of_field(Field::Cc).certain);
        assert!(named(&facts, Field::Cc).is_empty());
        assert_eq!(facts.importance, Some(Importance::High));
        assert_eq!(facts.sensitivity, Some(Sensitivity::Confidential));
        assert!(facts.automatic && facts.from_list && !facts.report);
    }

    #[test]
    fn what_cannot_be_read_is_not_certain() {
        let cut = facts("To: bob@example.org, <garbage\nCc: x@y.test");
        assert_eq!(named(&cut, Field::To), ["bob@example.org"]);
        assert!(!cut.of_field(Field::To).certain && cut.of_field(Field::Cc).certain);
        let damaged = facts("To: bob@example.org\nthis is no field\nSubject: x");
        assert!(!damaged.certain && !damaged.of_field(Field::Cc).certain);
        let many = vec!["a@b.test"; 1_001].join(",\n ");
        let many = facts(&format!("To: {many}"));
        assert!(!many.of_field(Field::To).certain);
        assert_eq!(many.of_field(Field::To).named.len(), 1_000);
    }

    #[test]
    fn a_header_beyond_the_bound_is_not_certain() {
        let long =
            |octets: usize| format!("To: a@b.test\r\nX: {}\r\nCc: c@d.test", "x".repeat(octets));
        let whole = facts(&long(crate::MAX_HEADER - 60));
        assert!(whole.certain && !named(&whole, Field::Cc).is_empty());
        let cut = facts(&long(crate::MAX_HEADER));
        assert!(!cut.certain && named(&cut, Field::Cc).is_empty());
        assert_eq!(named(&cut, Field::To), ["a@b.test"]);
    }

    #[test]
    fn other_words_for_importance_count_less() {
        for (header, importance) in [
            ("X: y", None),
            ("X-Priority: 1 (Highest)", Some(Importance::High)),
            ("Priority: non-urgent", Some(Importance::Low)),
            ("Priority: urgent\nImportance: low", Some(Importance::Low)),
        ] {
            assert_eq!(facts(header).importance, importance, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            crate::fuzz(&bytes);
        }

        #[test]
        fn nothing_like_a_message_panics(
            text in "((From|To|Cc|Subject|Content-Type|Sender)?:? ?[ -~é<>=?,;\"]{0,40}(\r\n|\n|\r\n |\r\n--b\r\n)){0,12}",
        ) {
            crate::fuzz(format!("cc-me\nContent-Type: multipart/mixed; boundary=b\r\n{text}").as_bytes());
        }
    }
}
