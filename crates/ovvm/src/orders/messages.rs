//! Messages and commands to hosts.

use super::error::OrderError;
use super::wire::{Query, Replies, Tell, Told};
use crate::shared::Running;
use concord_nje::limits::MAX_MESSAGE;
use concord_nje::{HAS_SENDER, Message, Name, to_ebcdic};
use concord_nje_tokio::LinkHandle;
use std::time::Duration;

/// Who speaks for this node.
const OPERATOR: &str = "OPERATOR";
/// How long replies are waited for if nothing is said: a node some hops away
/// answers within seconds.
const USUAL_SECONDS: u64 = 10;
/// The longest, within the time of an order.
const MAX_SECONDS: u64 = 20;
/// After the last reply, nothing more is expected: nodes send all lines at once.
const QUIET: Duration = Duration::from_secs(2);

pub(super) async fn tell(running: &Running, tell: &Tell) -> Result<Told, OrderError> {
    let node = name(&tell.node)?;
    let (partner, link) = way(running, &tell.node)?;
    let text = text(&tell.text)?;
    let from = (running.node.name(), name(OPERATOR)?);
    let message = match tell.user.as_deref().filter(|user| !user.is_empty()) {
        Some(user) => Message::from_user(from, (node, name(user)?), text),
        // Neither a user nor a remote station: the console (HASA600, NMRFLAG).
        None => Message {
            flags: 0,
            kind: HAS_SENDER,
            ..Message::from_user(from, (node, Name::BLANK), text)
        },
    };
    link.send_message(message).await?;
    Ok(Told { link: partner })
}

pub(super) async fn query(running: &Running, query: &Query) -> Result<Replies, OrderError> {
    let node = name(&query.node)?;
    let (partner, link) = way(running, &query.node)?;
    let command = text(&query.command)?;
    let seconds = query.seconds.unwrap_or(USUAL_SECONDS).min(MAX_SECONDS);
    let Some((user, mut came)) = running.shared.operators.console.ask() else {
        return Err(OrderError::NoRoom);
    };
    link.send_message(Message::command((running.node.name(), user), node, command)).await?;
    let mut replies = Vec::new();
    let collect = async {
        loop {
            let next = if replies.is_empty() {
                came.recv().await
            } else {
                tokio::time::timeout(QUIET, came.recv()).await.unwrap_or_default()
            };
            let Some(reply) = next else { return };
            replies.push(reply.view());
        }
    };
    // What came until then is told.
    let _ = tokio::time::timeout(Duration::from_secs(seconds), collect).await;
    Ok(Replies { link: partner, replies })
}

fn name(text: &str) -> Result<Name, OrderError> {
    Name::new(text).map_err(|cause| OrderError::Name { text: text.to_owned(), cause })
}

/// The link to a node, and its name.
fn way<'a>(running: &'a Running, node: &str) -> Result<(String, &'a LinkHandle), OrderError> {
    let unknown = || OrderError::NoWay(node.to_owned());
    let setting = running.shared.settings.route(node).ok_or_else(unknown)?;
    let link = running.node.link(setting.partner).ok_or_else(unknown)?;
    Ok((setting.partner.to_string(), link))
}

fn text(text: &str) -> Result<&str, OrderError> {
    let length = text.chars().count();
    if length == 0 || length > MAX_MESSAGE {
        return Err(OrderError::TextLength { length, most: MAX_MESSAGE });
    }
    match text.chars().find(|character| to_ebcdic(*character).is_none()) {
        Some(character) => Err(OrderError::Character(character)),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_arrive_otherwise_is_not_sent() {
        assert!(text("Is VM2 up?").is_ok());
        assert!(matches!(text("Grüße"), Err(OrderError::Character('ü'))));
        assert!(matches!(text("a\nb"), Err(OrderError::Character('\n'))));
        for length in [0, 133] {
            let long = "x".repeat(length);
            assert!(matches!(text(&long), Err(OrderError::TextLength { .. })), "{length}");
        }
    }
}
