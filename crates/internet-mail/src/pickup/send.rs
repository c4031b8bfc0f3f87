//! A taken file goes to the core.

use super::letter::{self, Letter};
use super::place::{PickupError, Place, failed};
use crate::config::InternetMailConfig;
use bytes::{Bytes, BytesMut};
use concord_base::Timestamp;
use concord_connector::{CoreSession, Submissions, SubmitError};
use concord_message::MAX_HEADER;
use concord_smtp::{BodyType, MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{BodyMode, ClientError};
use std::io::SeekFrom;
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Octets that are handed over at a time.
const PIECE: usize = 64 << 10;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Sent {
    /// The core has it.
    Done(Reply),
    /// Nobody will ever take it so.
    Refused(String),
    /// Not now.
    Later(String),
    /// Not now, and nothing else either.
    Unreachable(String),
}

/// Sends one file.
pub(super) async fn send(
    place: &Place,
    name: &str,
    config: &InternetMailConfig,
    core: &Submissions,
    now: Timestamp,
) -> Result<Sent, PickupError> {
    let path = Path::new(name);
    let mut file = place.open_taken(name).await?;
    let mut head = Vec::with_capacity(PIECE);
    let most = MAX_HEADER as u64;
    (&mut file).take(most).read_to_end(&mut head).await.map_err(failed("read", path))?;
    let unique = format!("pickup.{}.{:08x}", now.0, rand::random::<u32>());
    let letter = match letter::read(&head, now, &config.hostname, &unique) {
        Ok(letter) => letter,
        Err(error) => return Ok(Sent::Refused(error.to_string())),
    };
    if letter.to.len() > config.max_recipients {
        let text = format!(
            "it has {} recipients, and a message has at most {}",
            letter.to.len(),
            config.max_recipients
        );
        return Ok(Sent::Refused(text));
    }
    let at = SeekFrom::Start(letter.body_at as u64);
    file.seek(at).await.map_err(failed("read", path))?;
    let sent = match transact(core, &letter, &mut file, config).await {
        Ok(sent) => sent,
        Err(Broken::Core(error)) => Sent::Unreachable(error.to_string()),
        Err(Broken::File(cause)) => return Err(failed("read", path)(cause)),
    };
    Ok(sent)
}

/// Why a transaction did not come to its end.
enum Broken {
    Core(SubmitError),
    File(std::io::Error),
}

impl From<SubmitError> for Broken {
    fn from(error: SubmitError) -> Self {
        Self::Core(error)
    }
}

impl From<ClientError> for Broken {
    fn from(error: ClientError) -> Self {
        Self::Core(error.into())
    }
}

/// Who the core is told has brought it.
fn forward() -> Xforward {
    Xforward {
        source: Some("LOCAL".to_owned()),
        proto: Some("PICKUP".to_owned()),
        ..Xforward::default()
    }
}

async fn transact(
    core: &Submissions,
    letter: &Letter,
    file: &mut File,
    config: &InternetMailConfig,
) -> Result<Sent, Broken> {
    let addresses = letter.from.iter().chain(&letter.to);
    let mail = MailCommand {
        body: Some(BodyType::EightBit),
        smtputf8: addresses.clone().any(|address| !address.is_ascii()) || !letter.header.is_ascii(),
        ..MailCommand::new(letter.from.clone())
    };
    let rcpts: Vec<RcptCommand> = letter.to.iter().map(|to| RcptCommand::new(to.clone())).collect();
    // A session of its own: an idle one may have been closed, and one file in
    // two seconds is worth no second try.
    let mut session = core.fresh().await?;
    let envelope = session.envelope(Some(&forward()), &mail, &rcpts).await?;
    if !envelope.mail.is_ok() {
        return Ok(judge(&envelope.mail));
    }
    // All or none now: whoever is refused for good is named later.
    if let Some(later) = envelope.rcpts.iter().find(|reply| reply.is_temporary()) {
        return Ok(Sent::Later(later.to_string()));
    }
    let refused: Vec<String> = letter
        .to
        .iter()
        .zip(&envelope.rcpts)
        .filter(|(_, reply)| !reply.is_ok())
        .map(|(to, reply)| format!("{to}: {reply}"))
        .collect();
    if refused.len() == letter.to.len() {
        return Ok(Sent::Refused(format!("no recipient is taken\n{}", refused.join("\n"))));
    }
    if let Some(refusal) = session.begin_body(BodyMode::Auto).await? {
        return Ok(judge(&refusal));
    }
    let mut header = BytesMut::from(letter.header.as_slice());
    header.extend_from_slice(b"\r\n");
    session.body(header.freeze()).await?;
    body(&mut session, file, config).await?;
    let replies = session.finish_body().await?;
    let Some(reply) = replies.into_iter().next() else {
        return Ok(Sent::Later("the core gave no answer".to_owned()));
    };
    core.put(session);
    if reply.is_ok() && !refused.is_empty() {
        return Ok(Sent::Refused(format!(
            "it was sent ({reply}), but not to these recipients:\n{}",
            refused.join("\n")
        )));
    }
    Ok(judge(&reply))
}

/// Hands the body over, with CRLF at the end of each line.
async fn body(
    session: &mut CoreSession,
    file: &mut File,
    config: &InternetMailConfig,
) -> Result<(), Broken> {
    let mut lines = LineEnds::default();
    let mut sent: u64 = 0;
    loop {
        let mut piece = vec![0; PIECE];
        let octets = file.read(&mut piece).await.map_err(Broken::File)?;
        sent = sent.saturating_add(octets as u64);
        let end = octets == 0;
        // Somebody still writes it who should not.
        if sent > config.message_size {
            return Err(ClientError::Source("the file grew while it was read".to_owned()).into());
        }
        let piece = piece.get(..octets).unwrap_or_default();
        let out = if end { lines.end() } else { lines.feed(piece) };
        if !out.is_empty() {
            session.body(out).await?;
        }
        if end {
            return Ok(());
        }
    }
}

fn judge(reply: &Reply) -> Sent {
    if reply.is_ok() {
        Sent::Done(reply.clone())
    } else if reply.is_permanent() {
        Sent::Refused(reply.to_string())
    } else {
        Sent::Later(reply.to_string())
    }
}

/// Makes every line end CRLF, whatever it was.
#[derive(Debug, Default)]
struct LineEnds {
    /// The last octet was CR.
    cr: bool,
    /// The last line is not ended.
    open: bool,
}

impl LineEnds {
    fn feed(&mut self, piece: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(piece.len() + piece.len() / 32);
        for octet in piece {
            match octet {
                b'\n' if self.cr => {}
                b'\n' | b'\r' => out.extend_from_slice(b"\r\n"),
                other => out.extend_from_slice(&[*other]),
            }
            self.open = !matches!(octet, b'\n' | b'\r');
            self.cr = *octet == b'\r';
        }
        out.freeze()
    }

    fn end(&mut self) -> Bytes {
        if std::mem::take(&mut self.open) { Bytes::from_static(b"\r\n") } else { Bytes::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T25 is in tests/pickup.rs
    #[test]
    fn lines_end_in_crlf_however_the_file_is_cut() {
        let text = b"a\nb\r\nc\rd\n\n.\r\n..\nlast";
        let wanted = b"a\r\nb\r\nc\r\nd\r\n\r\n.\r\n..\r\nlast\r\n";
        for size in 1..text.len() {
            let mut lines = LineEnds::default();
            let mut out: Vec<u8> = text.chunks(size).flat_map(|p| lines.feed(p).to_vec()).collect();
            out.extend_from_slice(&lines.end());
            assert_eq!(out, wanted, "pieces of {size}");
        }
    }
}
