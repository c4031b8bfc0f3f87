//! Our account at the authority.

use crate::client::{Https, whole};
use crate::error::AcmeError;
use crate::files::{read_json, write_atomically};
use crate::plan::Plan;
use instant_acme::{
    Account, AccountCredentials, Error, ExternalAccountKey, Key, NewAccount, Problem,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Accounts of authorities that were used before are kept: whoever goes back
/// to one, or tries another, needs them again.
const MAX_ACCOUNTS: usize = 16;

/// The file of accounts, by directory URL.
#[derive(Default, Serialize, Deserialize)]
struct Accounts {
    accounts: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    directory: String,
    credentials: AccountCredentials,
}

fn file(plan: &Plan) -> PathBuf {
    plan.keep_in.join("acme-accounts.json")
}

/// The account of the plan's authority; it is made if there is none, and kept
/// on disk before it is used.
pub(crate) async fn account(plan: &Plan) -> Result<Account, AcmeError> {
    let file = file(plan);
    let mut known: Accounts = read_json(&file)?.unwrap_or_default();
    let builder = Account::builder_with_http(Box::new(Https::new(&plan.roots)?));
    let at = known.accounts.iter().position(|entry| entry.directory == plan.directory);
    if let Some(at) = at {
        let credentials = known.accounts.swap_remove(at).credentials;
        return builder.from_credentials(credentials).await.map_err(|e| general(plan, e));
    }
    let contact: Vec<String> = plan.contact.iter().map(|a| format!("mailto:{a}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let external =
        plan.external_account.as_ref().map(|e| ExternalAccountKey::new(e.id.clone(), &e.key));
    let (account, credentials) = builder
        .create(&new, plan.directory.clone(), external.as_ref())
        .await
        .map_err(|error| match error {
            Error::Api(problem) => {
                AcmeError::Account { url: plan.directory.clone(), said: said(&problem) }
            }
            other => general(plan, other),
        })?;
    known.accounts.insert(0, Entry { directory: plan.directory.clone(), credentials });
    known.accounts.truncate(MAX_ACCOUNTS);
    let text = serde_json::to_vec_pretty(&known)
        .map_err(|e| AcmeError::File { file: file.clone(), cause: e.to_string() })?;
    write_atomically(&file, &text)?;
    tracing::info!(directory = plan.directory, account = account.id(), "an account was made");
    Ok(account)
}

/// Sees whether the plan's authority answers; nothing is made there.
///
/// # Errors
/// It does not answer, or does not speak ACME.
pub async fn reach(plan: &Plan) -> Result<(), AcmeError> {
    let builder = Account::builder_with_http(Box::new(Https::new(&plan.roots)?));
    let (_, key) = Key::generate_pkcs8().map_err(|e| general(plan, e))?;
    // No request but the one for the directory is made with these.
    let found = builder.from_parts(String::new(), key, plan.directory.clone()).await;
    found.map(|_| ()).map_err(|e| general(plan, e))
}

/// The authority's words, those about single names included.
pub(crate) fn said(problem: &Problem) -> String {
    let mut text = problem.detail.clone().unwrap_or_default();
    if text.is_empty() {
        text = problem.r#type.clone().unwrap_or_else(|| "(no reason)".to_owned());
    }
    for part in &problem.subproblems {
        text.push_str("; ");
        text.push_str(&part.to_string());
    }
    text
}

/// What any request to the authority can meet.
pub(crate) fn general(plan: &Plan, error: Error) -> AcmeError {
    let url = plan.directory.clone();
    let names = || plan.names.clone();
    match error {
        Error::Api(problem) if is(&problem, "rateLimited") => {
            AcmeError::RateLimited { names: names(), said: said(&problem) }
        }
        Error::Api(problem) if is(&problem, "accountDoesNotExist") => {
            AcmeError::Account { url, said: said(&problem) }
        }
        Error::Api(problem) => AcmeError::Refused { names: names(), said: said(&problem) },
        Error::Json(cause) => AcmeError::NotAcme { url, cause: cause.to_string() },
        Error::Str(cause) => AcmeError::NotAcme { url, cause: cause.to_owned() },
        Error::Timeout(_) => {
            AcmeError::TooSlow { names: names(), after: crate::order::AUTHORITY_TIME }
        }
        Error::Crypto | Error::KeyRejected => AcmeError::Library(error.to_string()),
        other => AcmeError::Unreachable { url, cause: whole(&other) },
    }
}

/// Whether a problem is of a type of RFC 8555 section 6.7.
fn is(problem: &Problem, kind: &str) -> bool {
    let of = |text: &str| text.strip_prefix("urn:ietf:params:acme:error:") == Some(kind);
    problem.r#type.as_deref().is_some_and(of)
}
