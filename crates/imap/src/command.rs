//! From a command's octets to the code that runs it.

use crate::error::{Done, End, Fail, Outcome};
use crate::reader::tag_of;
use crate::selected::{Expunges, Told};
use crate::session::{Reply, Session};
use crate::{auth, copy, expunge, fetch, folders, idle, quota, search, select, store_flags, write};
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_types::command::CommandBody;
use imap_types::extensions::enable::CapabilityEnable;

/// Reads and runs one command.
pub(crate) async fn run(session: &mut Session, octets: &[u8]) -> Result<(), End> {
    let codec = CommandCodec::default();
    let command = match codec.decode(octets) {
        Ok(([], command)) => command,
        _ => return session.bad(&tag_of(octets), "unknown command or wrong arguments"),
    };
    let tag = command.tag.inner().to_owned();
    let body = command.body;
    // commands by name, whatever came of them
    metrics::counter!("imap_commands_total", "command" => body.name()).increment(1);
    let (expunges, told) = manners(&body);
    let outcome = execute(session, &tag, body).await;
    session.finish(&tag, outcome, expunges, told).await
}

/// Which news the answer of a command may carry (RFC 3501 section 7.4.1), and how.
fn manners(body: &CommandBody<'_>) -> (Expunges, Told) {
    match body {
        CommandBody::Fetch { uid, .. }
        | CommandBody::Store { uid, .. }
        | CommandBody::Search { uid, .. } => {
            let expunges = if *uid { Expunges::Tell } else { Expunges::Hold };
            (expunges, Told { uid: *uid, modseq: false })
        }
        _ => (Expunges::Tell, Told::default()),
    }
}

async fn execute(session: &mut Session, tag: &str, body: CommandBody<'_>) -> Outcome<Reply> {
    match body {
        CommandBody::Capability => {
            let list = format!("* CAPABILITY {}\r\n", session.capabilities());
            session.connection.push(list.as_bytes());
            Ok(Done::new("done").into())
        }
        CommandBody::Noop => Ok(Done::new("done").into()),
        CommandBody::Logout => {
            session.connection.push(b"* BYE logging out\r\n");
            session.tagged(tag, "OK", "", "goodbye");
            Err(End::Logout.into())
        }
        CommandBody::Id { parameters } => {
            tracing::debug!(?parameters, "the client's ID");
            let id = concat!(
                "* ID (\"name\" \"Concord\" \"version\" \"",
                env!("CARGO_PKG_VERSION"),
                "\")\r\n"
            );
            session.connection.push(id.as_bytes());
            Ok(Done::new("done").into())
        }
        CommandBody::StartTLS => auth::start_tls(session, tag).await,
        CommandBody::Login { username, password } => {
            auth::login(session, username.as_ref(), password.declassify().as_ref()).await
        }
        CommandBody::Authenticate { mechanism, initial_response } => {
            let initial = initial_response.as_ref().map(|r| r.declassify().as_ref());
            auth::authenticate(session, mechanism.as_ref(), initial).await
        }
        body => {
            session.mailbox()?;
            execute_logged_in(session, tag, body).await
        }
    }
}

async fn execute_logged_in(
    session: &mut Session,
    tag: &str,
    body: CommandBody<'_>,
) -> Outcome<Reply> {
    match body {
        CommandBody::Enable { capabilities } => Ok(enable(session, capabilities.as_ref()).into()),
        CommandBody::Namespace => {
            session.connection.push(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
            Ok(Done::new("done").into())
        }
        CommandBody::Select { mailbox, parameters } => {
            select::select(session, &mailbox, &parameters, false).await.map(Reply::Ok)
        }
        CommandBody::Examine { mailbox, parameters } => {
            select::select(session, &mailbox, &parameters, true).await.map(Reply::Ok)
        }
        CommandBody::Unselect => {
            session.selected()?;
            session.selected = None;
            Ok(Done::new("done").into())
        }
        CommandBody::Create { mailbox } => folders::create(session, &mailbox).await.map(Reply::Ok),
        CommandBody::Delete { mailbox } => folders::delete(session, &mailbox).await.map(Reply::Ok),
        CommandBody::Rename { from, to } => {
            folders::rename(session, &from, &to).await.map(Reply::Ok)
        }
        CommandBody::Subscribe { mailbox } => {
            folders::subscribe(session, &mailbox, true).await.map(Reply::Ok)
        }
        CommandBody::Unsubscribe { mailbox } => {
            folders::subscribe(session, &mailbox, false).await.map(Reply::Ok)
        }
        CommandBody::List { reference, mailbox_wildcard } => {
            folders::list(session, &reference, &mailbox_wildcard, false).await.map(Reply::Ok)
        }
        CommandBody::Lsub { reference, mailbox_wildcard } => {
            folders::list(session, &reference, &mailbox_wildcard, true).await.map(Reply::Ok)
        }
        CommandBody::Status { mailbox, item_names } => {
            select::status(session, &mailbox, &item_names).await.map(Reply::Ok)
        }
        CommandBody::Idle => idle::idle(session).await.map(Reply::Ok),
        CommandBody::Compress { .. } => auth::compress(session, tag).await,
        CommandBody::GetQuota { root } => quota::get(session, root.as_ref()).await.map(Reply::Ok),
        CommandBody::GetQuotaRoot { mailbox } => {
            quota::get_root(session, &mailbox).await.map(Reply::Ok)
        }
        CommandBody::SetQuota { .. } => {
            Err(Fail::No("NOPERM", "quotas are set by the administrator".to_owned()))
        }
        body => execute_selected(session, body).await.map(Reply::Ok),
    }
}

async fn execute_selected(session: &mut Session, body: CommandBody<'_>) -> Outcome {
    session.selected()?;
    match body {
        CommandBody::Check => Ok(Done::new("done")),
        CommandBody::Close => expunge::close(session).await,
        CommandBody::Expunge => expunge::expunge(session, None).await,
        CommandBody::ExpungeUid { sequence_set } => {
            expunge::expunge(session, Some(&sequence_set)).await
        }
        CommandBody::Search { charset, criteria, uid } => {
            search::search(session, charset.as_ref(), criteria.as_ref(), uid).await
        }
        CommandBody::Fetch { sequence_set, macro_or_item_names, uid, modifiers } => {
            fetch::fetch(session, &sequence_set, &macro_or_item_names, &modifiers, uid).await
        }
        CommandBody::Store { sequence_set, kind, response, flags, uid, modifiers } => {
            let ask =
                store_flags::Ask { kind, response, flags: &flags, modifiers: &modifiers, uid };
            store_flags::store(session, &sequence_set, ask).await
        }
        CommandBody::Copy { sequence_set, mailbox, uid } => {
            copy::copy(session, &sequence_set, &mailbox, uid).await
        }
        CommandBody::Move { sequence_set, mailbox, uid } => {
            copy::move_items(session, &sequence_set, &mailbox, uid).await
        }
        _ => Err(Fail::Bad("this command is not supported")),
    }
}

/// RFC 5161. What we do not know is passed over in silence.
fn enable(session: &mut Session, capabilities: &[CapabilityEnable<'_>]) -> Done {
    let condstore = capabilities.iter().any(|c| matches!(c, CapabilityEnable::CondStore));
    session.connection.push(if condstore { b"* ENABLED CONDSTORE\r\n" } else { b"* ENABLED\r\n" });
    session.condstore |= condstore;
    Done::new("done")
}

/// A mailbox name as it goes to the client.
pub(crate) fn wire_name(out: &mut Vec<u8>, name: &str) {
    write::string(out, crate::mutf7::encode(name).as_bytes());
}
