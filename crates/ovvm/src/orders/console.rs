//! Messages of the hosts: those that somebody waits for, and the last others.

use super::moment;
use super::wire::HeardView;
use concord_base::Timestamp;
use concord_nje::{Message, Name};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Messages that are kept; an operator looks at the last ones. With 132 characters
/// each they are a few tens of kilobytes.
const MAX_KEPT: usize = 200;
/// Replies to one command that wait to be fetched; `QUERY` of RSCS gives a few
/// dozens. More are dropped.
const MAX_REPLIES: usize = 1_000;
/// Commands whose replies are waited for.
const MAX_ASKED: usize = 100;

/// A message that came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    at: Timestamp,
    partner: Name,
    message: Message,
}

#[derive(Debug, Default)]
struct Inner {
    last: VecDeque<Heard>,
    asked: BTreeMap<Name, mpsc::Sender<Heard>>,
    number: u32,
}

/// What hosts say to this node and its operators.
#[derive(Debug, Default)]
pub(crate) struct Console(Mutex<Inner>);

impl Console {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message came by the link to `partner`.
    pub fn heard(&self, partner: Name, message: Message, now: Timestamp) {
        let mut inner = self.inner();
        let heard = Heard { at: now, partner, message };
        let asked = inner.asked.iter().find(|(user, _)| user.same(&heard.message.user));
        if let Some((_, asked)) = asked {
            // Whoever asked has enough, or went away.
            let _ = asked.try_send(heard);
            return;
        }
        inner.last.push_back(heard);
        if inner.last.len() > MAX_KEPT {
            inner.last.pop_front();
        }
    }

    /// The last messages that came by a link.
    pub fn of(&self, partner: Name) -> Vec<HeardView> {
        let inner = self.inner();
        let of = inner.last.iter().filter(|heard| heard.partner.same(&partner));
        of.map(Heard::view).collect()
    }

    /// A user id of this node at which nobody is, for a command: replies to it come
    /// out of the receiver. None if too many are waited for.
    pub(super) fn ask(&self) -> Option<(Name, mpsc::Receiver<Heard>)> {
        let mut inner = self.inner();
        inner.asked.retain(|_, asked| !asked.is_closed());
        if inner.asked.len() >= MAX_ASKED {
            return None;
        }
        inner.number = inner.number.wrapping_add(1) % 1_000_000;
        let user = Name::new(&format!("CQ{:06}", inner.number)).ok()?;
        let (sender, receiver) = mpsc::channel(MAX_REPLIES);
        inner.asked.insert(user, sender);
        Some((user, receiver))
    }
}

impl Heard {
    pub(super) fn view(&self) -> HeardView {
        let from = match self.message.sender() {
            Some(user) if !user.is_empty() => format!("{}.{user}", self.message.from_node),
            _ => self.message.from_node.to_string(),
        };
        HeardView {
            at: moment(self.at),
            from,
            to: self.message.user.to_string(),
            text: self.message.words().trim_end().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn replies_go_to_who_asked_and_the_rest_is_kept_up_to_a_bound() {
        let console = Console::default();
        let (user, mut replies) = console.ask().unwrap();
        let (other, _) = console.ask().unwrap();
        assert!(!user.same(&other));
        let notice = |to, text: &str| Message::notice(name("VM1"), name("US"), to, text);
        let at = Timestamp::from_seconds(0);
        console.heard(name("VM1"), notice(user, "LINK VM2 -- ACTIVE"), at);
        for number in 0..=MAX_KEPT {
            console.heard(name("VM1"), notice(name("OPERATOR"), &number.to_string()), at);
        }
        console.heard(name("VM9"), notice(name("OPERATOR"), "of another link"), at);
        assert_eq!(replies.try_recv().unwrap().view().text, "LINK VM2 -- ACTIVE");
        assert!(replies.try_recv().is_err());
        let kept = console.of(name("VM1"));
        assert_eq!((kept.len(), kept.last().unwrap().text.as_str()), (MAX_KEPT - 1, "200"));
        assert_eq!(kept.last().unwrap().from, "VM1");
        drop(replies);
        console.heard(name("VM1"), notice(user, "nobody waits"), at);
        assert_eq!(console.of(name("VM1")).last().unwrap().text, "200", "a late reply is dropped");
    }
}
