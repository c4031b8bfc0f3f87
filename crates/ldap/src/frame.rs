//! The envelope of messages (RFC 4511 section 4.1.1), and the guard in front of
//! the codec: what it gets is bounded in octets, elements and depth, and begins
//! like a request. The codec decodes one octet string into one `Vec` and one
//! structure of some 50 octets for each element, reads elements recursively, and
//! writes unknown operations to standard output; none of that is reached by what
//! the guard refuses.

use crate::ber::{self, BOOLEAN, Element, INTEGER, OCTETS, SEQUENCE};
use crate::config::{MAX_CONTROLS, MAX_ELEMENTS, MAX_NESTING};
use ldap3_lber::parse::Parser;
use ldap3_proto::proto::LdapOp;

/// The tag of a request's operation. Those of responses are told apart so that
/// a message of no sense can still be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Bind,
    Unbind,
    Search,
    Modify,
    Add,
    Delete,
    ModifyDn,
    Compare,
    Abandon,
    Extended,
}

impl Asked {
    /// The operation of a tag, which says whether it is constructed, too.
    fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0x60 => Self::Bind,
            0x42 => Self::Unbind,
            0x63 => Self::Search,
            0x66 => Self::Modify,
            0x68 => Self::Add,
            0x4A => Self::Delete,
            0x6C => Self::ModifyDn,
            0x6E => Self::Compare,
            0x50 => Self::Abandon,
            0x77 => Self::Extended,
            _ => return None,
        })
    }

    /// The tag of its answer; none is not answered.
    pub fn answer(self) -> Option<u8> {
        Some(match self {
            Self::Bind => 0x61,
            Self::Search => 0x65,
            Self::Modify => 0x67,
            Self::Add => 0x69,
            Self::Delete => 0x6B,
            Self::ModifyDn => 0x6D,
            Self::Compare => 0x6F,
            Self::Extended => 0x78,
            Self::Unbind | Self::Abandon => return None,
        })
    }
}

/// A control of a request (RFC 4511 section 4.1.11). Read by hand, for the codec
/// forgets whether some are critical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub oid: String,
    pub critical: bool,
    pub value: Option<Vec<u8>>,
}

/// A message with what is known before its operation is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub id: i32,
    pub asked: Asked,
    /// The operation's element.
    operation: Vec<u8>,
    pub controls: Vec<Control>,
}

/// Octets that are no message: the connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Not BER as LDAP has it.
    Syntax,
    /// Larger than the bound.
    TooLarge,
}

/// Octets of the message at the start; none if its header is not whole.
pub(crate) fn length(input: &[u8], limit: usize) -> Result<Option<usize>, Broken> {
    match input.first() {
        None => return Ok(None),
        Some(&SEQUENCE) => {}
        Some(_) => return Err(Broken::Syntax),
    }
    match ber::header(input) {
        None => Err(Broken::Syntax),
        Some(None) => Ok(None),
        Some(Some((head, length))) if head + length <= limit => Ok(Some(head + length)),
        Some(Some(_)) => Err(Broken::TooLarge),
    }
}

/// Reads the envelope of one whole message.
pub(crate) fn open(message: &[u8]) -> Result<Request, Broken> {
    let mut left = MAX_ELEMENTS;
    guard(message, MAX_NESTING, &mut left)?;
    let syntax = || Broken::Syntax;
    let (whole, _) = ber::read(message).ok_or_else(syntax)?;
    let (id, rest) = ber::read(whole.content).ok_or_else(syntax)?;
    let id = Some(id)
        .filter(|id| id.tag == INTEGER)
        .and_then(|id| ber::integer(id.content))
        .and_then(|id| i32::try_from(id).ok())
        .filter(|id| *id >= 0)
        .ok_or_else(syntax)?;
    let (operation, behind) = ber::read(rest).ok_or_else(syntax)?;
    let asked = Asked::from_tag(operation.tag).ok_or_else(syntax)?;
    let length = rest.len() - behind.len();
    let operation = rest.get(..length).ok_or_else(syntax)?.to_vec();
    let controls = if behind.is_empty() { Vec::new() } else { controls(behind)? };
    Ok(Request { id, asked, operation, controls })
}

fn controls(input: &[u8]) -> Result<Vec<Control>, Broken> {
    let (element, _) = ber::read(input).ok_or(Broken::Syntax)?;
    if element.tag != 0xA0 {
        // RFC 4511 section 4: what an extension adds is passed over
        return Ok(Vec::new());
    }
    let elements = ber::elements(element.content).ok_or(Broken::Syntax)?;
    if elements.len() > MAX_CONTROLS {
        return Err(Broken::TooLarge);
    }
    elements.into_iter().map(|one| control(one).ok_or(Broken::Syntax)).collect()
}

fn control(element: Element<'_>) -> Option<Control> {
    if element.tag != SEQUENCE {
        return None;
    }
    let (oid, mut rest) = ber::read(element.content)?;
    let oid = String::from_utf8(oid.content.to_vec()).ok()?;
    let (mut critical, mut value) = (false, None);
    if let Some((next, behind)) = ber::read(rest)
        && next.tag == BOOLEAN
    {
        critical = next.content.first().is_some_and(|octet| *octet != 0);
        rest = behind;
    }
    if let Some((next, _)) = ber::read(rest)
        && next.tag == OCTETS
    {
        value = Some(next.content.to_vec());
    }
    Some(Control { oid, critical, value })
}

/// Whether every element is whole, and there are not too many, nor too deep.
/// Recursive to the depth that it checks.
fn guard(mut input: &[u8], depth: usize, left: &mut usize) -> Result<(), Broken> {
    let depth = depth.checked_sub(1).ok_or(Broken::TooLarge)?;
    while !input.is_empty() {
        *left = left.checked_sub(1).ok_or(Broken::TooLarge)?;
        let (element, rest) = ber::read(input).ok_or(Broken::Syntax)?;
        // tags of several octets are none of LDAP's
        if element.tag & 0x1F == 0x1F {
            return Err(Broken::Syntax);
        }
        if element.tag & 0x20 != 0 {
            guard(element.content, depth, left)?;
        }
        input = rest;
    }
    Ok(())
}

impl Request {
    /// Octets that it takes.
    pub fn size(&self) -> usize {
        self.operation.len()
    }

    /// The id that an abandon names.
    pub fn abandoned(&self) -> Option<i32> {
        let (element, _) = ber::read(&self.operation)?;
        i32::try_from(ber::integer(element.content)?).ok()
    }

    /// The operation, decoded by the codec.
    pub fn decode(&self) -> Option<LdapOp> {
        let (_, tag) = Parser::new(MAX_NESTING).parse(&self.operation).ok()?;
        LdapOp::try_from(tag).ok()
    }

    /// A control of the request, which is understood thereby.
    pub fn take_control(&mut self, oid: &str) -> Option<Control> {
        let place = self.controls.iter().position(|control| control.oid == oid)?;
        Some(self.controls.remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_opened_with_its_controls() {
        // a search by ldapsearch -E pr=2/noprompt, shortened
        let mut message = vec![0x30, 0, 0x02, 1, 2, 0x42, 0, 0xA0, 0];
        let control = [0x30, 9, 0x04, 1, b'1', 0x01, 1, 0xFF, 0x04, 1, b'v'];
        message.extend(control);
        message[1] = u8::try_from(message.len() - 2).unwrap();
        message[8] = u8::try_from(control.len()).unwrap();
        let request = open(&message).unwrap();
        assert_eq!((request.id, request.asked), (2, Asked::Unbind));
        let control = Control { oid: "1".into(), critical: true, value: Some(b"v".to_vec()) };
        assert_eq!(request.controls, [control]);
        assert_eq!(length(&message[..1], 100), Ok(None));
        assert_eq!(length(&message, 100), Ok(Some(message.len())));
        assert_eq!(length(&message, 10), Err(Broken::TooLarge));
    }

    #[test]
    fn what_would_burden_the_codec_is_refused() {
        let mut deep = vec![0x04, 0];
        for _ in 0..200 {
            let mut outer = crate::ber::Writer::default();
            let open = outer.open(0xA2);
            outer.out.extend(&deep);
            outer.close(open);
            deep = outer.out;
        }
        assert_eq!(guard(&deep, MAX_NESTING, &mut 1_000_000), Err(Broken::TooLarge));
        let many = [0x04, 0].repeat(MAX_ELEMENTS + 1);
        assert_eq!(guard(&many, MAX_NESTING, &mut { MAX_ELEMENTS }), Err(Broken::TooLarge));
        // a response, an operation that nobody knows
        for tag in [0x61, 0x7E, 0x30] {
            let message = [0x30, 5, 0x02, 1, 1, tag, 0];
            assert_eq!(open(&message), Err(Broken::Syntax), "{tag:x}");
        }
        assert_eq!(length(b"GET / HTTP/1.1", 100), Err(Broken::Syntax));
    }
}
