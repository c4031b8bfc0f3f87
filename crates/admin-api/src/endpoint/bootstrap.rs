//! `POST /v1/directory/bootstrap`: sets up a new directory.

use super::{domain_add, mailbox_add};
use crate::ApiError;
use crate::api::{Shared, State as App};
use crate::extract::Body;
use crate::wire::{Bootstrap, Bootstrapped, MadeObject, NewMailbox};
use axum::Json;
use axum::extract::State;
use concord_directory::{Details, DirectoryAct, Kind, NewObject, Object};

/// Mailboxes in one request; more belong into a script over `POST /v1/mailboxes`.
const MAX_MAILBOXES: usize = 100;

/// Makes what is missing and leaves what is there, so it can be said again,
/// also after it was cut off half way.
pub(crate) async fn post(
    State(shared): App,
    Body(body): Body<Bootstrap>,
) -> Result<Json<Bootstrapped>, ApiError> {
    if body.mailboxes.len() > MAX_MAILBOXES {
        return Err(ApiError::Invalid(format!(
            "cannot make more than {MAX_MAILBOXES} mailboxes at once; make fewer"
        )));
    }
    // Before anything is made: there is one organisation only, and no way back.
    let domain = domain_add::new_domain(&body.domain)?;
    let domain_name = domain.name.clone();
    let organisations = shared.api.directory.list(Kind::Organisation).await?;
    if let [other, ..] = organisations.as_slice()
        && !other.name.eq_ignore_ascii_case(&body.organisation)
    {
        return Err(ApiError::Invalid(format!(
            "cannot add an organisation: there is '{}' already, and there is only one; use that name",
            other.name
        )));
    }
    let mut report = Bootstrapped::default();
    for (kind, name, details) in [
        (Kind::Organisation, &body.organisation, Details::Organisation),
        (Kind::Site, &body.site, Details::Site),
        (Kind::Server, &body.server, Details::Server),
    ] {
        let new = NewObject {
            name: name.clone(),
            display_name: name.clone(),
            proxies: Vec::new(),
            details,
            attributes: Default::default(),
            policy: Default::default(),
        };
        ensure(&shared, &mut report, kind, new).await?;
    }
    ensure(&shared, &mut report, Kind::Domain, domain).await?;
    for mailbox in body.mailboxes {
        if let Some(found) = shared.api.directory.find(Kind::Mailbox, &mailbox.name).await? {
            report.kept.push(named(&found));
            continue;
        }
        let address = mailbox.address.unwrap_or_else(|| format!("{}@{domain_name}", mailbox.name));
        let mut addresses = vec![address];
        addresses.extend(missing_postmaster(&shared, &domain_name).await?);
        let new = NewMailbox {
            name: mailbox.name,
            display_name: mailbox.display_name,
            addresses,
            password: mailbox.password,
            ..NewMailbox::default()
        };
        report.made.push(named(&*mailbox_add::add(&shared, new).await?));
    }
    Ok(Json(report))
}

/// `postmaster@domain`, if nobody has it yet: every domain must have one (RFC
/// 5321 section 4.5.1), so the first mailbox gets it.
async fn missing_postmaster(shared: &Shared, domain: &str) -> Result<Option<String>, ApiError> {
    let text = format!("postmaster@{domain}");
    let Ok(address) = text.parse() else { return Ok(None) };
    let holder = shared.api.directory.lookup(&address).await?;
    Ok(holder.is_none().then_some(text))
}

async fn ensure(
    shared: &Shared,
    report: &mut Bootstrapped,
    kind: Kind,
    new: NewObject,
) -> Result<(), ApiError> {
    let _writer = shared.api.writer.whole().await;
    if let Some(found) = shared.api.directory.find(kind, &new.name).await? {
        report.kept.push(named(&found));
    } else {
        let added = shared.api.directory.change(DirectoryAct::Add(new)).await?;
        report.made.push(named(&added));
    }
    Ok(())
}

fn named(object: &Object) -> MadeObject {
    MadeObject {
        kind: object.kind().as_str().to_owned(),
        name: object.name.clone(),
        id: object.id.0,
    }
}
