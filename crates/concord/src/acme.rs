//! From `[acme]` to a plan for orders.

use crate::failure::Failure;
use concord_acme::{DnsUpdate, ExternalAccount, Hook, Plan, Proof, TsigKey};
use concord_settings::{Acme, AcmeChallenge, Root, Settings};
use concord_tls::Roots;

/// What is to be ordered; none if `[acme]` does not say. Reads key files.
pub fn plan(root: &Root, settings: &Settings) -> Result<Option<Plan>, Failure> {
    let acme = &settings.acme;
    let Some(directory) = acme.directory.clone() else { return Ok(None) };
    let external_account = match (&acme.external_account_id, &acme.external_account_key_file) {
        (Some(id), Some(file)) => Some(ExternalAccount::read(id.clone(), file)?),
        _ => None,
    };
    Ok(Some(Plan {
        directory,
        contact: acme.contact.clone(),
        names: acme.names_for(&settings.server.hostname),
        proof: proof(acme)?,
        roots: acme.trusted_root.clone().map_or(Roots::System, Roots::File),
        external_account,
        keep_in: root.tls(),
    }))
}

fn proof(acme: &Acme) -> Result<Proof, Failure> {
    let wait = acme.dns_wait;
    let by_dns = |what: &str| {
        Failure::configuration(format!(
            "cannot prove names by dns-01: {what}; set acme.dns-server or acme.hook"
        ))
    };
    Ok(match (acme.challenge, &acme.hook, &acme.dns_server) {
        (AcmeChallenge::Http01, _, _) => Proof::Http01,
        (AcmeChallenge::TlsAlpn01, _, _) => Proof::TlsAlpn01,
        (AcmeChallenge::Dns01, Some(program), _) => {
            Proof::DnsHook { by: Hook { program: program.clone(), time: acme.hook_time }, wait }
        }
        (AcmeChallenge::Dns01, None, Some(server)) => {
            let file = acme.dns_key_file.as_ref().ok_or_else(|| by_dns("it has no key"))?;
            let by = DnsUpdate {
                host: server.host.clone(),
                port: server.port,
                key: TsigKey::read(file)?,
                zone: acme.dns_zone.clone(),
            };
            Proof::DnsUpdate { by, wait }
        }
        (AcmeChallenge::Dns01, None, None) => return Err(by_dns("nothing makes the record")),
    })
}
