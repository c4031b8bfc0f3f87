//! The certificates that a server can have, as they are on the disk.

use concord_base::Timestamp;
use concord_settings::{Root, Settings};
use concord_tls::{CertificateFacts, CertificateFiles, TlsError};
use serde::Serialize;

/// A certificate on the disk.
pub struct Known {
    /// `given`, `ordered` or `self-made`.
    pub from: &'static str,
    /// Its files.
    pub files: CertificateFiles,
    /// What it says, or why it cannot be used.
    pub facts: Result<CertificateFacts, TlsError>,
}

/// The same for `--json`.
#[derive(Serialize)]
pub struct View<'a> {
    from: &'a str,
    in_use: bool,
    certificate: String,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

/// What there is, the best first: the first one that can be used is in use.
/// One that is not there yet is left out.
pub fn known(root: &Root, settings: &Settings) -> Vec<Known> {
    let mut all = Vec::new();
    if let Some(files) = crate::setup::given_certificate(settings) {
        all.push(("given", files));
    } else {
        if settings.acme.is_on() {
            all.push(("ordered", concord_tls::ordered_files(&root.tls())));
        }
        all.push(("self-made", concord_tls::self_made_files(&root.tls())));
    }
    all.into_iter()
        .filter(|(from, files)| *from == "given" || files.certificate.exists())
        .map(|(from, files)| Known { from, facts: concord_tls::facts(&files), files })
        .collect()
}

/// Which of them services show.
pub fn in_use(all: &[Known]) -> Option<&Known> {
    all.iter().find(|known| known.facts.is_ok())
}

impl Known {
    /// For `--json`.
    pub fn view(&self, in_use: bool) -> View<'_> {
        let facts = self.facts.as_ref().ok();
        View {
            from: self.from,
            in_use,
            certificate: self.files.certificate.display().to_string(),
            key: self.files.key.display().to_string(),
            error: self.facts.as_ref().err().map(ToString::to_string),
            names: facts.map(|f| f.names.as_slice()),
            serial: facts.map(|f| f.serial.as_str()),
            issuer: facts.map(|f| f.issuer.as_str()),
            fingerprint: facts.map(|f| f.fingerprint.as_str()),
            not_before: facts.map(|f| f.not_before),
            not_after: facts.map(|f| f.not_after),
        }
    }
}

/// A moment for people, UTC.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_else(|_| at.0.to_string())
}
