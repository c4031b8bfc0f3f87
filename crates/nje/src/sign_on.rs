//! General control records (RCB X'F0'): signing on and off. They are not
//! compressed, and stand alone in their blocks.

use crate::error::{WireCause, WireError};
use crate::reader::Reader;
use crate::text::Name;

/// Their record control octet.
pub const CONTROL_RCB: u8 = 0xf0;
const INITIAL: u8 = 0xc9;
const RESPONSE: u8 = 0xd1;
const RESET: u8 = 0xd2;
const CONCURRENCE: u8 = 0xd3;
const ADD_CONNECTION: u8 = 0xd4;
const DELETE_CONNECTION: u8 = 0xd5;
const SIGN_OFF: u8 = 0xc2;

/// Length of an I or J record without the features.
const WITHOUT_FEATURES: u8 = 37;
/// Length with them.
const WITH_FEATURES: u8 = 41;
/// Length of a K or L record, and without the resistance.
const PATH: u8 = 9;
const PATH_WITHOUT_RESISTANCE: u8 = 7;

/// A general control record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// I: what the opening end says of itself.
    Initial(SignOn),
    /// J: what the other end answers.
    Response(SignOn),
    /// K: the sender of I resets the sign-on (path managers).
    Reset(PathRecord),
    /// L: the sender of I concurs (path managers).
    Concurrence(PathRecord),
    /// M: a connection was added elsewhere (path managers of JES2).
    AddConnection(Vec<u8>),
    /// N: a connection was deleted elsewhere.
    DeleteConnection(Vec<u8>),
    /// B: the link ends.
    SignOff,
}

/// An I or J record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOn {
    /// NCCINODE: the sender's node.
    pub node: Name,
    /// NCCIQUAL: the member of the node.
    pub member: u8,
    /// NCCIEVNT: the event's number. Zero in I, X'FFFFFFFF' in J.
    pub event: u32,
    /// NCCIREST: resistance of the path, which path managers use.
    pub resistance: u16,
    /// NCCIBFSZ: the largest block, in octets.
    pub buffer_size: u16,
    /// NCCILPAS: the line's password.
    pub line_password: Name,
    /// NCCINPAS: the node's password.
    pub node_password: Name,
    /// NCCIFLG.
    pub flags: u8,
    /// NCCIFEAT: features of the sender; `None` if the record's length says that
    /// they are not there.
    pub features: Option<u32>,
}

/// A K or L record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathRecord {
    /// The event's number.
    pub event: u32,
    /// The resistance of the path, if the record is long enough to have it.
    pub resistance: Option<u16>,
}

impl SignOn {
    /// Whether it reads as written by a node with a path manager, which takes
    /// part in K and L.
    pub fn has_path_manager(&self) -> bool {
        self.resistance != 0 || self.features.is_some()
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let at = reader.at();
        let length = reader.u8()?;
        if length != WITHOUT_FEATURES && length != WITH_FEATURES {
            return Err(WireCause::SignOnLength(length).at(at));
        }
        let mut sign_on = Self {
            node: Name::from_octets(reader.array()?),
            member: reader.u8()?,
            event: reader.u32()?,
            resistance: reader.u16()?,
            buffer_size: reader.u16()?,
            line_password: Name::from_octets(reader.array()?),
            node_password: Name::from_octets(reader.array()?),
            flags: reader.u8()?,
            features: None,
        };
        if length == WITH_FEATURES {
            sign_on.features = Some(reader.u32()?);
        }
        Ok(sign_on)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.features.is_some() { WITH_FEATURES } else { WITHOUT_FEATURES });
        out.extend_from_slice(self.node.octets());
        out.push(self.member);
        out.extend_from_slice(&self.event.to_be_bytes());
        out.extend_from_slice(&self.resistance.to_be_bytes());
        out.extend_from_slice(&self.buffer_size.to_be_bytes());
        out.extend_from_slice(self.line_password.octets());
        out.extend_from_slice(self.node_password.octets());
        out.push(self.flags);
        // Four octets follow in any case: FUNET sends them though its length
        // leaves them out.
        out.extend_from_slice(&self.features.unwrap_or_default().to_be_bytes());
    }
}

impl PathRecord {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let at = reader.at();
        let length = reader.u8()?;
        match length {
            PATH => Ok(Self { event: reader.u32()?, resistance: Some(reader.u16()?) }),
            PATH_WITHOUT_RESISTANCE => Ok(Self { event: reader.u32()?, resistance: None }),
            _ => Err(WireCause::SignOnLength(length).at(at)),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.resistance.is_some() { PATH } else { PATH_WITHOUT_RESISTANCE });
        out.extend_from_slice(&self.event.to_be_bytes());
        if let Some(resistance) = self.resistance {
            out.extend_from_slice(&resistance.to_be_bytes());
        }
    }
}

impl Control {
    /// Reads a record behind its X'F0'.
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let at = reader.at();
        match reader.u8()? {
            INITIAL => SignOn::parse(reader).map(Self::Initial),
            RESPONSE => SignOn::parse(reader).map(Self::Response),
            RESET => PathRecord::parse(reader).map(Self::Reset),
            CONCURRENCE => PathRecord::parse(reader).map(Self::Concurrence),
            ADD_CONNECTION => Ok(Self::AddConnection(reader.rest().to_vec())),
            DELETE_CONNECTION => Ok(Self::DeleteConnection(reader.rest().to_vec())),
            SIGN_OFF => Ok(Self::SignOff),
            other => Err(WireCause::UnknownSrcb(other).at(at)),
        }
    }

    /// What a block carries: the record, which nothing ends but the block.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = vec![CONTROL_RCB];
        match self {
            Self::Initial(sign_on) => {
                out.push(INITIAL);
                sign_on.write(&mut out);
            }
            Self::Response(sign_on) => {
                out.push(RESPONSE);
                sign_on.write(&mut out);
            }
            Self::Reset(path) => {
                out.push(RESET);
                path.write(&mut out);
            }
            Self::Concurrence(path) => {
                out.push(CONCURRENCE);
                path.write(&mut out);
            }
            Self::AddConnection(rest) => {
                out.push(ADD_CONNECTION);
                out.extend_from_slice(rest);
            }
            Self::DeleteConnection(rest) => {
                out.push(DELETE_CONNECTION);
                out.extend_from_slice(rest);
            }
            Self::SignOff => out.extend_from_slice(&[SIGN_OFF, 0]),
        }
        out
    }
}
