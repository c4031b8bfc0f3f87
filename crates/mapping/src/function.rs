//! The functions of the language, their arguments, and what they give (Q180517).
//!
//! Arguments and results are texts, numbers too. Positions and lengths count
//! characters, positions from 1.

use crate::expression::Expression;
use crate::parameters::Parameters;
use crate::problem::{Cause, shortened};
use crate::{names, text, x500};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    And,
    CfgParm,
    IsEqual,
    Left,
    Lower,
    NameF,
    NameL,
    NameM,
    Pos,
    Proper,
    Replace,
    Right,
    Strip,
    SubStr,
    Trim,
    Upper,
    Word,
    X500,
}

/// What an argument has to be, where it is a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Number,
    /// One of these letters.
    Letter(&'static str),
    /// One character to fill with.
    Pad,
    /// The part of a name.
    Field,
}

impl Kind {
    fn fits(self, given: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Number => number(given).is_some(),
            Self::Letter(letters) => text::side(given).is_some_and(|side| letters.contains(side)),
            Self::Pad => given.chars().count() == 1,
            Self::Field => x500::is_field(given),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Any => "any text",
            Self::Number => "a number, as 5 or \"5\"",
            Self::Letter("LR") => "\"L\" or \"R\"",
            Self::Letter("LRB") => "\"L\", \"R\" or \"B\"",
            Self::Letter(_) => "\"1\" for First Middle Last, or \"2\" for Last, First Middle",
            Self::Pad => "one character",
            Self::Field => "\"CN\", \"OU\", \"O\" or \"C\"",
        }
    }
}

/// Where an argument that may be left out is read.
fn given(arguments: &[String], number: usize) -> Option<&str> {
    arguments.get(number).map(String::as_str)
}

/// A number of characters; more than fits is as good as the most that fits.
pub(crate) fn number(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

impl Function {
    pub(crate) const ALL: [Self; 18] = [
        Self::And,
        Self::CfgParm,
        Self::IsEqual,
        Self::Left,
        Self::Lower,
        Self::NameF,
        Self::NameL,
        Self::NameM,
        Self::Pos,
        Self::Proper,
        Self::Replace,
        Self::Right,
        Self::Strip,
        Self::SubStr,
        Self::Trim,
        Self::Upper,
        Self::Word,
        Self::X500,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::CfgParm => "CFGPARM",
            Self::IsEqual => "ISEQUAL",
            Self::Left => "LEFT",
            Self::Lower => "LOWER",
            Self::NameF => "NAMEF",
            Self::NameL => "NAMEL",
            Self::NameM => "NAMEM",
            Self::Pos => "POS",
            Self::Proper => "PROPER",
            Self::Replace => "REPLACE",
            Self::Right => "RIGHT",
            Self::Strip => "STRIP",
            Self::SubStr => "SUBSTR",
            Self::Trim => "TRIM",
            Self::Upper => "UPPER",
            Self::Word => "WORD",
            Self::X500 => "X500",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// How many arguments it needs, and what the arguments are.
    fn signature(self) -> (usize, &'static [Kind]) {
        use Kind::{Any, Field, Letter, Number, Pad};
        match self {
            Self::And => (2, &[Any, Any]),
            Self::CfgParm => (1, &[Any, Any]),
            Self::IsEqual => (4, &[Any, Any, Any, Any]),
            Self::Left | Self::Right => (2, &[Any, Number, Pad]),
            Self::Lower | Self::Upper | Self::Proper => (1, &[Any]),
            Self::NameF | Self::NameL | Self::NameM => (1, &[Any, Letter("12")]),
            Self::Pos => (2, &[Any, Any]),
            Self::Replace => (2, &[Any, Any, Any]),
            Self::Strip => (2, &[Any, Any, Letter("LR"), Letter("LR")]),
            Self::SubStr => (2, &[Any, Number, Number, Pad]),
            Self::Trim => (1, &[Any, Letter("LRB")]),
            Self::Word => (2, &[Any, Number, Number]),
            Self::X500 => (2, &[Any, Field, Number]),
        }
    }

    /// Checks the number of arguments, and those that are constants.
    pub(crate) fn check(self, arguments: &[Expression]) -> Result<(), Cause> {
        let (least, kinds) = self.signature();
        let function = self.name();
        if !(least..=kinds.len()).contains(&arguments.len()) {
            let (most, given) = (kinds.len(), arguments.len());
            return Err(Cause::ArgumentCount { function, least, most, given });
        }
        for (number, (argument, kind)) in arguments.iter().zip(kinds).enumerate() {
            match argument.constant() {
                Some(given) if !kind.fits(&given) => {
                    return Err(Cause::BadArgument {
                        function,
                        number: number + 1,
                        given: shortened(&given),
                        expected: kind.wanted(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The value; an argument that only turns out to be no number or letter for
    /// this entry counts as none.
    pub(crate) fn call(self, arguments: &[String], parameters: &Parameters) -> String {
        let first = given(arguments, 0).unwrap_or_default();
        let second = given(arguments, 1).unwrap_or_default();
        let length = |n: usize| given(arguments, n).and_then(number);
        let pad = |n: usize| given(arguments, n).and_then(|p| p.chars().next()).unwrap_or(' ');
        match self {
            Self::And if first.is_empty() || second.is_empty() => String::new(),
            Self::And => format!("{first}{second}"),
            Self::CfgParm => parameters.get(first, given(arguments, 1)).to_owned(),
            Self::IsEqual => {
                let equal = first.to_lowercase() == second.to_lowercase();
                given(arguments, if equal { 2 } else { 3 }).unwrap_or_default().to_owned()
            }
            Self::Left => text::left(first, length(1).unwrap_or(0), pad(2)),
            Self::Right => text::right(first, length(1).unwrap_or(0), pad(2)),
            Self::Lower => first.to_lowercase(),
            Self::Upper => first.to_uppercase(),
            Self::Proper => text::proper(first),
            Self::NameF => names::first(first, given(arguments, 1)),
            Self::NameM => names::middle(first, given(arguments, 1)),
            Self::NameL => names::last(first, given(arguments, 1)),
            Self::Pos => text::position(first, second).to_string(),
            Self::Replace => text::replace(first, second, given(arguments, 2).unwrap_or_default()),
            Self::Strip => text::strip(first, second, given(arguments, 2), given(arguments, 3)),
            Self::SubStr => text::substring(first, length(1).unwrap_or(0), length(2), pad(3)),
            Self::Trim => text::trim(first, given(arguments, 1)),
            Self::Word => text::words(first, length(1).unwrap_or(0), length(2).unwrap_or(1)),
            Self::X500 => x500::component(first, second, length(2).unwrap_or(1)),
        }
    }

    /// Whether it gives nothing but blanks, whatever the entry.
    pub(crate) fn always_blank(self, arguments: &[Expression]) -> bool {
        let blank = |n: usize| arguments.get(n).is_some_and(Expression::always_blank);
        let empty =
            |n: usize| arguments.get(n).and_then(Expression::constant).as_deref() == Some("");
        let nothing = |n: usize| {
            arguments.get(n).and_then(Expression::constant).and_then(|c| number(&c)) == Some(0)
        };
        let blank_pad =
            |n: usize| arguments.get(n).is_none_or(|pad| pad.constant().as_deref() == Some(" "));
        match self {
            Self::And => empty(0) || empty(1) || blank(0) && blank(1),
            Self::IsEqual => blank(2) && blank(3),
            Self::Left | Self::Right => nothing(1) || blank(0) && blank_pad(2),
            Self::SubStr => nothing(1) || nothing(2) || blank(0) && blank_pad(3),
            Self::Word => blank(0) || nothing(1) || nothing(2),
            Self::Lower
            | Self::Upper
            | Self::Proper
            | Self::NameF
            | Self::NameL
            | Self::NameM
            | Self::Strip
            | Self::Trim
            | Self::X500 => blank(0),
            // A blank may be replaced by something.
            Self::Replace => empty(0),
            Self::CfgParm | Self::Pos => false,
        }
    }

    /// Whether it may fill up with blanks: the trap of address rules, since
    /// LEFT of an empty name is a blank (Q196585).
    pub(crate) fn fills_with_blanks(self, arguments: &[Expression]) -> bool {
        let pad_at = match self {
            Self::Left | Self::Right => 2,
            Self::SubStr if arguments.len() > 2 => 3,
            _ => return false,
        };
        let varies = arguments.first().is_some_and(|argument| argument.constant().is_none());
        varies && arguments.get(pad_at).is_none_or(|pad| pad.constant().as_deref() == Some(" "))
    }
}
