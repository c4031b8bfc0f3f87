//! A copy of the store: made by the core if it runs, else by the engine.

use super::offline::{failed, give_data, has_store, options};
use super::{RealSystem, block_on};
use crate::error::{Result, SetupError};
use concord_controller::ClientError;
use concord_engine::offline;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

const ACT: &str = "copy the store";

/// A line of the core's answer.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum News {
    Step {
        what: String,
        done: u64,
        total: u64,
    },
    Done {},
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

pub(super) fn store(
    system: &RealSystem,
    to: &Path,
    told: &mut dyn FnMut(&str, u64, u64),
) -> Result<bool> {
    if !has_store(system) {
        return Ok(false);
    }
    if online(system, to, told)? {
        return Ok(true);
    }
    let mut each = |step: concord_engine::BackupStep| told(step.what, step.done, step.total);
    // Linked from the data directory itself: a copy on the same volume costs nothing.
    let data = system.root.data();
    let done = offline::backup(&options(system), to, Some(&data), &mut each);
    give_data(system)?;
    done.map(|_| true).map_err(failed(ACT))
}

/// `false` if no core runs.
fn online(system: &RealSystem, to: &Path, told: &mut dyn FnMut(&str, u64, u64)) -> Result<bool> {
    let admin = system.admin();
    let wanted = json!({ "to": to, "previous": system.root.data() });
    let mut end: Option<std::result::Result<(), String>> = None;
    let each = |news: News| match news {
        News::Step { what, done, total } => told(&what, done, total),
        News::Done {} => end = Some(Ok(())),
        News::Failed { error } => end = Some(Err(error.message)),
        News::Other => {}
    };
    let refused = |cause: String| SetupError::Service { act: ACT.to_owned(), cause };
    match block_on(admin.lines_of("/v1/store/backup", &wanted, each))? {
        Err(error) if ClientError::is_not_running(&error) => return Ok(false),
        Err(error) => return Err(refused(error.to_string())),
        Ok(()) => {}
    }
    match end {
        Some(Ok(())) => Ok(true),
        Some(Err(cause)) => Err(refused(cause)),
        None => Err(refused(
            "the core broke off; read 'concord service logs core' and try again".to_owned(),
        )),
    }
}
