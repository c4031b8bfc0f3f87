//! Rules and their bounds.

use crate::Condition;
use serde::{Deserialize, Serialize};

/// Rules of one mailbox; people who have more have lost their thread.
pub const MAX_RULES: usize = 100;
/// Octets of all rules of a mailbox together: the mailbox is one value of the
/// directory, read at every message. The original allowed as much.
pub const MAX_RULES_OCTETS: usize = 32 << 10;
/// Conditions and exceptions of one rule.
pub const MAX_CONDITIONS: usize = 32;
/// Words or people that one condition names.
pub const MAX_VALUES: usize = 64;
/// Octets of one word; nobody types more, and every message is searched for it.
pub(crate) const MAX_WORD: usize = 256;
/// Octets of a rule's name; it stands in tracking events.
const MAX_NAME: usize = 64;
/// Levels of a folder: half of what the store allows, so that people can still
/// make folders below.
pub const MAX_FOLDER_DEPTH: usize = 16;
/// Octets of a folder's path, as in the store.
const MAX_FOLDER: usize = 512;

/// How many conditions of a rule must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// Every one; a rule without conditions is for every message.
    #[default]
    All,
    /// One at least.
    Any,
}

impl Match {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }
}

/// A rule of a mailbox. New fields go to the end, with a default: logs of older
/// releases are read by newer ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in the mailbox, without regard to case.
    pub name: String,
    /// A rule that is not enabled is kept and asked nothing.
    pub enabled: bool,
    /// How many of `when` must hold.
    pub matches: Match,
    /// What a message must be like.
    pub when: Vec<Condition>,
    /// Of these none may hold.
    pub unless: Vec<Condition>,
    /// The folder that the message goes into, its levels split by `/`; none leaves
    /// it where it is. Of several rules that name one the first decides.
    pub move_to: Option<String>,
    /// It is marked as read.
    pub mark_read: bool,
    /// It is flagged.
    pub flag: bool,
    /// No later rule is asked.
    pub stop: bool,
}

/// Rules cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// More than [`MAX_RULES`].
    #[error("a mailbox has at most {MAX_RULES} rules")]
    TooMany,
    /// More than [`MAX_RULES_OCTETS`].
    #[error("the rules of a mailbox have at most {MAX_RULES_OCTETS} octets in all")]
    TooLarge,
    /// Empty, too long, or with control characters.
    #[error(
        "a rule's name has 1 to {MAX_NAME} octets, without control characters or blanks at its ends"
    )]
    Name,
    /// Two rules of one name.
    #[error("there is a rule '{0}' already")]
    NameTaken(String),
    /// More than [`MAX_CONDITIONS`].
    #[error("rule '{0}' has more than {MAX_CONDITIONS} conditions and exceptions")]
    TooManyConditions(String),
    /// It would do nothing.
    #[error("rule '{0}' does nothing: let it move, mark or flag a message, or stop")]
    DoesNothing(String),
    /// The path is not one of a folder.
    #[error("rule '{rule}' cannot move to '{folder}': {cause}")]
    Folder {
        /// The rule.
        rule: String,
        /// The path, shortened.
        folder: String,
        /// What does not fit.
        cause: &'static str,
    },
}

impl Rule {
    /// An enabled rule that has a name and nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            matches: Match::All,
            when: Vec::new(),
            unless: Vec::new(),
            move_to: None,
            mark_read: false,
            flag: false,
            stop: false,
        }
    }

    /// Whether a name is this rule's.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    /// Conditions and exceptions.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.when.iter().chain(&self.unless)
    }

    fn check(&self) -> Result<(), RuleError> {
        let name = &self.name;
        let fits = !name.is_empty() && name.len() <= MAX_NAME && name.trim() == name;
        if !fits || name.chars().any(char::is_control) {
            return Err(RuleError::Name);
        }
        if self.conditions().count() > MAX_CONDITIONS {
            return Err(RuleError::TooManyConditions(name.clone()));
        }
        if let Some(folder) = &self.move_to
            && let Some(cause) = folder_problem(folder)
        {
            let folder = folder.chars().take(80).collect();
            return Err(RuleError::Folder { rule: name.clone(), folder, cause });
        }
        if self.move_to.is_none() && !self.mark_read && !self.flag && !self.stop {
            return Err(RuleError::DoesNothing(name.clone()));
        }
        Ok(())
    }

    fn octets(&self) -> usize {
        let conditions: usize = self.conditions().map(|c| c.to_string().len()).sum();
        conditions + self.name.len() + self.move_to.as_ref().map_or(0, String::len)
    }
}

fn folder_problem(path: &str) -> Option<&'static str> {
    if path.len() > MAX_FOLDER {
        return Some("it is longer than 512 octets");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    if path.split('/').any(|level| level.trim().is_empty()) {
        return Some("a level is empty");
    }
    if path.split('/').count() > MAX_FOLDER_DEPTH {
        return Some("it has more than 16 levels");
    }
    None
}

/// Checks the rules of a mailbox.
///
/// # Errors
/// The first bound that they break.
pub fn check(rules: &[Rule]) -> Result<(), RuleError> {
    if rules.len() > MAX_RULES {
        return Err(RuleError::TooMany);
    }
    for (place, rule) in rules.iter().enumerate() {
        rule.check()?;
        if rules.iter().take(place).any(|other| other.is_called(&rule.name)) {
            return Err(RuleError::NameTaken(rule.name.clone()));
        }
    }
    if rules.iter().map(Rule::octets).sum::<usize>() > MAX_RULES_OCTETS {
        return Err(RuleError::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(folder: &str) -> Rule {
        Rule { move_to: Some(folder.into()), ..Rule::new("one") }
    }

    #[test]
    fn rules_are_bounded() {
        assert_eq!(check(&[to("A/B"), Rule { stop: true, ..Rule::new("two") }]), Ok(()));
        assert_eq!(check(&[Rule::new("x")]), Err(RuleError::DoesNothing("x".into())));
        assert_eq!(
            check(&[to("A"), Rule { name: "ONE".into(), ..to("B") }]),
            Err(RuleError::NameTaken("ONE".into()))
        );
        for name in ["", " x", "x ", "a\nb", &"n".repeat(65)] {
            assert_eq!(check(&[Rule { name: name.into(), ..to("A") }]), Err(RuleError::Name));
        }
        let deep = vec!["a"; 17].join("/");
        let long = "a".repeat(513);
        for folder in ["", "a//b", "/a", "a/ /b", "a\tb", &deep, &long] {
            assert!(matches!(check(&[to(folder)]), Err(RuleError::Folder { .. })), "{folder:?}");
        }
        let many = |n: usize| vec![Condition::Attachment; n];
        let rule = Rule { when: many(20), unless: many(13), ..to("A") };
        assert_eq!(check(&[rule]), Err(RuleError::TooManyConditions("one".into())));
        let numbered = |n: usize| -> Vec<Rule> {
            (0..n).map(|i| Rule { name: i.to_string(), ..to("A") }).collect()
        };
        assert_eq!(check(&numbered(100)), Ok(()));
        assert_eq!(check(&numbered(101)), Err(RuleError::TooMany));
        let words = || Condition::Subject(vec!["w".repeat(250); 60]);
        let large = |i: usize| Rule { name: i.to_string(), when: vec![words()], ..to("A") };
        assert_eq!(check(&[large(0), large(1)]), Ok(()));
        assert_eq!(check(&[large(0), large(1), large(2)]), Err(RuleError::TooLarge));
    }
}
