//! The listing of this organisation as a file for the hosts.

use super::store::Store;
use crate::shared::Running;
use crate::spool::{Stamp, job_of};
use concord_base::{Fault, Retry};
use concord_cms_mail::netdata::{FileName, NetdataFile, Transmission, WriteNetdataError};
use concord_cms_mail::{CmsName, HostAddress, TextRules, outgoing, write_lines};
use concord_connector::ApiError;
use concord_ebcdic::EbcdicError;
use concord_nje_tokio::{OutgoingJob, SendError};
use std::time::Duration;

/// The file's name and type at the host.
const FILE: (&str, &str) = ("CONCORD", "NAMES");
/// How long a host may take to take the file over. One that is away gets it with
/// the next run.
const PATIENCE: Duration = Duration::from_secs(600);
/// A host did not get the file.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("no link leads there; name the node in nodes= of a link")]
    NoWay,
    #[error(transparent)]
    Netdata(#[from] WriteNetdataError),
    #[error(transparent)]
    Text(#[from] EbcdicError),
    #[error("a name does not fit into the headers of NJE")]
    Header,
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("it was not taken over within ten minutes")]
    Silent,
    #[error(transparent)]
    Core(#[from] ApiError),
}

impl Fault for NotSent {
    fn code(&self) -> &'static str {
        match self {
            Self::NoWay => "ovvm.no-way",
            Self::Netdata(error) => error.code(),
            Self::Text(error) => error.code(),
            Self::Header => "ovvm.directory-header",
            Self::Send(error) => error.code(),
            Self::Silent => "ovvm.directory-silent",
            Self::Core(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoWay => Retry::Operator,
            Self::Netdata(error) => error.retry(),
            Self::Text(error) => error.retry(),
            Self::Header => Retry::Bug,
            Self::Send(error) => error.retry(),
            Self::Silent => Retry::Temporary,
            Self::Core(error) => error.retry(),
        }
    }
}

/// Sends every host the file that it does not have; with `in_any_case`, also one
/// that it has.
pub(super) async fn to_all_hosts(running: &Running, in_any_case: bool) {
    for host in &running.shared.settings.directory_hosts {
        match to(running, host, in_any_case).await {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(audience = "operator", %host, "the host has our directory");
            }
            Err(error) => {
                let text = format!(
                    "cannot send the directory to {host}: {error}; it is sent with the next \
                     synchronisation"
                );
                running.shared.notice("ovvm.directory-not-sent", &text).await;
            }
        }
    }
}

/// Whether it was sent, and taken over.
async fn to(running: &Running, host: &HostAddress, in_any_case: bool) -> Result<bool, NotSent> {
    let store = Store { api: &running.shared.api };
    let Some((generation, text)) = store.own_for(host, in_any_case).await? else {
        return Ok(false);
    };
    let link = running.link_to(host.node()).ok_or(NotSent::NoWay)?;
    let job = job(running, host, generation, &text)?;
    match tokio::time::timeout(PATIENCE, link.send(job)).await {
        Ok(sent) => sent?,
        Err(_) => return Err(NotSent::Silent),
    }
    store.own_taken(host, generation).await?;
    Ok(true)
}

fn job(
    running: &Running,
    host: &HostAddress,
    generation: u64,
    text: &str,
) -> Result<OutgoingJob, NotSent> {
    let settings = &running.shared.settings;
    let rules: TextRules = settings.text();
    let written = write_lines(text.lines(), &rules)?;
    let name = CmsName::new(FILE.0, FILE.1).map_or(FileName::Note, FileName::Cms);
    let now = running.shared.instant();
    let sent = Transmission {
        origin: Some(settings.directory_user.clone()),
        recipients: vec![host.clone()],
        sent: Some(now),
        acknowledge: None,
        files: vec![NetdataFile::varying(name, written.records)],
        ..Transmission::default()
    };
    let file = outgoing::transmission(&sent, host, now)?;
    // A generation that is sent again is a file of its own: the host may have lost
    // the one before.
    let stamp = Stamp::of(&format!("listing-{generation}"), &host.to_string(), 0, now);
    job_of(&file, stamp, 0).ok_or(NotSent::Header)
}
