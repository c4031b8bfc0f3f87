//! The links: how they are, stopped and started.

use super::error::OrderError;
use super::moment;
use super::wire::{LinkDetails, LinkView, Links, TroubleView, WhichLink};
use crate::settings::LinkSetting;
use crate::shared::Running;
use concord_base::Fault as _;
use concord_nje::{Direction, Name};
use concord_nje_tokio::{LinkHandle, LinkPhase, Trouble};
use std::time::Duration;

/// How long an order waits for a link to be as it was told, so that the answer
/// shows it: signing off takes a moment, opening a few.
const SETTLE: Duration = Duration::from_secs(5);
/// Between looks at it.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn list(running: &Running) -> Links {
    let settings = &running.shared.settings;
    let links = settings.links.iter();
    let view = |link: &LinkSetting| Some(view(link, running.node.link(link.partner)?));
    Links { node: running.node.name().to_string(), links: links.filter_map(view).collect() }
}

pub(super) fn query(running: &Running, which: &WhichLink) -> Result<LinkDetails, OrderError> {
    let (setting, link) = find(running, &which.link)?;
    let messages = running.shared.operators.console.of(setting.partner);
    Ok(LinkDetails { link: view(setting, link), messages })
}

pub(super) async fn run(
    running: &Running,
    which: &WhichLink,
    run: bool,
) -> Result<LinkView, OrderError> {
    let (setting, link) = find(running, &which.link)?;
    let wanted = if run { LinkPhase::Active } else { LinkPhase::Stopped };
    if run {
        link.start().await?
    } else {
        link.stop().await?
    }
    let settled = async {
        while link.status().phase != wanted {
            tokio::time::sleep(LOOK).await;
        }
    };
    // The answer tells how far it came.
    let _ = tokio::time::timeout(SETTLE, settled).await;
    Ok(view(setting, link))
}

/// A link by its partner's name.
pub(super) fn find<'a>(
    running: &'a Running,
    name: &str,
) -> Result<(&'a LinkSetting, &'a LinkHandle), OrderError> {
    let links = &running.shared.settings.links;
    let unknown = || {
        let known: Vec<String> = links.iter().map(|link| link.partner.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        OrderError::NoSuchLink { name: name.to_owned(), known }
    };
    let partner = Name::new(name).map_err(|_| unknown())?;
    let setting = links.iter().find(|link| link.partner.same(&partner)).ok_or_else(unknown)?;
    Ok((setting, running.node.link(partner).ok_or_else(unknown)?))
}

fn view(setting: &LinkSetting, link: &LinkHandle) -> LinkView {
    let status = link.status();
    let state = match status.phase {
        LinkPhase::Active => "active",
        LinkPhase::Opening => "opening",
        LinkPhase::Down => "down",
        LinkPhase::Stopped => "stopped",
    };
    let opened_by = status.opened_by.map(|by| match by {
        Direction::FromOpener => "us".to_owned(),
        Direction::FromListener => "partner".to_owned(),
    });
    let trouble = status.last_trouble.map(|(at, trouble)| TroubleView {
        at: moment(at),
        code: match &trouble {
            Trouble::Closed(reason) => Some(reason.code().to_owned()),
            Trouble::Unreachable(_) => None,
        },
        text: trouble.to_string(),
    });
    LinkView {
        partner: setting.partner.to_string(),
        state: state.to_owned(),
        since: moment(status.since),
        opened_by,
        dial: setting.dial.clone(),
        nodes: setting.nodes.clone(),
        buffer: status.buffer_size,
        streams: setting.settings.streams,
        held: status.held,
        files_waiting: status.jobs_waiting,
        files_going: status.jobs_going,
        files_coming: status.jobs_coming,
        files_sent: status.jobs_sent,
        files_received: status.jobs_received,
        messages_received: status.messages_received,
        octets_sent: status.octets_sent,
        octets_received: status.octets_received,
        trouble,
    }
}
