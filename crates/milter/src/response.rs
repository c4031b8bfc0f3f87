//! Responses: what a filter sends (`SMFIR_*`).

use crate::agreement::{Actions, Steps};
use crate::error::MilterError;
use crate::limits::MAX_STAGES;
use crate::packet;
use crate::reply::ReplyCode;
use crate::strings;
use bytes::{BufMut, Bytes, BytesMut};

/// A change that a filter asks for at the end of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Add a header field behind the others (`h`).
    AddHeader {
        /// Its name.
        name: Bytes,
        /// Its value; lines are parted by LF.
        value: Bytes,
    },
    /// Put a header field at a place (`i`).
    InsertHeader {
        /// The number of the field before which it goes; 0 is the top. The
        /// server's own trace field counts as the first (Sendmail).
        at: u32,
        /// Its name.
        name: Bytes,
        /// Its value.
        value: Bytes,
    },
    /// Change a header field (`m`), or remove it if the value is empty.
    ChangeHeader {
        /// Which of the fields of that name, from 1; 0 means 1.
        occurrence: u32,
        /// The name.
        name: Bytes,
        /// The new value.
        value: Bytes,
    },
    /// The next piece of a new body (`b`).
    ReplaceBody(Bytes),
    /// Change the reverse-path (`e`).
    ChangeFrom {
        /// The path.
        path: Bytes,
        /// ESMTP parameters, parted by blanks, if any.
        parameters: Option<Bytes>,
    },
    /// Add a recipient (`+`, or `2` with parameters).
    AddRecipient {
        /// The path.
        path: Bytes,
        /// ESMTP parameters, parted by blanks; `None` in the form without.
        parameters: Option<Bytes>,
    },
    /// Remove a recipient (`-`).
    RemoveRecipient(Bytes),
    /// Quarantine the message (`q`), with the reason.
    Quarantine(Bytes),
}

impl Edit {
    /// What must have been agreed.
    pub const fn action(&self) -> Actions {
        match self {
            Self::AddHeader { .. } | Self::InsertHeader { .. } => Actions::ADD_HEADERS,
            Self::ChangeHeader { .. } => Actions::CHANGE_HEADERS,
            Self::ReplaceBody(_) => Actions::CHANGE_BODY,
            Self::ChangeFrom { .. } => Actions::CHANGE_FROM,
            Self::AddRecipient { parameters: None, .. } => Actions::ADD_RECIPIENT,
            Self::AddRecipient { .. } => Actions::ADD_RECIPIENT_WITH_PARAMETERS,
            Self::RemoveRecipient(_) => Actions::REMOVE_RECIPIENT,
            Self::Quarantine(_) => Actions::QUARANTINE,
        }
    }

    /// A name for messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddHeader { .. } => "add header",
            Self::InsertHeader { .. } => "insert header",
            Self::ChangeHeader { .. } => "change header",
            Self::ReplaceBody(_) => "replace body",
            Self::ChangeFrom { .. } => "change sender",
            Self::AddRecipient { .. } => "add recipient",
            Self::RemoveRecipient(_) => "remove recipient",
            Self::Quarantine(_) => "quarantine",
        }
    }

    /// Octets that it holds.
    pub fn octets(&self) -> usize {
        match self {
            Self::AddHeader { name, value }
            | Self::InsertHeader { name, value, .. }
            | Self::ChangeHeader { name, value, .. } => name.len().saturating_add(value.len()),
            Self::ReplaceBody(data) | Self::RemoveRecipient(data) | Self::Quarantine(data) => {
                data.len()
            }
            Self::ChangeFrom { path, parameters } | Self::AddRecipient { path, parameters } => {
                path.len().saturating_add(parameters.as_ref().map_or(0, Bytes::len))
            }
        }
    }
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The filter's side of the negotiation (`O`), with the lists of macros
    /// that it wants, by the number of the stage.
    Negotiate {
        /// The version that it speaks.
        version: u32,
        /// Changes that it may ask for.
        actions: Actions,
        /// Steps that it wants left out.
        steps: Steps,
        /// Macros that it wants.
        macros: Vec<(u32, Bytes)>,
    },
    /// Go on (`c`).
    Continue,
    /// Take it; ask no more about it (`a`).
    Accept,
    /// Refuse (`r`).
    Reject,
    /// Refuse for now (`t`).
    TempFail,
    /// Take the message and drop it (`d`).
    Discard,
    /// Send no more of the body (`s`).
    Skip,
    /// Refuse in the filter's words (`y`).
    Reply(ReplyCode),
    /// Still at work (`p`).
    Progress,
    /// End the client's session with 421 (`4`).
    Shutdown,
    /// The filter's own connection failed (`f`).
    ConnectionFailed,
    /// A change.
    Edit(Edit),
}

impl Response {
    /// A name for messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Negotiate { .. } => "negotiate",
            Self::Continue => "continue",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::TempFail => "tempfail",
            Self::Discard => "discard",
            Self::Skip => "skip",
            Self::Reply(_) => "reply",
            Self::Progress => "progress",
            Self::Shutdown => "shutdown",
            Self::ConnectionFailed => "connection failed",
            Self::Edit(edit) => edit.name(),
        }
    }

    /// Reads a packet as [`crate::PacketReader`] gives it.
    ///
    /// # Errors
    /// [`MilterError::UnknownLetter`], [`MilterError::BadPacket`].
    pub fn parse(letter: u8, mut data: Bytes) -> Result<Self, MilterError> {
        let bad = |what| MilterError::BadPacket { letter: char::from(letter), what };
        Ok(match letter {
            b'O' => return negotiate(data),
            b'c' => Self::Continue,
            b'a' => Self::Accept,
            b'r' => Self::Reject,
            b't' => Self::TempFail,
            b'd' => Self::Discard,
            b's' => Self::Skip,
            b'p' => Self::Progress,
            b'4' => Self::Shutdown,
            b'f' => Self::ConnectionFailed,
            b'y' => Self::Reply(ReplyCode::parse(&data).ok_or(bad("no SMTP reply of 4xx or 5xx"))?),
            b'b' => Self::Edit(Edit::ReplaceBody(data)),
            b'h' => {
                let (name, value) = field(&mut data).ok_or(bad("no name"))?;
                Self::Edit(Edit::AddHeader { name, value })
            }
            b'i' => {
                let at = strings::take_number(&mut data).ok_or(bad("no number"))?;
                let (name, value) = field(&mut data).ok_or(bad("no name"))?;
                Self::Edit(Edit::InsertHeader { at, name, value })
            }
            b'm' => {
                let occurrence = strings::take_number(&mut data).ok_or(bad("no number"))?;
                let (name, value) = field(&mut data).ok_or(bad("no name"))?;
                Self::Edit(Edit::ChangeHeader { occurrence, name, value })
            }
            b'e' => {
                let path = strings::take(&mut data).ok_or(bad("no path"))?;
                Self::Edit(Edit::ChangeFrom { path, parameters: strings::take(&mut data) })
            }
            b'+' => {
                let path = some(&mut data).ok_or(bad("no path"))?;
                Self::Edit(Edit::AddRecipient { path, parameters: None })
            }
            b'2' => {
                let path = some(&mut data).ok_or(bad("no path"))?;
                let parameters = Some(strings::take(&mut data).unwrap_or_default());
                Self::Edit(Edit::AddRecipient { path, parameters })
            }
            b'-' => Self::Edit(Edit::RemoveRecipient(some(&mut data).ok_or(bad("no path"))?)),
            b'q' => Self::Edit(Edit::Quarantine(strings::take(&mut data).unwrap_or_default())),
            other => return Err(MilterError::UnknownLetter(char::from(other))),
        })
    }

    /// Appends the packet; the filter's side.
    pub fn write(&self, out: &mut BytesMut) {
        match self {
            Self::Negotiate { version, actions, steps, macros } => packet::put(out, b'O', |out| {
                out.put_u32(*version);
                out.put_u32(actions.bits());
                out.put_u32(steps.bits());
                for (stage, names) in macros {
                    out.put_u32(*stage);
                    strings::put(out, names);
                }
            }),
            Self::Continue => packet::put(out, b'c', |_| {}),
            Self::Accept => packet::put(out, b'a', |_| {}),
            Self::Reject => packet::put(out, b'r', |_| {}),
            Self::TempFail => packet::put(out, b't', |_| {}),
            Self::Discard => packet::put(out, b'd', |_| {}),
            Self::Skip => packet::put(out, b's', |_| {}),
            Self::Progress => packet::put(out, b'p', |_| {}),
            Self::Shutdown => packet::put(out, b'4', |_| {}),
            Self::ConnectionFailed => packet::put(out, b'f', |_| {}),
            Self::Reply(reply) => {
                packet::put(out, b'y', |out| strings::put(out, reply.write().as_bytes()));
            }
            Self::Edit(edit) => write_edit(edit, out),
        }
    }
}

fn write_edit(edit: &Edit, out: &mut BytesMut) {
    let put_field = |out: &mut BytesMut, name: &Bytes, value: &Bytes| {
        strings::put(out, name);
        strings::put(out, value);
    };
    match edit {
        Edit::AddHeader { name, value } => {
            packet::put(out, b'h', |out| put_field(out, name, value));
        }
        Edit::InsertHeader { at, name, value } => packet::put(out, b'i', |out| {
            out.put_u32(*at);
            put_field(out, name, value);
        }),
        Edit::ChangeHeader { occurrence, name, value } => packet::put(out, b'm', |out| {
            out.put_u32(*occurrence);
            put_field(out, name, value);
        }),
        Edit::ReplaceBody(data) => packet::put(out, b'b', |out| out.put_slice(data)),
        Edit::ChangeFrom { path, parameters } => packet::put(out, b'e', |out| {
            strings::put(out, path);
            if let Some(parameters) = parameters {
                strings::put(out, parameters);
            }
        }),
        Edit::AddRecipient { path, parameters: None } => {
            packet::put(out, b'+', |out| strings::put(out, path));
        }
        Edit::AddRecipient { path, parameters: Some(parameters) } => {
            packet::put(out, b'2', |out| put_field(out, path, parameters));
        }
        Edit::RemoveRecipient(path) => packet::put(out, b'-', |out| strings::put(out, path)),
        Edit::Quarantine(reason) => packet::put(out, b'q', |out| strings::put(out, reason)),
    }
}

fn negotiate(mut data: Bytes) -> Result<Response, MilterError> {
    let bad = |what| MilterError::BadPacket { letter: 'O', what };
    let mut number = || strings::take_number(&mut data).ok_or(bad("no three numbers"));
    let version = number()?;
    let actions = Actions::from_bits(number()?);
    let steps = Steps::from_bits(number()?);
    let mut macros = Vec::new();
    while !data.is_empty() {
        if macros.len() >= MAX_STAGES {
            return Err(bad("more lists of macros than stages"));
        }
        let stage = strings::take_number(&mut data).ok_or(bad("a list without stage"))?;
        macros.push((stage, strings::take(&mut data).unwrap_or_default()));
    }
    Ok(Response::Negotiate { version, actions, steps, macros })
}

fn some(data: &mut Bytes) -> Option<Bytes> {
    strings::take(data).filter(|string| !string.is_empty())
}

/// A name that may stand in a header (RFC 5322 section 2.2), and a value.
fn field(data: &mut Bytes) -> Option<(Bytes, Bytes)> {
    let name = some(data)?;
    name.iter().all(|c| c.is_ascii_graphic() && *c != b':').then_some(())?;
    Some((name, strings::take(data).unwrap_or_default()))
}

pub(crate) fn fuzz(data: &[u8]) {
    let Some((letter, rest)) = data.split_first() else { return };
    if let Ok(response) = Response::parse(*letter, Bytes::copy_from_slice(rest)) {
        let mut out = BytesMut::new();
        response.write(&mut out);
        let mut reader = packet::PacketReader::new();
        reader.feed(&out);
        if let Ok(Some((letter, data))) = reader.next_packet() {
            let again = Response::parse(letter, data).map(|r| r.name());
            assert_eq!(again, Ok(response.name()), "a response reads back as it was written");
        }
    }
}
