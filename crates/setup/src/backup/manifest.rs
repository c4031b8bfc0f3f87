//! `backup.toml`: what a backup is of, and what it has.

use super::{BackupError, Progress, Told};
use crate::error::{Result, SetupError};
use crate::hash;
use concord_base::Timestamp;
use concord_registry::{Registry, Schemas};
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use uuid::Uuid;

/// The manifest's name in the backup.
pub const MANIFEST: &str = "backup.toml";
/// The form of the manifest; one of another form is left to its release.
const FORM: u32 = 1;
/// A file takes some 150 octets; a million of them are a very large store.
const MAX_OCTETS: u64 = 256 << 20;
/// Before the digest of the lines above it, in the last line.
const SEAL: &str = "# sha256 of the lines above: ";

/// Where keys are in a backup that are not of TLS: below those of TLS, so that
/// they are one part.
pub const OTHER_KEYS: &str = "keys/data";

/// What of a backup can be recovered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Mail, queue and directory as they were.
    Store,
    /// Objects of the directory, merged into the one that is there.
    Directory,
    /// Which components are installed, and who this server is.
    Registry,
    /// What is below `etc`.
    Config,
    /// Private keys and certificates that the server made, of TLS and of
    /// signatures.
    Keys,
    /// Packages of external connectors.
    Connectors,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 6] =
        [Self::Store, Self::Directory, Self::Registry, Self::Config, Self::Keys, Self::Connectors];

    /// Its word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Directory => "directory",
            Self::Registry => "registry",
            Self::Config => "config",
            Self::Keys => "keys",
            Self::Connectors => "connectors",
        }
    }

    /// Where its files are in a backup. The directory is in the store's index.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Directory => "store/index.db",
            Self::Registry => "registry.toml",
            Self::Config => "etc",
            Self::Keys => "keys",
            Self::Connectors => "connectors",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Self::ALL.into_iter().find(|part| part.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|part| part.as_str()).collect();
            format!("'{text}' is no part; write some of {}", all.join(","))
        })
    }
}

/// Whose backup it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupIdentity {
    /// The installation.
    pub server: Uuid,
    /// The id of the message log; none if there was no store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Uuid>,
    /// The organisation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The host name that services said.
    pub hostname: String,
    /// Where everything was.
    pub root: PathBuf,
}

/// What wrote what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupRelease {
    /// The version.
    pub version: String,
    /// The platform.
    pub platform: String,
    /// Forms of what it wrote.
    pub schemas: Schemas,
}

/// How much is in it, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Counts {
    /// Mailboxes.
    pub mailboxes: u64,
    /// Messages with a body, each once.
    pub messages: u64,
    /// Deliveries that were still to be made.
    pub deliveries: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileEntry {
    /// Relative to the backup.
    pub path: PathBuf,
    /// Octets.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// Permission bits that it had.
    pub mode: u32,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupManifest {
    /// Of this file.
    pub form: u32,
    /// When it was made, as in its name.
    pub stamp: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it holds, names of its files and directories.
    pub holds: Vec<String>,
    /// Whose it is.
    pub identity: BackupIdentity,
    /// What wrote it.
    pub release: BackupRelease,
    /// How much is in it.
    pub counts: Counts,
    /// Every file but this one, by path.
    #[serde(default, rename = "file")]
    pub files: Vec<FileEntry>,
}

impl BackupManifest {
    /// The form of this release.
    pub const FORM: u32 = FORM;

    /// The file's text.
    pub fn to_text(&self) -> Result<String> {
        let body =
            toml::to_string(self).map_err(|e| SetupError::invalid("write backup.toml", e))?;
        let head = "# A backup of a Concord server; read by 'concord recover'.\n";
        let text = format!("{head}{body}");
        let digest = hash::sha256(text.as_bytes());
        Ok(format!("{text}{SEAL}{digest}\n"))
    }

    /// Reads a file's text; the error says what does not fit.
    pub fn from_text(text: &str) -> std::result::Result<Self, String> {
        let at = text.rfind(SEAL).ok_or("backup.toml is not whole: its last line is missing")?;
        let (body, seal) = text.split_at(at);
        let digest = seal.strip_prefix(SEAL).unwrap_or_default().trim_end();
        if digest != hash::sha256(body.as_bytes()) {
            return Err("backup.toml was changed: its digest does not fit".to_owned());
        }
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }
        let form: Form = toml::from_str(body).map_err(|e| e.message().to_owned())?;
        if form.form != FORM {
            let found = form.form;
            return Err(format!("it has form {found}, this release knows {FORM}"));
        }
        let manifest: Self = toml::from_str(body).map_err(|e| e.message().to_owned())?;
        let stays = |path: &Path| path.components().all(|p| matches!(p, Component::Normal(_)));
        match manifest.files.iter().find(|file| !stays(&file.path)) {
            Some(bad) => Err(format!("the path '{}' leads out of it", bad.path.display())),
            None => Ok(manifest),
        }
    }

    /// Octets of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// A whole backup on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its directory.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: BackupManifest,
}

impl Backup {
    /// Reads the manifest; files are not looked at.
    pub fn open(path: &Path) -> Result<Self> {
        let file = path.join(MANIFEST);
        let unreadable = |cause: String| BackupError::Unreadable { path: path.to_owned(), cause };
        let text = match std::fs::metadata(&file) {
            Ok(found) if found.len() > MAX_OCTETS => {
                Err(format!("{MANIFEST} is larger than {MAX_OCTETS} octets"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(format!("there is no {MANIFEST} in it"))
            }
            Err(error) => Err(error.to_string()),
            Ok(_) => std::fs::read_to_string(&file).map_err(|e| e.to_string()),
        };
        let manifest =
            text.and_then(|text| BackupManifest::from_text(&text)).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), manifest })
    }

    /// Where its store is.
    pub fn store(&self) -> PathBuf {
        self.path.join(Part::Store.place())
    }

    /// Whether it has a store.
    pub fn has_store(&self) -> bool {
        self.manifest.files.iter().any(|file| file.path == Path::new("store/index.db"))
    }

    /// Its files below `place`, or the one of that name.
    pub fn files_in(&self, place: &str) -> impl Iterator<Item = &FileEntry> {
        let place = PathBuf::from(place);
        self.manifest.files.iter().filter(move |file| file.path.starts_with(&place))
    }

    /// What the registry was.
    pub fn registry(&self) -> Result<Registry> {
        let place = Part::Registry.place();
        let entry = self.files_in(place).next();
        let entry = entry.ok_or_else(|| BackupError::Lacks {
            what: place.to_owned(),
            advice: "it is not whole; take another one".to_owned(),
        })?;
        self.check(entry)?;
        let path = self.path.join(place);
        let text = std::fs::read_to_string(&path).map_err(SetupError::io("read", &path))?;
        Ok(Registry::from_toml(&text)?)
    }

    /// Whether a file is what was written.
    pub fn check(&self, entry: &FileEntry) -> Result<()> {
        let damaged = |cause: &str| BackupError::Damaged {
            backup: self.path.clone(),
            file: entry.path.clone(),
            cause: cause.to_owned(),
        };
        let path = self.path.join(&entry.path);
        match std::fs::symlink_metadata(&path) {
            Err(_) => return Err(damaged("is missing").into()),
            Ok(found) if !found.is_file() => return Err(damaged("is no file").into()),
            Ok(found) if found.len() != entry.size => {
                return Err(damaged("was changed: its size is another").into());
            }
            Ok(_) => {}
        }
        if hash::sha256_of(&path)? == entry.sha256 {
            Ok(())
        } else {
            Err(damaged("was changed: its hash is another").into())
        }
    }

    /// Whether the files of some parts are what was written; the first that is
    /// not is the error.
    pub fn check_parts<'p>(
        &self,
        parts: impl IntoIterator<Item = &'p Part>,
        told: Told<'_>,
    ) -> Result<()> {
        let files: Vec<&FileEntry> =
            parts.into_iter().flat_map(|part| self.files_in(part.place())).collect();
        let total = files.iter().map(|file| file.size).sum();
        let mut done = 0;
        for file in files {
            told(Progress { what: "checking the backup", done, total });
            self.check(file)?;
            done += file.size;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn manifest() -> BackupManifest {
        BackupManifest {
            form: FORM,
            stamp: "20261128T171500Z".into(),
            created: Timestamp::from_seconds(1_795_886_100),
            holds: vec!["store".into()],
            identity: BackupIdentity {
                server: Uuid::from_u128(7),
                lineage: Some(Uuid::from_u128(8)),
                organisation: Some("Example".into()),
                hostname: "mail.example.test".into(),
                root: "/var/lib/concord".into(),
            },
            release: BackupRelease {
                version: "1.0.0".into(),
                platform: "x86_64-linux".into(),
                schemas: Schemas { index: 1, registry: 1, contract: 1 },
            },
            counts: Counts::default(),
            files: vec![FileEntry {
                path: "store/index.db".into(),
                size: 3,
                sha256: hash::sha256(b"abc"),
                mode: 0o600,
            }],
        }
    }

    #[test]
    fn a_manifest_reads_back_and_a_changed_one_does_not() {
        let text = manifest().to_text().unwrap();
        assert_eq!(BackupManifest::from_text(&text), Ok(manifest()));
        let changed = text.replace("Example", "Other");
        assert!(BackupManifest::from_text(&changed).unwrap_err().contains("changed"));
        let cut = &text[..text.len() / 2];
        assert!(BackupManifest::from_text(cut).unwrap_err().contains("not whole"));
    }

    #[test]
    fn no_path_leads_out_of_a_backup() {
        for path in ["../x", "/etc/passwd", "store/../../x"] {
            let mut bad = manifest();
            bad.files[0].path = path.into();
            let told = BackupManifest::from_text(&bad.to_text().unwrap()).unwrap_err();
            assert!(told.contains("leads out"), "{told}");
        }
    }

    #[test]
    fn a_changed_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("store")).unwrap();
        let file = directory.path().join("store/index.db");
        std::fs::write(&file, "abc").unwrap();
        std::fs::write(directory.path().join(MANIFEST), manifest().to_text().unwrap()).unwrap();
        let backup = Backup::open(directory.path()).unwrap();
        backup.check_parts(&[Part::Store], &mut |_| {}).unwrap();
        for (content, word) in [("abd", "hash"), ("ab", "size")] {
            std::fs::write(&file, content).unwrap();
            let told = backup.check_parts(&[Part::Directory], &mut |_| {}).unwrap_err();
            let told = told.to_string();
            assert!(told.contains("store/index.db") && told.contains(word), "{told}");
        }
    }

    #[test]
    fn parts_have_words() {
        for part in Part::ALL {
            assert_eq!(part.as_str().parse::<Part>(), Ok(part));
        }
        assert!("mail".parse::<Part>().unwrap_err().contains("store,directory"));
    }
}
