//! The files a disk would still have after a power cut, put together from what
//! `tests/shims/power.c` recorded.

use concord_testkit::{Random, Result};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The record beside a data directory.
pub struct Shadow {
    directory: PathBuf,
    data: PathBuf,
}

/// What a cut did to unsynced tails.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tails {
    /// Files that kept a part of what was not synced.
    pub torn: usize,
    /// Of these, files in whose part a bit was flipped.
    pub flipped: usize,
    /// Octets that were not synced and are gone.
    pub dropped: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

impl Shadow {
    /// A record of `data` in `directory`; everything there is durable now.
    pub fn begin(data: &Path, directory: &Path) -> Result<Self> {
        let shadow = Self { directory: directory.to_path_buf(), data: data.to_path_buf() };
        shadow.forget()?;
        shadow.baseline(data)?;
        Ok(shadow)
    }

    fn forget(&self) -> Result<()> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory)?;
        }
        for kind in ["i", "d", "h"] {
            fs::create_dir_all(self.directory.join(kind))?;
        }
        Ok(())
    }

    fn octets(&self, inode: u64) -> PathBuf {
        self.directory.join("i").join(inode.to_string())
    }

    fn baseline(&self, directory: &Path) -> Result<()> {
        let mut lines = String::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if meta.is_dir() {
                lines.push_str(&format!("d {} {name}\n", meta.ino()));
                self.baseline(&entry.path())?;
            } else if meta.is_file() {
                lines.push_str(&format!("f {} {name}\n", meta.ino()));
                fs::copy(entry.path(), self.octets(meta.ino()))?;
            }
        }
        let inode = fs::metadata(directory)?.ino();
        fs::write(self.directory.join("d").join(inode.to_string()), lines)?;
        Ok(())
    }

    /// The durable entries of a directory.
    fn entries(&self, inode: u64) -> BTreeMap<String, (Kind, u64)> {
        let file = self.directory.join("d").join(inode.to_string());
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut entries = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            let kind = if words.next() == Some("d") { Kind::Directory } else { Kind::File };
            let inode = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let Some(name) = words.next() else { continue };
            if inode == 0 {
                entries.remove(name);
            } else {
                entries.insert(name.to_owned(), (kind, inode));
            }
        }
        entries
    }

    /// Replaces the data by what is durable. With `random`, some files keep a
    /// part of the octets behind their last synced one, sometimes with a flipped
    /// bit: a disk may write what it was not asked to. Call it with nothing
    /// running; afterwards the record starts anew.
    pub fn cut(&self, random: Option<&mut Random>) -> Result<Tails> {
        let fresh = self.data.with_extension("after-cut");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        let mut tails = Tails::default();
        let unsynced = self.unsynced(&self.data)?;
        let mut random = random;
        self.restore(fs::metadata(&self.data)?.ino(), &fresh, &unsynced, &mut random, &mut tails)?;
        // The old files go last: their inode numbers are the record's keys.
        fs::remove_dir_all(&self.data)?;
        fs::rename(&fresh, &self.data)?;
        self.forget()?;
        self.baseline(&self.data)?;
        Ok(tails)
    }

    /// Real files by inode.
    fn unsynced(&self, directory: &Path) -> Result<BTreeMap<u64, PathBuf>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_dir() {
                files.extend(self.unsynced(&entry.path())?);
            } else if meta.is_file() {
                files.insert(meta.ino(), entry.path());
            }
        }
        Ok(files)
    }

    fn restore(
        &self,
        inode: u64,
        to: &Path,
        real: &BTreeMap<u64, PathBuf>,
        random: &mut Option<&mut Random>,
        tails: &mut Tails,
    ) -> Result<()> {
        fs::create_dir_all(to)?;
        for (name, (kind, inode)) in self.entries(inode) {
            let target = to.join(&name);
            if kind == Kind::Directory {
                self.restore(inode, &target, real, random, tails)?;
                continue;
            }
            if self.octets(inode).exists() {
                fs::copy(self.octets(inode), &target)?;
            } else {
                File::create(&target)?;
            }
            if let Some(source) = real.get(&inode) {
                tail(source, &target, random, tails)?;
            }
        }
        Ok(())
    }
}

/// Files whose readers check every octet, so that a torn tail is theirs to find.
fn may_tear(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".seg") || name.ends_with("-wal")
}

fn tail(
    source: &Path,
    target: &Path,
    random: &mut Option<&mut Random>,
    tails: &mut Tails,
) -> Result<()> {
    let durable = fs::metadata(target)?.len();
    let present = fs::metadata(source)?.len();
    let Some(beyond) = present.checked_sub(durable).filter(|n| *n > 0) else { return Ok(()) };
    tails.dropped += beyond;
    let Some(random) = random.as_deref_mut().filter(|_| may_tear(target)) else { return Ok(()) };
    if random.one_in(3) {
        return Ok(());
    }
    let kept = random.below(beyond + 1);
    let mut octets = vec![0; usize::try_from(kept)?];
    let mut file = File::open(source)?;
    file.seek(SeekFrom::Start(durable))?;
    file.read_exact(&mut octets)?;
    if !octets.is_empty() {
        tails.torn += 1;
        if random.one_in(2) {
            let at = usize::try_from(random.below(kept))?;
            if let Some(octet) = octets.get_mut(at) {
                *octet ^= 1 << random.below(8);
            }
            tails.flipped += 1;
        }
    }
    fs::OpenOptions::new().append(true).open(target)?.write_all(&octets)?;
    tails.dropped -= kept;
    Ok(())
}
