//! The control record that opens a connection (TTC): OPEN, ACK, NAK.

use crate::error::{WireCause, WireError};
use crate::limits::TTC_LENGTH;
use crate::reader::Reader;
use crate::text::Name;
use std::net::Ipv4Addr;

/// What a control record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TtcKind {
    /// The one who connected asks for a link.
    Open,
    /// It is granted.
    Ack,
    /// It is not.
    Nak,
}

impl TtcKind {
    const ALL: [(Self, [u8; 8]); 3] = [
        (Self::Open, *b"\xd6\xd7\xc5\xd5\x40\x40\x40\x40"),
        (Self::Ack, *b"\xc1\xc3\xd2\x40\x40\x40\x40\x40"),
        (Self::Nak, *b"\xd5\xc1\xd2\x40\x40\x40\x40\x40"),
    ];
}

/// Why a link is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NakReason {
    /// No link has that name, or the OPEN was for another node.
    NoSuchLink,
    /// The link is active already.
    LinkActive,
    /// The other end is itself opening the link.
    Opening,
    /// For a time.
    Temporary,
    /// Another number.
    Other(u8),
}

impl NakReason {
    /// The reason of an octet.
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            1 => Self::NoSuchLink,
            2 => Self::LinkActive,
            3 => Self::Opening,
            4 => Self::Temporary,
            other => Self::Other(other),
        }
    }

    /// Its octet.
    pub const fn octet(self) -> u8 {
        match self {
            Self::NoSuchLink => 1,
            Self::LinkActive => 2,
            Self::Opening => 3,
            Self::Temporary => 4,
            Self::Other(other) => other,
        }
    }
}

impl std::fmt::Display for NakReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchLink => f.write_str("it has no such link; compare the node names"),
            Self::LinkActive => f.write_str("the link is active already"),
            Self::Opening => f.write_str("it is itself opening the link"),
            Self::Temporary => f.write_str("not now"),
            Self::Other(octet) => write!(f, "reason {octet}"),
        }
    }
}

/// A control record. It goes out in one write: FUNET reads it in one read and
/// refuses half of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttc {
    /// OPEN, ACK or NAK.
    pub kind: TtcKind,
    /// RHOST: the node that sends it.
    pub sender: Name,
    /// RIP: the sender's address. Nothing is decided by it (address translation,
    /// IPv6); unspecified if it is no IPv4.
    pub sender_address: Ipv4Addr,
    /// OHOST: the node that it is for.
    pub receiver: Name,
    /// OIP: the receiver's address.
    pub receiver_address: Ipv4Addr,
    /// The reason of a NAK, else 0.
    pub reason: u8,
}

impl Ttc {
    /// An OPEN.
    pub const fn open(sender: Name, receiver: Name) -> Self {
        Self {
            kind: TtcKind::Open,
            sender,
            sender_address: Ipv4Addr::UNSPECIFIED,
            receiver,
            receiver_address: Ipv4Addr::UNSPECIFIED,
            reason: 0,
        }
    }

    /// The ACK of an OPEN: names and addresses change places.
    #[must_use]
    pub const fn ack(&self) -> Self {
        Self {
            kind: TtcKind::Ack,
            sender: self.receiver,
            sender_address: self.receiver_address,
            receiver: self.sender,
            receiver_address: self.sender_address,
            reason: 0,
        }
    }

    /// The NAK of an OPEN.
    #[must_use]
    pub const fn nak(&self, reason: NakReason) -> Self {
        Self { kind: TtcKind::Nak, reason: reason.octet(), ..self.ack() }
    }

    /// Reads one. Of a NAK only the reason counts: FUNET leaves the other fields
    /// as they were.
    pub fn parse(octets: &[u8; TTC_LENGTH]) -> Result<Self, WireError> {
        let mut reader = Reader::new(octets, "a control record");
        let kind: [u8; 8] = reader.array()?;
        let known = TtcKind::ALL.iter().find(|(_, octets)| *octets == kind);
        let Some((kind, _)) = known else { return Err(WireCause::UnknownTtc.at(0)) };
        Ok(Self {
            kind: *kind,
            sender: Name::from_octets(reader.array()?),
            sender_address: reader.array::<4>()?.into(),
            receiver: Name::from_octets(reader.array()?),
            receiver_address: reader.array::<4>()?.into(),
            reason: reader.u8()?,
        })
    }

    /// Its octets.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TTC_LENGTH);
        for (kind, octets) in TtcKind::ALL {
            if kind == self.kind {
                out.extend_from_slice(&octets);
            }
        }
        out.extend_from_slice(self.sender.octets());
        out.extend_from_slice(&self.sender_address.octets());
        out.extend_from_slice(self.receiver.octets());
        out.extend_from_slice(&self.receiver_address.octets());
        out.push(self.reason);
        out
    }
}
