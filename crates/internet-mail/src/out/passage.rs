//! What is done to a message on its way through: senders rewritten, a signature
//! in front.
//!
//! A signature stands in front of what it is made of, so a message that gets one
//! is held in memory whole; no other is. The header is gathered first, because
//! it says who the author is. All messages that are held share one bound, and
//! a message waits for its room in it before it is held.

use super::OutService;
use super::deliver::Outbound;
use super::error::OutError;
use super::keys::Signing;
use super::rewrite::Rewriter;
use bytes::Bytes;
use concord_address::SmtpAddress;
use concord_connector::Outcome;
use concord_mail_authentication::Signer;
use concord_smtp::Xforward;
use metrics::counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Octets of a header that are gathered; what an author is looked for in. Real
/// ones with hundreds of trace lines stay below a tenth of it.
const MAX_HEADER: usize = 256 * 1024;
/// What a message may grow by when its senders are rewritten.
const GROWTH: u64 = 64 * 1024;
/// How long a message waits for room to be held.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets that are handed over at a time.
const PIECE: usize = 64 * 1024;
/// The unit in which the memory of held messages is counted.
const UNIT: u64 = 1024;
/// Memory for held messages, if the largest message leaves it at that.
const ROOM: u64 = 64 * 1024 * 1024;

/// The room for held messages in units: for the largest one that the core may
/// bring, whatever else there is.
pub(super) fn room(largest: u64) -> usize {
    let units = largest.saturating_add(GROWTH).max(ROOM).div_ceil(UNIT);
    usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

/// Whose a message is (XFORWARD SOURCE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    /// `LOCAL`: its sender is proven to be one of ours.
    Ours,
    /// `REMOTE`: it came from outside and is passed on to somebody whom its
    /// sender did not name.
    PassedOn,
    /// Not said: a host that may relay had it brought here.
    #[default]
    Relayed,
}

impl Source {
    pub(super) fn of(attributes: &Xforward) -> Self {
        match attributes.source.as_deref() {
            Some(word) if word.eq_ignore_ascii_case("LOCAL") => Self::Ours,
            Some(word) if word.eq_ignore_ascii_case("REMOTE") => Self::PassedOn,
            _ => Self::Relayed,
        }
    }
}

/// Where a message is on its way.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// Nothing is left to do: pieces go through.
    #[default]
    Through,
    /// The header is gathered.
    Header { gathered: Vec<u8>, wanted: Wanted },
    /// All of it is held to be signed.
    Held { message: Vec<u8>, octets: u64, signing: Arc<Signing>, _room: OwnedSemaphorePermit },
}

/// What may have to be done.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    rewriter: Option<Arc<Rewriter>>,
    signing: Option<Arc<Signing>>,
}

impl OutService {
    /// Where a message begins.
    pub(super) fn stage(&self, source: Source) -> Stage {
        let signs = source == Source::Ours && self.config.policy.current().signing.enabled;
        let signing = signs.then(|| self.keys.current()).filter(|signing| !signing.is_idle());
        let rewriter = self.rewriter().filter(|_| source != Source::PassedOn);
        if signing.is_none() && rewriter.is_none() {
            return Stage::Through;
        }
        Stage::Header { gathered: Vec::new(), wanted: Wanted { rewriter, signing } }
    }

    /// Waits for room to hold a message.
    async fn hold(&self, octets: u64) -> Result<OwnedSemaphorePermit, OutError> {
        let units = u32::try_from(octets.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.held).acquire_many_owned(units);
        match timeout(PATIENCE, room).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(OutError::NoRoom),
        }
    }

    /// The sender as the next host is told it.
    ///
    /// # Errors
    /// The secret of rewritten addresses cannot be used.
    pub(super) async fn told_sender(
        self: &Arc<Self>,
        sender: SmtpAddress,
        source: Source,
        to_ours: bool,
    ) -> Result<SmtpAddress, OutError> {
        if source != Source::PassedOn {
            let other = self.rewriter().and_then(|rewriter| rewriter.address(&sender));
            return Ok(other.unwrap_or(sender));
        }
        // The other system of a domain of ours believes us anyway.
        if to_ours || !self.config.policy.current().authentication.rewrite_forwarded {
            return Ok(sender);
        }
        let Some(file) = self.config.srs.clone() else { return Ok(sender) };
        let now = self.clock.now();
        let text = format!("{}@{}", sender.local_part(), sender.domain());
        let rewritten =
            tokio::task::spawn_blocking(move || file.get().map(|srs| srs.forward(&text, now)));
        let rewritten = match rewritten.await {
            Ok(rewritten) => rewritten.map_err(OutError::Authentication)?,
            Err(_) => return Err(OutError::NoRoom),
        };
        match rewritten.map(|text| unquoted(&text)) {
            Ok(Some(other)) => Ok(other),
            // Too long to be rewritten: it is passed on as it is.
            Ok(None) | Err(_) => Ok(sender),
        }
    }
}

/// An address whose local part is written without quotes.
fn unquoted(text: &str) -> Option<SmtpAddress> {
    let (local, domain) = text.rsplit_once('@')?;
    let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"@{domain}").parse().ok()
}

/// Where the body begins, if the header ends in what is there.
fn header_end(message: &[u8], looked: usize) -> Option<usize> {
    if message.starts_with(b"\r\n") {
        return Some(2);
    }
    let from = looked.saturating_sub(3);
    let rest = message.get(from..)?;
    memchr::memmem::find(rest, b"\r\n\r\n").map(|at| from.saturating_add(at).saturating_add(4))
}

impl Outbound {
    /// A piece of the message, wherever it is on its way.
    pub(super) async fn pass(&mut self, piece: Bytes) -> Result<(), Outcome> {
        match &mut self.stage {
            Stage::Through => self.send(piece).await,
            Stage::Header { gathered, .. } => {
                let looked = gathered.len();
                gathered.extend_from_slice(&piece);
                match header_end(gathered, looked) {
                    Some(end) => self.header_done(end).await,
                    None if gathered.len() < MAX_HEADER => Ok(()),
                    None => {
                        let end = gathered.len();
                        self.header_done(end).await
                    }
                }
            }
            Stage::Held { message, octets, .. } => {
                message.extend_from_slice(&piece);
                if message.len() as u64 > *octets {
                    return Err(OutError::Longer.outcome());
                }
                Ok(())
            }
        }
    }

    /// The header is there: its senders are rewritten, and it is known whether
    /// the message is signed.
    async fn header_done(&mut self, end: usize) -> Result<(), Outcome> {
        let Stage::Header { gathered, wanted } = std::mem::take(&mut self.stage) else {
            return Ok(());
        };
        let (header, rest) = gathered.split_at_checked(end).unwrap_or((gathered.as_slice(), &[]));
        let header = match &wanted.rewriter {
            Some(rewriter) => rewriter.header(header),
            None => header.into(),
        };
        let author = wanted.signing.as_ref().and_then(|_| Signer::author_domain(&header));
        let signs = match (&wanted.signing, &author) {
            (Some(signing), Some(author)) => signing.signs(author).map_err(|cause| {
                OutError::SigningKeys { author: author.clone(), cause }.outcome()
            })?,
            _ => false,
        };
        if let (true, Some(signing)) = (signs, wanted.signing) {
            let octets = self.mail.size.unwrap_or(self.service.config.message_size);
            let octets = octets.saturating_add(GROWTH);
            let room = self.service.hold(octets).await.map_err(|error| error.outcome())?;
            let mut message = Vec::with_capacity(usize::try_from(octets).unwrap_or_default());
            message.extend_from_slice(&header);
            message.extend_from_slice(rest);
            self.stage = Stage::Held { message, octets, signing, _room: room };
            return Ok(());
        }
        self.begin_remote().await?;
        self.send_all(Bytes::from(header.into_owned())).await?;
        self.send_all(Bytes::copy_from_slice(rest)).await
    }

    /// The message has ended: what is still here goes out.
    pub(super) async fn let_go(&mut self) -> Result<(), Outcome> {
        if let Stage::Header { gathered, .. } = &self.stage {
            let end = gathered.len();
            self.header_done(end).await?;
        }
        let Stage::Held { message, signing, _room, .. } = std::mem::take(&mut self.stage) else {
            return Ok(());
        };
        let now = self.service.clock.now();
        // Some milliseconds of arithmetic for each key, and the whole body.
        let signed = tokio::task::spawn_blocking(move || {
            let fields = signing.signer().sign(&message, now);
            (message, fields)
        });
        let (message, fields) = signed.await.map_err(|_| OutError::NoRoom.outcome())?;
        let fields = match fields {
            Ok(Some(fields)) => fields,
            Ok(None) => {
                let cause = "the key is gone".to_owned();
                return Err(OutError::SigningKeys { author: String::new(), cause }.outcome());
            }
            Err(error) => {
                counter!("concord_outbound_signed_total", "result" => "failed").increment(1);
                tracing::error!(%error, "a message cannot be signed; it waits");
                return Err(OutError::Authentication(error).outcome());
            }
        };
        counter!("concord_outbound_signed_total", "result" => "signed").increment(1);
        self.begin_remote().await?;
        self.send_all(Bytes::from(fields)).await?;
        self.send_all(Bytes::from(message)).await
    }

    async fn send_all(&mut self, mut octets: Bytes) -> Result<(), Outcome> {
        while !octets.is_empty() {
            let piece = octets.split_to(octets.len().min(PIECE));
            self.send(piece).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_header_is_found_at_every_seam() {
        for (message, end) in
            [("A: 1\r\n\r\nbody", Some(8)), ("\r\nbody", Some(2)), ("A: 1\r\nB: 2\r\n", None)]
        {
            for seam in 0..message.len() {
                let before = header_end(&message.as_bytes()[..seam], 0);
                let found = before.or_else(|| header_end(message.as_bytes(), seam));
                assert_eq!(found, end, "{message:?} cut at {seam}");
            }
        }
    }

    #[test]
    fn every_local_part_can_be_rewritten() {
        let address = unquoted("SRS0=AAAA=BB=x.test=a \"b\"\\@us.test").unwrap();
        assert_eq!(address.local_part(), "SRS0=AAAA=BB=x.test=a \"b\"\\");
        let again: SmtpAddress = address.to_string().parse().unwrap();
        assert_eq!(again, address);
    }

    #[test]
    fn the_largest_message_has_room() {
        assert_eq!(room(1), 64 * 1024);
        assert_eq!(room(1 << 30), (1 << 20) + 64);
        assert_eq!(room(u64::MAX), u64::MAX.div_ceil(1024) as usize);
    }
}
