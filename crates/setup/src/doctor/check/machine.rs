//! The machine: clock, ports, file system, name.

use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::probe;
use std::net::SocketAddr;

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if case.survey.known().is_none() {
        return Ok(findings);
    }
    findings.extend(probe::clock(case.host.now(), case.release.built).err().map(|seen| Finding {
        code: &codes::CLOCK,
        place: "clock".to_owned(),
        seen,
        mend: Mend::Advice("set it, best by NTP (timedatectl set-ntp true)".to_owned()),
    }));
    findings.extend(ports(case));
    findings.extend(probe::file_system(case.host.layout.root().path()).err().map(|seen| Finding {
        code: &codes::FILE_SYSTEM,
        place: case.host.layout.root().path().display().to_string(),
        seen,
        mend: Mend::Advice("put the root on a local file system that can be written".to_owned()),
    }));
    if let (true, Ok(settings)) = (case.deep, &case.survey.settings) {
        findings.extend(probe::resolves(&settings.server.hostname).err().map(|seen| Finding {
            code: &codes::NAME_UNRESOLVED,
            place: settings.server.hostname.clone(),
            seen,
            mend: Mend::Advice("add it to the DNS, or correct server.hostname".to_owned()),
        }));
    }
    Ok(findings)
}

/// While the controller runs it holds them; failures show as services then.
fn ports(case: &Case<'_>) -> Vec<Finding> {
    let Ok(settings) = &case.survey.settings else { return Vec::new() };
    if case.survey.services.is_some() {
        return Vec::new();
    }
    let mut wanted: Vec<(String, SocketAddr)> = settings
        .listen
        .all()
        .into_iter()
        .flat_map(|(name, all)| all.iter().map(move |address| (name.to_owned(), *address)))
        .collect();
    for record in case.survey.records.iter().filter_map(|found| found.record.as_ref().ok()) {
        for (name, address) in &record.addresses {
            wanted.extend(
                address.parse().ok().map(|address| (format!("{}.{name}", record.service), address)),
            );
        }
    }
    wanted
        .into_iter()
        .filter_map(|(name, address)| {
            let holder = case.host.system.port_holder(address)?;
            Some(Finding {
                code: &codes::PORT_TAKEN,
                place: format!("listener {name} {address}"),
                seen: format!("held by {holder}"),
                mend: Mend::Advice(
                    "stop that process, or change [listen] in etc/concord.toml".to_owned(),
                ),
            })
        })
        .collect()
}
