//! Paths and queries of requests, safe for whatever a person typed.

/// A path whose last part is what a person typed.
pub fn path_of(start: &str, name: &str) -> String {
    format!("{start}/{}", encoded(name))
}

/// A path with a query.
pub(super) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// RFC 3986 section 2.1: everything but unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_cannot_leave_its_place_in_the_path() {
        assert_eq!(path_of("/v1/lists", "a/../b?c#é"), "/v1/lists/a%2F..%2Fb%3Fc%23%C3%A9");
        assert_eq!(with_query("/v1/queue", &[("sender", "a&b=c")]), "/v1/queue?sender=a%26b%3Dc");
    }
}
