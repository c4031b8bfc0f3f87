//! Single mailboxes and messages from a backup. It only takes mail: whose
//! backup it is does not matter.

use super::mail::{MailReport, Target, Unread};
use crate::backup::{Backup, BackupError, Progress, Told};
use crate::error::{Result, SetupError};
use crate::host::block_on;
use concord_base::{MessageId, QueueId, StorageError, Timestamp};
use concord_controller::JsonClient;
use concord_directory::{Kind, Object};
use concord_engine::offline::{ReadItem, Reading};
use concord_message::HeaderScan;
use concord_store::FlagSet;
use std::collections::HashSet;
use std::path::Path;

/// Ids of messages read from the index at a time.
const PAGE: u32 = 1_000;
/// Names told of in an error; a directory may have thousands.
const NAMES: usize = 20;

/// Which mailbox, and where to.
#[derive(Debug, Clone)]
pub struct MailboxOptions {
    /// Its name or one of its addresses.
    pub mailbox: String,
    /// The mailbox here; the one of the same name if not given.
    pub to: Option<String>,
    /// Only this folder.
    pub folder: Option<String>,
    /// What cannot be read is left out.
    pub salvage: bool,
    /// Nothing is put; only counted.
    pub dry_run: bool,
}

/// Which message, and where to.
#[derive(Debug, Clone)]
pub struct MessageOptions {
    /// Its queue id or its Message-ID.
    pub id: String,
    /// The mailbox here.
    pub to: String,
    /// The folder; INBOX if not given.
    pub folder: Option<String>,
    /// What cannot be read is left out.
    pub salvage: bool,
    /// Nothing is put; only counted.
    pub dry_run: bool,
}

/// An item of a folder that is to be put somewhere.
struct Wanted {
    folder: String,
    item: ReadItem,
}

/// Puts a mailbox's messages into the running core. Those that are there
/// already are passed over, so it can be done again.
///
/// # Errors
/// [`BackupError::Damaged`] before anything is put, unless damage is salvaged.
pub fn mailbox(
    admin: &JsonClient,
    backup: &Backup,
    options: &MailboxOptions,
    told: Told<'_>,
) -> Result<MailReport> {
    let reading = open(backup, options.salvage)?;
    let objects = reading.objects().map_err(|e| damaged(backup, &e))?;
    let object = find(&objects, &options.mailbox)?;
    let folders = reading.folders(object.id.into()).map_err(|e| damaged(backup, &e))?;
    let mut report = MailReport::default();
    let mut wanted = Vec::new();
    for folder in &folders {
        let name = folder.name.to_string();
        if options.folder.as_ref().is_some_and(|only| !same_folder(only, &name)) {
            continue;
        }
        report.folders += 1;
        let items = reading.items(folder.id).map_err(|e| damaged(backup, &e))?;
        wanted.extend(items.into_iter().map(|item| Wanted { folder: name.clone(), item }));
    }
    if report.folders == 0 {
        let names: Vec<String> =
            folders.iter().take(NAMES).map(|folder| folder.name.to_string()).collect();
        let folder = options.folder.as_deref().unwrap_or_default();
        return Err(lacks(
            format!("folder '{folder}' of mailbox '{}'", object.name),
            format!("it has {}", names.join(", ")),
        ));
    }
    let to = options.to.clone().unwrap_or_else(|| object.name.clone());
    let (salvage, dry_run) = (options.salvage, options.dry_run);
    let putting = Putting { admin, backup, reading: &reading, salvage, dry_run };
    putting.put(&to, Some(object), wanted, report, told)
}

/// Puts one message into the running core; with a Message-ID, every copy with
/// octets of its own. What is there already is passed over.
///
/// # Errors
/// As for [`mailbox`].
pub fn message(
    admin: &JsonClient,
    backup: &Backup,
    options: &MessageOptions,
    told: Told<'_>,
) -> Result<MailReport> {
    let reading = open(backup, options.salvage)?;
    let mut found = reading.find_message(&options.id).map_err(|e| damaged(backup, &e))?;
    if found.is_empty() {
        found = search(backup, &reading, &options.id, told)?;
    }
    if found.is_empty() {
        return Err(lacks(
            format!("message '{}'", options.id),
            "give its queue id or its Message-ID; 'concord trace' knows both".to_owned(),
        ));
    }
    let folder = options.folder.clone().unwrap_or_else(|| "INBOX".to_owned());
    let mut seen = HashSet::new();
    let mut wanted = Vec::new();
    for message in found {
        let item = item(backup, &reading, message)?;
        if seen.insert((item.octets, item.crc)) {
            wanted.push(Wanted { folder: folder.clone(), item });
        }
    }
    let report = MailReport { folders: 1, ..MailReport::default() };
    let (salvage, dry_run) = (options.salvage, options.dry_run);
    let putting = Putting { admin, backup, reading: &reading, salvage, dry_run };
    putting.put(&options.to, None, wanted, report, told)
}

/// The index forgets Message-IDs with the messages' stories, and never knew
/// those of messages that a mail program put there: every header is looked at.
fn search(backup: &Backup, reading: &Reading, id: &str, told: Told<'_>) -> Result<Vec<MessageId>> {
    let wanted = id.trim_start_matches('<').trim_end_matches('>');
    let total = reading.message_count().map_err(|e| damaged(backup, &e))?;
    let (mut found, mut after, mut done) = (Vec::new(), MessageId(0), 0);
    loop {
        let page = reading.messages_after(after, PAGE).map_err(|e| damaged(backup, &e))?;
        let Some(last) = page.last() else { return Ok(found) };
        after = *last;
        for message in page {
            told(Progress { what: "looking for the message", done, total });
            done += 1;
            // One that cannot be read is not this one, or shows when it is taken.
            let Ok(Some(body)) = reading.body(message) else { continue };
            let mut scan = HeaderScan::new();
            scan.feed(&body);
            if scan.finish().message_id == wanted {
                found.push(message);
            }
        }
    }
}

/// The message as it lies in a mailbox, else as it is by itself.
fn item(backup: &Backup, reading: &Reading, message: MessageId) -> Result<ReadItem> {
    let places = reading.places(message).map_err(|e| damaged(backup, &e))?;
    if let Some((_, _, item)) = places.into_iter().next() {
        return Ok(item);
    }
    let body = reading.body(message).map_err(|e| damaged(backup, &e))?;
    let body = body.ok_or_else(|| {
        lacks(
            format!("text of message '{}'", QueueId(message)),
            "it was delivered, and nobody here kept it; ask its sender".to_owned(),
        )
    })?;
    Ok(ReadItem {
        uid: 0,
        message,
        flags: FlagSet::default(),
        // It lay in no folder: it comes now.
        internal_date: Timestamp(backup.manifest.created.0),
        octets: body.len() as u64,
        crc: crc32c::crc32c(&body),
        header_id: None,
    })
}

struct Putting<'a> {
    admin: &'a JsonClient,
    backup: &'a Backup,
    reading: &'a Reading,
    salvage: bool,
    dry_run: bool,
}

impl Putting<'_> {
    fn put(
        &self,
        to: &str,
        model: Option<&Object>,
        wanted: Vec<Wanted>,
        mut report: MailReport,
        told: Told<'_>,
    ) -> Result<MailReport> {
        report.messages = wanted.len() as u64;
        if !self.salvage {
            self.check(&wanted, told)?;
        }
        block_on(async {
            let dry_run = self.dry_run;
            let mut target = Target::open(self.admin, to, model, dry_run, &mut report).await?;
            let total = report.messages;
            for (done, wanted) in (0..).zip(&wanted) {
                told(Progress { what: "putting messages back", done, total });
                self.one(&mut target, wanted, &mut report).await?;
            }
            Ok(report)
        })?
    }

    async fn one(
        &self,
        target: &mut Target<'_>,
        wanted: &Wanted,
        report: &mut MailReport,
    ) -> Result<()> {
        let Wanted { folder, item } = wanted;
        if target.has(folder, item) {
            report.already += 1;
            return Ok(());
        }
        let cause = match self.reading.body(item.message) {
            Ok(Some(body)) => {
                if !self.dry_run {
                    target.put(folder, item, body).await?;
                }
                report.added += 1;
                return Ok(());
            }
            Ok(None) => "it has no body".to_owned(),
            Err(error) if self.salvage => error.to_string(),
            Err(error) => return Err(damaged(self.backup, &error)),
        };
        let message = QueueId(item.message).to_string();
        report.lose(Unread { folder: folder.clone(), message, cause });
        Ok(())
    }

    /// Reads every message once before the first is put.
    fn check(&self, wanted: &[Wanted], told: Told<'_>) -> Result<()> {
        let total = wanted.len() as u64;
        for (done, wanted) in (0..).zip(wanted) {
            told(Progress { what: "reading messages", done, total });
            self.reading.body(wanted.item.message).map_err(|e| damaged(self.backup, &e))?;
        }
        Ok(())
    }
}

/// The backup's store. Its index is checked unless damage is salvaged.
fn open(backup: &Backup, salvage: bool) -> Result<Reading> {
    let entry = backup.files_in("store/index.db").next();
    let entry = entry.ok_or_else(|| {
        lacks("mail".to_owned(), "it was made where no store was; take another one".to_owned())
    })?;
    if !salvage {
        backup.check(entry)?;
    }
    Reading::open(&backup.store()).map_err(|e| damaged(backup, &e))
}

fn find<'o>(objects: &'o [Object], name: &str) -> Result<&'o Object> {
    let mailboxes = || objects.iter().filter(|o| o.kind() == Kind::Mailbox);
    let is_address = |object: &Object| {
        object.proxies.iter().any(|proxy| {
            let address = proxy.address.to_string();
            let plain = address.split_once(':').map_or("", |(_, value)| value);
            address.eq_ignore_ascii_case(name) || plain.eq_ignore_ascii_case(name)
        })
    };
    let by_name = mailboxes().find(|o| o.name.to_lowercase() == name.to_lowercase());
    by_name.or_else(|| mailboxes().find(|o| is_address(o))).ok_or_else(|| {
        let names: Vec<&str> = mailboxes().take(NAMES).map(|o| o.name.as_str()).collect();
        let more = mailboxes().count().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lacks(format!("mailbox '{name}'"), format!("it has {}{more}", names.join(", ")))
    })
}

fn same_folder(only: &str, name: &str) -> bool {
    only == name || (name == "INBOX" && only.eq_ignore_ascii_case(name))
}

fn lacks(what: String, advice: String) -> SetupError {
    BackupError::Lacks { what, advice }.into()
}

/// Names the file as it is in the backup.
fn damaged(backup: &Backup, error: &StorageError) -> SetupError {
    let (file, cause) = match error {
        StorageError::Damaged { path, offset, cause } => {
            (path.clone(), format!("is damaged at {offset}: {cause}"))
        }
        StorageError::Io { act, path, cause } => {
            (path.clone(), format!("cannot {act} it: {cause}"))
        }
        other => (backup.store().join("index.db").display().to_string(), other.to_string()),
    };
    let file = Path::new(&file);
    let file = file.strip_prefix(&backup.path).unwrap_or(file).to_owned();
    BackupError::Damaged { backup: backup.path.clone(), file, cause }.into()
}
