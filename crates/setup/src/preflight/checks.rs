//! The checks before an installation, one subject a function.

use super::Case;
use crate::doctor::codes;
use crate::manifest::{INTERNET_MAIL, UNIT_NAME, WEB};
use crate::probe;
use crate::resource::directory::name_of;
use crate::survey::entries;
use concord_address::Domain;
use concord_base::ByteSize;
use concord_registry::Manager;
use std::path::Path;

/// unix(7): the longest path of a socket, without its final NUL.
const MAX_SOCKET: usize = 107;
/// The directory's own limit for names.
const MAX_NAME: usize = 64;
/// useradd(8)
const MAX_USER: usize = 32;
/// Room for the program twice (it is kept for going back) and some mail.
const ROOM: u64 = 512 << 20;
/// Ports below this need a privilege (ip(7)).
const PRIVILEGED: u16 = 1024;
/// What a root has of ours.
const OURS: [&str; 9] =
    ["etc", "data", "run", "log", "setup", "services", "releases", "connectors", "current"];

pub(super) fn root(case: &mut Case<'_>) {
    let path = case.host.layout.root().path().to_owned();
    let place = path.display().to_string();
    let Some(text) = path.to_str() else {
        return case.refuse(None, place, "its name is not UTF-8", "choose another --root");
    };
    if path == Path::new("/") {
        return case.refuse(None, text, "it is the whole machine", "choose another --root");
    }
    if path.exists() && !path.is_dir() {
        return case.refuse(None, text, "it is no directory", "choose another --root");
    }
    let longest = format!("{text}/run/deliver-{INTERNET_MAIL}.sock");
    if longest.len() > MAX_SOCKET {
        let seen = format!("{longest} is longer than {MAX_SOCKET} octets, the most for a socket");
        case.refuse(None, text, seen, "choose a shorter --root");
    }
    if let Err(seen) = probe::file_system(&path).and_then(|()| probe::write(&path)) {
        let mend = "choose a --root on a local disk that you may write to";
        case.refuse(Some(&codes::FILE_SYSTEM), text, seen, mend);
    }
    if let Some(free) = case.host.system.free_space(&path)
        && free < ROOM
    {
        let seen = format!("{} free, {} are needed", ByteSize(free), ByteSize(ROOM));
        case.refuse(Some(&codes::SPACE), text, seen, "free some space");
    }
}

pub(super) fn names(case: &mut Case<'_>) {
    let Some((organisation, domain)) = case.options.organisation.clone() else { return };
    let fits = (1..=MAX_NAME).contains(&organisation.len())
        && organisation.trim() == organisation
        && !organisation.chars().any(char::is_control);
    if !fits {
        let seen = format!("'{organisation}' is not 1 to {MAX_NAME} octets of plain text");
        case.refuse(None, "organisation", seen, "choose another --organisation");
    }
    if !matches!(domain.parse(), Ok(Domain::Name(_))) {
        case.refuse(
            None,
            "domain",
            format!("'{domain}' is no DNS name"),
            "choose another --domain",
        );
    }
    let there = case.survey.directory.as_ref().and_then(|d| d.organisation.clone());
    if let Some(there) = there
        && !there.eq_ignore_ascii_case(&organisation)
    {
        let seen = format!("the store at this root is of '{there}', not '{organisation}'");
        let mend = "use that name, or another --root";
        case.refuse(Some(&codes::IDENTITY), "organisation", seen, mend);
    }
}

fn is_user_name(name: &str) -> bool {
    (1..=MAX_USER).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-')
}

pub(super) fn rights(case: &mut Case<'_>) {
    let is_root = rustix::process::geteuid().is_root();
    let installation = case.options.installation.clone();
    if let Some(name) = &installation.user {
        if !is_user_name(name) {
            let seen = format!("'{name}' is no name for a user");
            case.refuse(None, "user", seen, "choose another --user");
        }
        if !is_root {
            let mend = "run as root, or give --no-user";
            case.refuse(None, "user", "only root can make users", mend);
        }
    }
    if installation.manager == Manager::Systemd && !is_root {
        let mend = "run as root, or give --systemd no";
        case.refuse(None, "systemd", "only root can install units", mend);
    }
    if is_root || installation.user.is_some() {
        return;
    }
    let mut low: Vec<u16> = Vec::new();
    let with_web = case.options.components.iter().any(|c| c == WEB);
    for (name, addresses) in case.settings.listen.all() {
        if ["http", "https"].contains(&name) && !with_web {
            continue;
        }
        low.extend(addresses.iter().map(|a| a.port()).filter(|p| (1..PRIVILEGED).contains(p)));
    }
    low.sort_unstable();
    low.dedup();
    if !low.is_empty() {
        let ports: Vec<String> = low.iter().map(ToString::to_string).collect();
        let seen = format!("ports {} need root", ports.join(", "));
        case.refuse(None, "[listen]", seen, "run as root, or set ports above 1023");
    }
}

/// Where a file outside of the root will be made.
pub(super) fn outside(case: &mut Case<'_>) {
    let installation = case.options.installation.clone();
    let unit = installation.unit_directory.filter(|_| installation.manager == Manager::Systemd);
    let link = installation.command_link.as_deref().and_then(Path::parent).map(Path::to_owned);
    for (directory, mend) in [
        (link, "make it, or choose another --link, or give --no-link"),
        (unit, "make it, or give --systemd no"),
    ] {
        let Some(directory) = directory else { continue };
        let place = directory.display().to_string();
        if !directory.is_dir() {
            case.refuse(None, place, "there is no such directory", mend);
        } else if let Err(seen) = probe::write(&directory) {
            case.refuse(Some(&codes::FILE_SYSTEM), place, seen, mend);
        }
    }
    if let Some(link) = installation.command_link
        && std::fs::symlink_metadata(&link).is_ok_and(|found| !found.is_symlink())
    {
        let mend = "move it away, or choose another --link, or give --no-link";
        case.refuse(None, link.display().to_string(), "it is there, and no link", mend);
    }
}

pub(super) fn ports(case: &mut Case<'_>) {
    let with = |component: &str| case.options.components.iter().any(|c| c == component);
    let (with_mail, with_web) = (with(INTERNET_MAIL), with(WEB));
    for (name, addresses) in case.settings.listen.all() {
        let is_opened = match name {
            "smtp" | "submission" | "submissions" => with_mail,
            "http" | "https" => with_web,
            _ => true,
        };
        if !is_opened {
            continue;
        }
        for address in addresses.iter().filter(|a| a.port() != 0) {
            if let Some(holder) = case.host.system.port_holder(*address) {
                let mend = "stop that process, or set another address in [listen]";
                let place = format!("listener {name} {address}");
                case.refuse(Some(&codes::PORT_TAKEN), place, format!("held by {holder}"), mend);
            }
        }
    }
}

pub(super) fn machine(case: &mut Case<'_>) {
    if let Err(seen) = probe::clock(case.host.now(), case.release.built) {
        let mend = "set it (timedatectl set-ntp true)";
        case.refuse(Some(&codes::CLOCK), "clock", seen, mend);
    }
    let name = case.settings.server.hostname.clone();
    if name.contains('.')
        && let Err(seen) = probe::resolves(&name)
    {
        let mend = "add it to the DNS, or other servers may refuse your mail";
        case.note(&codes::NAME_UNRESOLVED, format!("host name {name}"), seen, mend);
    }
}

/// What is there already. It never makes an install fail (Q242762): what stands
/// where Setup needs to write is taken over, the rest is told.
pub(super) fn leftovers(case: &mut Case<'_>) {
    for entry in entries(case.host.layout.root().path()) {
        if !OURS.contains(&name_of(&entry).as_str()) {
            let mend = "it stays; 'concord doctor --fix CC-0201' moves it into quarantine";
            let place = entry.display().to_string();
            case.note(&codes::ORPHAN_PATH, place, "no component owns it", mend);
        }
    }
    for found in entries(&case.host.layout.services()) {
        let mend = "one that is needed is taken over, others 'concord doctor --fix' moves away";
        let seen = "a service record of something that was installed before";
        case.note(&codes::ORPHAN_SERVICE, found.display().to_string(), seen, mend);
    }
    let installation = &case.options.installation;
    if let (Manager::Systemd, Some(directory)) =
        (installation.manager, &installation.unit_directory)
    {
        let unit = directory.join(UNIT_NAME);
        if unit.exists() {
            let seen = "there is a unit of this name already";
            case.note(&codes::ORPHAN_UNIT, unit.display().to_string(), seen, "it is taken over");
        }
    }
}
