//! Putting messages into the running core, so that what is there already is not
//! put a second time.

use crate::error::{Result, SetupError};
use concord_controller::{ClientError, JsonClient, Method, path_of};
use concord_directory::Object;
use concord_engine::offline::ReadItem;
use concord_store::SystemFlags;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Messages that could not be read are named up to so many; the rest is counted.
const NAMED: usize = 100;

/// What became of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MailReport {
    /// The mailbox that they went to.
    pub mailbox: String,
    /// It was not there and was made, without a password.
    pub made: bool,
    /// Folders that were gone through.
    pub folders: u64,
    /// Messages in the backup.
    pub messages: u64,
    /// Messages that were put there.
    pub added: u64,
    /// Messages that were there already.
    pub already: u64,
    /// Messages that could not be read.
    pub unread: u64,
    /// Which, and why; the first ones.
    pub lost: Vec<Unread>,
    /// What the administrator should know.
    pub notes: Vec<String>,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its folder.
    pub folder: String,
    /// Its queue id.
    pub message: String,
    /// Why.
    pub cause: String,
}

impl MailReport {
    pub(super) fn lose(&mut self, unread: Unread) {
        self.unread += 1;
        if self.lost.len() < NAMED {
            self.lost.push(unread);
        }
    }
}

/// What tells a message from others of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mark {
    folder: String,
    octets: u64,
    crc: String,
}

/// A line of the core's inventory, as far as it is needed.
#[derive(Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
enum Line {
    Message {
        folder: String,
        octets: u64,
        #[serde(default)]
        crc: Option<String>,
    },
    End {},
    Failed {
        error: Words,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Words {
    message: String,
}

pub(super) fn failed(act: &str) -> impl Fn(ClientError) -> SetupError {
    move |error| SetupError::Service { act: act.to_owned(), cause: error.to_string() }
}

/// A mailbox of the running core, and what is in it.
pub(super) struct Target<'a> {
    admin: &'a JsonClient,
    name: String,
    /// How many of each are there.
    there: HashMap<Mark, u64>,
}

impl<'a> Target<'a> {
    /// Finds the mailbox; makes it like `model` if it is not there and there is
    /// one. Whether it was made is said too.
    pub async fn open(
        admin: &'a JsonClient,
        name: &str,
        model: Option<&Object>,
        dry_run: bool,
        report: &mut MailReport,
    ) -> Result<Self> {
        report.mailbox = name.to_owned();
        let act = format!("find mailbox '{name}'");
        match admin.get::<Value>(&path_of("/v1/mailboxes", name), &[]).await {
            Ok(_) => {}
            Err(ClientError::Refused { status: 404, .. }) if model.is_some() && dry_run => {
                report.made = true;
                return Ok(Self { admin, name: name.to_owned(), there: HashMap::new() });
            }
            Err(ClientError::Refused { status: 404, .. }) if model.is_some() => {
                make(admin, name, model, report).await?;
            }
            Err(error) => return Err(failed(&act)(error)),
        }
        let there = inventory(admin, name).await?;
        Ok(Self { admin, name: name.to_owned(), there })
    }

    /// Whether the message is there; each one there stands for one message.
    pub fn has(&mut self, folder: &str, item: &ReadItem) -> bool {
        let mark = Mark {
            folder: folder.to_owned(),
            octets: item.octets,
            crc: format!("{:08x}", item.crc),
        };
        match self.there.get_mut(&mark) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Puts a message into a folder as it was.
    pub async fn put(&self, folder: &str, item: &ReadItem, body: bytes::Bytes) -> Result<()> {
        let path = format!("{}/messages", path_of("/v1/mailboxes", &self.name));
        let date = jiff::Timestamp::from_millisecond(item.internal_date.0)
            .map(|at| at.to_string())
            .unwrap_or_default();
        let flags = flags(item);
        let mut query = vec![("folder", folder), ("flags", flags.as_str())];
        if !date.is_empty() {
            query.push(("date", date.as_str()));
        }
        let put: std::result::Result<Value, _> = self.admin.post_octets(&path, &query, body).await;
        put.map(|_| ()).map_err(failed(&format!("put a message into mailbox '{}'", self.name)))
    }
}

fn flags(item: &ReadItem) -> String {
    let system = SystemFlags::NAMES.iter().filter(|(flag, _)| item.flags.system.contains(*flag));
    let names = system.map(|(_, name)| (*name).to_owned());
    let keywords = item.flags.keywords().iter().map(|k| k.as_str().to_owned());
    names.chain(keywords).collect::<Vec<_>>().join(",")
}

async fn inventory(admin: &JsonClient, name: &str) -> Result<HashMap<Mark, u64>> {
    let act = format!("see what is in mailbox '{name}'");
    let path = format!("{}/inventory", path_of("/v1/mailboxes", name));
    let mut there = HashMap::new();
    let mut end = Err("the core broke off; read 'concord service logs core'".to_owned());
    let each = |line: Line| match line {
        Line::Message { folder, octets, crc: Some(crc) } => {
            *there.entry(Mark { folder, octets, crc }).or_insert(0) += 1;
        }
        Line::End {} => end = Ok(()),
        Line::Failed { error } => end = Err(error.message),
        Line::Message { .. } | Line::Other => {}
    };
    admin.get_lines(&path, each).await.map_err(failed(&act))?;
    end.map_err(|cause| SetupError::Service { act, cause })?;
    Ok(there)
}

/// Without a password: what passwords were turned into has no way through the
/// admin API. With the addresses that it had, if they can be had here.
async fn make(
    admin: &JsonClient,
    name: &str,
    model: Option<&Object>,
    report: &mut MailReport,
) -> Result<()> {
    let act = format!("make mailbox '{name}'");
    let same = model.filter(|object| object.name.eq_ignore_ascii_case(name));
    let addresses: Vec<String> =
        same.iter().flat_map(|o| &o.proxies).map(|proxy| proxy.address.to_string()).collect();
    let display_name = model.map(|object| object.display_name.clone());
    let new = |addresses: &[String]| json!({ "name": name, "display_name": display_name, "addresses": addresses });
    let made: std::result::Result<Value, _> =
        admin.send(Method::POST, "/v1/mailboxes", &new(&addresses)).await;
    match made {
        Ok(_) => {}
        Err(ClientError::Refused { body, .. }) if !addresses.is_empty() => {
            let _: Value =
                admin.send(Method::POST, "/v1/mailboxes", &new(&[])).await.map_err(failed(&act))?;
            report.notes.push(format!(
                "mailbox '{name}' did not get its addresses {}: {body}",
                addresses.join(", ")
            ));
        }
        Err(error) => return Err(failed(&act)(error)),
    }
    report.made = true;
    report.notes.push(format!(
        "mailbox '{name}' was not there; it was made without a password: nobody can log in until \
         'concord mailbox password {name}' sets one"
    ));
    Ok(())
}
