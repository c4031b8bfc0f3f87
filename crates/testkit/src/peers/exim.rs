//! Debian's Exim.

use super::enclave::{EXIM, Enclave, copy_for};
use super::tree::peer_trees;
use super::{PeerSettings, SUBMISSION, directory_of};
use crate::trouble::{Result, trouble};
use std::path::PathBuf;
use std::process::Command;

pub(super) fn command(enclave: &Enclave, settings: &PeerSettings) -> Result<(Command, PathBuf)> {
    let program = peer_trees().join("exim/usr/sbin/exim4");
    if !program.is_file() {
        return Err(trouble("exim is not there; run 'cargo xtask peers --fetch'"));
    }
    let (spool, boxes) = (enclave.path().join("exim"), enclave.path().join("exim-box"));
    directory_of(&spool, EXIM)?;
    directory_of(&boxes, EXIM)?;
    let etc = enclave.path().join("etc/exim4");
    std::fs::create_dir_all(&etc)?;
    let (certificate, key) = &settings.certificate;
    let certificate = copy_for(certificate, &spool.join("certificate.pem"), EXIM)?;
    let key = copy_for(key, &spool.join("key.pem"), EXIM)?;
    // RFC 7672: hosts_require_dane allows no host without TLSA records.
    let text = format!(
        "exim_path = {program}\n\
         primary_hostname = {hostname}\n\
         spool_directory = {spool}\n\
         log_file_path = {spool}/%slog\n\
         pid_file_path =\n\
         local_interfaces = {address}\n\
         daemon_smtp_ports = 25 : {SUBMISSION}\n\
         never_users =\n\
         keep_environment =\n\
         dns_dnssec_ok = 1\n\
         tls_advertise_hosts = {advertise}\n\
         tls_certificate = {certificate}\n\
         tls_privatekey = {key}\n\
         smtputf8_advertise_hosts = *\n\
         message_size_limit = 60M\n\
         smtp_accept_max = 200\n\
         smtp_accept_queue_per_connection = 0\n\
         queue_run_max = 4\n\
         domainlist ours = {domains}\n\
         acl_smtp_rcpt = rcpt\n\
         acl_smtp_data = data\n\
         begin acl\n\
         rcpt:\n  \
         deny condition = ${{if eq{{$received_port}}{{25}}}}\n       \
         condition = ${{if def:tls_in_cipher {{no}}{{{tls}}}}}\n       \
         message = under TLS only\n  \
         accept\n\
         data:\n  accept\n\
         begin routers\n\
         ours:\n  driver = accept\n  domains = +ours\n  transport = box\n\
         out:\n  driver = dnslookup\n  domains = ! +ours\n  transport = out\n  \
         dnssec_request_domains = *\n  ignore_target_hosts =\n  no_more\n\
         begin transports\n\
         box:\n  driver = appendfile\n  directory = {boxes}\n  maildir_format\n  \
         create_directory\n  user = Debian-exim\n\
         out:\n  driver = smtp\n  hosts_require_dane = *\n  hosts_require_tls = *\n\
         begin retry\n* * F,1h,2s\n",
        program = program.display(),
        hostname = settings.hostname,
        spool = spool.display(),
        address = settings.address,
        advertise = if settings.offers_tls { "*" } else { "" },
        tls = if settings.offers_tls { "yes" } else { "no" },
        certificate = certificate.display(),
        key = key.display(),
        domains = settings.domains.join(" : "),
        boxes = boxes.display(),
    );
    std::fs::write(etc.join("exim4.conf"), text)?;
    let mut command = enclave.command(&program);
    command.args(["-bdf", "-q2s"]);
    Ok((command, boxes))
}
