//! Commands: what the server sends (`SMFIC_*`).

use crate::agreement::{Actions, Stage, Steps};
use crate::error::MilterError;
use crate::packet;
use crate::strings;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::net::IpAddr;

/// Where the client stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Not known (`SMFIA_UNKNOWN`).
    Unknown,
    /// A Unix socket of this path.
    Unix(Bytes),
    /// An address and a port; 0 if the port is not known.
    Ip(IpAddr, u16),
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens the conversation (`O`).
    Negotiate {
        /// The version of the protocol.
        version: u32,
        /// Changes that the server can make.
        actions: Actions,
        /// Steps that can be left out.
        steps: Steps,
    },
    /// Macros for the command that follows (`D`): its letter, and names
    /// (without braces) with values.
    Macros(u8, Vec<(Bytes, Bytes)>),
    /// The client's name and place (`C`).
    Connect(Bytes, Peer),
    /// The name in HELO or EHLO (`H`).
    Helo(Bytes),
    /// The reverse-path with its brackets, and ESMTP parameters (`M`).
    Mail(Vec<Bytes>),
    /// A forward-path with its brackets, and ESMTP parameters (`R`).
    Rcpt(Vec<Bytes>),
    /// DATA (`T`).
    Data,
    /// A header field's name and value (`L`).
    Header(Bytes, Bytes),
    /// The end of the header (`N`).
    EndOfHeader,
    /// A piece of the body (`B`).
    Body(Bytes),
    /// The end of the message (`E`); libmilter lets a last piece ride on it.
    EndOfMessage(Bytes),
    /// A command that the server does not know (`U`).
    Unknown(Bytes),
    /// The message is over without its end (`A`).
    Abort,
    /// The conversation is over (`Q`).
    Quit,
    /// The session is over, the connection stays for another (`K`).
    QuitNewConnection,
}

impl Command {
    /// The letter on the wire.
    pub const fn letter(&self) -> u8 {
        match self {
            Self::Negotiate { .. } => b'O',
            Self::Macros(..) => b'D',
            Self::Connect(..) => b'C',
            Self::Helo(_) => b'H',
            Self::Mail(_) => b'M',
            Self::Rcpt(_) => b'R',
            Self::Data => b'T',
            Self::Header(..) => b'L',
            Self::EndOfHeader => b'N',
            Self::Body(_) => b'B',
            Self::EndOfMessage(_) => b'E',
            Self::Unknown(_) => b'U',
            Self::Abort => b'A',
            Self::Quit => b'Q',
            Self::QuitNewConnection => b'K',
        }
    }

    /// Appends the packet.
    pub fn write(&self, out: &mut BytesMut) {
        packet::put(out, self.letter(), |out| self.write_data(out));
    }

    fn write_data(&self, out: &mut BytesMut) {
        match self {
            Self::Negotiate { version, actions, steps } => {
                out.put_u32(*version);
                out.put_u32(actions.bits());
                out.put_u32(steps.bits());
            }
            Self::Macros(letter, pairs) => {
                out.put_u8(*letter);
                for (name, value) in pairs {
                    put_macro_name(out, name);
                    strings::put(out, value);
                }
            }
            Self::Connect(name, peer) => {
                strings::put(out, name);
                put_peer(out, peer);
            }
            Self::Helo(text) | Self::Unknown(text) => strings::put(out, text),
            Self::Mail(parts) | Self::Rcpt(parts) => {
                parts.iter().for_each(|part| strings::put(out, part));
            }
            Self::Header(name, value) => {
                strings::put(out, name);
                strings::put(out, value);
            }
            Self::Body(data) | Self::EndOfMessage(data) => out.put_slice(data),
            Self::Data | Self::EndOfHeader | Self::Abort | Self::Quit | Self::QuitNewConnection => {
            }
        }
    }

    /// Reads a packet as [`crate::PacketReader`] gives it; the filter's side.
    ///
    /// # Errors
    /// [`MilterError::UnknownLetter`], [`MilterError::BadPacket`].
    pub fn parse(letter: u8, mut data: Bytes) -> Result<Self, MilterError> {
        let bad = |what| MilterError::BadPacket { letter: char::from(letter), what };
        let first = |mut data: Bytes| strings::take(&mut data).unwrap_or_default();
        Ok(match letter {
            b'O' => {
                let mut number = || strings::take_number(&mut data).ok_or(bad("no three numbers"));
                Self::Negotiate {
                    version: number()?,
                    actions: Actions::from_bits(number()?),
                    steps: Steps::from_bits(number()?),
                }
            }
            b'D' => {
                let letter = data.try_get_u8().map_err(|_| bad("no letter"))?;
                let mut pairs = Vec::new();
                while let Some(name) = strings::take(&mut data) {
                    let value = strings::take(&mut data).ok_or(bad("a macro without value"))?;
                    pairs.push((without_braces(name), value));
                }
                Self::Macros(letter, pairs)
            }
            b'C' => {
                let name = strings::take(&mut data).ok_or(bad("no client name"))?;
                Self::Connect(name, peer(&mut data).ok_or(bad("no client address"))?)
            }
            b'H' => Self::Helo(first(data)),
            b'U' => Self::Unknown(first(data)),
            b'M' => Self::Mail(strings::all(data)),
            b'R' => Self::Rcpt(strings::all(data)),
            b'T' => Self::Data,
            b'L' => {
                let name = strings::take(&mut data).ok_or(bad("no name"))?;
                Self::Header(name, strings::take(&mut data).unwrap_or_default())
            }
            b'N' => Self::EndOfHeader,
            b'B' => Self::Body(data),
            b'E' => Self::EndOfMessage(data),
            b'A' => Self::Abort,
            b'Q' => Self::Quit,
            b'K' => Self::QuitNewConnection,
            other => return Err(MilterError::UnknownLetter(char::from(other))),
        })
    }

    /// The stage whose macros go before this command.
    pub const fn stage(&self) -> Option<Stage> {
        match self {
            Self::Connect(..) => Some(Stage::Connect),
            Self::Helo(_) => Some(Stage::Helo),
            Self::Mail(_) => Some(Stage::Mail),
            Self::Rcpt(_) => Some(Stage::Rcpt),
            Self::Data => Some(Stage::Data),
            Self::EndOfHeader => Some(Stage::EndOfHeader),
            Self::EndOfMessage(_) => Some(Stage::EndOfMessage),
            _ => None,
        }
    }
}

/// Names of one letter stand bare, longer ones in braces.
fn put_macro_name(out: &mut BytesMut, name: &[u8]) {
    if name.len() <= 1 {
        return strings::put(out, name);
    }
    out.put_u8(b'{');
    out.extend(name.iter().filter(|c| **c != 0));
    out.put_slice(b"}\0");
}

fn without_braces(name: Bytes) -> Bytes {
    match name.strip_prefix(b"{").and_then(|n| n.strip_suffix(b"}")) {
        Some(bare) => name.slice_ref(bare),
        None => name,
    }
}

fn put_peer(out: &mut BytesMut, peer: &Peer) {
    match peer {
        Peer::Unknown => out.put_u8(b'U'),
        Peer::Unix(path) => {
            out.put_slice(b"L\0\0");
            strings::put(out, path);
        }
        Peer::Ip(address, port) => {
            out.put_u8(if address.is_ipv4() { b'4' } else { b'6' });
            out.put_u16(*port);
            strings::put(out, address.to_string().as_bytes());
        }
    }
}

fn peer(data: &mut Bytes) -> Option<Peer> {
    let family = data.try_get_u8().ok()?;
    if family == b'U' {
        return Some(Peer::Unknown);
    }
    let port = data.try_get_u16().ok()?;
    let address = strings::take(data)?;
    match family {
        b'L' => Some(Peer::Unix(address)),
        b'4' | b'6' => {
            // Sendmail writes `IPv6:` before the address, Postfix does not.
            let text = std::str::from_utf8(&address).ok()?;
            let text = text.strip_prefix("IPv6:").unwrap_or(text);
            let address: IpAddr = text.parse().ok()?;
            (address.is_ipv4() == (family == b'4')).then_some(Peer::Ip(address, port))
        }
        _ => None,
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let Some((letter, rest)) = data.split_first() else { return };
    if let Ok(command) = Command::parse(*letter, Bytes::copy_from_slice(rest)) {
        let mut out = BytesMut::new();
        command.write(&mut out);
        let mut reader = packet::PacketReader::new();
        reader.feed(&out);
        if let Ok(Some((letter, data))) = reader.next_packet() {
            let again = Command::parse(letter, data);
            // A name in doubled braces loses one pair each time.
            if !matches!(command, Command::Macros(..)) {
                assert_eq!(again, Ok(command), "a command reads back as it was written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(command: &Command) -> Vec<u8> {
        let mut out = BytesMut::new();
        command.write(&mut out);
        out.split_off(4).to_vec()
    }

    #[test]
    fn commands_are_written_as_libmilter_reads_them() {
        let peer = Peer::Ip("192.0.2.7".parse().unwrap(), 4711);
        assert_eq!(
            written(&Command::Connect("host.example".into(), peer)),
            b"Chost.example\x004\x12\x67192.0.2.7\0"
        );
        let peer = Peer::Ip("2001:db8::7".parse().unwrap(), 25);
        assert_eq!(written(&Command::Connect("h".into(), peer)), b"Ch\x006\0\x192001:db8::7\0");
        assert_eq!(written(&Command::Connect("h".into(), Peer::Unknown)), b"Ch\0U");
        let parts = vec!["<a@example>".into(), "SIZE=5".into()];
        assert_eq!(written(&Command::Mail(parts)), b"M<a@example>\0SIZE=5\0");
        let pairs = vec![("i".into(), "Q1".into()), ("auth_type".into(), "PLAIN".into())];
        assert_eq!(written(&Command::Macros(b'M', pairs)), b"DMi\0Q1\0{auth_type}\0PLAIN\0");
    }

    #[test]
    fn a_nul_within_a_string_ends_nothing_early() {
        let header = Command::Header("X".into(), Bytes::from_static(b"a\0b"));
        assert_eq!(written(&header), b"LX\0ab\0");
    }

    #[test]
    fn sendmails_form_of_addresses_is_read() {
        let data = Bytes::from_static(b"h\x006\0\x19IPv6:::1\0");
        let peer = Peer::Ip("::1".parse().unwrap(), 25);
        assert_eq!(Command::parse(b'C', data), Ok(Command::Connect("h".into(), peer)));
        assert!(Command::parse(b'C', Bytes::from_static(b"h\x004\0\x19::1\0")).is_err());
        assert!(Command::parse(b'?', Bytes::new()).is_err());
    }
}
