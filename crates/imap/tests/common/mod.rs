//! A small store and directory in memory: real implementations of the traits,
//! for tests of the protocols over them.

#![allow(dead_code, unreachable_pub, missing_docs)]
// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use concord_address::{Domain, TypedAddress};
use concord_base::{FolderId, MailboxId, MessageId, ObjectId, StorageError, Timestamp};
use concord_directory::{
    Changes, Details, Directory, DirectoryAct, DirectoryError, Kind, Mailbox, NewObject, Object,
};
use concord_store::{
    Appended, Body, BodyContent, BodyWriter, Copied, FlagChange, FlagSet, Folder, FolderChanges,
    FolderName, Item, MAX_READ, Quota, SpecialUse, Store, StoreError, StoredFlags, SystemFlags,
    UidSet,
};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

struct Held {
    folder: Folder,
    items: Arc<Vec<Item>>,
    gone: Vec<(u64, u32)>,
    news: watch::Sender<u64>,
}

impl Held {
    fn changed(&mut self) -> u64 {
        self.folder.highest_modseq += 1;
        self.folder.highest_modseq
    }

    fn tell(&mut self) {
        let seen = |i: &&Item| !i.flags.system.contains(SystemFlags::SEEN);
        self.folder.messages = self.items.len() as u32;
        self.folder.unseen = self.items.iter().filter(seen).count() as u32;
        self.folder.octets = self.items.iter().map(|i| i.octets).sum();
        self.news.send_replace(self.folder.highest_modseq);
    }

    fn add(&mut self, item: Item) -> u32 {
        let modseq = self.changed();
        let uid = self.folder.uid_next;
        self.folder.uid_next += 1;
        Arc::make_mut(&mut self.items).push(Item { uid, modseq, ..item });
        uid
    }

    fn remove(&mut self, uids: &[u32]) {
        if uids.is_empty() {
            return;
        }
        let modseq = self.changed();
        Arc::make_mut(&mut self.items).retain(|i| uids.binary_search(&i.uid).is_err());
        self.gone.extend(uids.iter().map(|uid| (modseq, *uid)));
    }
}

#[derive(Default)]
pub struct State {
    folders: BTreeMap<FolderId, Held>,
    bodies: HashMap<MessageId, Bytes>,
    next: u64,
}

impl State {
    fn held(&mut self, id: FolderId) -> Result<&mut Held, StoreError> {
        self.folders.get_mut(&id).ok_or(StoreError::FolderGone(id))
    }

    fn by_name(&self, mailbox: MailboxId, name: &FolderName) -> Option<FolderId> {
        self.folders
            .values()
            .find(|h| h.folder.mailbox == mailbox && h.folder.name == *name)
            .map(|h| h.folder.id)
    }

    fn create(
        &mut self,
        mailbox: MailboxId,
        name: &FolderName,
        special: Option<SpecialUse>,
    ) -> FolderId {
        if let Some(above) = name.parent()
            && self.by_name(mailbox, &above).is_none()
        {
            self.create(mailbox, &above, None);
        }
        self.next += 1;
        let id = FolderId(self.next);
        let folder = Folder {
            id,
            mailbox,
            name: name.clone(),
            uid_validity: 1_000 + self.next as u32,
            uid_next: 1,
            highest_modseq: 1,
            messages: 0,
            unseen: 0,
            octets: 0,
            special_use: special,
            subscribed: true,
        };
        let news = watch::Sender::new(1);
        self.folders.insert(id, Held { folder, items: Arc::default(), gone: Vec::new(), news });
        id
    }
}

#[derive(Default)]
pub struct MemoryStore {
    pub state: Mutex<State>,
    pub quota: Option<u64>,
    /// Octets that bodies may have together; past that the disk is full.
    pub disk: Option<usize>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn add_mailbox(&self, mailbox: MailboxId) {
        let mut state = self.lock();
        state.create(mailbox, &FolderName::inbox(), None);
        for special in SpecialUse::ALL {
            state.create(mailbox, &special.folder_name().parse().unwrap(), Some(special));
        }
    }

    /// Puts a message into a folder.
    pub fn deliver(&self, mailbox: MailboxId, folder: &str, message: &[u8]) -> u32 {
        let mut state = self.lock();
        let folder = state.by_name(mailbox, &folder.parse().unwrap()).unwrap();
        state.next += 1;
        let id = MessageId(state.next);
        state.bodies.insert(id, Bytes::copy_from_slice(message));
        let held = state.held(folder).unwrap();
        let uid = held.add(Item {
            uid: 0,
            message: id,
            flags: FlagSet::default(),
            modseq: 0,
            internal_date: Timestamp::from_seconds(1_000_000_000),
            octets: message.len() as u64,
        });
        held.tell();
        uid
    }

    pub fn messages(&self, mailbox: MailboxId, folder: &str) -> Vec<(Item, Bytes)> {
        let mut state = self.lock();
        let folder = state.by_name(mailbox, &folder.parse().unwrap()).unwrap();
        let items = Arc::clone(&state.held(folder).unwrap().items);
        items.iter().map(|i| (i.clone(), state.bodies[&i.message].clone())).collect()
    }
}

struct Writer {
    octets: BytesMut,
    disk: Option<usize>,
}

#[async_trait]
impl BodyWriter for Writer {
    async fn write(&mut self, octets: Bytes) -> Result<(), StoreError> {
        self.octets.extend_from_slice(&octets);
        match self.disk {
            Some(disk) if self.octets.len() > disk => {
                Err(StoreError::Storage(StorageError::DiskFull {
                    path: "/".into(),
                    free: 0,
                    reserve: 1,
                }))
            }
            _ => Ok(()),
        }
    }
    fn octets(&self) -> u64 {
        self.octets.len() as u64
    }
    async fn finish(self: Box<Self>) -> Result<Body, StoreError> {
        Ok(Body::from_bytes(self.octets.freeze()))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn folders(&self, mailbox: MailboxId) -> Result<Vec<Folder>, StoreError> {
        let state = self.lock();
        let mut all: Vec<Folder> = state
            .folders
            .values()
            .filter(|h| h.folder.mailbox == mailbox)
            .map(|h| h.folder.clone())
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    async fn folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
    ) -> Result<Option<Folder>, StoreError> {
        let state = self.lock();
        Ok(state.by_name(mailbox, name).map(|id| state.folders[&id].folder.clone()))
    }

    async fn folder_by_id(&self, folder: FolderId) -> Result<Folder, StoreError> {
        Ok(self.lock().held(folder)?.folder.clone())
    }

    async fn create_folder(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        special_use: Option<SpecialUse>,
    ) -> Result<Folder, StoreError> {
        let mut state = self.lock();
        if state.by_name(mailbox, name).is_some() {
            return Err(StoreError::FolderExists(name.to_string()));
        }
        let id = state.create(mailbox, name, special_use);
        Ok(state.folders[&id].folder.clone())
    }

    async fn rename_folder(
        &self,
        mailbox: MailboxId,
        old: &FolderName,
        new: &FolderName,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let Some(id) = state.by_name(mailbox, old) else {
            return Err(StoreError::FolderMissing(old.to_string()));
        };
        if state.by_name(mailbox, new).is_some() {
            return Err(StoreError::FolderExists(new.to_string()));
        }
        if old.is_inbox() {
            let to = state.create(mailbox, new, None);
            let held = state.held(id)?;
            let items = Arc::clone(&held.items);
            held.remove(&items.iter().map(|i| i.uid).collect::<Vec<_>>());
            held.tell();
            let target = state.held(to)?;
            for item in items.iter() {
                target.add(item.clone());
            }
            target.tell();
            return Ok(());
        }
        for held in state.folders.values_mut().filter(|h| h.folder.mailbox == mailbox) {
            if held.folder.name == *old {
                held.folder.name = new.clone();
            } else if let Some(moved) = held.folder.name.moved(old, new) {
                held.folder.name = moved;
            }
        }
        Ok(())
    }

    async fn delete_folder(&self, mailbox: MailboxId, name: &FolderName) -> Result<(), StoreError> {
        let mut state = self.lock();
        let Some(id) = state.by_name(mailbox, name) else {
            return Err(StoreError::FolderMissing(name.to_string()));
        };
        state.folders.remove(&id);
        Ok(())
    }

    async fn subscribe(
        &self,
        mailbox: MailboxId,
        name: &FolderName,
        subscribed: bool,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let Some(id) = state.by_name(mailbox, name) else {
            return Err(StoreError::FolderMissing(name.to_string()));
        };
        state.held(id)?.folder.subscribed = subscribed;
        Ok(())
    }

    async fn items(&self, folder: FolderId) -> Result<(Arc<Vec<Item>>, u64), StoreError> {
        let mut state = self.lock();
        let held = state.held(folder)?;
        Ok((Arc::clone(&held.items), held.folder.highest_modseq))
    }

    async fn changes(&self, folder: FolderId, modseq: u64) -> Result<FolderChanges, StoreError> {
        let mut state = self.lock();
        let held = state.held(folder)?;
        let mut gone: Vec<u32> =
            held.gone.iter().filter(|(m, _)| *m > modseq).map(|(_, uid)| *uid).collect();
        gone.sort_unstable();
        Ok(FolderChanges {
            changed: held.items.iter().filter(|i| i.modseq > modseq).cloned().collect(),
            gone,
            highest_modseq: held.folder.highest_modseq,
        })
    }

    fn watch(&self, folder: FolderId) -> watch::Receiver<u64> {
        match self.lock().held(folder) {
            Ok(held) => held.news.subscribe(),
            Err(_) => watch::Sender::new(0).subscribe(),
        }
    }

    async fn begin_body(&self, _expected: Option<u64>) -> Result<Box<dyn BodyWriter>, StoreError> {
        Ok(Box::new(Writer { octets: BytesMut::new(), disk: self.disk }))
    }

    async fn append(
        &self,
        folder: FolderId,
        body: Body,
        flags: FlagSet,
        internal_date: Timestamp,
    ) -> Result<Appended, StoreError> {
        let BodyContent::Memory(bytes) = body.content else { panic!("only memory here") };
        let mut state = self.lock();
        if let Some(limit) = self.quota {
            let used: u64 = state.folders.values().map(|h| h.folder.octets).sum();
            if used + body.octets > limit {
                return Err(StoreError::OverQuota { used, limit });
            }
        }
        state.next += 1;
        let message = MessageId(state.next);
        state.bodies.insert(message, bytes);
        let held = state.held(folder)?;
        let octets = body.octets;
        let uid = held.add(Item { uid: 0, message, flags, modseq: 0, internal_date, octets });
        held.tell();
        Ok(Appended { uid_validity: held.folder.uid_validity, uid })
    }

    async fn store_flags(
        &self,
        folder: FolderId,
        uids: &UidSet,
        change: FlagChange,
        unchanged_since: Option<u64>,
    ) -> Result<StoredFlags, StoreError> {
        let mut state = self.lock();
        let held = state.held(folder)?;
        let modseq = held.folder.highest_modseq + 1;
        let (mut items, mut refused, mut changed) = (Vec::new(), Vec::new(), false);
        for item in Arc::make_mut(&mut held.items).iter_mut().filter(|i| uids.contains(i.uid)) {
            if unchanged_since.is_some_and(|since| item.modseq > since) {
                refused.push(item.uid);
                continue;
            }
            let flags = item.flags.changed(&change);
            if flags != item.flags {
                item.flags = flags;
                item.modseq = modseq;
                changed = true;
            }
            items.push(item.clone());
        }
        if changed {
            held.changed();
            held.tell();
        }
        Ok(StoredFlags { items, refused })
    }

    async fn copy(
        &self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
    ) -> Result<Copied, StoreError> {
        let mut state = self.lock();
        let items = Arc::clone(&state.held(from)?.items);
        let target = state.held(to)?;
        let uids = items
            .iter()
            .filter(|i| uids.contains(i.uid))
            .map(|i| (i.uid, target.add(i.clone())))
            .collect();
        target.tell();
        Ok(Copied { uid_validity: target.folder.uid_validity, uids })
    }

    async fn move_items(
        &self,
        from: FolderId,
        uids: &UidSet,
        to: FolderId,
    ) -> Result<Copied, StoreError> {
        let copied = self.copy(from, uids, to).await?;
        let mut state = self.lock();
        let held = state.held(from)?;
        held.remove(&copied.uids.iter().map(|(old, _)| *old).collect::<Vec<_>>());
        held.tell();
        Ok(copied)
    }

    async fn expunge(&self, folder: FolderId, uids: &UidSet) -> Result<Vec<u32>, StoreError> {
        let mut state = self.lock();
        let held = state.held(folder)?;
        let gone: Vec<u32> = held
            .items
            .iter()
            .filter(|i| uids.contains(i.uid) && i.flags.system.contains(SystemFlags::DELETED))
            .map(|i| i.uid)
            .collect();
        held.remove(&gone);
        held.tell();
        Ok(gone)
    }

    async fn read(&self, message: MessageId, range: Range<u64>) -> Result<Bytes, StoreError> {
        let state = self.lock();
        let body = state.bodies.get(&message).ok_or(StoreError::MessageGone(message))?;
        let len = body.len() as u64;
        let end = range.end.min(len).min(range.start + MAX_READ);
        Ok(body.slice(range.start.min(len) as usize..end.max(range.start.min(len)) as usize))
    }

    async fn quota(&self, mailbox: MailboxId) -> Result<Quota, StoreError> {
        let state = self.lock();
        let mine = state.folders.values().filter(|h| h.folder.mailbox == mailbox);
        let (used, messages) = mine.fold((0, 0), |(octets, messages), h| {
            (octets + h.folder.octets, messages + u64::from(h.folder.messages))
        });
        Ok(Quota { used, limit: self.quota, messages })
    }
}

/// Mailboxes by name, with a password.
#[derive(Default)]
pub struct MemoryDirectory {
    objects: Mutex<Vec<Arc<Object>>>,
}

impl MemoryDirectory {
    pub fn add(&self, name: &str, password: &str) -> MailboxId {
        let mut objects = self.objects.lock().unwrap();
        let id = ObjectId(1 + objects.len() as u64);
        let credentials = concord_sasl::make_credentials(password, &mut rand::rng()).unwrap();
        let mailbox = Mailbox { credentials: Some(credentials), ..Mailbox::default() };
        let new = NewObject {
            name: name.into(),
            display_name: name.into(),
            proxies: Vec::new(),
            details: Details::Mailbox(mailbox),
            attributes: Default::default(),
            policy: Default::default(),
        };
        objects.push(Arc::new(Object::from_new(id, new, Timestamp(0))));
        id.into()
    }
}

#[async_trait]
impl Directory for MemoryDirectory {
    async fn directory_changes(&self, _: u64, _: usize) -> Result<Changes, DirectoryError> {
        Ok(Changes::default())
    }
    async fn connector_state(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        Ok(None)
    }
    async fn set_connector_state(
        &self,
        _: &str,
        _: &str,
        _: Option<Vec<u8>>,
    ) -> Result<(), DirectoryError> {
        Ok(())
    }
    async fn forget_removed(&self, _: Timestamp) -> Result<u64, DirectoryError> {
        Ok(0)
    }
    async fn object(&self, id: ObjectId) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(self.objects.lock().unwrap().iter().find(|o| o.id == id).cloned())
    }
    async fn find(&self, _: Kind, name: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        self.login(name).await
    }
    async fn list(&self, _: Kind) -> Result<Vec<Arc<Object>>, DirectoryError> {
        Ok(self.objects.lock().unwrap().clone())
    }
    async fn lookup(&self, _: &TypedAddress) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(None)
    }
    async fn is_local_domain(&self, _: &Domain) -> Result<bool, DirectoryError> {
        Ok(false)
    }
    async fn login(&self, name: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.iter().find(|o| o.name.eq_ignore_ascii_case(name)).cloned())
    }
    async fn change(&self, _: DirectoryAct) -> Result<Arc<Object>, DirectoryError> {
        Err(StorageError::Stopping.into())
    }
    fn directory_changed(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::Sender::new(0).subscribe()
    }
}
