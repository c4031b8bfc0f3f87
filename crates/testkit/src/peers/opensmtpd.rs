//! OpenSMTPD.

use super::enclave::{Enclave, KEEPER};
use super::tree::peer_trees;
use super::{PeerSettings, SUBMISSION, directory_of};
use crate::trouble::{Result, trouble};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

pub(super) fn command(enclave: &Enclave, settings: &PeerSettings) -> Result<(Command, PathBuf)> {
    let program = peer_trees().join("opensmtpd/usr/sbin/smtpd");
    if !program.is_file() {
        return Err(trouble("opensmtpd is not there; run 'cargo xtask peers --fetch'"));
    }
    let boxes = enclave.path().join("smtpd-box");
    directory_of(&boxes, KEEPER)?;
    let (certificate, key) = &settings.certificate;
    // It refuses keys that others could read.
    let own_key = enclave.path().join("smtpd-key.pem");
    std::fs::copy(key, &own_key)?;
    std::fs::set_permissions(&own_key, std::fs::Permissions::from_mode(0o600))?;
    let file = enclave.path().join("smtpd.conf");
    let (name, address) = (&settings.hostname, settings.address);
    let domains: Vec<String> = settings.domains.iter().map(|d| format!("\"{d}\"")).collect();
    let tls = if settings.offers_tls { format!("tls-require pki {name} ") } else { String::new() };
    let text = format!(
        "pki {name} cert \"{}\"\n\
         pki {name} key \"{}\"\n\
         smtp max-message-size 60M\n\
         smtp limit max-mails 10000\n\
         table boxes {{ \"@\" = \"keeper\" }}\n\
         table ours {{ {} }}\n\
         listen on {address} port 25 {tls}hostname {name}\n\
         listen on {address} port {SUBMISSION} hostname {name}\n\
         action \"in\" maildir \"{}\" virtual <boxes>\n\
         action \"out\" relay helo {name} tls\n\
         match from any for domain <ours> action \"in\"\n\
         match from any for any action \"out\"\n",
        certificate.display(),
        own_key.display(),
        domains.join(", "),
        boxes.display(),
    );
    std::fs::write(&file, text)?;
    let mut command = enclave.command(&program);
    command.args(["-d", "-f"]).arg(&file);
    Ok((command, boxes))
}
