//! Files for the gateway.
//!
//! A file set has a number, from which all its names are made. First comes the
//! header as `ATT_IN/number.tmp`, which claims the number and says whose it is;
//! then the content; then the header moves into `API_IN` (Q221429: the
//! gateway takes whatever lies there, so nothing may be written in place).
//!
//! So a `.tmp` file always belongs to somebody who died: its set was never seen
//! by the gateway and can go ([`Gateway::sweep`]). Content without a `.tmp`
//! may be in the gateway's hands and is never touched.
//!
//! Before a set counts as handed over, files and directories are synced: the
//! core forgets a message when it hears `250`, and a power failure must not
//! find it in the memory of this machine only.

use super::{Gateway, GatewayError, failed};
use crate::convert::Content;
use concord_groupwise_api::model::Message;
use concord_groupwise_api::{Characters, Reading, layout, read};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Names that one message may take. Others of its names are in use only by
/// chance, or by copies of it that the gateway has half taken.
const MAX_NAMES: u8 = 16;
/// Attachments of a set whose names are looked at before one is chosen.
const LOOKED_AT: u16 = 4;

/// What is put into the gateway.
#[derive(Debug)]
pub struct Put {
    /// The header.
    pub header: Vec<u8>,
    /// What belongs to it.
    pub content: Vec<Content>,
}

/// How a set came to be in `API_IN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Published {
    /// It was put there.
    New,
    /// It lay there already, from an earlier attempt whose answer was lost.
    Already,
}

impl Gateway {
    /// Puts a message with this id into `API_IN`, under names that follow from
    /// the id; `make` writes it for a number. It is on stable storage when this
    /// returns.
    ///
    /// # Errors
    /// Nothing, or a set that will be recognised by its id, is left behind.
    pub fn publish(
        &self,
        id: &str,
        characters: Characters,
        make: &dyn Fn(u32) -> Put,
    ) -> Result<(Published, String), GatewayError> {
        self.check()?;
        for attempt in 0..MAX_NAMES {
            let number = number_of(id, attempt);
            let header = self.path(layout::API_IN, layout::header_name(number));
            match id_in(&header, characters) {
                Ok(Some(found)) if found == id => {
                    return Ok((Published::Already, layout::header_name(number)));
                }
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("read", &header)(error)),
            }
            let Some(_claim) = self.claim(number) else { continue };
            if self.is_taken(number) {
                continue;
            }
            self.put(number, &make(number))?;
            return Ok((Published::New, layout::header_name(number)));
        }
        Err(GatewayError::NoName)
    }

    fn is_taken(&self, number: u32) -> bool {
        let names = (0..LOOKED_AT).map(|index| layout::attachment_name(number, index));
        let mut names = names.chain([layout::body_name(number), layout::unfinished_name(number)]);
        names.any(|name| self.path(layout::ATT_IN, name).exists())
    }

    fn put(&self, number: u32, put: &Put) -> Result<(), GatewayError> {
        let claim = self.path(layout::ATT_IN, layout::unfinished_name(number));
        let target = self.path(layout::API_IN, layout::header_name(number));
        let mut written: Vec<PathBuf> = Vec::new();
        let done = (|| {
            write_new(&claim, &put.header)?;
            written.push(claim.clone());
            for content in &put.content {
                let path = self.path(layout::ATT_IN, &content.name);
                write_new(&path, &content.octets)?;
                written.push(path);
            }
            sync_directory(&self.root.join(layout::ATT_IN))?;
            fs::rename(&claim, &target).map_err(failed("rename", &claim))
        })();
        if let Err(error) = done {
            for path in written.iter().rev() {
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
        sync_directory(&self.root.join(layout::API_IN))
    }

    /// Takes away sets that were never handed over: those who wrote them are
    /// dead. Only at the start, when this process writes none. How many.
    ///
    /// # Errors
    /// `ATT_IN` cannot be read.
    pub fn sweep(&self) -> Result<usize, GatewayError> {
        let directory = self.root.join(layout::ATT_IN);
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory).map_err(failed("read", &directory))?.flatten() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        let ending = format!(".{}", layout::UNFINISHED_EXTENSION);
        let dead: Vec<String> = names
            .iter()
            .filter_map(|name| name.to_ascii_lowercase().strip_suffix(&ending).map(str::to_owned))
            .filter(|stem| is_stem(stem))
            .collect();
        for stem in &dead {
            let begins = format!("{stem}.");
            // The claim goes last: until then the set is known to be dead.
            let (claim, content): (Vec<&String>, Vec<&String>) = names
                .iter()
                .filter(|name| name.to_ascii_lowercase().starts_with(&begins))
                .partition(|name| name.to_ascii_lowercase().ends_with(&ending));
            for name in content.into_iter().chain(claim) {
                let path = directory.join(name);
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(dead.len())
    }

    fn claim(&self, number: u32) -> Option<Claim<'_>> {
        self.claims().insert(number).then_some(Claim { gateway: self, number })
    }
}

/// A number that nobody else in this process uses.
struct Claim<'a> {
    gateway: &'a Gateway,
    number: u32,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.gateway.claims().remove(&self.number);
    }
}

fn is_stem(stem: &str) -> bool {
    stem.len() == 8 && stem.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// Names follow from the id, so that a second attempt finds the first one.
fn number_of(id: &str, attempt: u8) -> u32 {
    let mut hash = Sha256::new();
    hash.update([attempt]);
    hash.update(id.as_bytes());
    let digest = hash.finalize();
    digest.iter().take(4).fold(0, |number, octet| (number << 8) | u32::from(*octet))
}

/// The id in a header; none if it has none or is not whole.
fn id_in(path: &Path, characters: Characters) -> io::Result<Option<String>> {
    Ok(match read(&fs::read(path)?, characters) {
        Reading::Complete(header) => id_of(&header.message),
        Reading::NotReady(_) | Reading::Bad(_) => None,
    })
}

/// The id of a message, if it has one.
pub(crate) fn id_of(message: &Message) -> Option<String> {
    let id = match message {
        Message::Item(item) => &item.id,
        Message::Status(status) => &status.id,
        Message::Search(search) => &search.id,
        Message::BusyAnswer(answer) => &answer.id,
        Message::Directory(directory) => &directory.id,
    };
    Some(id.clone()).filter(|id| !id.is_empty())
}

fn write_new(path: &Path, octets: &[u8]) -> Result<(), GatewayError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(failed("create", path))?;
    let done = file.write_all(octets).and_then(|()| file.sync_all());
    done.map_err(|cause| {
        let _ = fs::remove_file(path);
        failed("write", path)(cause)
    })
}

/// Not every network file system syncs directories; those that refuse have put
/// the name down before they answered.
fn sync_directory(path: &Path) -> Result<(), GatewayError> {
    let file = File::open(path).map_err(failed("open", path))?;
    match file.sync_all() {
        Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome.map_err(failed("sync", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_groupwise_api::model::Item;
    use concord_groupwise_api::write;

    fn gateway() -> (tempfile::TempDir, Gateway) {
        let scratch = tempfile::tempdir().unwrap();
        for name in super::super::NEEDED {
            fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let gateway = Gateway::new(scratch.path().to_owned());
        (scratch, gateway)
    }

    fn item(id: &str, number: u32) -> Put {
        let message = Message::Item(Item { id: id.into(), ..Item::default() });
        Put {
            header: write(&message, Characters::default()).octets,
            content: vec![Content { name: layout::body_name(number), octets: b"text".to_vec() }],
        }
    }

    fn names(gateway: &Gateway, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(gateway.root.join(directory)).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_second_attempt_recognises_the_first_one() {
        let (_scratch, gateway) = gateway();
        let page = Characters::default();
        let (first, name) = gateway.publish("a", page, &|n| item("a", n)).unwrap();
        assert_eq!(first, Published::New);
        assert_eq!(
            gateway.publish("a", page, &|n| item("a", n)).unwrap(),
            (Published::Already, name)
        );
        assert_eq!((names(&gateway, "API_IN").len(), names(&gateway, "ATT_IN").len()), (1, 1));
    }

    #[test]
    fn content_in_the_gateways_hands_is_not_touched() {
        let (_scratch, gateway) = gateway();
        let page = Characters::default();
        let (_, name) = gateway.publish("a", page, &|n| item("a", n)).unwrap();
        // The gateway has taken the header and is reading the body.
        fs::remove_file(gateway.path("API_IN", &name)).unwrap();
        let (second, other) = gateway.publish("a", page, &|n| item("a", n)).unwrap();
        assert_eq!(second, Published::New);
        assert_ne!(name, other);
        assert_eq!(names(&gateway, "ATT_IN").len(), 2);
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_nothing_else() {
        let (_scratch, gateway) = gateway();
        let put = |name: &str| fs::write(gateway.path("ATT_IN", name), b"x").unwrap();
        for name in ["0000000a.tmp", "0000000A.BDY", "0000000a.000", "0000000b.bdy", "notes.tmp"] {
            put(name);
        }
        assert_eq!(gateway.sweep().unwrap(), 1);
        assert_eq!(names(&gateway, "ATT_IN"), ["0000000b.bdy", "notes.tmp"]);
    }

    #[test]
    fn a_set_that_cannot_be_written_leaves_nothing() {
        let (_scratch, gateway) = gateway();
        let clash = |n| {
            let mut put = item("a", n);
            let name = "there".to_owned();
            put.content.push(Content { name, octets: Vec::new() });
            put
        };
        fs::write(gateway.path("ATT_IN", "there"), b"x").unwrap();
        assert!(gateway.publish("a", Characters::default(), &clash).is_err());
        assert_eq!(names(&gateway, "ATT_IN"), ["there"]);
        assert!(names(&gateway, "API_IN").is_empty());
    }

    #[test]
    fn an_empty_mount_point_is_no_gateway() {
        let scratch = tempfile::tempdir().unwrap();
        let gateway = Gateway::new(scratch.path().to_owned());
        assert!(matches!(gateway.check(), Err(GatewayError::Missing { .. })));
    }
}
