//! Who waits for the same thing waits once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A lock for each key that somebody holds or waits for.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// The lock of a key.
    pub(super) fn of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        turns.insert(key.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lock_for_a_key_and_none_is_left_behind() {
        let turns = Turns::default();
        let (one, other) = (turns.of("a"), turns.of("b"));
        assert!(Arc::ptr_eq(&one, &turns.of("a")));
        assert!(!Arc::ptr_eq(&one, &other));
        drop((one, other));
        let _last = turns.of("c");
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
