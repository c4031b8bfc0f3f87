//! Giving mailboxes the addresses that generators make for them.

use crate::api::Shared;
use crate::endpoint::generators_stamp;
use crate::wire::Stamped;
use crate::{AdminApi, ApiError};
use concord_address::{AddressType, GeneratorRule, Names, TypedAddress};
use concord_directory::{Kind, Proxy};
use std::collections::HashSet;

/// Numbers that are tried behind a value that somebody has; as many people of
/// one name are an organisation of their own.
const MAX_VARIANTS: u32 = 10_000;

/// A generator, ready to be used.
pub(crate) struct Stamp {
    pub kind: AddressType,
    rule: GeneratorRule,
}

/// Gives every mailbox the addresses that it lacks, as
/// `POST /v1/generators/stamp` does. The core does so when it starts: a
/// generator may have come while it did not run.
///
/// # Errors
/// The directory could not be read or written.
pub async fn stamp_missing(api: AdminApi) -> Result<Stamped, ApiError> {
    generators_stamp::stamp_all(&Shared::new(api)).await
}

/// All generators of the directory.
pub(crate) async fn all(shared: &Shared) -> Result<Vec<Stamp>, ApiError> {
    let objects = shared.api.directory.list(Kind::Generator).await?;
    let stamps = objects.iter().filter_map(|object| {
        // Both were checked when the object was stored.
        let rule = object.generator()?.rule.parse().ok()?;
        Some(Stamp { kind: object.name.parse().ok()?, rule })
    });
    Ok(stamps.collect())
}

/// Whether there is no address of a type.
pub(crate) fn lacks(proxies: &[Proxy], kind: &AddressType) -> bool {
    !proxies.iter().any(|proxy| proxy.address.kind() == kind)
}

/// Adds the addresses that are missing, primary of their types; gives back how
/// many, and why some could not be made. `taken` has the keys of addresses that
/// are given out but not in the directory yet.
pub(crate) async fn add(
    shared: &Shared,
    stamps: &[Stamp],
    names: &Names,
    proxies: &mut Vec<Proxy>,
    taken: &mut HashSet<String>,
) -> (usize, Vec<String>) {
    let (mut added, mut causes) = (0, Vec::new());
    for stamp in stamps {
        if !lacks(proxies, &stamp.kind) {
            continue;
        }
        match free_address(shared, stamp, names, taken).await {
            Ok(address) => {
                taken.insert(address.key());
                proxies.push(Proxy { address, primary: true });
                added += 1;
            }
            Err(cause) => {
                let kind = &stamp.kind;
                tracing::warn!(mailbox = names.alias, %kind, cause, "no address was generated");
                causes.push(format!("no {kind} address: {cause}"));
            }
        }
    }
    (added, causes)
}

/// The rule's value, with the first number behind it that makes it nobody's.
async fn free_address(
    shared: &Shared,
    stamp: &Stamp,
    names: &Names,
    taken: &HashSet<String>,
) -> Result<TypedAddress, String> {
    let value = stamp.rule.generate(names).map_err(|e| e.to_string())?;
    for number in 1..=MAX_VARIANTS {
        let text = if number == 1 { value.clone() } else { format!("{value}{number}") };
        let address = TypedAddress::new(&stamp.kind, &text).map_err(|e| e.to_string())?;
        if taken.contains(&address.key()) {
            continue;
        }
        match shared.api.directory.lookup(&address).await {
            Ok(None) => return Ok(address),
            Ok(Some(_)) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("'{value}' and {MAX_VARIANTS} variants of it are taken"))
}
