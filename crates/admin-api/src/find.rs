//! From what people type to objects.

use crate::ApiError;
use crate::api::Shared;
use concord_address::{Domain, ParseTypedAddressError, TypedAddress};
use concord_base::{MessageId, QueueId};
use concord_directory::{DirectoryError, Kind, Object, Proxy, Routes};
use std::collections::HashSet;
use std::sync::Arc;

/// The object of a kind that a name or an address means.
pub(crate) async fn object(
    shared: &Shared,
    kind: Kind,
    text: &str,
) -> Result<Arc<Object>, ApiError> {
    if let Some(found) = shared.api.directory.find(kind, text).await? {
        return Ok(found);
    }
    if let Some(found) = by_address(shared, text).await?
        && found.kind() == kind
    {
        return Ok(found);
    }
    Err(DirectoryError::NotFound { kind: kind.as_str(), name: text.to_owned() }.into())
}

/// The recipient that a name or an address means.
pub(crate) async fn recipient(shared: &Shared, text: &str) -> Result<Arc<Object>, ApiError> {
    for kind in Kind::RECIPIENTS {
        if let Some(found) = shared.api.directory.find(kind, text).await? {
            return Ok(found);
        }
    }
    by_address(shared, text)
        .await?
        .filter(|object| object.kind().is_recipient())
        .ok_or_else(|| DirectoryError::NotFound { kind: "recipient", name: text.to_owned() }.into())
}

/// Which connectors carry mail.
pub(crate) async fn routes(shared: &Shared) -> Result<Routes, ApiError> {
    Ok(Routes::new(&shared.api.directory.list(Kind::Connector).await?))
}

async fn by_address(shared: &Shared, text: &str) -> Result<Option<Arc<Object>>, ApiError> {
    match text.parse::<TypedAddress>() {
        Ok(address) => Ok(shared.api.directory.lookup(&address).await?),
        Err(_) => Ok(None),
    }
}

/// An address from a request.
pub(crate) fn address(text: &str) -> Result<TypedAddress, ApiError> {
    text.parse().map_err(|e: ParseTypedAddressError| {
        ApiError::Invalid(format!(
            "cannot use '{}' as an address: {}; write one like jane@example.org",
            e.text, e.cause
        ))
    })
}

/// A queue id from a request.
pub(crate) fn queue_id(text: &str) -> Result<MessageId, ApiError> {
    text.parse::<QueueId>()
        .map(|id| id.0)
        .map_err(|e| ApiError::Invalid(format!("{e}; 'concord queue list' shows those that wait")))
}

/// Addresses from a request as proxies: the first of each type is primary.
/// With none given, `name` in the only mail domain.
pub(crate) async fn proxies(
    shared: &Shared,
    name: &str,
    addresses: &[String],
) -> Result<Vec<Proxy>, ApiError> {
    let mut addresses = addresses.to_vec();
    if addresses.is_empty() {
        addresses.push(default_address(shared, name).await?);
    }
    let mut types = HashSet::new();
    let mut out = Vec::with_capacity(addresses.len());
    for text in &addresses {
        let address = address(text)?;
        out.push(Proxy { primary: types.insert(address.kind().clone()), address });
    }
    Ok(out)
}

async fn default_address(shared: &Shared, name: &str) -> Result<String, ApiError> {
    let domains = shared.api.directory.list(Kind::Domain).await?;
    match domains.as_slice() {
        [only] => Ok(format!("{name}@{}", only.name)),
        [] => Err(ApiError::Invalid(
            "cannot choose an address: there is no mail domain yet; add one with 'concord domain add DOMAIN'".into(),
        )),
        _ => Err(ApiError::Invalid(
            "cannot choose an address: there are several mail domains; give one with --address".into(),
        )),
    }
}

/// Refuses addresses by which no mail could come, because their domain is
/// somebody else's.
pub(crate) async fn own_domains(shared: &Shared, proxies: &[Proxy]) -> Result<(), ApiError> {
    for proxy in proxies {
        let Some(smtp) = proxy.address.smtp() else { continue };
        let domain: &Domain = smtp.domain();
        if !shared.api.directory.is_local_domain(domain).await? {
            return Err(ApiError::ForeignDomain {
                address: smtp.to_string(),
                domain: domain.to_string(),
            });
        }
    }
    Ok(())
}
