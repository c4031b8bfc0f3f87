//! The directory.

use super::{ActError, Applier, Applying, Outcome};
use crate::delivery::{decode, encode};
use concord_address::TypedAddress;
use concord_base::{FolderId, MailboxId, ObjectId, Timestamp};
use concord_directory::{
    DirectoryAct, DirectoryError, Kind, MAX_CONTAINER_DEPTH, NewObject, Object, Reference,
};
use concord_store::{FolderName, SpecialUse};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Applier {
    fn object(&self, id: ObjectId) -> Result<Option<Object>, rusqlite::Error> {
        self.db
            .prepare_cached("SELECT data FROM object WHERE id = ?1")?
            .query_row([id.0 as i64], |r| decode(r.get_ref(0)?.as_blob()?))
            .optional()
    }

    pub(super) fn directory(&mut self, act: &DirectoryAct) -> Applying {
        let object = match act {
            DirectoryAct::Add(new) => self.add_object(new)?,
            DirectoryAct::Set(object) => self.set_object(object)?,
            DirectoryAct::SetTogether(objects) => self.set_together(objects)?,
            DirectoryAct::Remove(id) => self.remove_object(*id)?,
        };
        self.effects.directory = true;
        Ok(Outcome::Object(Arc::new(object)))
    }

    fn add_object(&mut self, new: &NewObject) -> Result<Object, ActError> {
        let id = ObjectId(self.state.next_object);
        let mut object = Object::from_new(id, new.clone(), self.now);
        object.usn = self.sequence;
        self.check_object(&object)?;
        self.state.next_object += 1;
        self.write_object(&object)?;
        if object.kind().has_folders() {
            self.create_mailbox(id.into())?;
        }
        Ok(object)
    }

    fn set_object(&mut self, object: &Object) -> Result<Object, ActError> {
        let object = self.successor(object)?;
        self.check_object(&object)?;
        self.erase_object(object.id)?;
        self.write_object(&object)?;
        Ok(object)
    }

    /// An object as it will be, if it may follow the one that is there.
    fn successor(&self, object: &Object) -> Result<Object, ActError> {
        let before = self.object(object.id)?.ok_or_else(|| missing(object.id))?;
        if before.kind() != object.kind() {
            let cause = "an object's kind cannot change".to_owned();
            return Err(DirectoryError::Invalid { name: object.name.clone(), cause }.into());
        }
        let (created, usn) = (before.created, self.sequence);
        Ok(Object { changed: self.now, created, usn, ..object.clone() })
    }

    /// Every object gives up what it has before the first takes what it is to
    /// have. If one cannot be, all are as they were.
    fn set_together(&mut self, objects: &[Object]) -> Result<Object, ActError> {
        let (mut before, mut after) = (BTreeMap::new(), Vec::with_capacity(objects.len()));
        for object in objects {
            after.push(self.successor(object)?);
            before.extend(self.object(object.id)?.map(|object| (object.id, object)));
        }
        for id in before.keys() {
            self.vacate(*id)?;
        }
        let written = after.iter().try_for_each(|object| {
            self.check_object(object)?;
            self.erase_object(object.id)?;
            self.write_object(object)
        });
        if let Err(error) = written {
            for id in before.keys() {
                self.erase_object(*id)?;
            }
            for object in before.values() {
                self.write_object(object)?;
            }
            return Err(error);
        }
        after.pop().ok_or_else(|| {
            let cause = "nothing is to be set".to_owned();
            DirectoryError::Invalid { name: String::new(), cause }.into()
        })
    }

    /// Takes an object's name, addresses and origin away, so that another can
    /// have them; it can still be referred to.
    fn vacate(&self, id: ObjectId) -> Result<(), rusqlite::Error> {
        for statement in [
            "DELETE FROM proxy WHERE object = ?1",
            "DELETE FROM origin WHERE object = ?1",
            // No name begins so.
            "UPDATE object SET name_key = char(1) || id WHERE id = ?1",
        ] {
            self.db.prepare_cached(statement)?.execute([id.0 as i64])?;
        }
        Ok(())
    }

    fn remove_object(&mut self, id: ObjectId) -> Result<Object, ActError> {
        let object = self.object(id)?.ok_or_else(|| missing(id))?;
        self.check_unused(&object)?;
        self.leave_others(id)?;
        self.erase_object(id)?;
        self.bury(&object)?;
        if object.kind().has_folders() {
            self.remove_mailbox(id.into())?;
        }
        if object.kind() == Kind::Connector {
            self.db
                .prepare_cached("DELETE FROM connector_state WHERE connector = ?1")?
                .execute([&object.name])?;
            self.db
                .prepare_cached("DELETE FROM taken WHERE connector = ?1")?
                .execute([&object.name])?;
        }
        Ok(object)
    }

    /// Remembers an object that is gone, without its secrets.
    fn bury(&self, object: &Object) -> Result<(), ActError> {
        let mut object = object.clone();
        if let concord_directory::Details::Mailbox(mailbox) = &mut object.details {
            mailbox.credentials = None;
        }
        self.db.prepare_cached("INSERT INTO removed VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            object.id.0 as i64,
            self.sequence as i64,
            self.now.0,
            encode(&object)?
        ])?;
        Ok(())
    }

    pub(super) fn forget_removed(&mut self, before: Timestamp) -> Applying {
        let newest: Option<i64> =
            self.db.query_row("SELECT max(usn) FROM removed WHERE at < ?1", [before.0], |r| {
                r.get(0)
            })?;
        let Some(newest) = newest else { return Ok(Outcome::Count(0)) };
        let gone = self.db.execute("DELETE FROM removed WHERE usn <= ?1", [newest])?;
        self.db.execute("UPDATE engine SET removed_before = max(removed_before, ?1)", [newest])?;
        Ok(Outcome::Count(gone as u64))
    }

    pub(super) fn connector_state(
        &mut self,
        connector: &str,
        key: &str,
        value: Option<&[u8]>,
    ) -> Applying {
        match value {
            Some(value) => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO connector_state VALUES (?1, ?2, ?3)")?
                .execute(params![connector, key, value])?,
            None => self
                .db
                .prepare_cached("DELETE FROM connector_state WHERE connector = ?1 AND key = ?2")?
                .execute(params![connector, key])?,
        };
        Ok(Outcome::Done)
    }

    /// The rules that hold between objects.
    fn check_object(&self, object: &Object) -> Result<(), ActError> {
        object.check()?;
        let kind = object.kind();
        let id = object.id.0 as i64;
        if let Some(holder) = self.name_holder(object)? {
            let name = object.name.clone();
            return Err(DirectoryError::NameTaken { kind: holder.as_str(), name }.into());
        }
        for address in addresses(object) {
            let holder = self
                .db
                .prepare_cached("SELECT object FROM proxy WHERE key = ?1 AND object <> ?2")?
                .query_row(params![address.key(), id], |r| r.get::<_, i64>(0))
                .optional()?;
            let holder = holder.map(|id| self.object(ObjectId(id as u64))).transpose()?.flatten();
            if let Some(holder) = holder {
                return Err(DirectoryError::AddressTaken {
                    address: address.to_string(),
                    kind: holder.kind().as_str(),
                    holder: holder.name,
                }
                .into());
            }
        }
        for reference in object.references() {
            self.check_reference(object, reference)?;
        }
        self.check_place(object)?;
        self.check_origin(object)?;
        if kind == Kind::Organisation && self.count(Kind::Organisation, id)? > 0 {
            let cause = "there is one organisation only".to_owned();
            return Err(DirectoryError::Invalid { name: object.name.clone(), cause }.into());
        }
        Ok(())
    }

    /// The kind of the object that has the name already: names of recipients are
    /// unique together, because they stand in one tree.
    fn name_holder(&self, object: &Object) -> Result<Option<Kind>, rusqlite::Error> {
        let alone = [object.kind()];
        let kinds: &[Kind] = if object.kind().is_recipient() { &Kind::RECIPIENTS } else { &alone };
        let mut look = self.db.prepare_cached(
            "SELECT 1 FROM object WHERE kind = ?1 AND name_key = ?2 AND id <> ?3",
        )?;
        let name = object.name.to_lowercase();
        for kind in kinds {
            if look.exists(params![kind.as_str(), name, object.id.0 as i64])? {
                return Ok(Some(*kind));
            }
        }
        Ok(None)
    }

    fn check_reference(&self, object: &Object, reference: Reference) -> Result<(), ActError> {
        let known: Option<String> = self
            .db
            .prepare_cached("SELECT kind FROM object WHERE id = ?1")?
            .query_row([reference.to.0 as i64], |r| r.get(0))
            .optional()?;
        let Some(known) = known else { return Err(missing(reference.to).into()) };
        if reference.kinds.iter().any(|kind| kind.as_str() == known) {
            return Ok(());
        }
        let cause = format!("a {known} cannot be its {}", reference.role);
        Err(DirectoryError::Invalid { name: object.name.clone(), cause }.into())
    }

    /// A container lies in none of those below it, and not too deep.
    fn check_place(&self, object: &Object) -> Result<(), ActError> {
        let invalid = |cause: &str| {
            DirectoryError::Invalid { name: object.name.clone(), cause: cause.into() }.into()
        };
        let mut next = object.policy.container;
        for _ in 0..MAX_CONTAINER_DEPTH {
            let Some(id) = next else { return Ok(()) };
            if id == object.id {
                return Err(invalid("a container cannot lie within itself"));
            }
            next = self.object(id)?.and_then(|container| container.policy.container);
        }
        Err(invalid("containers are nested deeper than 32"))
    }

    /// What directory synchronisation brought is there once.
    fn check_origin(&self, object: &Object) -> Result<(), ActError> {
        let Some(origin) = &object.policy.origin else { return Ok(()) };
        let holder: Option<i64> = self
            .db
            .prepare_cached("SELECT object FROM origin WHERE connector = ?1 AND key = ?2")?
            .query_row(params![origin.connector, origin.key], |r| r.get(0))
            .optional()?;
        match holder.filter(|holder| *holder != object.id.0 as i64) {
            None => Ok(()),
            Some(_) => Err(DirectoryError::Invalid {
                name: object.name.clone(),
                cause: format!("'{}' of {} is there already", origin.key, origin.connector),
            }
            .into()),
        }
    }

    fn count(&self, kind: Kind, except: i64) -> Result<i64, rusqlite::Error> {
        self.db
            .prepare_cached("SELECT count(*) FROM object WHERE kind = ?1 AND id <> ?2")?
            .query_row(params![kind.as_str(), except], |r| r.get(0))
    }

    fn check_unused(&self, object: &Object) -> Result<(), ActError> {
        let in_use = |cause: String| {
            ActError::from(DirectoryError::InUse {
                kind: object.kind().as_str(),
                name: object.name.clone(),
                cause,
            })
        };
        match object.kind() {
            Kind::Domain => {
                let pattern = format!("SMTP:%@{}", object.name.replace('_', "\\_"));
                let users: i64 = self
                    .db
                    .prepare_cached("SELECT count(*) FROM proxy WHERE key LIKE ?1 ESCAPE '\\'")?
                    .query_row([pattern], |r| r.get(0))?;
                if users > 0 {
                    return Err(in_use(format!("{users} addresses are in it")));
                }
                Ok(())
            }
            Kind::Organisation | Kind::Site | Kind::Server => {
                Err(in_use("the running server belongs to it".into()))
            }
            Kind::Container => {
                let holders: i64 = self
                    .db
                    .prepare_cached("SELECT count(*) FROM reference WHERE target = ?1")?
                    .query_row([object.id.0 as i64], |r| r.get(0))?;
                if holders > 0 {
                    return Err(in_use(format!("{holders} objects are in it or name it")));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn write_object(&self, object: &Object) -> Result<(), ActError> {
        let id = object.id.0 as i64;
        self.db.prepare_cached("INSERT INTO object VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
            params![
                id,
                object.kind().as_str(),
                object.name.to_lowercase(),
                encode(object)?,
                object.usn as i64,
            ],
        )?;
        for address in addresses(object) {
            self.db
                .prepare_cached("INSERT OR IGNORE INTO proxy VALUES (?1, ?2)")?
                .execute(params![address.key(), id])?;
        }
        for reference in object.references() {
            self.db
                .prepare_cached("INSERT OR IGNORE INTO reference VALUES (?1, ?2)")?
                .execute(params![reference.to.0 as i64, id])?;
        }
        if let Some(origin) = &object.policy.origin {
            self.db.prepare_cached("INSERT INTO origin VALUES (?1, ?2, ?3)")?.execute(params![
                origin.connector,
                origin.key,
                id
            ])?;
        }
        Ok(())
    }

    fn erase_object(&self, id: ObjectId) -> Result<(), rusqlite::Error> {
        let id = id.0 as i64;
        for statement in [
            "DELETE FROM proxy WHERE object = ?1",
            "DELETE FROM reference WHERE holder = ?1",
            "DELETE FROM origin WHERE object = ?1",
            "DELETE FROM object WHERE id = ?1",
        ] {
            self.db.prepare_cached(statement)?.execute([id])?;
        }
        Ok(())
    }

    fn leave_others(&mut self, gone: ObjectId) -> Result<(), ActError> {
        let holders: Vec<i64> = self
            .db
            .prepare_cached("SELECT holder FROM reference WHERE target = ?1")?
            .query_map([gone.0 as i64], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for holder in holders {
            let Some(mut object) = self.object(ObjectId(holder as u64))? else { continue };
            object.forget(gone);
            object.changed = self.now;
            object.usn = self.sequence;
            self.erase_object(object.id)?;
            self.write_object(&object)?;
        }
        Ok(())
    }

    fn create_mailbox(&mut self, mailbox: MailboxId) -> Result<(), rusqlite::Error> {
        self.insert_folder(mailbox, &FolderName::inbox(), None)?;
        for special in SpecialUse::ALL {
            if let Ok(name) = special.folder_name().parse() {
                self.insert_folder(mailbox, &name, Some(special))?;
            }
        }
        Ok(())
    }

    fn remove_mailbox(&mut self, mailbox: MailboxId) -> Result<(), rusqlite::Error> {
        let folders: Vec<FolderId> = self
            .db
            .prepare_cached("SELECT id FROM folder WHERE mailbox = ?1")?
            .query_map([mailbox.0 as i64], |r| Ok(FolderId(r.get::<_, i64>(0)? as u64)))?
            .collect::<Result<_, _>>()?;
        for folder in folders {
            self.clear_folder(folder)?;
        }
        Ok(())
    }
}

/// The addresses that are an object's alone: its proxies, and where a contact's
/// mail goes.
fn addresses(object: &Object) -> impl Iterator<Item = &TypedAddress> {
    object.proxies.iter().map(|proxy| &proxy.address).chain(object.target())
}

fn missing(id: ObjectId) -> DirectoryError {
    DirectoryError::NotFound { kind: "object", name: id.to_string() }
}
