//! GETQUOTA and GETQUOTAROOT, RFC 9208. A mailbox has one root, named "".

use crate::command::wire_name;
use crate::error::{Done, Fail, Outcome};
use crate::folders;
use crate::session::Session;
use imap_types::mailbox::Mailbox;
use std::sync::Arc;

async fn write_quota(session: &mut Session) -> Outcome<()> {
    let server = Arc::clone(&session.server);
    let quota = server.store.quota(session.mailbox()?).await?;
    // STORAGE counts units of 1,024 octets
    let line = match quota.limit {
        Some(limit) => {
            format!("* QUOTA \"\" (STORAGE {} {})\r\n", quota.used.div_ceil(1024), limit / 1024)
        }
        None => "* QUOTA \"\" ()\r\n".to_owned(),
    };
    session.connection.push(line.as_bytes());
    Ok(())
}

/// GETQUOTA
pub(crate) async fn get(session: &mut Session, root: &[u8]) -> Outcome {
    if !root.is_empty() {
        return Err(Fail::No("NONEXISTENT", "the only quota root is \"\"".to_owned()));
    }
    write_quota(session).await?;
    Ok(Done::new("done"))
}

/// GETQUOTAROOT
pub(crate) async fn get_root(session: &mut Session, mailbox: &Mailbox<'_>) -> Outcome {
    let folder = folders::folder(session, mailbox, "NONEXISTENT").await?;
    let out = &mut session.connection.out;
    out.extend_from_slice(b"* QUOTAROOT ");
    wire_name(out, folder.name.as_str());
    out.extend_from_slice(b" \"\"\r\n");
    write_quota(session).await?;
    Ok(Done::new("done"))
}
