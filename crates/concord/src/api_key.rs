//! The key of the tokens by which connectors show the core who they are. The
//! controller hands tokens out and the core checks them, so both read it.

use crate::failure::Failure;
use concord_connector::{TOKEN_KEY_OCTETS, Tokens};
use concord_settings::Root;
use rand::RngCore as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The tokens of a root; the first one who asks makes the key.
pub fn tokens(root: &Root) -> Result<Tokens, Failure> {
    let path = root.api_key();
    let failed = |e: std::io::Error| {
        let path = path.display();
        Failure::new(
            "cli.api-key",
            format!(
                "cannot read or make {path}: {e}; see who owns it, and whether the disk is full"
            ),
        )
    };
    if let Some(key) = read(&path).map_err(failed)? {
        return Ok(Tokens::new(key));
    }
    make(&path).map_err(failed)?;
    match read(&path).map_err(failed)? {
        Some(key) => Ok(Tokens::new(key)),
        None => Err(failed(std::io::Error::other("it is gone again"))),
    }
}

/// None if it is not there, or was not finished.
fn read(path: &Path) -> std::io::Result<Option<[u8; TOKEN_KEY_OCTETS]>> {
    let mut octets = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(TOKEN_KEY_OCTETS as u64 + 1).read_to_end(&mut octets)?,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    Ok(octets.try_into().ok())
}

/// Made beside its place, so that nobody reads half of it.
fn make(path: &Path) -> std::io::Result<()> {
    let mut key = [0; TOKEN_KEY_OCTETS];
    rand::rng().fill_bytes(&mut key);
    let draft = path.with_extension(format!("key-{}", std::process::id()));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    drop(file);
    // Whoever came first stays: his tokens may be given out already.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_the_tokens_of_one_key() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Root::new(scratch.path()).unwrap();
        let first = tokens(&root).unwrap();
        let token = first.of("gw");
        assert_eq!(tokens(&root).unwrap().check(&token), Some("gw"));
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(root.api_key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(root.run()).unwrap().count(), 1);
    }
}
