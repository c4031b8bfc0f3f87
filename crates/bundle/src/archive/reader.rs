//! Reading tar archives that nobody vouches for yet.
//!
//! The header's fields are read by the crate `tar`. Its iterator over entries
//! is not used: it reads long names into memory however long they are, takes
//! an archive that was cut between two entries for a whole one, and hands out
//! links. This reader gives files only, streams them, and ends at the end mark.

use crate::bounds::{CHUNK, MAX_DECOMPRESSED, MAX_EXTENSION, MAX_OTHER_ENTRIES, MAX_PADDING};
use crate::names;
use std::io::{ErrorKind, Read};
use tar::{EntryType, Header};

/// The unit of tar.
const BLOCK: usize = 512;

/// Why an archive cannot be read on.
#[derive(Debug)]
pub(crate) enum ArchiveError {
    /// The system refused to read.
    Io(std::io::Error),
    /// It is no archive of the kind that we read; what does not fit.
    Broken(String),
    /// It ends too early.
    Truncated,
    /// A bound is exceeded: what, and which.
    TooLarge(&'static str, u64),
    /// An entry that must not be unpacked, and why.
    Unsafe(String, &'static str),
}

impl ArchiveError {
    pub(crate) fn broken(cause: impl std::fmt::Display) -> Self {
        Self::Broken(cause.to_string())
    }
}

type Result<T> = std::result::Result<T, ArchiveError>;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its plain path, see [`names::plain`].
    pub(crate) path: String,
    /// Its octets.
    pub(crate) size: u64,
    /// Where in the archive its data begins.
    pub(crate) offset: u64,
}

/// Reads one archive from front to back.
pub(crate) struct Reader<R> {
    inner: R,
    position: u64,
    /// What of the current entry's data is not read yet.
    left: u64,
    /// Zeros between its end and the next header.
    padding: u64,
    /// Entries that were no files.
    others: u64,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, position: 0, left: 0, padding: 0, others: 0 }
    }

    /// What it reads from.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    /// The next file; none at the end of a whole archive.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        let mut long_name = None;
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                if long_name.is_some() {
                    return Err(ArchiveError::broken("a long name belongs to nothing"));
                }
                return Ok(None);
            };
            let size = header.entry_size().map_err(ArchiveError::broken)?;
            self.left = size;
            self.padding = size.wrapping_neg() % BLOCK as u64;
            let kind = header.entry_type();
            let name = match &long_name {
                Some(name) => std::borrow::Cow::Borrowed(Vec::as_slice(name)),
                None => header.path_bytes(),
            };
            match kind {
                EntryType::Regular => return self.file(&name, size).map(Some),
                EntryType::Directory => {
                    if size != 0 {
                        return Err(ArchiveError::broken("a directory has data"));
                    }
                    let refused = |why| ArchiveError::Unsafe(names::shown(&name), why);
                    names::plain(&name).map_err(refused)?;
                    long_name = None;
                }
                EntryType::GNULongName => long_name = Some(self.long_name()?),
                EntryType::XHeader => {
                    if let Some(name) = pax_path(&self.extension()?)? {
                        long_name = Some(name);
                    }
                }
                EntryType::XGlobalHeader => {
                    if pax_path(&self.extension()?)?.is_some() {
                        return Err(ArchiveError::broken("one name for all entries"));
                    }
                }
                _ => return Err(ArchiveError::Unsafe(names::shown(&name), unwanted(kind))),
            }
            self.others += 1;
            if self.others > MAX_OTHER_ENTRIES {
                let what = "the number of directories and long names";
                return Err(ArchiveError::TooLarge(what, MAX_OTHER_ENTRIES));
            }
        }
    }

    fn file(&self, name: &[u8], size: u64) -> Result<Entry> {
        let refused = |why| ArchiveError::Unsafe(names::shown(name), why);
        if name.ends_with(b"/") {
            return Err(refused("is called a file and named like a directory"));
        }
        let path = names::plain(name).map_err(refused)?;
        let path = path.ok_or_else(|| refused("is called a file and named like a directory"))?;
        Ok(Entry { path, size, offset: self.position })
    }

    /// Reads of the current file; 0 is its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..most).filter(|room| !room.is_empty()) else {
            return Ok(0);
        };
        let count = read_some(&mut self.inner, room)?;
        if count == 0 {
            return Err(ArchiveError::Truncated);
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }

    /// All of the current file, which is `what` and may have `limit` octets.
    pub(crate) fn whole(&mut self, what: &'static str, limit: u64) -> Result<Vec<u8>> {
        if self.left > limit {
            return Err(ArchiveError::TooLarge(what, limit));
        }
        let mut all = Vec::new();
        self.each(|piece| all.extend_from_slice(piece))?;
        Ok(all)
    }

    /// Feeds the rest of the current file to `take`.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = self.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            take(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Goes on to the next header.
    fn skip(&mut self) -> Result<()> {
        // The zeros that fill the last block are data like any other here.
        self.left = self.left.saturating_add(self.padding);
        self.padding = 0;
        if self.left == 0 { Ok(()) } else { self.each(|_| {}) }
    }

    /// The next header with a right checksum; none at the end mark.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut block = [0; BLOCK];
        self.block(&mut block)?;
        if block.iter().all(|octet| *octet == 0) {
            self.end()?;
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block);
        let mut again = header.clone();
        again.set_cksum();
        let found = header.cksum().map_err(ArchiveError::broken)?;
        if again.cksum().ok() != Some(found) {
            return Err(ArchiveError::broken("a header's checksum is wrong"));
        }
        if header.as_ustar().is_none() && header.as_gnu().is_none() {
            return Err(ArchiveError::broken("it is in a format of tar older than 1988"));
        }
        Ok(Some(header.clone()))
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<()> {
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
            let count = read_some(&mut self.inner, room)?;
            if count == 0 {
                return Err(ArchiveError::Truncated);
            }
            filled += count;
        }
        self.position += BLOCK as u64;
        Ok(())
    }

    /// Behind one block of zeros comes another, and then nothing but zeros.
    fn end(&mut self) -> Result<()> {
        let mut block = [0; BLOCK];
        self.block(&mut block)?;
        let mut buffer = vec![0; CHUNK];
        let mut zeros = block.iter().all(|octet| *octet == 0);
        let mut padding = 0;
        while zeros {
            let count = read_some(&mut self.inner, &mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            zeros = buffer.iter().take(count).all(|octet| *octet == 0);
            padding += count as u64;
            if padding > MAX_PADDING {
                return Err(ArchiveError::TooLarge("what follows the end mark", MAX_PADDING));
            }
        }
        Err(ArchiveError::broken("something follows the end mark"))
    }

    fn extension(&mut self) -> Result<Vec<u8>> {
        self.whole("an extension header", MAX_EXTENSION)
    }

    fn long_name(&mut self) -> Result<Vec<u8>> {
        let mut name = self.extension()?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }
}

fn read_some(inner: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match inner.read(buffer) {
            Ok(count) => return Ok(count),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Err(ArchiveError::Truncated),
            Err(e) if e.kind() == ErrorKind::FileTooLarge => {
                let what = "what it decompresses to";
                return Err(ArchiveError::TooLarge(what, MAX_DECOMPRESSED));
            }
            // What a decompressor says of data that it cannot read.
            Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                return Err(ArchiveError::broken(e));
            }
            Err(e) => return Err(ArchiveError::Io(e)),
        }
    }
}

fn unwanted(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link | EntryType::Symlink | EntryType::GNULongLink => "is a link",
        EntryType::Char | EntryType::Block | EntryType::Fifo => "is a device or a pipe",
        _ => "is neither a file nor a directory",
    }
}

/// The path of a pax extension header (POSIX.1-2017, pax, "pax Extended
/// Header"): records of `LENGTH KEY=VALUE\n`. Times, owners and comments do
/// not matter here; what would change the data or make a link is refused.
fn pax_path(data: &[u8]) -> Result<Option<Vec<u8>>> {
    let broken = || ArchiveError::broken("a pax header is malformed");
    let mut path = None;
    let mut rest = data;
    while !rest.is_empty() {
        let space = rest.iter().take(20).position(|c| *c == b' ').ok_or_else(broken)?;
        let digits = rest.get(..space).and_then(|d| std::str::from_utf8(d).ok());
        let length: usize = digits.and_then(|d| d.parse().ok()).ok_or_else(broken)?;
        let record = rest.get(space + 1..length).ok_or_else(broken)?;
        let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
        let equals = record.iter().position(|c| *c == b'=').ok_or_else(broken)?;
        let (key, value) = record.split_at_checked(equals).ok_or_else(broken)?;
        match key {
            b"path" => path = value.get(1..).map(<[u8]>::to_vec),
            b"linkpath" | b"size" => {
                return Err(ArchiveError::broken("a pax header of a link or of another size"));
            }
            key if key.starts_with(b"GNU.sparse") => {
                return Err(ArchiveError::broken("a sparse file"));
            }
            _ => {}
        }
        rest = rest.get(length..).ok_or_else(broken)?;
    }
    Ok(path)
}
