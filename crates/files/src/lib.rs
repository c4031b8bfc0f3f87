//! Small private files that are replaced as a whole: state, keys, what is kept
//! across restarts.
//!
//! Whoever reads one sees the octets of one write, also after a power failure.
//! All of it blocks on the disk. Floor: ground.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory that only its owner enters (mode 0700), and those above
/// it. One that is there keeps its mode.
///
/// # Errors
/// The system's.
pub fn private_directory(directory: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// The octets of a file; `None` if it is not there.
///
/// # Errors
/// The system's; [`ErrorKind::FileTooLarge`] if it has more octets than the
/// limit, which are then not read.
pub fn read(file: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut octets)?;
    if u64::try_from(octets.len()).is_ok_and(|length| length <= limit) {
        Ok(Some(octets))
    } else {
        Err(ErrorKind::FileTooLarge.into())
    }
}

/// Puts a file that only its owner reads (mode 0600) into the place of the one
/// before; its directory is made if it is not there. Durable when this returns.
///
/// Writers of one file wait for each other, in other processes too. A crash
/// leaves the file before or the new one, and at most one draft, which the next
/// write takes over.
///
/// # Errors
/// The system's; then the file before is still there.
pub fn replace(file: &Path, octets: &[u8]) -> Result<()> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    private_directory(directory)?;
    let draft = draft_of(file);
    let mut open = begin(&draft)?;
    let written =
        open.set_len(0).and_then(|()| open.write_all(octets)).and_then(|()| open.sync_all());
    let named = written.and_then(|()| std::fs::rename(&draft, file));
    if named.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    named?;
    File::open(directory)?.sync_all()
}

/// The draft's name is the file's with `.new` behind, so that it is told from
/// files of the directory that have another ending.
fn draft_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// The draft, held by this writer alone.
fn begin(draft: &Path) -> Result<File> {
    loop {
        let mut options = OpenOptions::new();
        let open = options.create(true).truncate(false).write(true).mode(0o600).open(draft)?;
        open.lock()?;
        // Whoever held it may have given it its name meanwhile, or removed it.
        let there = std::fs::symlink_metadata(draft).map(|data| (data.dev(), data.ino()));
        let held = open.metadata()?;
        if there.is_ok_and(|there| there == (held.dev(), held.ino())) {
            return Ok(open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_and_read_by_its_owner_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("below/state.json");
        assert_eq!(read(&file, 10).unwrap(), None);
        replace(&file, b"first and long").unwrap();
        replace(&file, b"second").unwrap();
        assert_eq!(read(&file, 6).unwrap().as_deref(), Some(&b"second"[..]));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("state");
        replace(&file, b"seven..").unwrap();
        assert_eq!(read(&file, 6).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_draft_of_a_killed_writer_is_taken_over() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("state");
        std::fs::write(draft_of(&file), "half of something longer").unwrap();
        replace(&file, b"whole").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"whole");
        assert!(!draft_of(&file).exists());
    }

    #[test]
    fn a_name_that_is_taken_by_a_directory_leaves_nothing_behind() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("place");
        std::fs::create_dir_all(place.join("inhabited")).unwrap();
        replace(&place, b"x").unwrap_err();
        assert!(place.join("inhabited").is_dir() && !draft_of(&place).exists());
    }

    #[test]
    fn readers_see_one_write_whole_while_many_write() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("state");
        replace(&file, &[b'a'; 5_000]).unwrap();
        std::thread::scope(|scope| {
            for (letter, length) in [(b'a', 5_000), (b'b', 50_000), (b'c', 1)] {
                let file = &file;
                scope.spawn(move || {
                    for _ in 0..50 {
                        replace(file, &vec![letter; length]).unwrap();
                    }
                });
            }
            for _ in 0..200 {
                let octets = read(&file, 100_000).unwrap().unwrap();
                assert!(octets.iter().all(|octet| *octet == octets[0]));
                assert!([5_000, 50_000, 1].contains(&octets.len()));
            }
        });
    }
}
