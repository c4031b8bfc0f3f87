//! Keeping the catalogue up to date.

use super::Catalogue;
use concord_directory::{Changes, Directory, DirectoryError, Kind, MAX_CHANGES, Object, Tree};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::Mutex;
use tokio::sync::watch::Receiver;

/// Never a count of changes.
const NOTHING_SEEN: u64 = u64::MAX;
/// Objects that are taken in before searches may go on.
const AT_ONCE: usize = 500;

/// The catalogue, and where it stands.
pub(crate) struct Follower {
    directory: Arc<dyn Directory>,
    changed: Receiver<u64>,
    /// The count of changes that the catalogue has.
    seen: AtomicU64,
    turn: Mutex<()>,
    catalogue: RwLock<Catalogue>,
}

impl Follower {
    pub fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            changed: directory.directory_changed(),
            directory,
            seen: AtomicU64::new(NOTHING_SEEN),
            turn: Mutex::new(()),
            catalogue: RwLock::default(),
        }
    }

    /// The catalogue as it is; not to be held over an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in every change that is finished now.
    pub async fn catch_up(&self) -> Result<(), DirectoryError> {
        if *self.changed.borrow() == self.seen.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let count = *self.changed.borrow();
        let seen = self.seen.load(Ordering::Acquire);
        if count == seen {
            return Ok(());
        }
        if seen == NOTHING_SEEN || !self.read().has_top() {
            self.begin_anew().await?;
        }
        self.follow().await?;
        self.seen.store(count, Ordering::Release);
        Ok(())
    }

    async fn follow(&self) -> Result<(), DirectoryError> {
        loop {
            let after = self.read().up_to;
            let changes = self.directory.directory_changes(after, MAX_CHANGES).await?;
            if changes.begin_anew {
                self.begin_anew().await?;
                continue;
            }
            let more = changes.more;
            self.apply(changes).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The organisation, the site and the containers first, for everything else
    /// stands in them.
    async fn begin_anew(&self) -> Result<(), DirectoryError> {
        let tree = Tree::read(&*self.directory).await?;
        let mut first = self.directory.list(Kind::Organisation).await?;
        first.extend(self.directory.list(Kind::Site).await?);
        let containers = self.directory.list(Kind::Container).await?;
        let mut catalogue = self.write();
        let (epoch, rights) = (catalogue.epoch + 1, catalogue.rights + 1);
        *catalogue = Catalogue { tree, epoch, rights, ..Catalogue::default() };
        first.iter().for_each(|object| catalogue.put(object));
        put_containers(&mut catalogue, containers);
        Ok(())
    }

    async fn apply(&self, changes: Changes) -> Result<(), DirectoryError> {
        let unknown = {
            let catalogue = self.read();
            changes.objects.iter().any(|object| {
                object.kind() == Kind::Container
                    || object.policy.container.is_some_and(|id| catalogue.slot_of(id.0).is_none())
            })
        };
        let containers =
            if unknown { self.directory.list(Kind::Container).await? } else { Vec::new() };
        let top = |object: &&Arc<Object>| matches!(object.kind(), Kind::Organisation | Kind::Site);
        {
            let mut catalogue = self.write();
            for removed in &changes.removed {
                catalogue.remove(&removed.object);
            }
            changes.objects.iter().filter(top).for_each(|object| catalogue.put(object));
            if changes.objects.iter().any(|object| top(&object)) {
                let name = |kind| {
                    let found = changes.objects.iter().find(|object| object.kind() == kind);
                    found.map(|object| object.name.clone())
                };
                catalogue.tree.rename(name(Kind::Organisation), name(Kind::Site));
            }
            put_containers(&mut catalogue, containers);
        }
        let rest: Vec<_> = changes
            .objects
            .iter()
            .filter(|object| !top(object) && object.kind() != Kind::Container)
            .collect();
        for some in rest.chunks(AT_ONCE) {
            {
                let mut catalogue = self.write();
                some.iter().for_each(|object| catalogue.put(object));
            }
            tokio::task::yield_now().await;
        }
        self.write().up_to = changes.up_to;
        Ok(())
    }
}

/// Those at the top first; what lies in a circle goes to the top.
fn put_containers(catalogue: &mut Catalogue, mut containers: Vec<Arc<Object>>) {
    while !containers.is_empty() {
        let waiting: std::collections::HashSet<u64> =
            containers.iter().map(|container| container.id.0).collect();
        let before = containers.len();
        containers.retain(|container| {
            let waits =
                container.policy.container.is_some_and(|parent| waiting.contains(&parent.0));
            if !waits {
                catalogue.put(container);
            }
            waits
        });
        if containers.len() == before {
            containers.iter().for_each(|container| catalogue.put(container));
            return;
        }
    }
}
