//! What an address means here: the directory's word, and what the policy says of
//! local parts that nobody in the directory has.

use super::serve::Submission as Shared;
use concord_address::{SmtpAddress, TypedAddress};
use concord_directory::{DirectoryError, Resolution, Routes, resolve};
use concord_mail_policy::{LocalPart, Policy};

/// What separates a tag where the policy says nothing (RFC 5233).
const SEPARATOR: char = '+';

/// What an address means, by directory and policy. Each of a domain's other
/// names, tags, and who gets what nobody has is looked up once, so no circle of
/// them can be made.
pub(crate) async fn meaning(
    shared: &Shared,
    routes: &Routes,
    address: &TypedAddress,
) -> Result<Resolution, DirectoryError> {
    let policy = shared.config.policy.current();
    let found = look_up(shared, routes, &policy, address).await?;
    let Some(smtp) = address.smtp().filter(|_| found == Resolution::Unknown) else {
        return Ok(found);
    };
    let Some(domain) = policy.local_domain(smtp.domain()) else {
        let Some(postmaster) = policy.postmaster_for(&smtp) else { return Ok(found) };
        return look_up(shared, routes, &policy, &postmaster.clone().into()).await;
    };
    // Under the other name first, then what that domain says of it.
    let (smtp, domain) = match domain.aliased(&smtp) {
        Some(other) => {
            let found = look_up(shared, routes, &policy, &other.clone().into()).await?;
            if found != Resolution::Unknown {
                return Ok(found);
            }
            let of_other = policy.local_domain(other.domain());
            (other, of_other.unwrap_or(domain))
        }
        None => (smtp, domain),
    };
    let instead: SmtpAddress = match domain.unknown(&smtp) {
        LocalPart::Instead(instead) => instead,
        LocalPart::Elsewhere => return Ok(Resolution::Carried(smtp.into())),
        LocalPart::Unknown => match policy.postmaster_for(&smtp) {
            Some(postmaster) => postmaster.clone(),
            None => return Ok(Resolution::Unknown),
        },
    };
    let found = look_up(shared, routes, &policy, &instead.into()).await?;
    Ok(match found {
        // The administrator named it: that is no relaying of the client's.
        Resolution::Elsewhere(address) => Resolution::Carried(address),
        other => other,
    })
}

async fn look_up(
    shared: &Shared,
    routes: &Routes,
    policy: &Policy,
    address: &TypedAddress,
) -> Result<Resolution, DirectoryError> {
    let smtp = address.smtp();
    let domain = smtp.as_ref().and_then(|smtp| policy.local_domain(smtp.domain()));
    let separator = domain.map_or(Some(SEPARATOR), |domain| domain.separator.chars().next());
    resolve(&*shared.directory, routes, &shared.config.hostname, separator, address).await
}
