//! The directory.

use super::{ActError, Applier, Applying, Outcome};
use crate::delivery::{decode, encode};
use concord_base::{FolderId, MailboxId, ObjectId};
use concord_directory::{Details, DirectoryAct, DirectoryError, Kind, Object};
use concord_store::{FolderName, SpecialUse};
use rusqlite::{OptionalExtension, params};
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
            DirectoryAct::Add(new) => {
                let id = ObjectId(self.state.next_object);
                let object = Object::from_new(id, new.clone(), self.now);
                self.check_object(&object)?;
                self.state.next_object += 1;
                self.write_object(&object)?;
                if object.kind() == Kind::Mailbox {
                    self.create_mailbox(id.into())?;
                }
                object
            }
            DirectoryAct::Set(object) => {
                let before = self.object(object.id)?.ok_or_else(|| missing(object.id))?;
                if before.kind() != object.kind() {
                    let cause = "an object's kind cannot change".to_owned();
                    return Err(DirectoryError::Invalid { name: object.name.clone(), cause }.into());
                }
                let object =
                    Object { changed: self.now, created: before.created, ..object.clone() };
                self.check_object(&object)?;
                self.erase_object(object.id)?;
                self.write_object(&object)?;
                object
            }
            DirectoryAct::Remove(id) => {
                let object = self.object(*id)?.ok_or_else(|| missing(*id))?;
                self.check_unused(&object)?;
                self.leave_lists(*id)?;
                self.erase_object(*id)?;
                if object.kind() == Kind::Mailbox {
                    self.remove_mailbox((*id).into())?;
                }
                object
            }
        };
        self.effects.directory = true;
        Ok(Outcome::Object(Arc::new(object)))
    }

    /// The rules that hold between objects.
    fn check_object(&self, object: &Object) -> Result<(), ActError> {
        object.check()?;
        let kind = object.kind();
        let id = object.id.0 as i64;
        let taken: bool = self
            .db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM object WHERE kind = ?1 AND name_key = ?2 AND id <> ?3)",
            )?
            .query_row(params![kind.as_str(), object.name.to_lowercase(), id], |r| r.get(0))?;
        if taken {
            let name = object.name.clone();
            return Err(DirectoryError::NameTaken { kind: kind.as_str(), name }.into());
        }
        for proxy in &object.proxies {
            let holder = self
                .db
                .prepare_cached("SELECT object FROM proxy WHERE key = ?1 AND object <> ?2")?
                .query_row(params![proxy.address.key(), id], |r| r.get::<_, i64>(0))
                .optional()?;
            let holder = holder.map(|id| self.object(ObjectId(id as u64))).transpose()?.flatten();
            if let Some(holder) = holder {
                return Err(DirectoryError::AddressTaken {
                    address: proxy.address.to_string(),
                    kind: holder.kind().as_str(),
                    holder: holder.name,
                }
                .into());
            }
        }
        if let Details::List(list) = &object.details {
            for member in &list.members {
                let known = self.object(*member)?.map(|o| o.kind());
                if !matches!(known, Some(Kind::Mailbox | Kind::Contact | Kind::List)) {
                    return Err(missing(*member).into());
                }
            }
        }
        if kind == Kind::Organisation && self.count(Kind::Organisation, id)? > 0 {
            let cause = "there is one organisation only".to_owned();
            return Err(DirectoryError::Invalid { name: object.name.clone(), cause }.into());
        }
        Ok(())
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
            Kind::Mailbox | Kind::Contact | Kind::List | Kind::Connector | Kind::Generator => {
                Ok(())
            }
        }
    }

    fn write_object(&self, object: &Object) -> Result<(), ActError> {
        let id = object.id.0 as i64;
        self.db.prepare_cached("INSERT INTO object VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            id,
            object.kind().as_str(),
            object.name.to_lowercase(),
            encode(object)?
        ])?;
        for proxy in &object.proxies {
            self.db
                .prepare_cached("INSERT INTO proxy VALUES (?1, ?2)")?
                .execute(params![proxy.address.key(), id])?;
        }
        if let Details::List(list) = &object.details {
            for member in &list.members {
                self.db
                    .prepare_cached("INSERT OR IGNORE INTO member VALUES (?1, ?2)")?
                    .execute(params![member.0 as i64, id])?;
            }
        }
        Ok(())
    }

    fn erase_object(&self, id: ObjectId) -> Result<(), rusqlite::Error> {
        let id = id.0 as i64;
        self.db.execute("DELETE FROM proxy WHERE object = ?1", [id])?;
        self.db.execute("DELETE FROM member WHERE list = ?1", [id])?;
        self.db.execute("DELETE FROM object WHERE id = ?1", [id])?;
        Ok(())
    }

    fn leave_lists(&mut self, member: ObjectId) -> Result<(), ActError> {
        let lists: Vec<i64> = self
            .db
            .prepare_cached("SELECT list FROM member WHERE member = ?1")?
            .query_map([member.0 as i64], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for list in lists {
            let Some(mut object) = self.object(ObjectId(list as u64))? else { continue };
            if let Details::List(list) = &mut object.details {
                list.members.retain(|m| *m != member);
            }
            object.changed = self.now;
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

fn missing(id: ObjectId) -> DirectoryError {
    DirectoryError::NotFound { kind: "object", name: id.to_string() }
}
