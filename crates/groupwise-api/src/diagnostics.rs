//! What a gateway writes behind `-END-` of a file that it refuses.

use crate::charset::CodePage;
use crate::limits::{MAX_COMMENTS, MAX_QUOTE};
use crate::outcome::Diagnostic;
use crate::text::tidy;

/// The complaint that names a keyword (Q222538).
const UNKNOWN: &str = "unknown keyword";

/// Reads complaints: `Line 12 Unknown keyword: WPPO`. Other lines are kept as
/// they are.
pub(crate) fn read(trailer: &[u8], page: CodePage) -> Vec<Diagnostic> {
    let lines = trailer.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty())
        .take(MAX_COMMENTS)
        .map(|line| one(&tidy(&page.decode(line.get(..MAX_QUOTE).unwrap_or(line)))))
        .collect()
}

fn one(text: &str) -> Diagnostic {
    let lower = text.to_ascii_lowercase();
    let behind = lower.strip_prefix("line").map(str::trim_start).unwrap_or_default();
    let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let line = behind.get(..digits).and_then(|digits| digits.parse().ok());
    let keyword = lower.find(UNKNOWN).and_then(|at| text.get(at + UNKNOWN.len()..));
    let keyword = keyword.map(|rest| rest.trim_start_matches([':', ' ']).trim_end());
    Diagnostic {
        line,
        unknown_keyword: keyword.filter(|k| !k.is_empty()).map(str::to_owned),
        text: text.to_owned(),
    }
}
