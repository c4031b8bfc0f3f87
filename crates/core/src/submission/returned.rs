//! Reports on mail that was passed on: they come to the sender as it was
//! rewritten when the mail left (SRS), and go on to whom it really is.

use super::meaning::meaning;
use super::serve::Submission as Shared;
use concord_address::{SmtpAddress, TypedAddress};
use concord_directory::{Resolution, Routes};
use concord_smtp::Reply;

/// Whom an address means that was rewritten here; `None` if it is none. Only
/// reports find the way back, for nobody else has been given the address: `null`
/// is whether the reverse-path is empty. What is forged, damaged or too old
/// nobody has.
///
/// # Errors
/// The reply, if the secret or the directory cannot be read.
pub(crate) async fn returned(
    shared: &Shared,
    routes: &Routes,
    given: &TypedAddress,
    null: bool,
) -> Result<Option<Resolution>, Reply> {
    let Some(smtp) = given.smtp().filter(looks_rewritten) else { return Ok(None) };
    let srs = shared.config.srs.get().map_err(|error| {
        tracing::error!(%error, "a report on mail that was passed on finds no way back");
        Reply::from_fault(&error)
    })?;
    let text = format!("{}@{}", smtp.local_part(), smtp.domain());
    if !srs.is_rewritten(&text) {
        return Ok(None);
    }
    let original = match srs.reverse(&text, shared.clock.now()) {
        Ok(original) if null => unquoted(&original),
        Ok(_) => None,
        Err(error) => {
            tracing::info!(to = %smtp, %error, "a rewritten sender is not known");
            None
        }
    };
    let Some(original) = original else { return Ok(Some(Resolution::Unknown)) };
    let found = meaning(shared, routes, &original.into()).await;
    Ok(Some(match found.map_err(|error| Reply::from_fault(&error))? {
        // That it was rewritten here is what lets it through: no relaying.
        Resolution::Elsewhere(address) => Resolution::Carried(address),
        other => other,
    }))
}

/// Spares the secret's file to those who never need it.
fn looks_rewritten(address: &SmtpAddress) -> bool {
    let tag = address.local_part().get(..3);
    tag.is_some_and(|tag| tag.eq_ignore_ascii_case("SRS"))
}

/// An address whose local part is written without quotes.
fn unquoted(text: &str) -> Option<SmtpAddress> {
    let (local, domain) = text.rsplit_once('@')?;
    let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"@{domain}").parse().ok()
}
