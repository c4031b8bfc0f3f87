//! LDIF into and out of the running server, over LDAP on its local socket.

use super::report::{Changed, FailedLine, Report};
use crate::commands::progress::Bar;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use concord_ldap::caller::{Caller, CallerError};
use concord_ldap::ldif::{self, Done, Entry, Import, Kinds, Record};
use std::path::Path;
use tokio::net::UnixStream;

/// Carries out a file, or says what it would do.
pub(super) fn import(octets: &[u8], dry_run: bool, context: &Context) -> Result<(), Failure> {
    let (mut records, mistakes) = ldif::read(octets);
    let mut report = Report::default();
    let failed = mistakes.into_iter();
    report.failed.extend(failed.map(|m| FailedLine { line: m.line, cause: m.cause }));
    let bar = Bar::new(context);
    let work = async {
        let mut caller = connect(context).await?;
        Ok::<_, Failure>(carry_out(&mut caller, &mut records, dry_run, &bar, &mut report).await?)
    };
    runtime()?.block_on(work)?;
    drop(bar);
    report.tell(dry_run, context)
}

/// The entries that are wanted.
pub(super) fn export(wanted: &Kinds, context: &Context) -> Result<Vec<Entry>, Failure> {
    runtime()?.block_on(async {
        let mut caller = connect(context).await?;
        Ok(ldif::export(&mut caller, wanted).await?)
    })
}

async fn connect(context: &Context) -> Result<Caller<UnixStream>, Failure> {
    let socket = context.root()?.ldapi_socket();
    let stream = UnixStream::connect(&socket).await.map_err(|e| unreachable(&socket, &e))?;
    Ok(Caller::local(stream).await?)
}

fn unreachable(socket: &Path, cause: &std::io::Error) -> Failure {
    let message = format!(
        "cannot reach {}: {cause}; start Concord, and run this as root or as the server's user",
        socket.display()
    );
    if cause.kind() == std::io::ErrorKind::PermissionDenied {
        return Failure::new("directory.ldap", message);
    }
    Failure::not_running("directory.ldap", message)
}

async fn carry_out(
    caller: &mut Caller<UnixStream>,
    records: &mut [Record],
    dry_run: bool,
    bar: &Bar,
    report: &mut Report,
) -> Result<(), CallerError> {
    let mut import = Import::new(caller, records, dry_run).await?;
    for (done, record) in records.iter().enumerate() {
        bar.at("entries", done, records.len());
        let (line, name) = (record.line, record.dn.clone());
        match import.one(record).await? {
            Ok(Done::Added) => report.added.push(name),
            Ok(Done::Changed(how)) => report.changed.push(Changed { name, how }),
            Ok(Done::Removed) => report.removed.push(name),
            Ok(Done::Nothing) => report.unchanged += 1,
            Err(cause) => report.failed.push(FailedLine { line, cause }),
        }
    }
    let late = import.finish().await?;
    report.failed.extend(late.into_iter().map(|(line, cause)| FailedLine { line, cause }));
    Ok(())
}
