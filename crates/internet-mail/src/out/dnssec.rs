//! Whether DNSSEC can be validated here.

use crate::config::Dnssec;
use crate::error::InternetMailError;
use concord_resolver::Builder;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::RecordType;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How often it is tried again: who mends the resolver of a machine waits so
/// long, and servers that cannot are asked no oftener.
const TRY_AGAIN: Duration = Duration::from_secs(300);
/// A name server that does not answer must not hold up mail for each message.
const PROBE: Duration = Duration::from_secs(10);

/// A resolver that validates, as far as its name servers let it.
pub(super) struct Validating {
    resolver: TokioResolver,
    /// The name of the anchor whose keys are asked for.
    anchor: String,
    required: bool,
    works: AtomicBool,
    tried: Mutex<Option<Instant>>,
}

impl Validating {
    /// `None` if it is switched off.
    pub(super) fn new(
        wanted: Dnssec,
        anchors: Option<&Path>,
        builder: impl FnOnce() -> Builder,
    ) -> Result<Option<Self>, InternetMailError> {
        if wanted == Dnssec::Off {
            return Ok(None);
        }
        let (anchors, anchor) = match anchors {
            Some(file) => read(file)?,
            None => (TrustAnchors::default(), ".".to_owned()),
        };
        let mut builder = builder().with_trust_anchor(Arc::new(anchors));
        builder.options_mut().validate = true;
        builder.options_mut().preserve_intermediates = true;
        Ok(Some(Self {
            resolver: concord_resolver::build(builder)?,
            anchor,
            required: wanted == Dnssec::Required,
            works: AtomicBool::new(false),
            tried: Mutex::new(None),
        }))
    }

    pub(super) fn resolver(&self) -> &TokioResolver {
        &self.resolver
    }

    /// Whether the anchor's keys have validated. Once they have it stays so:
    /// else whoever takes signatures away later would switch it off.
    pub(super) async fn works(&self) -> bool {
        if self.required || self.works.load(Ordering::Relaxed) {
            return true;
        }
        let mut tried = self.tried.lock().await;
        if self.works.load(Ordering::Relaxed) {
            return true;
        }
        if tried.is_some_and(|at| at.elapsed() < TRY_AGAIN) {
            return false;
        }
        *tried = Some(Instant::now());
        let asking = self.resolver.lookup(self.anchor.as_str(), RecordType::DNSKEY);
        let works = match tokio::time::timeout(PROBE, asking).await {
            Ok(Ok(keys)) => {
                let mut keys =
                    keys.answers().iter().filter(|r| r.record_type() == RecordType::DNSKEY);
                keys.any(|record| record.proof == Proof::Secure)
            }
            _ => false,
        };
        self.works.store(works, Ordering::Relaxed);
        if !works {
            tracing::warn!(
                "the name servers do not pass DNSSEC on: DANE is not checked until they do"
            );
        }
        works
    }
}

/// Keys of a file, and the name of the first.
fn read(file: &Path) -> Result<(TrustAnchors, String), InternetMailError> {
    let fail = |cause: String| InternetMailError::TrustAnchors { file: file.to_owned(), cause };
    let text = std::fs::read_to_string(file).map_err(|e| fail(e.to_string()))?;
    let anchors = TrustAnchors::from_str(&text).map_err(|e| fail(e.to_string()))?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(';'));
    let name = first.and_then(|line| line.split_whitespace().next());
    let name = name.ok_or_else(|| fail("it has no DNSKEY record".to_owned()))?;
    Ok((anchors, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_read_with_their_name_and_mistakes_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("anchors");
        let key = "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+\
                   KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==";
        std::fs::write(&file, format!("; of a test\ntest. 3600 IN DNSKEY 257 3 13 {key}\n"))
            .unwrap();
        assert_eq!(read(&file).unwrap().1, "test.");
        for wrong in ["", "test. IN A 192.0.2.1\n"] {
            std::fs::write(&file, wrong).unwrap();
            assert!(matches!(read(&file), Err(InternetMailError::TrustAnchors { .. })), "{wrong}");
        }
    }
}
