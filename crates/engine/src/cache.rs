//! What readers keep at hand. Everything here can be dropped at any time.

use concord_base::{FolderId, ObjectId};
use concord_directory::Object;
use concord_store::Item;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses and objects; some 200 octets each without their object.
const DIRECTORY_ENTRIES: NonZeroUsize = nonzero(16_384);
/// Folder listings.
const LISTINGS: NonZeroUsize = nonzero(64);
/// Items in all kept listings together: 80 octets each, 16 MiB in all.
const LISTED_ITEMS: usize = 200_000;

const fn nonzero(n: usize) -> NonZeroUsize {
    match NonZeroUsize::new(n) {
        Some(n) => n,
        None => NonZeroUsize::MIN,
    }
}

/// A folder's items at one modification sequence.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub items: Arc<Vec<Item>>,
    pub modseq: u64,
}

/// A directory look-up: by id, by address key, or by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum DirectoryKey {
    Id(ObjectId),
    Address(String),
    Name(&'static str, String),
}

struct DirectoryCache {
    /// Raised with every change, so that a look-up that began before it does
    /// not put the old answer back.
    generation: u64,
    entries: LruCache<DirectoryKey, Option<Arc<Object>>>,
}

pub(crate) struct Caches {
    directory: Mutex<DirectoryCache>,
    listings: Mutex<LruCache<FolderId, Listing>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            directory: Mutex::new(DirectoryCache {
                generation: 0,
                entries: LruCache::new(DIRECTORY_ENTRIES),
            }),
            listings: Mutex::new(LruCache::new(LISTINGS)),
        }
    }
}

impl Caches {
    /// A directory object from the cache, or by `read`.
    pub fn object<E>(
        &self,
        key: DirectoryKey,
        read: impl FnOnce(&DirectoryKey) -> Result<Option<Arc<Object>>, E>,
    ) -> Result<Option<Arc<Object>>, E> {
        let generation = {
            let mut cache = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = cache.entries.get(&key) {
                return Ok(found.clone());
            }
            cache.generation
        };
        let found = read(&key)?;
        let mut cache = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.generation == generation {
            cache.entries.put(key, found.clone());
        }
        Ok(found)
    }

    pub fn directory_changed(&self) {
        let mut cache = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        cache.entries.clear();
    }

    pub fn listing(&self, folder: FolderId) -> Option<Listing> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).get(&folder).cloned()
    }

    pub fn keep_listing(&self, folder: FolderId, listing: Listing) {
        if listing.items.len() > LISTED_ITEMS {
            return;
        }
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        listings.put(folder, listing);
        let mut kept: usize = listings.iter().map(|(_, l)| l.items.len()).sum();
        while kept > LISTED_ITEMS {
            let Some((_, dropped)) = listings.pop_lru() else { break };
            kept -= dropped.items.len();
        }
    }

    pub fn folder_gone(&self, folder: FolderId) {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).pop(&folder);
    }
}
