//! `POST /v1/mailboxes/{name}/messages`: puts a message into a folder, as it
//! was.

use crate::api::{Shared, State as App};
use crate::extract::{Param, Query};
use crate::wire::{AddedMessage, NewMessageQuery};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use concord_base::{FolderId, MailboxId, Timestamp};
use concord_directory::Kind;
use concord_store::{Body, FlagSet, FolderName, Keyword, SystemFlags};
use http_body_util::BodyExt;

/// What a message got in front of it (`Return-Path`, trace) since it came
/// within the size limit.
const TRACE_OCTETS: u64 = 8 << 10;
/// What stands between flags.
const BETWEEN: [char; 2] = [',', ' '];

pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
    Query(query): Query<NewMessageQuery>,
    request: Request,
) -> Result<(StatusCode, Json<AddedMessage>), ApiError> {
    let mailbox: MailboxId = find::object(&shared, Kind::Mailbox, &name).await?.id.into();
    let folder_name = match &query.folder {
        Some(name) => folder_name(name)?,
        None => FolderName::inbox(),
    };
    let date = match &query.date {
        Some(text) => date(text)?,
        None => shared.api.clock.now(),
    };
    let flags = flags(query.flags.as_deref().unwrap_or_default())?;
    let body = read(&shared, request).await?;
    let folder = folder(&shared, mailbox, &folder_name).await?;
    let added = shared.api.store.append(folder, body, flags, date).await?;
    let folder = folder_name.to_string();
    let answer = AddedMessage { folder, uid_validity: added.uid_validity, uid: added.uid };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn folder_name(text: &str) -> Result<FolderName, ApiError> {
    text.parse().map_err(|e: concord_store::ParseFolderNameError| {
        ApiError::Invalid(format!("cannot use the folder: {e}; write levels parted by '/'"))
    })
}

fn date(text: &str) -> Result<Timestamp, ApiError> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| Timestamp(at.as_millisecond())).map_err(|e| {
        ApiError::Invalid(format!(
            "cannot use the date '{text}': {e}; write one like 2026-11-21T09:30:00Z"
        ))
    })
}

fn flags(text: &str) -> Result<FlagSet, ApiError> {
    let mut system = SystemFlags::default();
    let mut keywords = Vec::new();
    for word in text.split(BETWEEN).filter(|word| !word.is_empty()) {
        let known = SystemFlags::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        match known {
            Some((flag, _)) => system = system.union(*flag),
            // RFC 9051 has done away with it; servers told it, nobody set it.
            None if word.eq_ignore_ascii_case("\\Recent") => {}
            None => keywords.push(Keyword::new(word).map_err(|e| {
                ApiError::Invalid(format!(
                    "cannot use the flag: {e}; write \\Seen and the like, or a keyword"
                ))
            })?),
        }
    }
    Ok(FlagSet::new(system, keywords))
}

/// The message as it streams in.
async fn read(shared: &Shared, request: Request) -> Result<Body, ApiError> {
    let limit = shared.api.message_size.saturating_add(TRACE_OCTETS);
    let too_large =
        || ApiError::BodyTooLarge { limit: usize::try_from(limit).unwrap_or(usize::MAX) };
    let told = request.headers().get(CONTENT_LENGTH);
    let expected: Option<u64> = told.and_then(|value| value.to_str().ok()?.parse().ok());
    if expected.is_some_and(|octets| octets > limit) {
        return Err(too_large());
    }
    let mut writer = shared.api.store.begin_body(expected).await?;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| ApiError::BadBody(e.to_string()))?;
        let Ok(octets) = frame.into_data() else { continue };
        if writer.octets().saturating_add(octets.len() as u64) > limit {
            return Err(too_large());
        }
        writer.write(octets).await?;
    }
    if writer.octets() == 0 {
        return Err(ApiError::BadBody("it is empty, where the message should be".to_owned()));
    }
    Ok(writer.finish().await?)
}

/// The folder; made if it is missing.
async fn folder(
    shared: &Shared,
    mailbox: MailboxId,
    name: &FolderName,
) -> Result<FolderId, ApiError> {
    let store = &shared.api.store;
    if let Some(found) = store.folder(mailbox, name).await? {
        return Ok(found.id);
    }
    match store.create_folder(mailbox, name, None).await {
        Ok(made) => Ok(made.id),
        Err(error @ concord_store::StoreError::FolderExists(_)) => {
            // Somebody else made it meanwhile.
            let found = store.folder(mailbox, name).await?;
            found.map(|folder| folder.id).ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_dates_are_read_as_they_are_written() {
        let set = flags("\\seen,$Forwarded  \\Recent \\DELETED").unwrap();
        assert!(set.system.contains(SystemFlags::SEEN.union(SystemFlags::DELETED)));
        assert_eq!(set.keywords().len(), 1);
        assert!(flags("\\Unheard").is_err());
        assert_eq!(date("2026-11-21T09:30:12.345+01:00").unwrap(), Timestamp(1_795_249_812_345));
        assert!(date("yesterday").is_err());
    }
}
