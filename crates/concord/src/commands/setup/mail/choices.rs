//! What can be chosen, by flags or by a file of answers.

use crate::failure::Failure;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// An answer file is some kilobytes.
const MAX_OCTETS: u64 = 1 << 20;

/// What can be chosen by flags. What is not said stays as it is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choices {
    /// The full name of this server
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,
    /// An address by which the Internet reaches it, if that is not the machine's own (may be given
    /// several times)
    #[arg(long, value_name = "IP")]
    pub address: Vec<IpAddr>,
    /// A domain that mail is taken for (may be given several times); those that are there stay
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Vec<String>,
    /// Who gets mail to postmaster and abuse of every domain, and reports
    #[arg(long, value_name = "ADDRESS")]
    pub administrator: Option<String>,
    /// Hand all outgoing mail to this host
    #[arg(long, value_name = "HOST[:PORT]", conflicts_with = "direct")]
    pub smart_host: Option<String>,
    /// User name at the smart host
    #[arg(long, value_name = "NAME", requires = "smart_host_password_file")]
    pub smart_host_user: Option<String>,
    /// File whose first line is the password there
    #[arg(long, value_name = "FILE", requires = "smart_host_user")]
    pub smart_host_password_file: Option<PathBuf>,
    /// opportunistic, required, implicit or off
    #[arg(long, value_name = "WORD")]
    pub smart_host_tls: Option<String>,
    /// Deliver to the domains' own exchangers
    #[arg(long)]
    pub direct: bool,
    /// The certificate with its chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// Order a certificate from the authority with this directory (ACME); see --accept-terms
    #[arg(long, value_name = "URL", conflicts_with = "certificate")]
    pub acme_directory: Option<String>,
    /// You agree to the authority's terms of service
    #[arg(long, requires = "acme_directory")]
    pub accept_terms: bool,
    /// Make no keys to sign mail with
    #[arg(long)]
    pub no_dkim: bool,
}

/// The same in a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MailAnswers {
    hostname: Option<String>,
    addresses: Vec<IpAddr>,
    domains: Vec<String>,
    administrator: Option<String>,
    /// An empty text is none.
    smart_host: Option<String>,
    smart_host_user: Option<String>,
    smart_host_password_file: Option<PathBuf>,
    smart_host_tls: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    acme_directory: Option<String>,
    accept_terms: bool,
    dkim: Option<bool>,
}

impl MailAnswers {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |cause: String| {
            Failure::configuration(format!(
                "cannot use the answers in {}: {cause}; 'concord setup mail --help' tells what \
                 they may say",
                path.display()
            ))
        };
        let size = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
        if size > MAX_OCTETS {
            return Err(failed(format!("it is larger than {MAX_OCTETS} octets")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
        let answers: Self = toml::from_str(&text).map_err(|e| failed(e.to_string()))?;
        if answers.smart_host_user.is_some() != answers.smart_host_password_file.is_some() {
            return Err(failed("smart-host-user and its password file belong together".into()));
        }
        if answers.certificate.is_some() != answers.key.is_some() {
            return Err(failed("certificate and key belong together".into()));
        }
        Ok(answers)
    }
}

impl Choices {
    /// What flags did not say the file says.
    pub fn fill(&mut self, answers: MailAnswers) {
        fn take<T>(mine: &mut Option<T>, theirs: Option<T>) {
            if mine.is_none() {
                *mine = theirs;
            }
        }
        take(&mut self.hostname, answers.hostname);
        take(&mut self.administrator, answers.administrator);
        take(&mut self.smart_host_user, answers.smart_host_user);
        take(&mut self.smart_host_password_file, answers.smart_host_password_file);
        take(&mut self.smart_host_tls, answers.smart_host_tls);
        if self.certificate.is_none() {
            take(&mut self.certificate, answers.certificate);
            take(&mut self.key, answers.key);
        }
        if self.certificate.is_none() && self.acme_directory.is_none() {
            self.acme_directory = answers.acme_directory;
            self.accept_terms |= answers.accept_terms;
        }
        match answers.smart_host.as_deref() {
            Some("") if self.smart_host.is_none() => self.direct = true,
            Some(host) if !self.direct => take(&mut self.smart_host, Some(host.to_owned())),
            _ => {}
        }
        if self.address.is_empty() {
            self.address = answers.addresses;
        }
        if self.domain.is_empty() {
            self.domain = answers.domains;
        }
        self.no_dkim |= answers.dkim == Some(false);
    }
}
