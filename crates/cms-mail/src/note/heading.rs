//! Lines of a heading.

/// One field of a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub keyword: Keyword,
    /// The word as it stands there.
    pub word: String,
    /// The value; lines that go on are joined by a line end.
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Date,
    From,
    To,
    Copies,
    Subject,
    ReplyTo,
    Options,
    /// `MSG:FROM:`, the first line of a PROFS note in the reader (Q107105).
    Message,
    Other,
}

/// Characters of a keyword that is not known; longer ones are text.
const MAX_WORD: usize = 20;

/// The field that a line begins; none if it is text.
pub(super) fn field(line: &str) -> Option<Field> {
    if let Some(rest) = strip(line, "MSG:FROM:") {
        return Some(Field {
            keyword: Keyword::Message,
            word: "MSG:FROM".into(),
            value: rest.to_owned(),
        });
    }
    let (word, value) = line.split_once(':')?;
    let known = match word.trim_end().to_ascii_lowercase().as_str() {
        "date" | "date and time" => Keyword::Date,
        "from" => Keyword::From,
        "to" => Keyword::To,
        "cc" => Keyword::Copies,
        "subject" | "re" => Keyword::Subject,
        "reply-to" => Keyword::ReplyTo,
        "options" => Keyword::Options,
        _ => Keyword::Other,
    };
    let tidy = !word.is_empty()
        && word.len() <= MAX_WORD
        && word.bytes().all(|octet| octet.is_ascii_alphabetic() || octet == b'-');
    // A known word at column 1; others look like one word.
    if word.starts_with(' ') || known == Keyword::Other && !tidy {
        return None;
    }
    Some(Field { keyword: known, word: word.trim().to_owned(), value: value.trim().to_owned() })
}

/// What follows a beginning, in letters of either case.
pub(super) fn strip<'a>(line: &'a str, beginning: &str) -> Option<&'a str> {
    let head = line.get(..beginning.len())?;
    head.eq_ignore_ascii_case(beginning).then(|| line.get(beginning.len()..)).flatten()
}

/// Whether a line ends a heading of PROFS: dashes, as many as nobody types by
/// accident, or the line that was set for it.
pub(super) fn is_separator(line: &str, last_line: Option<&str>) -> bool {
    const DASHES: usize = 20;
    let line = line.trim_end();
    if let Some(set) = last_line.map(str::trim_end).filter(|set| !set.is_empty()) {
        return line == set;
    }
    line.len() >= DASHES && line.bytes().all(|octet| octet == b'-')
}
