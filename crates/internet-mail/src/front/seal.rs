//! A seal on what passes through (ARC, RFC 8617): whoever gets it from a list or
//! a forwarding of ours, where its signature no longer fits, can see what we saw.

use super::session::Front;
use bytes::Bytes;
use concord_mail_authentication::Results;
use metrics::counter;

impl Front {
    /// The fields to put in front of a stranger's message; none if it cannot be
    /// sealed, which keeps no message from passing.
    pub(super) fn seal(&self, message: &Bytes, results: &Results) -> Option<String> {
        let us = &self.service.config.hostname;
        let signing = self.service.keys.current();
        let signer = signing.signer();
        let sealed = match signer.domain_for(us) {
            Some(domain) => signer.seal(domain, us, message, results),
            None => Ok(None),
        };
        let (fields, result) = match sealed {
            Ok(Some(fields)) => (Some(fields), "sealed"),
            Ok(None) => {
                tracing::warn!(host = us, "no RSA key seals for this host; see 'concord dkim add'");
                (None, "no-key")
            }
            Err(error) => {
                tracing::info!(client = %self.client, %error, "not sealed");
                (None, "not-sealed")
            }
        };
        counter!("concord_seals_total", "result" => result).increment(1);
        fields
    }
}
