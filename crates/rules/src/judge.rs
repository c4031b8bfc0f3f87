//! What rules say of a message.

mod asked;

use crate::rule::Match;
use crate::{Condition, Facts, Field, Importance, People, Rule, Sensitivity};
use asked::Asked;
use concord_base::ByteSize;

/// Whether something is so. The order is that of Kleene's logic: all of several is
/// the least of them, one of several the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It is not.
    No,
    /// What would tell cannot be read.
    Unknown,
    /// It is.
    Yes,
}

impl Answer {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// Found or not; what is not found is not there only if all could be read.
    const fn found(found: bool, certain: bool) -> Self {
        match (found, certain) {
            (true, _) => Self::Yes,
            (false, true) => Self::No,
            (false, false) => Self::Unknown,
        }
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It fires.
    Fires,
    /// The message is not like that.
    Fails,
    /// The message cannot be read well enough to say; it does not fire.
    Unjudged,
    /// It is not enabled.
    Disabled,
    /// An earlier rule stops.
    NotReached,
}

impl Outcome {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fires => "fires",
            Self::Fails => "fails",
            Self::Unjudged => "unjudged",
            Self::Disabled => "disabled",
            Self::NotReached => "not-reached",
        }
    }
}

/// One rule's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What became of it.
    pub outcome: Outcome,
    /// The answer to each of [`Rule::when`]; empty if it was not asked.
    pub when: Vec<Answer>,
    /// The answer to each of [`Rule::unless`].
    pub unless: Vec<Answer>,
}

/// Where a message is filed, and how it is marked. Nothing said leaves it in the
/// inbox, unread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filing {
    /// The folder's path.
    pub folder: Option<String>,
    /// It is marked as read.
    pub read: bool,
    /// It is flagged.
    pub flagged: bool,
    /// Names of the rules that fired, in their order.
    pub rules: Vec<String>,
}

/// What the rules of a mailbox say of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// One for each rule, in their order.
    pub rules: Vec<Judged>,
    /// What follows.
    pub filing: Filing,
}

/// Asks the rules of a mailbox in their order. Marks add up; of several folders the
/// first counts.
pub fn judge(rules: &[Rule], facts: &Facts, people: &People) -> Verdict {
    let mut filing = Filing::default();
    let asked = Asked::new(facts, people);
    let mut stopped = false;
    let rules = rules
        .iter()
        .map(|rule| {
            let judged = one(rule, &asked, stopped);
            if judged.outcome == Outcome::Fires {
                if filing.folder.is_none() {
                    filing.folder.clone_from(&rule.move_to);
                }
                filing.read |= rule.mark_read;
                filing.flagged |= rule.flag;
                filing.rules.push(rule.name.clone());
                stopped |= rule.stop;
            }
            judged
        })
        .collect();
    Verdict { rules, filing }
}

fn one(rule: &Rule, asked: &Asked<'_>, stopped: bool) -> Judged {
    let not_asked = match (rule.enabled, stopped) {
        (false, _) => Some(Outcome::Disabled),
        (true, true) => Some(Outcome::NotReached),
        (true, false) => None,
    };
    if let Some(outcome) = not_asked {
        return Judged { outcome, when: Vec::new(), unless: Vec::new() };
    }
    let ask = |conditions: &[Condition]| -> Vec<Answer> {
        conditions.iter().map(|condition| answer(condition, asked)).collect()
    };
    let (when, unless) = (ask(&rule.when), ask(&rule.unless));
    let holds = match rule.matches {
        // No condition is for every message.
        _ if when.is_empty() => Answer::Yes,
        Match::All => when.iter().copied().min().unwrap_or(Answer::Yes),
        Match::Any => when.iter().copied().max().unwrap_or(Answer::Yes),
    };
    let excepted = unless.iter().copied().max().unwrap_or(Answer::No);
    let outcome = match holds.min(excepted.not()) {
        Answer::Yes => Outcome::Fires,
        Answer::Unknown => Outcome::Unjudged,
        Answer::No => Outcome::Fails,
    };
    Judged { outcome, when, unless }
}

fn answer(condition: &Condition, asked: &Asked<'_>) -> Answer {
    let facts = asked.facts;
    let said = |found| Answer::found(found, facts.certain);
    match condition {
        Condition::Names(field, parties) => asked.names(*field, parties),
        Condition::ToMe => asked.names_me(Field::To),
        Condition::CcMe => asked.names_me(Field::Cc),
        Condition::NotNamed => asked.names_me(Field::To).max(asked.names_me(Field::Cc)).not(),
        Condition::Subject(words) => asked.contains("Subject", words),
        Condition::Header(name, words) => asked.contains(name, words),
        Condition::Importance(levels) => level(facts.importance, levels, Importance::Normal, facts),
        Condition::Sensitivity(levels) => {
            level(facts.sensitivity, levels, Sensitivity::Normal, facts)
        }
        Condition::Larger(ByteSize(octets)) => Answer::found(facts.octets > *octets, true),
        Condition::Attachment => facts.attachment,
        Condition::Report => said(facts.report),
        Condition::Automatic => said(facts.automatic),
        Condition::FromList => said(facts.from_list),
        Condition::Unread(_) => Answer::Unknown,
    }
}

/// What is not said is the usual level, if that is certain.
fn level<T: PartialEq + Copy>(said: Option<T>, levels: &[T], usual: T, facts: &Facts) -> Answer {
    match said {
        Some(said) => Answer::found(levels.contains(&said), true),
        None if facts.certain => Answer::found(levels.contains(&usual), true),
        None => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests;
