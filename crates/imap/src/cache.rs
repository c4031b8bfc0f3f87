//! What was prepared of messages, for all sessions together.

use crate::mime::HeaderMeta;
use concord_base::MessageId;
use lru::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

/// Octets that an entry takes beside what it holds.
const OVERHEAD: u64 = 160;

/// `BODY` and `BODYSTRUCTURE`, finished.
#[derive(Debug)]
pub(crate) struct Structure {
    pub body: Box<[u8]>,
    pub bodystructure: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Header(MessageId),
    Structure(MessageId),
}

#[derive(Clone)]
enum Value {
    Header(Arc<HeaderMeta>),
    Structure(Arc<Structure>),
}

impl Value {
    fn weight(&self) -> u64 {
        let held = match self {
            Self::Header(meta) => meta.weight(),
            Self::Structure(s) => {
                u64::try_from(s.body.len() + s.bodystructure.len()).unwrap_or(u64::MAX)
            }
        };
        held.saturating_add(OVERHEAD)
    }
}

struct Held {
    entries: LruCache<Key, Value>,
    weight: u64,
}

/// The least recently used entries leave when the bound of octets is reached.
/// Messages never change, so nothing in here grows stale.
pub(crate) struct MetaCache {
    held: Mutex<Held>,
    limit: u64,
}

impl MetaCache {
    pub(crate) fn new(limit: u64) -> Self {
        Self { held: Mutex::new(Held { entries: LruCache::unbounded(), weight: 0 }), limit }
    }

    pub(crate) fn header(&self, id: MessageId) -> Option<Arc<HeaderMeta>> {
        match self.get(Key::Header(id)) {
            Some(Value::Header(meta)) => Some(meta),
            _ => None,
        }
    }

    pub(crate) fn structure(&self, id: MessageId) -> Option<Arc<Structure>> {
        match self.get(Key::Structure(id)) {
            Some(Value::Structure(structure)) => Some(structure),
            _ => None,
        }
    }

    pub(crate) fn put_header(&self, id: MessageId, meta: Arc<HeaderMeta>) {
        self.put(Key::Header(id), Value::Header(meta));
    }

    pub(crate) fn put_structure(&self, id: MessageId, structure: Arc<Structure>) {
        self.put(Key::Structure(id), Value::Structure(structure));
    }

    fn get(&self, key: Key) -> Option<Value> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).entries.get(&key).cloned()
    }

    fn put(&self, key: Key, value: Value) {
        let weight = value.weight();
        if weight > self.limit {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = held.entries.put(key, value) {
            held.weight = held.weight.saturating_sub(old.weight());
        }
        held.weight = held.weight.saturating_add(weight);
        while held.weight > self.limit {
            let Some((_, old)) = held.entries.pop_lru() else { break };
            held.weight = held.weight.saturating_sub(old.weight());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds() {
        let cache = MetaCache::new(10_000);
        let structure = || {
            Arc::new(Structure { body: vec![0; 500].into(), bodystructure: vec![0; 500].into() })
        };
        for id in 1..100 {
            cache.put_structure(MessageId(id), structure());
            assert!(cache.structure(MessageId(id)).is_some());
        }
        assert!(cache.structure(MessageId(1)).is_none());
        let held = cache.held.lock().unwrap();
        assert_eq!(held.entries.len(), 8);
        assert_eq!(held.weight, 8 * 1_160);
    }
}
