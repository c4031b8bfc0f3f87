//! `concord backup list`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::ByteSize;
use concord_setup::backup::{self, Listed};
use std::path::PathBuf;

/// List the backups in a directory, with what became of those that are not whole
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where backups are
    directory: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let all = backup::list(&self.directory)?;
        if context.json {
            print::json(&serde_json::json!({ "items": all }));
            return Ok(());
        }
        let heading = ["BACKUP", "ORGANISATION", "VERSION", "SIZE", "MAILBOXES", "MESSAGES", "WHOLE"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        rows.extend(all.iter().map(row));
        print::table(&rows);
        Ok(())
    }
}

fn row(listed: &Listed) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
    vec![
        listed.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        text(&listed.organisation),
        text(&listed.version),
        listed.size.map_or_else(|| "-".to_owned(), |size| ByteSize(size).to_string()),
        number(listed.mailboxes),
        number(listed.messages),
        match &listed.cause {
            None => "yes".to_owned(),
            Some(cause) => format!("no: {cause}"),
        },
    ]
}
