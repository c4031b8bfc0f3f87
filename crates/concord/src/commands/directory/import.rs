//! `concord directory import`

use super::format::Format;
use super::report::{Changed, FailedLine, Report};
use super::{TOGETHER, ldif};
use crate::commands::Run;
use crate::commands::progress::Bar;
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::table::{self, Line, LineError, MAX_TABLE, Planned};
use concord_admin_api::wire::{NewContact, NewMailbox, ObjectView, Patch, SetPassword};
use concord_controller::{ClientError, JsonClient, Method, path_of};
use concord_ldap::ldif::MAX_LDIF;
use std::path::PathBuf;

/// Add, change and remove recipients as a table or an LDIF file says
///
/// The file is CSV as 'concord directory export' writes it, or LDIF (RFC 2849) of
/// entries or changes. A line with a mistake is told with its number and changes
/// nothing; the others go on. What is as the file says already is left alone, so
/// it can be said again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; '-' is stdin
    file: PathBuf,
    /// What it is [default: by its ending, .ldif or .ldf; else CSV]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match Format::of(self.format, Some(&self.file)) {
            Format::Csv => self.table(context),
            Format::Ldif => ldif::import(&self.read(MAX_LDIF)?, self.dry_run, context),
        }
    }
}

fn failed(error: LineError) -> FailedLine {
    FailedLine { line: error.number, cause: error.causes.join("; ") }
}

impl Args {
    fn table(&self, context: &Context) -> Result<(), Failure> {
        let text = String::from_utf8(self.read(MAX_TABLE)?).map_err(|e| self.unreadable(&e))?;
        let (lines, mistakes) = table::read(&text).map_err(|error| {
            Failure::new(
                "directory.table",
                format!("cannot read {}: {error}; correct it, nothing was changed", self.file.display()),
            )
        })?;
        let mut report = Report::default();
        report.failed.extend(mistakes.into_iter().map(failed));
        let (client, bar) = (context.admin()?, Bar::new(context));
        context.block_on(self.carry_out(&client, &bar, &lines, &mut report))?;
        drop(bar);
        report.tell(self.dry_run, context)
    }

    fn unreadable(&self, cause: &dyn std::fmt::Display) -> Failure {
        let file = self.file.display();
        Failure::new(
            "directory.table",
            format!("cannot read {file}: {cause}; give a CSV file in UTF-8, or LDIF (--format ldif)"),
        )
    }

    fn read(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        use std::io::Read;
        let mut octets = Vec::new();
        let from: Box<dyn Read> = if self.file.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(std::fs::File::open(&self.file).map_err(|e| self.unreadable(&e))?)
        };
        from.take(limit + 1).read_to_end(&mut octets).map_err(|e| self.unreadable(&e))?;
        if octets.len() as u64 > limit {
            return Err(self.unreadable(&"it is larger than 256 MiB"));
        }
        Ok(octets)
    }

    async fn carry_out(
        &self,
        client: &JsonClient,
        bar: &Bar,
        lines: &[Line],
        report: &mut Report,
    ) -> Result<(), ClientError> {
        let mut done = 0;
        // Lines that refer to others come behind them; what is removed goes last.
        let phase = |line: &Line| match (line.mode, line.kind) {
            (table::Mode::Delete, _) => 3,
            (_, "container") => 0,
            (_, "list") => 2,
            _ => 1,
        };
        for wanted in 0..=3 {
            let now: Vec<&Line> = lines.iter().filter(|line| phase(line) == wanted).collect();
            // Containers and lists may name each other: one after the other.
            let together = if wanted == 1 { TOGETHER } else { 1 };
            for some in now.chunks(together) {
                bar.at("recipients", done, lines.len());
                let all = some.iter().map(|line| one(client, line, self.dry_run));
                for (line, outcome) in some.iter().zip(futures_util::future::join_all(all).await) {
                    record(line, outcome?, report);
                }
                done += some.len();
            }
        }
        Ok(())
    }
}

/// A line's outcome: what was planned, or why not.
type Outcome = Result<Planned, String>;

fn record(line: &Line, outcome: Outcome, report: &mut Report) {
    let name = format!("{} {}", line.kind, line.name);
    match outcome {
        Ok(Planned::Add { .. }) => report.added.push(name),
        Ok(Planned::Change { told, .. }) => report.changed.push(Changed { name, how: told }),
        Ok(Planned::Remove) => report.removed.push(name),
        Ok(Planned::Nothing) => report.unchanged += 1,
        Err(cause) => report.failed.push(FailedLine { line: line.number, cause }),
    }
}

/// Plans one line and carries it out. What the core refuses is the line's
/// failure; that it cannot be reached is everybody's.
async fn one(client: &JsonClient, line: &Line, dry_run: bool) -> Result<Outcome, ClientError> {
    let path = path_of(line.path, &line.name);
    let there: Option<ObjectView> = match client.get(&path, &[]).await {
        Ok(object) => Some(object),
        Err(ClientError::Refused { status: 404, .. }) => None,
        Err(error) => return Err(error),
    };
    let planned = match table::plan(line, there.as_ref()) {
        Ok(planned) => planned,
        Err(error) => return Ok(Err(error.causes.join("; "))),
    };
    if dry_run {
        return Ok(Ok(planned));
    }
    match act(client, line, &path, &planned).await {
        Ok(()) => Ok(Ok(planned)),
        Err(ClientError::Refused { body, .. }) => Ok(Err(body.to_string())),
        Err(error) => Err(error),
    }
}

async fn act(
    client: &JsonClient,
    line: &Line,
    path: &str,
    planned: &Planned,
) -> Result<(), ClientError> {
    match planned {
        Planned::Nothing => Ok(()),
        Planned::Remove => client.act::<ObjectView>(Method::DELETE, path).await.map(drop),
        Planned::Change { patch, password, .. } => {
            if let Some(password) = password {
                let set = SetPassword { password: Some(password.clone()) };
                let path = format!("{path}/password");
                client.send::<ObjectView>(Method::PUT, &path, &set).await?;
            }
            if **patch == Patch::default() {
                return Ok(());
            }
            client.send::<ObjectView>(Method::PATCH, path, patch).await.map(drop)
        }
        Planned::Add { patch, password } => add(client, line, path, patch, password.clone()).await,
    }
}

/// Mailboxes and contacts have shapes of their own when they are added; what
/// those lack follows as a change.
async fn add(
    client: &JsonClient,
    line: &Line,
    path: &str,
    patch: &Patch,
    password: Option<String>,
) -> Result<(), ClientError> {
    let mut rest = Patch { name: None, ..patch.clone() };
    let mut addresses = std::mem::take(&mut rest.primary_addresses);
    addresses.append(&mut rest.add_addresses);
    let display_name = rest.display_name.take();
    match line.kind {
        "mailbox" => {
            let new = NewMailbox {
                name: line.name.clone(),
                display_name,
                addresses,
                quota: rest.quota.take().flatten(),
                password,
                login_disabled: false,
            };
            client.send::<ObjectView>(Method::POST, line.path, &new).await?;
        }
        "contact" => {
            let new = NewContact {
                name: line.name.clone(),
                display_name,
                target: rest.target.take().unwrap_or_default(),
                addresses,
            };
            client.send::<ObjectView>(Method::POST, line.path, &new).await?;
        }
        "list" => {
            let new = concord_admin_api::wire::NewList {
                name: line.name.clone(),
                display_name,
                addresses,
                members: std::mem::take(&mut rest.add_members),
            };
            client.send::<ObjectView>(Method::POST, line.path, &new).await?;
        }
        _ => {
            let whole = Patch { name: Some(line.name.clone()), ..patch.clone() };
            return client.send::<ObjectView>(Method::POST, line.path, &whole).await.map(drop);
        }
    }
    if rest == Patch::default() {
        return Ok(());
    }
    client.send::<ObjectView>(Method::PATCH, path, &rest).await.map(drop)
}
