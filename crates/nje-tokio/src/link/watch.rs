//! Those who look at what goes over a link.

use concord_nje::{Boundaries, CloseReason, Direction};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Watchers of one link: operators, of whom there are few. The oldest goes when
/// one more comes.
const MAX_WATCHERS: usize = 8;

/// What a watcher sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// A connection began.
    Opened(Direction),
    /// There is a connection already. What is seen of it begins, for each end,
    /// with a TTB.
    UnderWay(Direction),
    /// Octets went over it.
    Octets(Direction, &'a [u8]),
    /// It is over.
    Closed(&'a CloseReason),
}

/// Somebody who looks at what goes over a link. Called on the link's task: must be
/// quick and not block. [`ControlFlow::Break`] ends it.
pub trait Watcher: Send + Sync + 'static {
    /// Takes what is seen.
    fn seen(&self, seen: Seen<'_>) -> ControlFlow<()>;
}

struct Watch {
    watcher: Arc<dyn Watcher>,
    /// Whether it sees the opener's octets, and the listener's: somebody who came
    /// in the middle of a TTB waits for its end.
    sees: [bool; 2],
}

#[derive(Default)]
pub(super) struct Watches {
    watches: Vec<Watch>,
    boundaries: [Boundaries; 2],
    /// Who opened the connection, while there is one.
    opened_by: Option<Direction>,
}

const fn index(direction: Direction) -> usize {
    match direction {
        Direction::FromOpener => 0,
        Direction::FromListener => 1,
    }
}

impl Watches {
    pub(super) fn add(&mut self, watcher: Arc<dyn Watcher>) {
        if let Some(opened_by) = self.opened_by
            && watcher.seen(Seen::UnderWay(opened_by)).is_break()
        {
            return;
        }
        if self.watches.len() >= MAX_WATCHERS {
            self.watches.remove(0);
        }
        self.watches.push(Watch { watcher, sees: [false; 2] });
    }

    pub(super) fn opened(&mut self, opened_by: Direction) {
        self.opened_by = Some(opened_by);
        self.boundaries = [Boundaries::default(); 2];
        self.watches.retain_mut(|watch| {
            watch.sees = [true; 2];
            watch.watcher.seen(Seen::Opened(opened_by)).is_continue()
        });
    }

    pub(super) fn octets(&mut self, direction: Direction, octets: &[u8]) {
        let index = index(direction);
        let Some(boundaries) = self.boundaries.get_mut(index) else { return };
        let first = boundaries.pass(octets);
        self.watches.retain_mut(|watch| {
            let Some(sees) = watch.sees.get_mut(index) else { return true };
            let from = if *sees { Some(0) } else { first };
            let Some(octets) = from.and_then(|from| octets.get(from..)) else { return true };
            *sees = true;
            watch.watcher.seen(Seen::Octets(direction, octets)).is_continue()
        });
    }

    pub(super) fn closed(&mut self, reason: &CloseReason) {
        self.opened_by = None;
        self.watches.retain(|watch| watch.watcher.seen(Seen::Closed(reason)).is_continue());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Watcher for Notes {
        fn seen(&self, seen: Seen<'_>) -> ControlFlow<()> {
            self.0.lock().unwrap().push(format!("{seen:?}"));
            ControlFlow::Continue(())
        }
    }

    const EMPTY: &[u8] = b"\0\0\0\x0c\0\0\0\0\0\0\0\0";

    #[test]
    fn who_comes_late_sees_from_the_next_ttb() {
        let mut watches = Watches::default();
        watches.opened(Direction::FromOpener);
        watches.octets(Direction::FromOpener, &[0xd6; 33]);
        let (head, tail) = EMPTY.split_at(5);
        watches.octets(Direction::FromOpener, head);
        let late = Arc::new(Notes::default());
        watches.add(late.clone());
        watches.octets(Direction::FromOpener, &[tail, EMPTY].concat());
        watches.octets(Direction::FromOpener, EMPTY);
        watches.closed(&CloseReason::Lost);
        let empty = format!("Octets(FromOpener, {EMPTY:?})");
        let expected =
            ["UnderWay(FromOpener)".to_owned(), empty.clone(), empty, "Closed(Lost)".to_owned()];
        assert_eq!(late.0.lock().unwrap()[..], expected);
    }

    #[test]
    fn there_is_a_bound_of_watchers() {
        let mut watches = Watches::default();
        let all: Vec<_> = (0..MAX_WATCHERS + 2).map(|_| Arc::new(Notes::default())).collect();
        for watcher in &all {
            watches.add(watcher.clone());
        }
        watches.opened(Direction::FromListener);
        let seeing = |notes: &&Arc<Notes>| !notes.0.lock().unwrap().is_empty();
        assert_eq!(all.iter().filter(seeing).count(), MAX_WATCHERS);
        assert!(all[0].0.lock().unwrap().is_empty(), "the oldest went");
    }
}
