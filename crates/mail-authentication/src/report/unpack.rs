//! Finding a report in what was received, within bounds.

use crate::error::ReportError;
use crate::limits;
use flate2::read::GzDecoder;
use mail_auth::zip::ZipArchive;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use std::io::{Cursor, Read};

/// The texts in it that may be reports: of a message its attachments, of a file
/// itself; unpacked.
pub(super) fn candidates(octets: &[u8]) -> Result<Vec<Vec<u8>>, ReportError> {
    if octets.len() > limits::MAX_REPORT_COMPRESSED {
        let (size, limit) = (octets.len(), limits::MAX_REPORT_COMPRESSED);
        return Err(ReportError::TooLarge { size, limit });
    }
    if let Some(found) = unpacked(octets) {
        return found;
    }
    let message = MessageParser::new().parse(octets).ok_or(ReportError::NotFound)?;
    let mut found = Vec::new();
    let mut left = limits::MAX_REPORT_UNPACKED;
    for part in message.parts.iter().take(limits::MAX_REPORT_FILES * 4) {
        let octets: &[u8] = match &part.body {
            PartType::Binary(octets) | PartType::InlineBinary(octets) => octets,
            // A report that is attached as text; the words for people are not.
            PartType::Text(text) if part.attachment_name().is_some() || is_report(part) => {
                text.as_bytes()
            }
            _ => continue,
        };
        for text in unpacked(octets).transpose()?.into_iter().flatten() {
            left = left
                .checked_sub(text.len())
                .ok_or(ReportError::Bomb { limit: limits::MAX_REPORT_UNPACKED })?;
            found.push(text);
        }
        if found.len() >= limits::MAX_REPORT_FILES {
            break;
        }
    }
    if found.is_empty() { Err(ReportError::NotFound) } else { Ok(found) }
}

fn is_report(part: &mail_parser::MessagePart<'_>) -> bool {
    let subtype = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default();
    ["xml", "json", "tlsrpt+json"].iter().any(|one| subtype.eq_ignore_ascii_case(one))
}

/// What a file holds, by its first octets and not by its name, which senders
/// get wrong. `None` if it is neither packed nor text of a report.
fn unpacked(octets: &[u8]) -> Option<Result<Vec<Vec<u8>>, ReportError>> {
    let start = octets.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    if octets.starts_with(&[0x1f, 0x8b]) {
        Some(bounded(GzDecoder::new(octets)).map(|text| vec![text]))
    } else if octets.starts_with(b"PK\x03\x04") {
        Some(unzipped(octets))
    } else if start.starts_with(b"<") || start.starts_with(b"{") {
        Some(Ok(vec![start.to_vec()]))
    } else {
        None
    }
}

fn unzipped(octets: &[u8]) -> Result<Vec<Vec<u8>>, ReportError> {
    let packed = |e: mail_auth::zip::result::ZipError| ReportError::Packed(e.to_string());
    let mut archive = ZipArchive::new(Cursor::new(octets)).map_err(packed)?;
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut left = limits::MAX_REPORT_UNPACKED;
    for at in 0..archive.len().min(limits::MAX_REPORT_FILES) {
        let file = archive.by_index(at).map_err(packed)?;
        let text = bounded(file)?;
        left = left
            .checked_sub(text.len())
            .ok_or(ReportError::Bomb { limit: limits::MAX_REPORT_UNPACKED })?;
        found.push(text);
    }
    Ok(found)
}

/// Reads no more than is allowed, whatever the archive says of its size.
fn bounded(from: impl Read) -> Result<Vec<u8>, ReportError> {
    let limit = limits::MAX_REPORT_UNPACKED;
    let mut text = Vec::new();
    from.take(limit as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|e| ReportError::Packed(e.to_string()))?;
    if text.len() > limit { Err(ReportError::Bomb { limit }) } else { Ok(text) }
}
