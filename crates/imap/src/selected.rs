//! The selected folder as this session knows it.

use crate::error::{End, Outcome};
use crate::write;
use concord_base::FolderId;
use concord_store::{FlagSet, Item, Store, SystemFlags};
use std::sync::Arc;
use tokio::sync::watch::Receiver;

/// The session's view: sequence number n is `items[n - 1]`. It changes only
/// together with what the client is told.
pub(crate) struct Selected {
    pub folder: FolderId,
    pub items: Arc<Vec<Item>>,
    /// The view is of this modification sequence.
    pub modseq: u64,
    pub read_only: bool,
    pub watch: Receiver<u64>,
    /// Gone in the store, not yet told: a command that uses sequence numbers
    /// was running (RFC 3501 section 7.4.1).
    gone: Vec<u32>,
}

/// Whether EXPUNGE may be told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expunges {
    /// Yes.
    Tell,
    /// Not during FETCH, STORE and SEARCH by sequence number.
    Hold,
}

impl Selected {
    pub(crate) async fn open(
        store: &dyn Store,
        folder: FolderId,
        read_only: bool,
    ) -> Outcome<Self> {
        // watching begins before listing, so no change falls between them
        let mut watch = store.watch(folder);
        watch.borrow_and_update();
        let (items, modseq) = store.items(folder).await?;
        Ok(Self { folder, items, modseq, read_only, watch, gone: Vec::new() })
    }

    /// Position of a UID.
    pub(crate) fn position(&self, uid: u32) -> Option<usize> {
        self.items.binary_search_by_key(&uid, |item| item.uid).ok()
    }

    /// Takes over items that this session itself changed. Returns nothing to
    /// tell; the command's own answer does that.
    ///
    /// The view's modseq stays: one modseq can cover many items, so having seen
    /// one of them does not prove that another session changed no others.
    /// `sync` asks from there; what was taken over here is then no news.
    pub(crate) fn apply(&mut self, changed: &[Item]) {
        let updates: Vec<(usize, &Item)> = changed
            .iter()
            .filter_map(|new| Some((self.position(new.uid)?, new)))
            .filter(|(at, new)| self.items.get(*at).is_some_and(|old| old.modseq < new.modseq))
            .collect();
        if updates.is_empty() {
            return;
        }
        let items = Arc::make_mut(&mut self.items);
        for (at, new) in updates {
            if let Some(item) = items.get_mut(at) {
                item.clone_from(new);
            }
        }
    }

    /// Brings the view up to date and tells the client what changed.
    pub(crate) async fn sync(
        &mut self,
        store: &dyn Store,
        out: &mut Vec<u8>,
        expunges: Expunges,
        told: Told,
    ) -> Outcome<()> {
        let Ok(changed) = self.watch.has_changed() else {
            return Err(End::Bye("the folder was removed").into());
        };
        let newest = *self.watch.borrow_and_update();
        let behind = changed && newest != self.modseq || newest > self.modseq;
        let tell_gone = expunges == Expunges::Tell && !self.gone.is_empty();
        if !behind && !tell_gone {
            return Ok(());
        }
        let mut flags_changed = Vec::new();
        let mut fresh = Vec::new();
        if behind {
            let changes = store.changes(self.folder, self.modseq).await?;
            let last = self.items.last().map_or(0, |item| item.uid);
            for item in changes.changed {
                match self.position(item.uid) {
                    Some(at) => {
                        let Some(old) = self.items.get(at) else { continue };
                        let news =
                            old.flags != item.flags || told.modseq && old.modseq < item.modseq;
                        if old.modseq < item.modseq {
                            if news {
                                flags_changed.push(item.uid);
                            }
                            if let Some(slot) = Arc::make_mut(&mut self.items).get_mut(at) {
                                *slot = item;
                            }
                        }
                    }
                    None if item.uid > last => fresh.push(item),
                    None => {}
                }
            }
            self.gone.extend(changes.gone);
            self.modseq = changes.highest_modseq;
        }
        if expunges == Expunges::Tell && !self.gone.is_empty() {
            self.tell_gone(out);
        }
        if !fresh.is_empty() {
            // what came and went unseen is never shown
            fresh.retain(|item| !self.gone.contains(&item.uid));
            Arc::make_mut(&mut self.items).append(&mut fresh);
            write::untagged_number(out, self.count(), "EXISTS");
            write::untagged_number(out, 0, "RECENT");
        }
        for uid in flags_changed {
            if let Some(at) = self.position(uid)
                && let Some(item) = self.items.get(at)
            {
                fetch_flags(out, at, item, told);
            }
        }
        Ok(())
    }

    /// EXPUNGE for everything that is gone, from the end, so that the numbers
    /// of the others need no counting down.
    fn tell_gone(&mut self, out: &mut Vec<u8>) {
        let mut gone = std::mem::take(&mut self.gone);
        gone.sort_unstable();
        gone.dedup();
        let mut positions: Vec<usize> = gone.iter().filter_map(|uid| self.position(*uid)).collect();
        if positions.is_empty() {
            return;
        }
        positions.sort_unstable();
        for at in positions.iter().rev() {
            write::untagged_number(out, u64::try_from(*at).unwrap_or(0) + 1, "EXPUNGE");
        }
        let mut next = positions.into_iter().peekable();
        let mut at = 0;
        Arc::make_mut(&mut self.items).retain(|_| {
            let remove = next.next_if_eq(&at).is_some();
            at += 1;
            !remove
        });
    }

    /// Items in the view.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.items.len()).unwrap_or(u64::MAX)
    }
}

/// What an unasked FETCH carries beside the flags.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Told {
    /// The UID; after UID commands it must be there.
    pub uid: bool,
    /// MODSEQ; once the client has asked for CONDSTORE.
    pub modseq: bool,
}

/// `* n FETCH (FLAGS (...))`
pub(crate) fn fetch_flags(out: &mut Vec<u8>, at: usize, item: &Item, told: Told) {
    out.extend_from_slice(b"* ");
    write::number(out, u64::try_from(at).unwrap_or(0) + 1);
    out.extend_from_slice(b" FETCH (");
    if told.uid {
        out.extend_from_slice(b"UID ");
        write::number(out, u64::from(item.uid));
        out.push(b' ');
    }
    out.extend_from_slice(b"FLAGS (");
    flags(out, &item.flags);
    out.push(b')');
    if told.modseq {
        out.extend_from_slice(b" MODSEQ (");
        write::number(out, item.modseq);
        out.push(b')');
    }
    out.extend_from_slice(b")\r\n");
}

/// The flags, without parentheses.
pub(crate) fn flags(out: &mut Vec<u8>, flags: &FlagSet) {
    let mut first = true;
    let mut word = |out: &mut Vec<u8>, text: &str| {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        out.extend_from_slice(text.as_bytes());
    };
    for (flag, name) in SystemFlags::NAMES {
        if flags.system.contains(flag) {
            word(out, name);
        }
    }
    for keyword in flags.keywords() {
        word(out, keyword.as_str());
    }
}
