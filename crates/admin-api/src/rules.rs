//! Rules of mailboxes, between the wire and the directory.

use crate::api::Shared;
use crate::wire::{ConditionAnswer, JudgedRule, MailboxRule, MailboxRulePatch, RulesTested};
use crate::{ApiError, find};
use concord_directory::{Details, DirectoryAct, DirectoryError, Kind, Object};
use concord_rules::{Answer, Condition, Match, ParseConditionError, Rule, Verdict};
use concord_store::FolderName;
use std::sync::Arc;

/// A mailbox's rules.
pub(crate) fn of(object: &Object) -> &[Rule] {
    object.mailbox().map(|mailbox| mailbox.rules.as_slice()).unwrap_or_default()
}

/// A rule as it is shown.
pub(crate) fn view(rule: &Rule) -> MailboxRule {
    let texts = |conditions: &[Condition]| conditions.iter().map(ToString::to_string).collect();
    MailboxRule {
        name: rule.name.clone(),
        enabled: rule.enabled,
        matches: rule.matches.as_str().to_owned(),
        when: texts(&rule.when),
        unless: texts(&rule.unless),
        move_to: rule.move_to.clone(),
        mark_read: rule.mark_read,
        flag: rule.flag,
        stop: rule.stop,
    }
}

/// A rule from a request.
pub(crate) fn read(rule: &MailboxRule) -> Result<Rule, ApiError> {
    Ok(Rule {
        name: rule.name.clone(),
        enabled: rule.enabled,
        matches: matches(&rule.matches)?,
        when: conditions(&rule.when)?,
        unless: conditions(&rule.unless)?,
        move_to: rule.move_to.as_deref().map(folder).transpose()?,
        mark_read: rule.mark_read,
        flag: rule.flag,
        stop: rule.stop,
    })
}

/// Changes a rule by what a request says.
pub(crate) fn apply(rule: &mut Rule, patch: &MailboxRulePatch) -> Result<(), ApiError> {
    let patch = patch.clone();
    rule.name = patch.name.unwrap_or_else(|| rule.name.clone());
    rule.enabled = patch.enabled.unwrap_or(rule.enabled);
    rule.matches = patch.matches.as_deref().map_or(Ok(rule.matches), matches)?;
    if let Some(when) = &patch.when {
        rule.when = conditions(when)?;
    }
    if let Some(unless) = &patch.unless {
        rule.unless = conditions(unless)?;
    }
    if let Some(move_to) = &patch.move_to {
        rule.move_to = move_to.as_deref().map(folder).transpose()?;
    }
    rule.mark_read = patch.mark_read.unwrap_or(rule.mark_read);
    rule.flag = patch.flag.unwrap_or(rule.flag);
    rule.stop = patch.stop.unwrap_or(rule.stop);
    Ok(())
}

fn matches(text: &str) -> Result<Match, ApiError> {
    [Match::All, Match::Any].into_iter().find(|m| m.as_str() == text).ok_or_else(|| {
        ApiError::Invalid(format!("cannot match '{text}' conditions; write all or any"))
    })
}

fn conditions(texts: &[String]) -> Result<Vec<Condition>, ApiError> {
    let parsed = texts.iter().map(|text| text.parse());
    parsed
        .collect::<Result<_, ParseConditionError>>()
        .map_err(|error| ApiError::Invalid(format!("cannot use the rule: {error}")))
}

/// In the form in which the store has it.
fn folder(text: &str) -> Result<String, ApiError> {
    let name: Result<FolderName, _> = text.parse();
    name.map(|name| name.to_string()).map_err(|e| {
        ApiError::Invalid(format!("cannot use the folder: {e}; write levels parted by '/'"))
    })
}

/// Where the rule of a name stands.
pub(crate) fn place(rules: &[Rule], name: &str) -> Result<usize, ApiError> {
    let found = rules.iter().position(|rule| rule.is_called(name));
    found.ok_or_else(|| DirectoryError::NotFound { kind: "rule", name: name.to_owned() }.into())
}

/// Puts a rule where a request wants it; behind the others if it does not say.
pub(crate) fn insert(rules: &mut Vec<Rule>, rule: Rule, position: Option<u32>) {
    let wanted = position.and_then(|n| usize::try_from(n.saturating_sub(1)).ok());
    rules.insert(wanted.unwrap_or(rules.len()).min(rules.len()), rule);
}

/// Changes the rules of a mailbox in one commit.
pub(crate) async fn change(
    shared: &Shared,
    mailbox: &str,
    how: impl FnOnce(&mut Vec<Rule>) -> Result<(), ApiError>,
) -> Result<Arc<Object>, ApiError> {
    let _writer = shared.api.writer.whole().await;
    let mut object = (*find::object(shared, Kind::Mailbox, mailbox).await?).clone();
    if let Details::Mailbox(mailbox) = &mut object.details {
        how(&mut mailbox.rules)?;
    }
    Ok(shared.api.directory.change(DirectoryAct::Set(object)).await?)
}

/// What rules say of a message, as it is shown.
pub(crate) fn tested(rules: &[Rule], verdict: &Verdict) -> RulesTested {
    let answers = |conditions: &[Condition], answers: &[Answer]| -> Vec<ConditionAnswer> {
        let each = conditions.iter().zip(answers);
        each.map(|(condition, answer)| ConditionAnswer {
            condition: condition.to_string(),
            answer: answer.as_str().to_owned(),
        })
        .collect()
    };
    let each = rules.iter().zip(&verdict.rules);
    RulesTested {
        rules: each
            .map(|(rule, judged)| JudgedRule {
                name: rule.name.clone(),
                outcome: judged.outcome.as_str().to_owned(),
                matches: rule.matches.as_str().to_owned(),
                when: answers(&rule.when, &judged.when),
                unless: answers(&rule.unless, &judged.unless),
            })
            .collect(),
        folder: verdict.filing.folder.clone().unwrap_or_else(|| FolderName::inbox().to_string()),
        read: verdict.filing.read,
        flagged: verdict.filing.flagged,
    }
}
