//! APPEND: the message streams from the connection into the store.

use crate::error::{Done, End, Fail, Outcome};
use crate::reader::{read_line, skip_octets, tag_of};
use crate::selected::{Expunges, Told};
use crate::session::{Reply, Session};
use crate::{dates, folders, store_flags};
use concord_base::FolderId;
use concord_store::{Body, FlagSet};
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_types::command::{Command, CommandBody};
use std::sync::Arc;
use tokio::time::timeout;

/// Octets of what may follow the literal: a line end.
const MAX_TAIL: usize = 1_024;
/// Octets handed to the store at once.
const PIECE: usize = 64 * 1024;
/// An unasked literal (LITERAL+) of a refused APPEND is thrown away as it
/// comes, up to so many octets; past that hanging up is kinder to both.
const MAX_REFUSED: u64 = 256 * 1024 * 1024;

/// Where the message goes.
struct Target {
    folder: FolderId,
    flags: FlagSet,
    date: concord_base::Timestamp,
}

/// APPEND, from the head of its literal on. `command` is the codec's reading
/// matter, with an empty message.
pub(crate) async fn run(
    session: &mut Session,
    command: &[u8],
    octets: u64,
    synchronising: bool,
) -> Result<(), End> {
    metrics::counter!("imap_commands_total", "command" => "APPEND").increment(1);
    let tag = tag_of(command);
    let outcome = match target(session, command, octets).await {
        Ok(target) => {
            if synchronising {
                session.connection.push(b"+ ready\r\n");
            }
            take_in(session, target, octets).await
        }
        // the client was not asked for the message, so it does not send it
        Err(fail) if synchronising => Err(fail),
        Err(Fail::End(end)) => return Err(end),
        Err(fail) => refuse(session, octets).await.and(Err(fail)),
    };
    session.finish(&tag, outcome.map(Reply::Ok), Expunges::Tell, Told::default()).await
}

/// Everything that can be wrong before the message is there.
async fn target(session: &mut Session, command: &[u8], octets: u64) -> Outcome<Target> {
    let Ok((_, Command { body: CommandBody::Append { mailbox, flags, date, .. }, .. })) =
        CommandCodec::default().decode(command)
    else {
        return Err(Fail::Bad("unknown command or wrong arguments"));
    };
    session.mailbox()?;
    let limit = session.server.config.message_size_limit;
    if octets > limit.0 {
        return Err(Fail::No("TOOBIG", format!("a message may have at most {limit}")));
    }
    if octets == 0 {
        return Err(Fail::No("CANNOT", "the message is empty".to_owned()));
    }
    let flags = store_flags::flag_set(&flags)?;
    let folder = folders::folder(session, &mailbox, "TRYCREATE").await?;
    let date = date.as_ref().map_or_else(|| session.server.clock.now(), dates::moment);
    Ok(Target { folder: folder.id, flags, date })
}

/// Throws a message away that came unasked.
async fn refuse(session: &mut Session, octets: u64) -> Outcome<()> {
    if octets > MAX_REFUSED {
        return Err(End::Bye("the literal is too large").into());
    }
    skip(session, octets).await?;
    tail(session).await?;
    Ok(())
}

async fn skip(session: &mut Session, octets: u64) -> Outcome<()> {
    let mut missing = octets;
    while missing > 0 {
        let piece = missing.min(u64::try_from(PIECE).unwrap_or(missing));
        let wait = session.server.config.command_timeout;
        timeout(wait, skip_octets(&mut session.connection, piece))
            .await
            .map_err(|_| End::Bye("the message took too long to arrive"))??;
        missing -= piece;
    }
    Ok(())
}

/// The line end behind the literal; whether there was nothing else.
async fn tail(session: &mut Session) -> Outcome<bool> {
    let mut line = Vec::new();
    let wait = session.server.config.command_timeout;
    let fits = timeout(wait, read_line(&mut session.connection, &mut line, MAX_TAIL))
        .await
        .map_err(|_| End::Bye("the end of the command took too long to arrive"))??;
    Ok(fits && line == b"\r\n")
}

/// Why a message on its way in is not kept, though all of it is read.
enum Spoilt {
    Nul,
    Store(Fail),
}

async fn take_in(session: &mut Session, target: Target, octets: u64) -> Outcome {
    let server = Arc::clone(&session.server);
    let mut spoilt = None;
    let mut writer = match server.store.begin_body(Some(octets)).await {
        Ok(writer) => Some(writer),
        Err(error) => {
            spoilt = Some(Spoilt::Store(error.into()));
            None
        }
    };
    let mut missing = octets;
    while missing > 0 {
        if session.connection.input.is_empty() {
            session.connection.flush().await?;
            timeout(server.config.command_timeout, session.connection.fill())
                .await
                .map_err(|_| End::Bye("the message took too long to arrive"))??;
        }
        let have = session.connection.input.len().min(PIECE);
        let take = usize::try_from(missing).unwrap_or(usize::MAX).min(have);
        let piece = session.connection.input.split_to(take).freeze();
        missing -= u64::try_from(take).unwrap_or(missing);
        if memchr::memchr(0, &piece).is_some() {
            // RFC 3501 section 4.3: no string holds a NUL, and none could be sent back
            spoilt.get_or_insert(Spoilt::Nul);
            writer = None;
        }
        if let Some(open) = &mut writer
            && let Err(error) = open.write(piece).await
        {
            spoilt.get_or_insert(Spoilt::Store(error.into()));
            writer = None;
        }
    }
    if !tail(session).await? {
        return Err(Fail::Bad("one APPEND takes one message"));
    }
    match (spoilt, writer) {
        (Some(Spoilt::Nul), _) => Err(Fail::No("CANNOT", "the message has a NUL".to_owned())),
        (Some(Spoilt::Store(fail)), _) => Err(fail),
        (None, Some(writer)) => keep(session, target, writer.finish().await?).await,
        (None, None) => Err(Fail::Bad("the message was not read")),
    }
}

async fn keep(session: &mut Session, target: Target, body: Body) -> Outcome {
    let Target { folder, flags, date } = target;
    let appended = match session.server.store.append(folder, body, flags, date).await {
        Ok(appended) => appended,
        Err(concord_store::StoreError::FolderGone(_)) => {
            return Err(Fail::No("TRYCREATE", "there is no such folder".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    let code = format!("APPENDUID {} {}", appended.uid_validity, appended.uid);
    Ok(Done::with_code(code, "appended"))
}
