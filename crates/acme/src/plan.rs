//! What is to be ordered, where, and how.

use crate::error::AcmeError;
use crate::proof::Proof;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use concord_tls::Roots;
use std::path::{Path, PathBuf};

/// A key is some hundred octets; a larger file is some other file.
pub(crate) const MAX_KEY_FILE: u64 = 16 << 10;

/// What is to be ordered, where, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The authority's directory URL, `https://`.
    pub directory: String,
    /// Mail addresses that it may write to.
    pub contact: Vec<String>,
    /// Names of the certificate; not empty.
    pub names: Vec<String>,
    /// How they are proved.
    pub proof: Proof,
    /// Who vouches for the authority's own server.
    pub roots: Roots,
    /// The account that the authority wants ours bound to.
    pub external_account: Option<ExternalAccount>,
    /// Where account, state and certificate are kept.
    pub keep_in: PathBuf,
}

impl Plan {
    /// What is ordered and how, in a form that only says whether it changed.
    pub(crate) fn digest(&self) -> String {
        format!("{} {} {}", self.directory, self.names.join(","), self.proof.name())
    }
}

/// An account at the authority that was made elsewhere (RFC 8555 section
/// 7.3.4).
#[derive(Clone)]
pub struct ExternalAccount {
    /// Key identifier.
    pub id: String,
    /// MAC key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExternalAccount({})", self.id)
    }
}

impl ExternalAccount {
    /// Reads the key from the first line of a file, in base64url. Blocks.
    ///
    /// # Errors
    /// [`AcmeError::KeyFile`].
    pub fn read(id: String, file: &Path) -> Result<Self, AcmeError> {
        let text = read_key_file(file)?;
        let line = text.lines().next().unwrap_or_default().trim().trim_end_matches('=');
        let key = BASE64_URL_SAFE_NO_PAD
            .decode(line)
            .or_else(|_| BASE64_STANDARD_NO_PAD.decode(line))
            .ok()
            .filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| AcmeError::KeyFile {
            file: file.to_owned(),
            cause: "its first line is not base64url".to_owned(),
        })?;
        Ok(Self { id, key })
    }
}

/// Reads a small text file.
pub(crate) fn read_key_file(file: &Path) -> Result<String, AcmeError> {
    let unreadable = |cause: String| AcmeError::KeyFile { file: file.to_owned(), cause };
    let length = std::fs::metadata(file).map_err(|e| unreadable(e.to_string()))?.len();
    if length > MAX_KEY_FILE {
        return Err(unreadable("it is too large for a key".to_owned()));
    }
    std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))
}
