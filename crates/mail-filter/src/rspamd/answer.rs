//! rspamd's answer (`/checkv2`, JSON), and what it means.

use crate::draft::Draft;
use crate::edit::Field;
use crate::fault::FilterFault;
use crate::limits::{MAX_SYMBOLS, MAX_WORDS};
use crate::verdict::{Action, AddedRecipient, Opinion, Symbol};
use concord_smtp::Reply;
use serde_json::{Map, Value};

/// # Errors
/// [`FilterFault::Answer`].
pub(super) fn read(body: &[u8], message: &[u8]) -> Result<Opinion, FilterFault> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|e| FilterFault::Answer(e.to_string()))?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        return Err(FilterFault::Answer(error.chars().take(MAX_WORDS).collect()));
    }
    let Some(action) = answer.get("action").and_then(Value::as_str) else {
        return Err(FilterFault::Answer("it names no action".to_owned()));
    };
    let score = answer.get("score").and_then(Value::as_f64);
    let mut draft = Draft::new(message, 0..0);
    let mut opinion = Opinion::new(meaning(action, &answer), what(action, &answer));
    let empty = Map::new();
    let milter = answer.get("milter").and_then(Value::as_object).unwrap_or(&empty);
    // First what goes: rspamd removes a sender's own `X-Spam`, and adds its own.
    remove_headers(milter, &mut draft);
    marks(action, &answer, &mut draft);
    changes(milter, &mut draft, &mut opinion);
    signature(&answer, &mut draft);
    opinion.edits = draft.finish();
    opinion.score = score;
    opinion.symbols = symbols(&answer);
    Ok(opinion)
}

fn what(action: &str, answer: &Value) -> String {
    let number = |key| answer.get(key).and_then(Value::as_f64);
    match (number("score"), number("required_score")) {
        (Some(score), Some(most)) => format!("{action}: {score:.2} of {most:.2}"),
        _ => action.to_owned(),
    }
}

/// What an action means. Actions of an administrator's own have no effect by
/// themselves in rspamd's proxy either.
fn meaning(action: &str, answer: &Value) -> Action {
    let words = |usual: &'static str| {
        let words = answer.get("messages").and_then(|m| m.get("smtp_message"));
        let words = words.and_then(Value::as_str).unwrap_or(usual);
        words.chars().take(MAX_WORDS).collect::<String>()
    };
    match action {
        "reject" => Action::Refuse(Reply::new(554, (5, 7, 1), words("spam message rejected"))),
        "soft reject" | "greylist" => {
            Action::Defer(Reply::new(451, (4, 7, 1), words("try again later")))
        }
        "quarantine" => Action::Quarantine { reason: what(action, answer) },
        "discard" => Action::Discard,
        _ => Action::Accept,
    }
}

/// What rspamd's own proxy does to a message that is probably spam: another
/// subject, and a field (`spam_header`).
fn marks(action: &str, answer: &Value, draft: &mut Draft) {
    if action == "rewrite subject" {
        let subject = answer.get("subject").and_then(Value::as_str);
        // Not folded, not encoded: rspamd gives it as it shall stand.
        if let Some(field) = subject.and_then(|s| Field::new("Subject", s.as_bytes()))
            && !draft.change("Subject", 1, Some(field.clone()))
        {
            draft.add(field);
        }
    }
    if !matches!(action, "add header" | "rewrite subject") {
        return;
    }
    let name = answer.get("milter").and_then(|m| m.get("spam_header"));
    let name = name.and_then(Value::as_str).unwrap_or("X-Spam");
    if let Some(field) = Field::new(name, b"Yes") {
        draft.add(field);
    }
}

fn remove_headers(milter: &Map<String, Value>, draft: &mut Draft) {
    let removed = milter.get("remove_headers").and_then(Value::as_object);
    for (name, which) in removed.into_iter().flatten() {
        remove(name, which.as_i64().unwrap_or(0), draft);
    }
}

/// The part of the answer that rspamd's modules write for mail servers.
fn changes(milter: &Map<String, Value>, draft: &mut Draft, opinion: &mut Opinion) {
    if let Some(added) = milter.get("add_headers").and_then(Value::as_object) {
        for (name, value) in added {
            match value {
                Value::Array(values) => values.iter().for_each(|v| add(name, v, draft)),
                value => add(name, value, draft),
            }
        }
    }
    if let Some(path) = milter.get("change_from").and_then(Value::as_str) {
        opinion.sender = Some(bare(path));
    }
    let texts = |key| {
        let list = milter.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(bare)
    };
    let added = texts("add_rcpt").map(|path| AddedRecipient { path, parameters: Vec::new() });
    opinion.add_recipients.extend(added);
    opinion.remove_recipients.extend(texts("del_rcpt"));
    let refused = matches!(opinion.action, Action::Refuse(_));
    match milter.get("reject").and_then(Value::as_str) {
        Some("discard") if refused => opinion.action = Action::Discard,
        Some("quarantine") if refused => {
            opinion.action = Action::Quarantine { reason: opinion.what.clone() };
        }
        _ => {}
    }
}

/// 0 is all of them, 1 the first, -1 the last.
fn remove(name: &str, which: i64, draft: &mut Draft) {
    let count = draft.count(name);
    let distance = usize::try_from(which.unsigned_abs()).unwrap_or(usize::MAX);
    match which {
        0 => (1..=count).for_each(|at| {
            draft.change(name, at, None);
        }),
        1.. => {
            draft.change(name, distance, None);
        }
        _ if distance <= count => {
            draft.change(name, count.saturating_sub(distance).saturating_add(1), None);
        }
        _ => {}
    }
}

/// A text, or an object with `value` and `order`: from the top from 0, from the
/// end from -1.
fn add(name: &str, value: &Value, draft: &mut Draft) {
    let (text, order) = match value {
        Value::Object(object) => (object.get("value"), object.get("order").and_then(Value::as_i64)),
        value => (Some(value), None),
    };
    let text = match text {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return,
    };
    let Some(field) = Field::new(name, text.as_bytes()) else { return };
    match order {
        Some(order @ 0..) => draft.insert(usize::try_from(order).unwrap_or(usize::MAX), field),
        Some(order @ ..-1) => {
            let behind = usize::try_from(order.unsigned_abs()).unwrap_or(usize::MAX);
            draft.insert_from_end(behind.saturating_sub(1), field);
        }
        Some(-1) | None => draft.add(field),
    }
}

/// Signatures that rspamd's DKIM module made; they stand on top.
fn signature(answer: &Value, draft: &mut Draft) {
    let signatures = match answer.get("dkim-signature") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    for signature in signatures {
        if let Some(field) = Field::new("DKIM-Signature", signature.as_bytes()) {
            draft.insert(0, field);
        }
    }
}

/// Those with the largest effect first.
fn symbols(answer: &Value) -> Vec<Symbol> {
    let Some(all) = answer.get("symbols").and_then(Value::as_object) else { return Vec::new() };
    let symbol = |(name, symbol): (&String, &Value)| Symbol {
        name: name.chars().take(MAX_WORDS).collect(),
        score: symbol.get("score").and_then(Value::as_f64).unwrap_or(0.0),
    };
    let mut symbols: Vec<Symbol> = all.iter().map(symbol).collect();
    symbols
        .sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()).then_with(|| a.name.cmp(&b.name)));
    symbols.truncate(MAX_SYMBOLS);
    symbols
}

fn bare(path: &str) -> String {
    let path = path.trim();
    path.strip_prefix('<').and_then(|p| p.strip_suffix('>')).unwrap_or(path).to_owned()
}

pub(super) fn fuzz(data: &[u8]) {
    let _ = read(data, b"Subject: x\r\nX-A: 1\r\n\r\nbody");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply_edits;
    use bytes::Bytes;

    const MESSAGE: Bytes = Bytes::from_static(b"X-A: 1\r\nSubject: s\r\nX-A: 2\r\n\r\nbody");

    fn action(json: &str) -> Action {
        read(json.as_bytes(), &MESSAGE).unwrap().action
    }

    fn changed(json: &str) -> String {
        let opinion = read(json.as_bytes(), &MESSAGE).unwrap();
        let out = apply_edits(&MESSAGE, &opinion.edits);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_action_has_its_meaning() {
        assert_eq!(action(r#"{"action":"no action"}"#), Action::Accept);
        assert_eq!(action(r#"{"action":"my own"}"#), Action::Accept);
        assert_eq!(action(r#"{"action":"discard"}"#), Action::Discard);
        assert!(matches!(action(r#"{"action":"quarantine"}"#), Action::Quarantine { .. }));
        for soft in [r#"{"action":"greylist"}"#, r#"{"action":"soft reject"}"#] {
            assert_eq!(action(soft), Action::Defer(Reply::new(451, (4, 7, 1), "try again later")));
        }
        let words = r#"{"action":"reject","messages":{"smtp_message":"Gtube pattern"}}"#;
        assert_eq!(action(words), Action::Refuse(Reply::new(554, (5, 7, 1), "Gtube pattern")));
        let held = r#"{"action":"reject","milter":{"reject":"quarantine"}}"#;
        assert!(matches!(action(held), Action::Quarantine { .. }));
        assert_eq!(action(r#"{"action":"reject","milter":{"reject":"discard"}}"#), Action::Discard);
        for bad in ["", "[]", "{}", r#"{"error":"x","action":"reject"}"#] {
            assert!(read(bad.as_bytes(), &MESSAGE).is_err(), "{bad}");
        }
    }

    #[test]
    fn spam_is_marked() {
        let out = changed(r#"{"action":"add header"}"#);
        assert_eq!(out, "X-A: 1\r\nSubject: s\r\nX-A: 2\r\nX-Spam: Yes\r\n\r\nbody");
        let own = changed(r#"{"action":"add header","milter":{"remove_headers":{"X-Spam":0}}}"#);
        assert!(own.contains("X-Spam: Yes"), "only what the sender wrote goes: {own}");
        let out = changed(r#"{"action":"rewrite subject","subject":"*** s"}"#);
        assert!(out.starts_with("X-A: 1\r\nSubject: *** s\r\nX-A: 2\r\nX-Spam: Yes\r\n"));
    }

    #[test]
    fn headers_are_added_and_removed_where_rspamd_wants_them() {
        let out = changed(
            r#"{"action":"no action","dkim-signature":"v=1; a=x","milter":{
                "remove_headers":{"x-a":-1},
                "add_headers":{"B":{"value":"top","order":0},"C":["1",{"value":"2"}],"D":3}}}"#,
        );
        let expected = "DKIM-Signature: v=1; a=x\r\nB: top\r\nX-A: 1\r\nSubject: s\r\n\
                        C: 1\r\nC: 2\r\nD: 3\r\n\r\nbody";
        assert_eq!(out, expected);
        let out = changed(r#"{"action":"no action","milter":{"remove_headers":{"X-A":0}}}"#);
        assert_eq!(out, "Subject: s\r\n\r\nbody");
    }

    #[test]
    fn envelope_and_symbols_are_read() {
        let opinion = read(
            br#"{"action":"no action","score":2.5,"required_score":15,
                "symbols":{"A":{"score":-1},"B":{"score":3.5}},
                "milter":{"change_from":"<x@y>","add_rcpt":["a@b"],"del_rcpt":["c@d"]}}"#,
            &MESSAGE,
        );
        let opinion = opinion.unwrap();
        assert_eq!(opinion.symbols[0], Symbol { name: "B".into(), score: 3.5 });
        assert_eq!((opinion.score, opinion.what.as_str()), (Some(2.5), "no action: 2.50 of 15.00"));
        assert_eq!(opinion.sender.as_deref(), Some("x@y"));
        assert_eq!(opinion.add_recipients[0].path, "a@b");
        assert_eq!(opinion.remove_recipients, ["c@d"]);
    }
}
