//! Files of the gateway.

use super::{Gateway, GatewayError, QUARANTINE, failed};
use concord_groupwise_api::limits::MAX_FILE;
use concord_groupwise_api::{CodePage, layout};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::SystemTime;

/// A file in one of the gateway's directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name as text; names of headers are ASCII.
    pub name: String,
    /// Its name as the system has it.
    pub raw: OsString,
    /// When it was last written.
    pub modified: SystemTime,
    /// Octets.
    pub size: u64,
}

/// Content that a header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Its octets, and where they lie.
    Here(Vec<u8>, PathBuf),
    /// There is no such file.
    Missing,
    /// It has more octets than are left.
    TooLarge,
}

impl Gateway {
    /// The plain files of a directory, oldest first.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(&self, directory: &str) -> Result<Vec<Listed>, GatewayError> {
        let path = self.root.join(directory);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(GatewayError::Missing { path });
            }
            entries => entries.map_err(failed("read", &path))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed("read", &path))?;
            // Between the listing and this look the gateway may have taken it.
            let Ok(facts) = entry.metadata() else { continue };
            if !facts.is_file() {
                continue;
            }
            let modified = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let raw = entry.file_name();
            let name = raw.to_string_lossy().into_owned();
            files.push(Listed { name, raw, modified, size: facts.len() });
        }
        files.sort_by(|a, b| (a.modified, &a.raw).cmp(&(b.modified, &b.raw)));
        Ok(files)
    }

    /// A header's octets; one more than the bound if it has more. `None` if it
    /// is gone.
    ///
    /// # Errors
    /// It cannot be read; a gateway that still writes it may be the reason.
    pub fn header(&self, directory: &str, file: &Listed) -> Result<Option<Vec<u8>>, GatewayError> {
        let path = self.path(directory, &file.raw);
        let opened = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open", &path))?,
        };
        let mut octets = Vec::new();
        let bound = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
        opened.take(bound).read_to_end(&mut octets).map_err(failed("read", &path))?;
        Ok(Some(octets))
    }

    /// Content in `ATT_OUT` by the name that a header gives. The gateway's own
    /// code page, or another case of letters, may stand in the way (Q252689).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn content(
        &self,
        name: &str,
        page: CodePage,
        at_most: u64,
    ) -> Result<Content, GatewayError> {
        let Some(path) = self.find(name, page)? else { return Ok(Content::Missing) };
        let opened = File::open(&path).map_err(failed("open", &path))?;
        let size = opened.metadata().map_err(failed("look at", &path))?.len();
        if size > at_most {
            return Ok(Content::TooLarge);
        }
        let mut octets = Vec::new();
        opened.take(at_most).read_to_end(&mut octets).map_err(failed("read", &path))?;
        Ok(Content::Here(octets, path))
    }

    pub(crate) fn find(&self, name: &str, page: CodePage) -> Result<Option<PathBuf>, GatewayError> {
        if !layout::is_plain_name(name) {
            return Ok(None);
        }
        let path = self.path(layout::ATT_OUT, name);
        if path.is_file() {
            return Ok(Some(path));
        }
        let octets = OsString::from_vec(page.encode(name).octets);
        let path = self.path(layout::ATT_OUT, &octets);
        if path.is_file() {
            return Ok(Some(path));
        }
        let wanted = name.to_lowercase();
        let found = self.list(layout::ATT_OUT)?.into_iter().find(|file| {
            file.name.to_lowercase() == wanted
                || page.decode(file.raw.as_encoded_bytes()).to_lowercase() == wanted
        });
        Ok(found.map(|file| self.path(layout::ATT_OUT, &file.raw)))
    }

    /// Takes a header away; fine if it is gone already.
    ///
    /// # Errors
    /// It stays, and would be read again.
    pub fn remove_header(&self, file: &Listed) -> Result<(), GatewayError> {
        let path = self.path(layout::API_OUT, &file.raw);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Takes content away whose header is gone. What stays is found as an
    /// orphan later.
    pub fn remove_content(&self, paths: &[PathBuf]) {
        for path in paths {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "content of a taken message stays");
            }
        }
    }

    /// Moves a header, and what belongs to it, into the quarantine, with the
    /// reason beside it. The header goes last.
    ///
    /// # Errors
    /// It stays where it is.
    pub fn quarantine(
        &self,
        directory: &str,
        file: &Listed,
        content: &[PathBuf],
        reason: &str,
    ) -> Result<PathBuf, GatewayError> {
        let shelter = self.root.join(QUARANTINE);
        fs::create_dir_all(&shelter).map_err(failed("create", &shelter))?;
        let mut target = shelter.join(&file.raw);
        for n in 1_u32.. {
            if !target.exists() {
                break;
            }
            target = shelter.join(format!("{}.{n}", file.name));
        }
        let mut beside = target.clone().into_os_string();
        beside.push(".reason");
        let beside = PathBuf::from(beside);
        fs::write(&beside, format!("{reason}\n")).map_err(failed("write", &beside))?;
        for path in content {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut aside = target.clone().into_os_string();
            aside.push(format!("-{name}"));
            fs::rename(path, &aside).map_err(failed("rename", path))?;
        }
        let path = self.path(directory, &file.raw);
        fs::rename(&path, &target).map_err(failed("rename", &path))?;
        Ok(target)
    }
}
