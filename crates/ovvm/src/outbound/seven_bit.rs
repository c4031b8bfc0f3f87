//! Messages in seven bits, for ways that translate every octet: what is not ASCII,
//! or has lines that are too long, becomes quoted-printable (RFC 2045 section 6.7).

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// Messages within messages that are rewritten; deeper ones are refused.
const MAX_DEPTH: usize = 8;
/// RFC 2045 section 6.7: columns of a line of quoted-printable.
const QUOTED_COLUMNS: usize = 76;

/// The message in ASCII with lines of at most `columns`; none if it is none, or
/// nested too deeply. One that is so already comes back as it is.
pub(super) fn seven_bit(octets: &[u8], columns: usize) -> Option<Vec<u8>> {
    rewrite(octets, columns, MAX_DEPTH)
}

fn fits(octets: &[u8], columns: usize) -> bool {
    octets.is_ascii()
        && octets.split(|octet| *octet == b'\n').all(|line| line.len() <= columns.saturating_add(1))
}

fn rewrite(octets: &[u8], columns: usize, depth: usize) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let message = MessageParser::new().parse(octets)?;
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0_usize;
    for part in leaves(&message) {
        let part = message.parts.get(part)?;
        let (head, body, end) = (
            usize::try_from(part.offset_header).ok()?,
            usize::try_from(part.offset_body).ok()?,
            usize::try_from(part.offset_end).ok()?,
        );
        let inner = octets.get(body..end)?;
        let rewritten = match &part.body {
            PartType::Message(_) => rewrite(inner, columns, depth)?,
            _ if fits(inner, columns) => continue,
            _ => quoted_printable(inner),
        };
        if matches!(part.body, PartType::Message(_)) && rewritten == inner {
            continue;
        }
        out.extend_from_slice(octets.get(at..head)?);
        let encoding: &[u8] = match &part.body {
            PartType::Message(_) => b"Content-Transfer-Encoding: 7bit\r\n",
            _ => b"Content-Transfer-Encoding: quoted-printable\r\n",
        };
        out.extend(without_encoding(octets.get(head..body)?, encoding));
        out.extend_from_slice(&rewritten);
        at = end;
    }
    out.extend_from_slice(octets.get(at..)?);
    Some(out)
}

/// Parts that hold something themselves.
fn leaves(message: &Message<'_>) -> Vec<usize> {
    let parts = message.parts.iter().enumerate();
    parts
        .filter(|(_, part)| !matches!(part.body, PartType::Multipart(_)))
        // Base64 and quoted-printable are in seven bits, and their lines short.
        .filter(|(_, part)| match part.content_transfer_encoding() {
            Some(encoding) => !["base64", "quoted-printable"]
                .iter()
                .any(|known| encoding.eq_ignore_ascii_case(known)),
            None => true,
        })
        .map(|(number, _)| number)
        .collect()
}

/// A part's header with another transfer encoding.
fn without_encoding(head: &[u8], encoding: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len().saturating_add(encoding.len()));
    let mut skipped = false;
    let mut written = false;
    for line in head.split_inclusive(|octet| *octet == b'\n') {
        let folded = line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        if !folded {
            let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
            skipped = name.eq_ignore_ascii_case(b"content-transfer-encoding");
        }
        if matches!(line, b"\r\n" | b"\n") {
            out.extend_from_slice(encoding);
            written = true;
        }
        if !skipped {
            out.extend_from_slice(line);
        }
    }
    if !written {
        out.extend_from_slice(encoding);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Lines stay lines.
fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len().saturating_mul(2));
    let mut lines = octets.split(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut column = 0_usize;
        for (at, octet) in line.iter().enumerate() {
            let last = at.saturating_add(1) == line.len();
            let plain =
                matches!(octet, 33..=60 | 62..=126) || (matches!(octet, b' ' | b'\t') && !last);
            let width = if plain { 1 } else { 3 };
            if column.saturating_add(width) >= QUOTED_COLUMNS {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            match plain {
                true => out.push(*octet),
                false => out.extend(format!("={octet:02X}").into_bytes()),
            }
            column = column.saturating_add(width);
        }
        if lines.peek().is_some() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "From: a@b.test\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
        Grüße an alle \r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Zoë\r\n--x\r\nContent-Type: application/octet-stream\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--x--\r\n";

    #[test]
    fn eight_bits_become_seven_and_say_the_same() {
        let out = seven_bit(MESSAGE.as_bytes(), 79).unwrap();
        assert!(fits(&out, 79), "{}", String::from_utf8_lossy(&out));
        let message = MessageParser::new().parse(&out).unwrap();
        assert!(message.body_text(0).unwrap().starts_with("Grüße an alle"));
        let inner = message.parts.iter().find_map(|part| part.message()).unwrap();
        assert_eq!(inner.body_text(0).unwrap().trim(), "Zoë");
        let file = message.parts.iter().find(|part| part.contents() == [0, 1, 2]);
        assert!(file.is_some(), "{}", String::from_utf8_lossy(&out));
        assert_eq!(seven_bit(&out, 79).unwrap(), out, "once is enough");
    }

    #[test]
    fn long_lines_are_broken_so_that_they_read_as_before() {
        let text = format!("Subject: x\r\n\r\n{} end\r\n", "word ".repeat(100));
        let out = seven_bit(text.as_bytes(), 79).unwrap();
        assert!(fits(&out, 79));
        let message = MessageParser::new().parse(&out).unwrap();
        assert_eq!(
            message.body_text(0).unwrap().trim_end(),
            format!("{} end", "word ".repeat(100))
        );
        let plain = b"Subject: x\r\n\r\nshort\r\n";
        assert_eq!(seven_bit(plain, 79).unwrap(), plain);
    }
}
