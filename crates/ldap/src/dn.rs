//! Distinguished names as text (RFC 4514) and as what they are made of.

use crate::schema::Attr;
use crate::text::{Rule, normalise};

/// Names of one DN: containers are at most 32 deep, a few come on top.
const MAX_RDNS: usize = 48;
/// Octets of a DN; each name has 64 characters at most.
const MAX_DN: usize = 16 * 1024;

/// One name of a DN: attribute and value, both as they were written. Names of
/// several attributes (`cn=a+sn=b`) are read, but nothing here has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rdn {
    /// In lower case: `cn`, `ou`, an OID.
    pub attribute: String,
    pub value: String,
    /// Whether more stood behind a plus sign.
    pub many: bool,
}

impl Rdn {
    /// The value as it is compared.
    pub fn key(&self) -> String {
        normalise(Rule::CaseIgnore, &self.value)
    }
}

/// The names of a DN, its own first, the organisation's last. Empty for the root.
pub(crate) fn parse(text: &str) -> Option<Vec<Rdn>> {
    if text.len() > MAX_DN {
        return None;
    }
    let mut reader = Reader { chars: text.chars().collect(), at: 0 };
    reader.blanks();
    let mut rdns = Vec::new();
    if reader.peek().is_none() {
        return Some(rdns);
    }
    loop {
        if rdns.len() >= MAX_RDNS {
            return None;
        }
        let mut rdn = reader.pair()?;
        while reader.peek() == Some('+') {
            reader.at += 1;
            reader.pair()?;
            rdn.many = true;
        }
        rdns.push(rdn);
        match reader.peek() {
            None => return Some(rdns),
            // RFC 2253 writers used the semicolon; RFC 4514 section 2.4 lets us read it
            Some(',' | ';') => reader.at += 1,
            Some(_) => return None,
        }
    }
}

/// Between the names of a key; no name has it.
const BETWEEN: char = '\0';

/// A DN as it is compared: two that mean one entry have one key.
pub(crate) fn key(rdns: &[Rdn]) -> String {
    let mut key = String::new();
    for rdn in rdns {
        let attribute = match Attr::from_name(&rdn.attribute) {
            Some(Attr::Uid) => Attr::Cn.definition().name(),
            Some(attr) => attr.definition().name(),
            None => rdn.attribute.as_str(),
        };
        key.push_str(attribute);
        key.push('=');
        key.push_str(&rdn.key());
        key.push(BETWEEN);
    }
    key
}

/// The key of what stands directly above.
pub(crate) fn above(key: &str) -> &str {
    key.split_once(BETWEEN).map_or("", |(_, above)| above)
}

/// Whether a key is that of an entry or of what is below it.
pub(crate) fn is_within(key: &str, entry: &str) -> bool {
    let below = key.strip_suffix(entry);
    below.is_some_and(|below| below.is_empty() || below.ends_with(BETWEEN))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn blanks(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    /// `attribute = value`
    fn pair(&mut self) -> Option<Rdn> {
        self.blanks();
        let mut attribute = String::new();
        while let Some(c) = self.peek() {
            if !(c.is_ascii_alphanumeric() || c == '-' || c == '.') {
                break;
            }
            attribute.push(c.to_ascii_lowercase());
            self.at += 1;
        }
        if attribute.is_empty() {
            return None;
        }
        self.blanks();
        if self.next() != Some('=') {
            return None;
        }
        self.blanks();
        let value = if self.peek() == Some('#') { self.hexadecimal()? } else { self.value()? };
        self.blanks();
        let attribute = attribute.strip_prefix("oid.").map(str::to_owned).unwrap_or(attribute);
        Some(Rdn { attribute, value, many: false })
    }

    fn value(&mut self) -> Option<String> {
        let mut octets: Vec<u8> = Vec::new();
        // octets up to here stay even if they are spaces
        let mut kept = 0;
        while let Some(c) = self.peek() {
            match c {
                ',' | ';' | '+' => break,
                '"' | '<' | '>' | '\0' => return None,
                '\\' => {
                    self.at += 1;
                    self.escaped(&mut octets)?;
                    kept = octets.len();
                }
                c => {
                    self.at += 1;
                    octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    if c != ' ' {
                        kept = octets.len();
                    }
                }
            }
        }
        octets.truncate(kept);
        String::from_utf8(octets).ok().filter(|value| !value.is_empty())
    }

    fn escaped(&mut self, octets: &mut Vec<u8>) -> Option<()> {
        let c = self.next()?;
        if matches!(c, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
            octets.push(u8::try_from(c).ok()?);
            return Some(());
        }
        let high = c.to_digit(16)?;
        let low = self.next()?.to_digit(16)?;
        octets.push(u8::try_from(high * 16 + low).ok()?);
        Some(())
    }

    /// `#` and the value's BER in hexadecimal digits; only texts have a meaning.
    fn hexadecimal(&mut self) -> Option<String> {
        self.at += 1;
        let mut octets = Vec::new();
        while let Some(high) = self.peek().and_then(|c| c.to_digit(16)) {
            self.at += 1;
            let low = self.next()?.to_digit(16)?;
            octets.push(u8::try_from(high * 16 + low).ok()?);
        }
        let (element, rest) = crate::ber::read(&octets)?;
        // OCTET STRING, UTF8String, PrintableString, IA5String
        let text = matches!(element.tag, 0x04 | 0x0C | 0x13 | 0x16) && rest.is_empty();
        let value = text.then(|| String::from_utf8(element.content.to_vec()).ok())??;
        Some(value).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_directory::escape_rdn;
    use proptest::prelude::*;

    fn values(dn: &str) -> Option<Vec<String>> {
        Some(parse(dn)?.into_iter().map(|rdn| format!("{}={}", rdn.attribute, rdn.value)).collect())
    }

    #[test]
    fn names_are_read_as_rfc_4514_writes_them() {
        for (dn, expected) in [
            ("", vec![]),
            ("CN=Jane, ou = HQ ;O=Acme", vec!["cn=Jane", "ou=HQ", "o=Acme"]),
            ("cn=Doe\\, Jane\\20,o=a", vec!["cn=Doe, Jane ", "o=a"]),
            ("cn=Lu\\C4\\8Di\\C4\\87", vec!["cn=Lučić"]),
            ("2.5.4.3=#04024869", vec!["2.5.4.3=Hi"]),
            ("oid.2.5.4.3=a", vec!["2.5.4.3=a"]),
            ("cn=a+sn=b,o=c", vec!["cn=a", "o=c"]),
        ] {
            assert_eq!(values(dn).unwrap(), expected, "{dn}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for dn in
            ["cn", "cn=", "=a", "cn=a,", "cn=a,,o=b", "cn=a\\", "cn=a\\zz", "cn=\"a\"", "c n=a"]
        {
            assert_eq!(parse(dn), None, "{dn}");
        }
        assert_eq!(parse(&"cn=a,".repeat(60)), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(dn in ".{0,80}") {
            let _ = parse(&dn);
        }

        #[test]
        fn what_is_escaped_is_read_again(value in "[^\\p{Cc}]{1,20}") {
            let value = value.trim().to_owned();
            prop_assume!(!value.is_empty());
            let dn = format!("cn={},o=x", escape_rdn(&value));
            prop_assert_eq!(&parse(&dn).unwrap()[0].value, &value);
        }
    }
}
