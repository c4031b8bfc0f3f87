//! From octets to whole commands.
//!
//! A command is one or more lines with literals between them. The codec says
//! whether a literal makes sense where it stands; only then is the client
//! asked to send it. The literal of APPEND is left in the connection for
//! [`crate::append`] to stream.

use crate::config::{MAX_COMMAND, MAX_LITERALS};
use crate::connection::Connection;
use crate::error::End;
use imap_codec::CommandCodec;
use imap_codec::decode::{CommandDecodeError, Decoder as _};
use imap_types::command::CommandBody;

/// Octets of a command before the login: LOGIN, AUTHENTICATE and ID are short.
const MAX_COMMAND_BEFORE_LOGIN: usize = 16 * 1024;
/// Octets of a literal that is skipped because its command was refused; past
/// that the connection is closed.
const MAX_SKIPPED: u64 = 1 << 20;
/// Octets of a tag that an answer repeats.
const MAX_TAG: usize = 64;

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A whole command with its literals and line ends.
    Command(Vec<u8>),
    /// APPEND up to the head of its message literal, which has not been read.
    Append {
        /// The command with an empty literal in place of the message, so that
        /// the codec can read it.
        command: Vec<u8>,
        /// Octets of the literal.
        octets: u64,
        /// Whether the client waits to be asked.
        synchronising: bool,
    },
    /// Not a command; what to answer. Its octets have been skipped.
    Bad {
        /// Its tag, `*` if it had none.
        tag: String,
        /// Why.
        text: &'static str,
    },
}

/// A literal's head at the end of a line.
#[derive(Debug, PartialEq, Eq)]
struct Literal {
    /// Octets that follow.
    octets: u64,
    /// Without `+`: the client waits to be asked.
    synchronising: bool,
    /// Where the `{` is.
    at: usize,
}

/// `{123}` or `{123+}` at the end of a line that has lost its CRLF.
fn literal_at_end(line: &[u8]) -> Option<Literal> {
    let body = line.strip_suffix(b"}")?;
    let (body, synchronising) = match body.strip_suffix(b"+") {
        Some(body) => (body, false),
        None => (body, true),
    };
    let at = memchr::memrchr(b'{', body)?;
    let digits = std::str::from_utf8(body.get(at + 1..)?).ok()?;
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some(Literal { octets: digits.parse().unwrap_or(u64::MAX), synchronising, at })
}

/// The tag of a command that could not be read, for the answer.
pub(crate) fn tag_of(command: &[u8]) -> String {
    let word = command.split(|c| matches!(c, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    let plain = |c: &u8| c.is_ascii_graphic() && !b"(){%*\"\\+".contains(c);
    if word.is_empty() || word.len() > MAX_TAG || !word.iter().all(plain) {
        return "*".to_owned();
    }
    String::from_utf8_lossy(word).into_owned()
}

/// Whether the codec can read it as an APPEND whose last literal is `literal`.
fn is_append(command: &[u8], literal: &Literal) -> Option<Vec<u8>> {
    let verb = command.split(|c| *c == b' ').nth(1)?;
    if !verb.eq_ignore_ascii_case(b"APPEND") {
        return None;
    }
    let mut empty = command.get(..literal.at)?.to_vec();
    empty.extend_from_slice(b"{0}\r\n\r\n");
    let append = matches!(
        CommandCodec::default().decode(&empty),
        Ok((_, command)) if matches!(command.body, CommandBody::Append { .. })
    );
    append.then_some(empty)
}

/// Reads one line into `line`, with CRLF at its end whatever the client used.
/// `false`: it is longer than `limit`; its rest has been skipped.
pub(crate) async fn read_line(
    connection: &mut Connection,
    line: &mut Vec<u8>,
    limit: usize,
) -> Result<bool, End> {
    let mut scanned = 0;
    let mut fits = true;
    loop {
        let fresh = connection.input.get(scanned..).unwrap_or_default();
        if let Some(at) = memchr::memchr(b'\n', fresh) {
            let whole = connection.input.split_to(scanned + at + 1);
            let text = whole.strip_suffix(b"\n").unwrap_or(&whole);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if fits && line.len() + text.len() + 2 > limit {
                fits = false;
                line.extend(text.iter().take(if line.is_empty() { MAX_TAG + 1 } else { 0 }));
            }
            if fits {
                line.extend_from_slice(text);
                line.extend_from_slice(b"\r\n");
            }
            return Ok(fits);
        }
        scanned = connection.input.len();
        if line.len() + scanned > limit {
            fits = false;
            if line.is_empty() {
                // for the tag in the answer
                line.extend(connection.input.iter().take(MAX_TAG + 1));
            }
            connection.input.clear();
            scanned = 0;
        }
        connection.flush().await?;
        connection.fill().await?;
    }
}

/// Reads exactly `octets` into `into`.
async fn read_octets(
    connection: &mut Connection,
    into: &mut Vec<u8>,
    octets: usize,
) -> Result<(), End> {
    let mut missing = octets;
    while missing > 0 {
        if connection.input.is_empty() {
            connection.flush().await?;
            connection.fill().await?;
        }
        let piece = connection.input.split_to(missing.min(connection.input.len()));
        missing -= piece.len();
        into.extend_from_slice(&piece);
    }
    Ok(())
}

/// Throws `octets` away.
pub(crate) async fn skip_octets(connection: &mut Connection, octets: u64) -> Result<(), End> {
    let mut missing = octets;
    while missing > 0 {
        if connection.input.is_empty() {
            connection.flush().await?;
            connection.fill().await?;
        }
        let take = usize::try_from(missing).unwrap_or(usize::MAX).min(connection.input.len());
        let _ = connection.input.split_to(take);
        missing -= u64::try_from(take).unwrap_or(missing);
    }
    Ok(())
}

/// Skips a refused literal and whatever belongs to the same command.
async fn skip_rest(connection: &mut Connection, literal: Option<Literal>) -> Result<(), End> {
    let mut literal = literal;
    let mut skipped = 0u64;
    while let Some(head) = literal {
        if head.synchronising {
            // the client was not asked, so it sends no more of this command
            return Ok(());
        }
        skipped = skipped.saturating_add(head.octets);
        if skipped > MAX_SKIPPED {
            return Err(End::Bye("the literal is too large"));
        }
        skip_octets(connection, head.octets).await?;
        let mut line = Vec::new();
        literal = if read_line(connection, &mut line, MAX_COMMAND).await? {
            literal_at_end(line.strip_suffix(b"\r\n").unwrap_or(&line))
        } else {
            None
        };
    }
    Ok(())
}

/// Reads one command, asking for its literals.
pub(crate) async fn read_command(
    connection: &mut Connection,
    logged_in: bool,
) -> Result<Incoming, End> {
    let limit = if logged_in { MAX_COMMAND } else { MAX_COMMAND_BEFORE_LOGIN };
    let mut command = Vec::new();
    let mut literals = 0;
    loop {
        let start = command.len();
        let fits = read_line(connection, &mut command, limit).await?;
        if !fits {
            return Ok(Incoming::Bad { tag: tag_of(&command), text: "the command is too long" });
        }
        let line = command.get(start..).unwrap_or_default();
        let Some(mut literal) = literal_at_end(line.strip_suffix(b"\r\n").unwrap_or(line)) else {
            return Ok(Incoming::Command(command));
        };
        literal.at += start;
        let tag = match CommandCodec::default().decode(&command) {
            Err(CommandDecodeError::LiteralFound { tag, .. }) => tag.inner().to_owned(),
            _ => {
                let tag = tag_of(&command);
                skip_rest(connection, Some(literal)).await?;
                return Ok(Incoming::Bad { tag, text: "unknown command or wrong arguments" });
            }
        };
        if logged_in && let Some(empty) = is_append(&command, &literal) {
            let Literal { octets, synchronising, .. } = literal;
            return Ok(Incoming::Append { command: empty, octets, synchronising });
        }
        literals += 1;
        let size = usize::try_from(literal.octets).unwrap_or(usize::MAX);
        if command.len().saturating_add(size) > limit || literals > MAX_LITERALS {
            skip_rest(connection, Some(literal)).await?;
            return Ok(Incoming::Bad { tag, text: "the command is too long" });
        }
        if literal.synchronising {
            connection.push(b"+ OK\r\n");
            connection.flush().await?;
        }
        read_octets(connection, &mut command, size).await?;
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let _ = tag_of(data);
    if let Some(literal) = literal_at_end(data) {
        assert_eq!(data.get(literal.at), Some(&b'{'));
        let _ = is_append(data, &literal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_heads() {
        for (line, found) in [
            ("a LOGIN {5}", Some((5, true, 8))),
            ("a LOGIN {5+}", Some((5, false, 8))),
            ("{99999999999999999999999}", Some((u64::MAX, true, 0))),
            ("a {}", None),
            ("a {-1}", None),
            ("a {5", None),
            ("a 5}", None),
            ("a {5}x", None),
            ("a {{5}", Some((5, true, 3))),
        ] {
            let literal = literal_at_end(line.as_bytes());
            assert_eq!(literal.map(|l| (l.octets, l.synchronising, l.at)), found, "{line}");
        }
    }

    #[test]
    fn tags_of_rubbish() {
        assert_eq!(tag_of(b"a1 FOO\r\n"), "a1");
        assert_eq!(tag_of(b" FOO\r\n"), "*");
        assert_eq!(tag_of(b"\xff\xfe\r\n"), "*");
        assert_eq!(tag_of(&[b'a'; 100]), "*");
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
