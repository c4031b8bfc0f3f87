//! The part of the Basic Encoding Rules that LDAP uses (RFC 4511 section 5.1):
//! definite lengths, tags of one octet. Answers are written by hand, straight
//! into one buffer; of requests only the envelope and controls are read here,
//! the operations are the codec's.

/// BOOLEAN
pub(crate) const BOOLEAN: u8 = 0x01;
/// INTEGER
pub(crate) const INTEGER: u8 = 0x02;
/// OCTET STRING
pub(crate) const OCTETS: u8 = 0x04;
/// ENUMERATED
pub(crate) const ENUMERATED: u8 = 0x0A;
/// SEQUENCE
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET
pub(crate) const SET: u8 = 0x31;

/// One element: its tag and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
}

/// The element at the start, and what follows it; `None` if it is not whole or
/// its length is not definite.
pub(crate) fn read(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (head, length) = header(input)??;
    let tag = *input.first()?;
    let content = input.get(head..head.checked_add(length)?)?;
    Some((Element { tag, content }, input.get(head + length..)?))
}

/// The octets of an element's header, and the octets behind it that belong to
/// it. `Some(None)`: there must be more input; `None`: no length that LDAP allows.
pub(crate) fn header(input: &[u8]) -> Option<Option<(usize, usize)>> {
    let Some(first) = input.get(1).copied() else { return Some(None) };
    if first < 0x80 {
        return Some(Some((2, usize::from(first))));
    }
    let count = usize::from(first & 0x7F);
    // 0x80 is the indefinite form; more than four octets are no length of ours
    if count == 0 || count > 4 {
        return None;
    }
    let Some(octets) = input.get(2..2 + count) else { return Some(None) };
    let length = octets.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    Some(Some((2 + count, length)))
}

/// Elements one after the other.
pub(crate) fn elements(mut input: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        let (element, rest) = read(input)?;
        found.push(element);
        input = rest;
    }
    Some(found)
}

/// A two's complement number of at most four octets.
pub(crate) fn integer(content: &[u8]) -> Option<i64> {
    if content.is_empty() || content.len() > 4 {
        return None;
    }
    let negative = content.first().is_some_and(|octet| octet & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    Some(content.iter().fold(start, |sum, octet| sum << 8 | i64::from(*octet)))
}

/// Octets that are being written.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub out: Vec<u8>,
}

/// Room for a length, which is known when the element ends: one octet for those
/// below 128, moved along for the few that are longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open(usize);

impl Writer {
    /// Begins an element.
    pub fn open(&mut self, tag: u8) -> Open {
        self.out.push(tag);
        self.out.push(0);
        Open(self.out.len())
    }

    /// Ends an element that was begun.
    pub fn close(&mut self, open: Open) {
        let Open(start) = open;
        let length = self.out.len().saturating_sub(start);
        if let Ok(short) = u8::try_from(length)
            && short < 0x80
        {
            if let Some(octet) = self.out.get_mut(start - 1) {
                *octet = short;
            }
            return;
        }
        let octets = (length as u64).to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count();
        let octets = octets.get(skip..).unwrap_or_default();
        if let Some(octet) = self.out.get_mut(start - 1) {
            *octet = 0x80 | u8::try_from(octets.len()).unwrap_or(8);
        }
        self.out.splice(start..start, octets.iter().copied());
    }

    /// A whole primitive element.
    pub fn primitive(&mut self, tag: u8, content: &[u8]) {
        if let Ok(short) = u8::try_from(content.len())
            && short < 0x80
        {
            self.out.extend_from_slice(&[tag, short]);
            self.out.extend_from_slice(content);
            return;
        }
        let open = self.open(tag);
        self.out.extend_from_slice(content);
        self.close(open);
    }

    /// A text or octets.
    pub fn text(&mut self, content: &str) {
        self.primitive(OCTETS, content.as_bytes());
    }

    /// INTEGER or ENUMERATED.
    pub fn number(&mut self, tag: u8, number: i64) {
        let octets = number.to_be_bytes();
        // leading octets that only repeat the sign go
        let mut start = 0;
        while let (Some(first), Some(second)) = (octets.get(start), octets.get(start + 1)) {
            let redundant =
                (*first == 0 && second & 0x80 == 0) || (*first == 0xFF && second & 0x80 != 0);
            if !redundant {
                break;
            }
            start += 1;
        }
        self.primitive(tag, octets.get(start..).unwrap_or(&octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let mut writer = Writer::default();
            let open = writer.open(SEQUENCE);
            writer.primitive(OCTETS, &vec![7; length]);
            writer.number(INTEGER, -129);
            writer.close(open);
            writer.out.push(9);
            let (element, rest) = read(&writer.out).unwrap();
            assert_eq!((element.tag, rest), (SEQUENCE, &[9][..]));
            let inner = elements(element.content).unwrap();
            assert_eq!(inner[0].content.len(), length);
            assert_eq!(integer(inner[1].content), Some(-129));
        }
    }

    #[test]
    fn numbers_take_as_few_octets_as_they_need() {
        for (number, octets) in [(0, vec![0]), (127, vec![127]), (128, vec![0, 128])] {
            let mut writer = Writer::default();
            writer.number(INTEGER, number);
            assert_eq!(writer.out[2..], octets);
            assert_eq!(integer(&octets), Some(number));
        }
    }

    #[test]
    fn lengths_that_ldap_does_not_allow_are_refused() {
        assert_eq!(header(&[0x30, 0x80]), None);
        assert_eq!(header(&[0x30, 0x85, 1, 1, 1, 1, 1]), None);
        assert_eq!(header(&[0x30, 0x82, 1]), Some(None));
        assert_eq!(read(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0]), None);
    }
}
