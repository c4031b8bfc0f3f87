//! SASL exchanges in SMTP lines (RFC 4954 section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A challenge or response as it stands in a line; an empty one is `=`.
pub fn encode_sasl(data: &[u8]) -> String {
    if data.is_empty() { "=".to_owned() } else { STANDARD.encode(data) }
}

/// The octets of a response or challenge; `=` and an empty line are empty.
/// `None` if it is not base64 (then the answer is `501 5.5.2`).
pub fn decode_sasl(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text == b"=" {
        return Some(Vec::new());
    }
    STANDARD.decode(text).ok()
}
