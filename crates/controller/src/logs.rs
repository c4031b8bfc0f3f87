//! Log files of services: opened for the process, put aside when large, read
//! from the end.
//!
//! A service writes to its file itself, so nothing stands between it and the
//! disk and its last words survive the controller. The file is put aside by
//! copying and cutting it; a line written in that instant may be lost.

use crate::error::ControllerError;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Most lines that one request gets.
pub const MAX_LINES: usize = 10_000;
/// Most bytes read for one request.
const MAX_TAIL: u64 = 4 * 1024 * 1024;

/// The log file of a service.
pub fn file(log_dir: &Path, service: &str) -> PathBuf {
    log_dir.join(format!("{service}.log"))
}

fn aside(log_dir: &Path, service: &str, number: u64) -> PathBuf {
    log_dir.join(format!("{service}.log.{number}"))
}

/// Opens a service's log for a process to append to.
pub(crate) fn open(log_dir: &Path, service: &str) -> Result<File, ControllerError> {
    let path = file(log_dir, service);
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(ControllerError::io("open", path))
}

/// Puts the log aside as `.1` if it is larger than `size`, and keeps `keep`
/// of those. Blocks for the copy.
pub(crate) fn rotate(log_dir: &Path, service: &str, size: u64, keep: u64) -> std::io::Result<()> {
    let path = file(log_dir, service);
    match std::fs::metadata(&path) {
        Ok(data) if data.len() > size => {}
        _ => return Ok(()),
    }
    for number in (1..keep).rev() {
        let (from, to) = (aside(log_dir, service, number), aside(log_dir, service, number + 1));
        match std::fs::rename(from, to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if keep > 0 {
        std::fs::copy(&path, aside(log_dir, service, 1))?;
    }
    // Writers have it open for appending, so they go on at the new end.
    OpenOptions::new().write(true).open(&path)?.set_len(0)
}

/// The last `lines` lines, at most [`MAX_LINES`] and 4 MiB, the file that was
/// put aside last included. Blocks.
pub fn tail(log_dir: &Path, service: &str, lines: usize) -> Result<Vec<String>, ControllerError> {
    let lines = lines.min(MAX_LINES);
    let mut last: VecDeque<String> = VecDeque::new();
    for path in [aside(log_dir, service, 1), file(log_dir, service)] {
        let text = match end_of(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(ControllerError::io("read", path)(error)),
        };
        for line in String::from_utf8_lossy(&text).lines() {
            last.push_back(line.to_owned());
            if last.len() > lines {
                last.pop_front();
            }
        }
    }
    Ok(last.into())
}

fn end_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(MAX_TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(MAX_TAIL).read_to_end(&mut text)?;
    if start > 0 {
        let first_whole = text.iter().position(|b| *b == b'\n').map_or(text.len(), |i| i + 1);
        text.drain(..first_whole);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn logs_are_put_aside_kept_in_number_and_read_across() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = open(dir.path(), "core").unwrap();
        for round in 0..4 {
            for line in 0..10 {
                writeln!(writer, "line {round}.{line}").unwrap();
            }
            rotate(dir.path(), "core", 50, 2).unwrap();
        }
        writeln!(writer, "line last").unwrap();
        let tail = tail(dir.path(), "core", 3).unwrap();
        assert_eq!(tail, ["line 3.8", "line 3.9", "line last"]);
        let mut names: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["core.log", "core.log.1", "core.log.2"]);
    }

    #[test]
    fn a_log_that_is_not_there_has_no_lines() {
        let dir = tempfile::tempdir().unwrap();
        assert!(tail(dir.path(), "core", 10).unwrap().is_empty());
    }
}
