//! The directory of keys while somebody changes it.

use crate::commands::setup::run::{Manner, host, told};
use crate::context::Context;
use crate::failure::Failure;
use crate::release;
use concord_base::{Clock, SystemClock};
use concord_mail_authentication::{KeyAlgorithm, KeyRecord, KeyStore};
use concord_setup::Session;
use concord_setup::host::Host;
use concord_setup::survey::Survey;
use std::os::unix::fs::chown;
use std::path::Path;

/// Changes keys under Setup's lock, and gives what was written to the services'
/// user.
pub fn with_keys<T>(
    context: &Context,
    verb: &str,
    change: impl FnOnce(&mut KeyStore) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let host = host(&context.root()?);
    // Nothing installed, nothing to keep keys for.
    let user = Survey::take(&host)?.installed(&host)?.installation.user.clone();
    let manner = Manner::default();
    let session = Session::begin(&host, verb, release::VERSION, &mut told(context, manner))?;
    let directory = host.layout.root().dkim_keys();
    let outcome = (|| {
        let mut store = KeyStore::open(&directory)?;
        change(&mut store)
    })();
    let given = give(&host, &directory, user.as_deref());
    session.close()?;
    let outcome = outcome?;
    given?;
    Ok(outcome)
}

/// The services read the keys as their own user.
fn give(host: &Host, directory: &Path, user: Option<&str>) -> Result<(), Failure> {
    let Some(user) = user else { return Ok(()) };
    let Some(account) = host.system.user(user)? else { return Ok(()) };
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(
            "cli.keys",
            format!(
                "cannot give {} to {user}: {error}; run this as root, or 'chown {user}' it",
                path.display()
            ),
        )
    };
    let above = directory.parent().unwrap_or(directory);
    for path in [above, directory] {
        chown(path, Some(account.uid), Some(account.gid)).map_err(|e| failed(path, e))?;
    }
    let entries = std::fs::read_dir(directory).map_err(|e| failed(directory, e))?;
    for entry in entries.flatten() {
        let path = entry.path();
        chown(&path, Some(account.uid), Some(account.gid)).map_err(|e| failed(&path, e))?;
    }
    Ok(())
}

/// Makes a key of each kind for each domain that has none; gives back their
/// records. A second time there is nothing to make.
pub fn make_missing(store: &mut KeyStore, domains: &[String]) -> Result<Vec<KeyRecord>, Failure> {
    let mut made = Vec::new();
    for domain in domains {
        for algorithm in [KeyAlgorithm::Rsa, KeyAlgorithm::Ed25519] {
            let has = |key: &concord_mail_authentication::KeyEntry| {
                key.domain == *domain && key.algorithm == algorithm
            };
            if store.ring().keys.iter().any(has) {
                continue;
            }
            let now = SystemClock.now();
            let selector = store.ring().new_selector(domain, algorithm, now);
            made.push(store.make(domain, &selector, algorithm, now)?);
        }
    }
    Ok(made)
}
