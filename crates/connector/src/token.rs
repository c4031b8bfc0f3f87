//! Tokens by which connectors show the core who they are.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Octets of the key that tokens are made with.
pub const TOKEN_KEY_OCTETS: usize = 32;

/// Makes and checks tokens. A token is `name.` and the HMAC-SHA-256 of the name
/// in hexadecimal digits; whoever has the key can make everybody's.
#[derive(Clone)]
pub struct Tokens {
    key: Vec<u8>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl Tokens {
    /// Tokens of a key.
    pub fn new(key: [u8; TOKEN_KEY_OCTETS]) -> Self {
        Self { key: key.to_vec() }
    }

    /// The token of a connector.
    pub fn of(&self, connector: &str) -> String {
        let code = self.code(connector).map(|mac| mac.finalize().into_bytes());
        let mut token = format!("{connector}.");
        for octet in code.iter().flatten() {
            token.push_str(&format!("{octet:02x}"));
        }
        token
    }

    /// The connector whose token it is; none if it is nobody's.
    pub fn check<'t>(&self, token: &'t str) -> Option<&'t str> {
        let (connector, digits) = token.rsplit_once('.')?;
        let code = unhex(digits)?;
        self.code(connector)?.verify_slice(&code).is_ok().then_some(connector)
    }

    fn code(&self, connector: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(b"concord connector ");
        mac.update(connector.as_bytes());
        Some(mac)
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_connector_and_key_only() {
        let tokens = Tokens::new([7; TOKEN_KEY_OCTETS]);
        let token = tokens.of("web-hook");
        assert_eq!(tokens.check(&token), Some("web-hook"));
        assert_eq!(Tokens::new([8; TOKEN_KEY_OCTETS]).check(&token), None);
        let other = token.replace("web-hook", "groupwise");
        for bad in [other.as_str(), "", ".", "web-hook.", "web-hook.zz", &token[..token.len() - 1]]
        {
            assert_eq!(tokens.check(bad), None, "{bad}");
        }
    }
}
