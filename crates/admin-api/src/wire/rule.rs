//! Shapes of mailboxes' rules.

use serde::{Deserialize, Serialize};

fn yes() -> bool {
    true
}

fn all() -> String {
    "all".to_owned()
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A rule of a mailbox. Conditions are lines of text, as in `from=jane@example.org`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxRule {
    /// Unique in the mailbox, without regard to case.
    pub name: String,
    /// Whether it is asked.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Of its conditions `all` must hold, or `any`.
    #[serde(default = "all", rename = "match")]
    pub matches: String,
    /// What a message must be like; none is every message.
    #[serde(default)]
    pub when: Vec<String>,
    /// Exceptions: of these none may hold.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The folder that the message goes into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to: Option<String>,
    /// Mark it as read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mark_read: bool,
    /// Flag it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flag: bool,
    /// Ask no later rule.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stop: bool,
}

/// Adds a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMailboxRule {
    /// The rule.
    pub rule: MailboxRule,
    /// Where it stands, from 1; behind the others if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

/// Changes a rule. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxRulePatch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `all` or `any`.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// In place of its conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Vec<String>>,
    /// In place of its exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Vec<String>>,
    /// The folder; `null` leaves the message in the inbox.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub move_to: Option<Option<String>>,
    /// Mark it as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_read: Option<bool>,
    /// Flag it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<bool>,
    /// Ask no later rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<bool>,
    /// Where it stands, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

/// The answer to one condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionAnswer {
    /// The condition.
    pub condition: String,
    /// `yes`, `no`, or `unknown` if the message cannot be read well enough.
    pub answer: String,
}

/// What a rule says of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRule {
    /// The rule.
    pub name: String,
    /// `fires`, `fails`, `unjudged`, `disabled` or `not-reached`.
    pub outcome: String,
    /// Its conditions, if they were asked.
    #[serde(default, rename = "match")]
    pub matches: String,
    /// The answers to its conditions; empty if it was not asked.
    #[serde(default)]
    pub when: Vec<ConditionAnswer>,
    /// The answers to its exceptions.
    #[serde(default)]
    pub unless: Vec<ConditionAnswer>,
}

/// What the rules of a mailbox would do with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesTested {
    /// Every rule, in order.
    pub rules: Vec<JudgedRule>,
    /// Where the message would lie.
    pub folder: String,
    /// It would be marked as read.
    pub read: bool,
    /// It would be flagged.
    pub flagged: bool,
}
