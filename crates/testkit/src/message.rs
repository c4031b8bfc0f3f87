//! Messages to send.

use crate::random::Random;

/// What a test message is like.
#[derive(Debug, Clone)]
pub struct Sample {
    /// `Message-ID` without brackets.
    pub id: String,
    /// `From`.
    pub from: String,
    /// `To`.
    pub to: String,
    /// `Subject`.
    pub subject: String,
    /// About how many octets it has.
    pub size: usize,
    /// Whether the body has octets above 127.
    pub eight_bit: bool,
    /// Decides the body's text.
    pub seed: u64,
}

/// RFC 5322 section 2.1.1 recommends at most 78 characters.
const LINE: usize = 76;

impl Sample {
    /// A message of about 1 KiB.
    pub fn new(id: &str, from: &str, to: &str) -> Self {
        Self {
            id: id.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            subject: format!("sample {id}"),
            size: 1024,
            eight_bit: false,
            seed: 1,
        }
    }

    /// The same with another size.
    #[must_use]
    pub fn size(mut self, octets: usize) -> Self {
        self.size = octets;
        self
    }

    /// The same with another subject.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = subject.to_owned();
        self
    }

    /// The same with an 8-bit body.
    #[must_use]
    pub fn eight_bit(mut self) -> Self {
        self.eight_bit = true;
        self
    }

    /// The octets, with CRLF line ends and lines that begin with dots.
    pub fn octets(&self) -> Vec<u8> {
        let encoding = if self.eight_bit { "8bit" } else { "7bit" };
        let mut out = format!(
            "Message-ID: <{}>\r\nFrom: <{}>\r\nTo: <{}>\r\nSubject: {}\r\n\
             Date: Sat, 21 Nov 2026 07:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
            self.id, self.from, self.to, self.subject
        )
        .into_bytes();
        out.reserve(self.size);
        let mut random = Random::new(self.seed.wrapping_add(self.size as u64));
        out.extend_from_slice(b".a line that begins with a dot\r\n");
        while out.len() < self.size {
            if self.eight_bit && random.one_in(4) {
                out.extend_from_slice("Größe, naïve, Ωμέγα, 文字\r\n".as_bytes());
                continue;
            }
            for _ in 0..LINE / 4 {
                let letters = random.number();
                out.extend(
                    (0..4)
                        .map(|i| b'a' + u8::try_from(letters >> (8 * i) & 0xff).unwrap_or(0) % 26),
                );
            }
            out.extend_from_slice(b"\r\n");
        }
        out
    }
}

/// The value of a header field, unfolded, without brackets around it.
pub fn header_value(message: &[u8], field: &str) -> Option<String> {
    let text = String::from_utf8_lossy(message);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if !name.eq_ignore_ascii_case(field) {
            continue;
        }
        let mut value = value.trim().to_owned();
        while let Some(more) = lines.next_if(|l| l.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(more.trim());
        }
        return Some(value.trim_matches(['<', '>', ' ']).to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_and_unfolded() {
        let message = b"A: 1\r\nmessage-id:\r\n <x@y>\r\nB: 2\r\n\r\nMessage-ID: no\r\n";
        assert_eq!(header_value(message, "Message-ID").as_deref(), Some("x@y"));
        assert_eq!(header_value(message, "C"), None);
    }

    #[test]
    fn samples_have_about_their_size() {
        let octets = Sample::new("i@t", "a@t", "b@t").size(50_000).eight_bit().octets();
        assert!((50_000..50_100).contains(&octets.len()), "{}", octets.len());
    }
}
