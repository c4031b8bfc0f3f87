//! Keys that mail is signed with.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::step::Step;
use concord_mail_authentication::{AuthenticationError, KeyStore};
use std::path::Path;

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let directory = case.host.layout.root().dkim_keys();
    // A directory that is missing is declared, and told by its own code.
    let Some(registry) = case.survey.known().filter(|_| directory.is_dir()) else {
        return Ok(Vec::new());
    };
    let store = match KeyStore::open(&directory) {
        Ok(store) => store,
        Err(error) => return Ok(vec![finding(&directory, &error, None)]),
    };
    let owner = registry.installation.user.as_ref();
    let keys = store.ring().keys.iter();
    let unusable = keys.filter_map(|key| store.record(&key.domain, &key.selector).err());
    Ok(unusable.map(|error| finding(&directory, &error, owner)).collect())
}

fn finding(directory: &Path, error: &AuthenticationError, owner: Option<&String>) -> Finding {
    let (place, mend) = match error {
        AuthenticationError::Exposed { file, .. } => {
            let steps = vec![Step::SetAccess {
                path: file.clone(),
                mode: 0o600,
                owner: owner.cloned(),
                whole: false,
            }];
            let what = "make it readable for the services only; 'concord dkim rotate --now' if \
                        somebody may have copied it"
                .to_owned();
            (file.clone(), Mend::Steps { what, steps, after: Vec::new(), loses_nothing: true })
        }
        AuthenticationError::KeyMissing { file, .. }
        | AuthenticationError::BadKey { file, .. }
        | AuthenticationError::Unreadable { file, .. }
        | AuthenticationError::BadState { file, .. } => (file.clone(), back()),
        _ => (directory.to_owned(), back()),
    };
    Finding {
        code: &codes::SIGNING_KEY,
        place: place.display().to_string(),
        seen: error.to_string(),
        mend,
    }
}

fn back() -> Mend {
    Mend::Advice(
        "put it back from a backup ('concord recover BACKUP --parts keys'), or take the key out \
         ('concord dkim remove') and make another one"
            .to_owned(),
    )
}
