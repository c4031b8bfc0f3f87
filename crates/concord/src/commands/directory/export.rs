//! `concord directory export`

use super::format::Format;
use super::{TOGETHER, ldif};
use crate::commands::object::{CONTACT, CONTAINER, Kind, LIST, MAILBOX, PUBLIC_FOLDER, RESOURCE};
use crate::commands::progress::Bar;
use crate::commands::{Run, admin};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::table;
use concord_admin_api::wire::ObjectView;
use concord_controller::{ClientError, JsonClient, path_of};
use concord_ldap::ldif::{Entry, Kinds};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Containers first: what is in them is read behind them.
const KINDS: [Kind; 6] = [CONTAINER, MAILBOX, CONTACT, PUBLIC_FOLDER, RESOURCE, LIST];

/// Write recipients as a table or as LDIF, which 'concord directory import' reads
///
/// Passwords are not in it. Reading it back changes nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write it [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write [default: by the ending of FILE, .ldif or .ldf; else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only this kind (may be given several times): mailbox, contact, list, public-folder,
    /// resource, container
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Leave out what directory synchronisation keeps
    #[arg(long)]
    own: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if let Some(odd) = self.kind.iter().find(|k| !KINDS.iter().any(|known| known.name == *k)) {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            return Err(Failure::usage(
                "cli.kind",
                format!("cannot export '{odd}': it is no kind; write {}", known.join(", ")),
            ));
        }
        match Format::of(self.format, self.output.as_deref()) {
            Format::Csv => self.table(context),
            Format::Ldif => self.ldif(context),
        }
    }
}

/// An entry for those who read JSON.
#[derive(Serialize)]
struct Shown {
    dn: String,
    attributes: BTreeMap<String, Vec<String>>,
}

impl From<Entry> for Shown {
    fn from(entry: Entry) -> Self {
        let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
        let attributes = entry.attributes.into_iter();
        let attributes =
            attributes.map(|a| (a.name, a.values.into_iter().map(text).collect())).collect();
        Self { dn: entry.dn, attributes }
    }
}

impl Args {
    fn table(&self, context: &Context) -> Result<(), Failure> {
        let objects = context.block_on(self.read(&context.admin()?, &Bar::new(context)))?;
        if context.json && self.output.is_none() {
            print::json(&objects);
            return Ok(());
        }
        self.write(&table::write(&objects), objects.len())
    }

    fn ldif(&self, context: &Context) -> Result<(), Failure> {
        let wanted = Kinds::named(self.kind.iter().map(String::as_str), self.own);
        let entries = ldif::export(&wanted, context)?;
        let count = entries.len();
        if context.json && self.output.is_none() {
            print::json(&entries.into_iter().map(Shown::from).collect::<Vec<_>>());
            return Ok(());
        }
        self.write(&concord_ldap::ldif::write(&entries), count)
    }

    fn write(&self, text: &str, count: usize) -> Result<(), Failure> {
        let Some(path) = &self.output else {
            print::text(text);
            return Ok(());
        };
        std::fs::write(path, text).map_err(|e| {
            Failure::new("cli.output", format!("cannot write {}: {e}; correct the path", path.display()))
        })?;
        print::line(format!("{count} recipients written to {}", path.display()));
        Ok(())
    }
}

impl Args {
    async fn read(&self, client: &JsonClient, bar: &Bar) -> Result<Vec<ObjectView>, ClientError> {
        let mut objects = Vec::new();
        for kind in KINDS {
            if !self.kind.is_empty() && !self.kind.iter().any(|wanted| wanted == kind.name) {
                continue;
            }
            let listed: Vec<ObjectView> = admin::all(client, kind.path, &[]).await?;
            let wanted: Vec<&ObjectView> =
                listed.iter().filter(|o| !self.own || o.origin.is_none()).collect();
            for some in wanted.chunks(TOGETHER) {
                bar.at(kind.name, objects.len(), objects.len() + wanted.len());
                let shown = some.iter().map(|object| {
                    let (client, path) = (client.clone(), path_of(kind.path, &object.name));
                    async move { client.get::<ObjectView>(&path, &[]).await }
                });
                for object in futures_util::future::join_all(shown).await {
                    objects.push(object?);
                }
            }
        }
        Ok(objects)
    }
}
