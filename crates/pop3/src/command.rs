//! Commands, read by hand: they are a word and at most two arguments.

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Auth { mechanism: Option<&'a str>, initial: Option<&'a str> },
    Capa,
    Dele(usize),
    List(Option<usize>),
    Noop,
    Pass(&'a str),
    Quit,
    Retr(usize),
    Rset,
    Stat,
    Stls,
    Top { message: usize, lines: u64 },
    Uidl(Option<usize>),
    User(&'a str),
}

/// Reads a command line without its line end; `None` if it is none.
pub(crate) fn parse(line: &[u8]) -> Option<Command<'_>> {
    let line = std::str::from_utf8(line).ok()?;
    if line.contains('\0') {
        return None;
    }
    let (word, rest) = match line.split_once(' ') {
        Some((word, rest)) => (word, Some(rest)),
        None => (line, None),
    };
    // a password may begin and end with spaces (RFC 1939 section 7)
    if word.eq_ignore_ascii_case("PASS") {
        return Some(Command::Pass(rest?));
    }
    if word.eq_ignore_ascii_case("USER") {
        return Some(Command::User(rest?.trim()));
    }
    let mut words = rest.unwrap_or_default().split(' ').filter(|w| !w.is_empty());
    let (first, second, none) = (words.next(), words.next(), words.next());
    if none.is_some() {
        return None;
    }
    let number = |text: Option<&str>| text?.parse::<usize>().ok().filter(|n| *n > 0);
    let optional = |text: Option<&str>| match text {
        None => Some(None),
        text => number(text).map(Some),
    };
    let command = match (word.to_ascii_uppercase().as_str(), first, second) {
        ("AUTH", mechanism, initial) => Command::Auth { mechanism, initial },
        ("CAPA", None, None) => Command::Capa,
        ("DELE", n, None) => Command::Dele(number(n)?),
        ("LIST", n, None) => Command::List(optional(n)?),
        ("NOOP", None, None) => Command::Noop,
        ("QUIT", None, None) => Command::Quit,
        ("RETR", n, None) => Command::Retr(number(n)?),
        ("RSET", None, None) => Command::Rset,
        ("STAT", None, None) => Command::Stat,
        ("STLS", None, None) => Command::Stls,
        ("TOP", n, lines) => Command::Top { message: number(n)?, lines: lines?.parse().ok()? },
        ("UIDL", n, None) => Command::Uidl(optional(n)?),
        _ => return None,
    };
    Some(command)
}

impl Command<'_> {
    /// For the metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele(_) => "DELE",
            Self::List(_) => "LIST",
            Self::Noop => "NOOP",
            Self::Pass(_) => "PASS",
            Self::Quit => "QUIT",
            Self::Retr(_) => "RETR",
            Self::Rset => "RSET",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top { .. } => "TOP",
            Self::Uidl(_) => "UIDL",
            Self::User(_) => "USER",
        }
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    for line in data.split(|c| *c == b'\n') {
        if let Some(command) = parse(line) {
            assert!(!command.name().is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_good_and_bad() {
        for (line, expected) in [
            ("noop", Some(Command::Noop)),
            ("USER ann", Some(Command::User("ann"))),
            ("PASS  a b ", Some(Command::Pass(" a b "))),
            ("LIST", Some(Command::List(None))),
            ("LIST 2", Some(Command::List(Some(2)))),
            ("TOP 1 0", Some(Command::Top { message: 1, lines: 0 })),
            ("AUTH", Some(Command::Auth { mechanism: None, initial: None })),
            ("AUTH PLAIN =", Some(Command::Auth { mechanism: Some("PLAIN"), initial: Some("=") })),
            ("DELE 0", None),
            ("DELE -1", None),
            ("DELE 99999999999999999999999", None),
            ("RETR", None),
            ("RETR 1 2", None),
            ("TOP 1", None),
            ("PASS", None),
            ("NOOP x", None),
            ("NO\0OP", None),
            ("", None),
            ("FOO", None),
        ] {
            assert_eq!(parse(line.as_bytes()), expected, "{line}");
        }
        assert_eq!(parse(b"USER \xff"), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
