//! Search (RFC 4511 section 4.5), with paged results (RFC 2696), sorting (RFC
//! 2891) and windows into sorted results (draft-ietf-ldapext-ldapv3-vlv-09).

mod encode;
mod page;
mod root;
mod scan;
mod selection;
mod sort;
mod window;

pub(crate) use page::Pages;

use crate::client::Client;
use crate::connection::{End, Output};
use crate::filter;
use crate::frame::Request;
use crate::operation::{Done, only_known_controls};
use crate::result::{Code, Outcome, Refusal};
use crate::session::{AnswerControl, Running};
use ldap3_proto::proto::LdapSearchRequest;
use page::Paging;
use scan::{Scan, Scope, Source};
use selection::Selection;
use std::time::Duration;
use tokio::time::Instant;

/// Searches, and writes the entries that are found.
pub(crate) async fn search(
    client: &mut Client,
    id: i32,
    asked: LdapSearchRequest,
    mut request: Request,
    output: &mut Output,
    running: &Running,
) -> Result<Outcome<Done>, End> {
    let began = Instant::now();
    let prepared = match prepare(client, &asked, &mut request).await {
        Ok(Prepared::Alone(entry)) => {
            root::write(&mut output.answer, id, &asked, entry, client);
            return Ok(Ok(Done { result: Refusal::new(Code::Success, ""), controls: Vec::new() }));
        }
        Ok(Prepared::Scan(scan)) => *scan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Plan { mut scan, paging, sorting, window, limits } = prepared;
    let mut controls = Vec::new();
    let deadline = began + limits.time;
    if let Some(keys) = &sorting
        && matches!(scan.source, Source::Candidates { .. })
    {
        match sort::sort(client, &mut scan, keys, deadline, running).await {
            Ok(()) => controls.push(sort::control(Code::Success)),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    let mut left = limits.entries;
    if let Some(window) = &window {
        let (control, entries) = window::cut(client, &mut scan, window);
        controls.push(control);
        left = left.min(entries);
    }
    let ended = scan.write(client, id, output, &mut left, deadline, running).await?;
    let mut result = Refusal::new(Code::Success, "");
    match ended {
        scan::Ended::All => {}
        scan::Ended::Limit if paging.is_some() && limits.is_page => {}
        scan::Ended::Limit if window.is_some() => {}
        scan::Ended::Limit => {
            result = Refusal::new(
                Code::SizeLimitExceeded,
                "there are more entries; ask for pages (RFC 2696) or narrow the filter",
            );
        }
        scan::Ended::Time => {
            result = Refusal::new(Code::TimeLimitExceeded, "the search took too long");
        }
        scan::Ended::Anew => {
            result = Refusal::new(Code::Busy, "the directory was put back, search again");
        }
    }
    if let Some(paging) = paging {
        let more = matches!(ended, scan::Ended::Limit) && limits.is_page;
        let sent = limits.entries.saturating_sub(left);
        controls.push(page::answer(client, paging, scan, sent, more));
    }
    Ok(Ok(Done { result, controls }))
}

enum Prepared {
    /// The root DSE, or the subschema entry.
    Alone(root::Alone),
    Scan(Box<Plan>),
}

struct Plan {
    scan: Scan,
    paging: Option<Paging>,
    sorting: Option<Vec<sort::Key>>,
    window: Option<window::Window>,
    limits: Limits,
}

struct Limits {
    entries: usize,
    /// Whether `entries` is a page, behind which others may come.
    is_page: bool,
    time: Duration,
}

async fn prepare(
    client: &mut Client,
    asked: &LdapSearchRequest,
    request: &mut Request,
) -> Outcome<Prepared> {
    let paging = request.take_control(page::OID).map(|control| page::read(&control)).transpose()?;
    let sort_control = request.take_control(sort::OID);
    let mut window = request.take_control(window::OID).map(|c| window::read(&c)).transpose()?;
    only_known_controls(request)?;
    if let Some(alone) = root::Alone::of(asked)? {
        client.refresh().await?;
        return Ok(Prepared::Alone(alone));
    }
    client.refresh().await?;
    if !client.server.config.anonymous_read {
        client.must_be_somebody()?;
    }
    let sorting = match &sort_control {
        Some(control) => sort::read(control)?,
        None => None,
    };
    if window.is_some() && (sorting.is_none() || paging.is_some()) {
        return Err(Refusal::new(
            Code::UnwillingToPerform,
            "a window needs the sort control, and no pages",
        ));
    }
    if let Some(window) = &mut window {
        window.key = sorting.as_ref().and_then(|keys| keys.first()).copied();
    }
    let mut scan = None;
    if let Some(paging) = &paging
        && !paging.cookie.is_empty()
    {
        scan = Some(page::go_on(client, paging, asked)?);
    }
    let scan = match scan {
        Some(scan) => scan,
        None => begin(client, asked)?,
    };
    let limits = limits(client, asked, paging.as_ref(), &scan);
    Ok(Prepared::Scan(Box::new(Plan { scan, paging, sorting, window, limits })))
}

fn begin(client: &Client, asked: &LdapSearchRequest) -> Outcome<Scan> {
    let catalogue = client.server.follower.read();
    let scope = Scope::of(client, &catalogue, asked)?;
    let Some(filter) = filter::compile(&catalogue, &asked.filter) else {
        return Err(Refusal::new(
            Code::AdminLimitExceeded,
            format!(
                "the filter is deeper than {} or has more than {} conditions",
                filter::MAX_DEPTH,
                filter::MAX_CONDITIONS
            ),
        ));
    };
    let candidates = scope.candidates(&catalogue, &filter);
    Ok(Scan {
        epoch: catalogue.epoch,
        scope,
        filter,
        selection: Selection::of(asked),
        source: Source::Candidates { slots: candidates, next: 0 },
        sent: 0,
        signature: page::signature(asked),
    })
}

fn limits(
    client: &Client,
    asked: &LdapSearchRequest,
    paging: Option<&Paging>,
    scan: &Scan,
) -> Limits {
    let config = &client.server.config;
    let own = if client.access().is_administrator() { usize::MAX } else { config.result_size };
    let wanted = match usize::try_from(asked.sizelimit) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit.saturating_sub(scan.sent),
    };
    let (mut entries, mut is_page) = (wanted.min(own), false);
    if let Some(page) = paging
        && page.size > 0
        && page.size < wanted
    {
        (entries, is_page) = (page.size.min(own), true);
    }
    let time = match u64::try_from(asked.timelimit) {
        Ok(0) | Err(_) => config.search_time,
        Ok(seconds) => config.search_time.min(Duration::from_secs(seconds)),
    };
    Limits { entries, is_page, time }
}

/// A control of an answer.
fn control(oid: &'static str, write: impl FnOnce(&mut crate::ber::Writer)) -> AnswerControl {
    let mut writer = crate::ber::Writer::default();
    let open = writer.open(crate::ber::SEQUENCE);
    write(&mut writer);
    writer.close(open);
    AnswerControl { oid, value: writer.out }
}
