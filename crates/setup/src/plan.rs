//! Plans: what a verb is going to do, before it does it.

use crate::step::Step;
use serde::Serialize;

/// A difference between what is declared and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `make`, `change`, `remove`, `keep`, ...
    pub act: &'static str,
    /// The resource, for people.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What a verb is going to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// What was asked for.
    pub verb: String,
    /// Differences, in the order in which they are settled.
    pub changes: Vec<Change>,
    /// What the administrator should know before it is carried out.
    pub notes: Vec<String>,
    /// The steps.
    #[serde(skip)]
    pub steps: Vec<Step>,
    /// How many steps are undone if the run is cut off among them.
    #[serde(skip)]
    pub commit_after: usize,
}

impl Plan {
    /// A plan without steps.
    pub fn new(verb: impl Into<String>) -> Self {
        Self { verb: verb.into(), ..Self::default() }
    }

    /// Whether there is anything to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Notes a difference.
    pub fn change(&mut self, act: &'static str, what: impl Into<String>, why: impl Into<String>) {
        self.changes.push(Change { act, what: what.into(), why: why.into() });
    }

    /// Adds a step in front of the commit. Call before [`Plan::after`].
    pub fn step(&mut self, step: Step) {
        self.steps.insert(self.commit_after, step);
        self.commit_after += 1;
    }

    /// Adds a step behind the commit.
    pub fn after(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The steps in words, for `--json` and `--verbose`.
    pub fn words(&self) -> Vec<String> {
        self.steps.iter().map(Step::say).collect()
    }
}
