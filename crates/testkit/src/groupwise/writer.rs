//! How the gateway puts files into `API_OUT` and `ATT_OUT`: content first,
//! then the header, in place, under a lock, as slowly as the knobs say.

use super::directory::escaped;
use super::gateway::Directories;
use super::settings::{Knobs, NameClash, ShareNames};
use super::state::{OutKind, Outgoing, State};
use crate::trouble::Result;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

/// How often it looks whether a name in `ATT_OUT` is free.
const NAME_PACE: Duration = Duration::from_millis(20);

/// The next file to write, if there is one: swapped answers wait for each
/// other.
pub(super) fn next(state: &mut State) -> Option<Outgoing> {
    if !state.knobs.swap_answers {
        return state.outbox.pop_front();
    }
    let answers: Vec<usize> = state
        .outbox
        .iter()
        .enumerate()
        .filter(|(_, out)| out.kind == OutKind::Answer)
        .map(|(at, _)| at)
        .collect();
    match answers.as_slice() {
        [] => state.outbox.pop_front(),
        [0] if state.outbox.len() == 1 => None,
        [0] => state.outbox.remove(1),
        [_] => state.outbox.pop_front(),
        [first, second, ..] => {
            state.outbox.swap(*first, *second);
            state.knobs.swap_answers = false;
            state.outbox.pop_front()
        }
    }
}

/// What of the knobs is used up by this file.
pub(super) struct Plan {
    knobs: Knobs,
    truncate: bool,
    empty: bool,
    orphan: bool,
}

/// Turns off what happens once and says what happens to this file.
pub(super) fn plan(state: &mut State, out: &Outgoing) -> Plan {
    let knobs = &mut state.knobs;
    let answer = out.kind == OutKind::Answer;
    let truncate = answer && std::mem::take(&mut knobs.truncate_answer);
    let orphan = !out.content.is_empty() && std::mem::take(&mut knobs.orphan_body);
    let empty = !orphan && std::mem::take(&mut knobs.empty_header);
    Plan { knobs: knobs.clone(), truncate, empty, orphan }
}

/// Writes a file and what belongs to it. Gives back a file that stays open and
/// locked, if the plan says so.
pub(super) fn write(
    directories: &Directories,
    out: &Outgoing,
    plan: &Plan,
    stopping: &dyn Fn() -> bool,
) -> Result<Option<File>> {
    let mut header = out.header.clone();
    for (n, (wanted, octets)) in out.content.iter().enumerate() {
        let Some((name, path)) = free_name(directories, wanted, &plan.knobs, stopping) else {
            return Ok(None);
        };
        std::fs::write(path, octets)?;
        header = header.replace(&format!("{{FILE {n}}}"), &escaped(&name));
    }
    if plan.orphan {
        return Ok(None);
    }
    let mut path = directories.join("API_OUT", &out.name);
    for n in 0.. {
        if !path.exists() {
            break;
        }
        path = directories.join("API_OUT", &format!("{n:04x}{}", out.name));
    }
    let mut file = File::create_new(&path)?;
    file.lock()?;
    if plan.empty {
        return Ok(Some(file));
    }
    let octets = plan.knobs.page.encode(&header);
    let end = if plan.truncate { octets.len() / 2 } else { octets.len() };
    let octets = octets.get(..end).unwrap_or_default();
    let Some(slow) = plan.knobs.slow else {
        file.write_all(octets)?;
        return Ok(None);
    };
    for piece in octets.chunks(octets.len().div_ceil(slow.pieces.max(1)).max(1)) {
        file.write_all(piece)?;
        file.flush()?;
        if !stopping() {
            std::thread::sleep(slow.rest);
        }
    }
    Ok(None)
}

/// A name in `ATT_OUT` that nothing has. `None` if the gateway stops while it
/// waits for one.
fn free_name(
    directories: &Directories,
    wanted: &str,
    knobs: &Knobs,
    stopping: &dyn Fn() -> bool,
) -> Option<(String, PathBuf)> {
    let plain: String =
        wanted.chars().map(|c| if matches!(c, '/' | '\\' | ':') { '_' } else { c }).collect();
    let mut name = plain.clone();
    for n in 1_u32.. {
        let octets = match knobs.names {
            ShareNames::Utf8 => name.clone().into_bytes(),
            ShareNames::CodePage => knobs.page.encode(&name),
        };
        let path = directories.root.join("ATT_OUT").join(OsString::from_vec(octets));
        if !path.exists() {
            return Some((name, path));
        }
        match knobs.clash {
            NameClash::Rename => name = format!("{plain}.{n:03}"),
            NameClash::Wait => std::thread::sleep(NAME_PACE),
        }
        if stopping() {
            return None;
        }
    }
    None
}
