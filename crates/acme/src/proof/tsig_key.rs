//! A TSIG key as BIND's `tsig-keygen` writes it.

use crate::error::AcmeError;
use crate::plan::read_key_file;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hickory_net::proto::rr::Name;
use hickory_net::proto::rr::rdata::tsig::TsigAlgorithm;
use std::path::Path;

/// The name, algorithm and secret of a TSIG key (RFC 8945).
#[derive(Clone)]
pub struct TsigKey {
    pub(super) name: Name,
    pub(super) algorithm: TsigAlgorithm,
    pub(super) secret: Vec<u8>,
}

impl std::fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TsigKey({})", self.name)
    }
}

impl TsigKey {
    /// Reads a file with a `key "NAME" { algorithm A; secret "BASE64"; };`.
    /// Blocks.
    ///
    /// # Errors
    /// [`AcmeError::KeyFile`].
    pub fn read(file: &Path) -> Result<Self, AcmeError> {
        Self::parse(&read_key_file(file)?)
            .map_err(|cause| AcmeError::KeyFile { file: file.to_owned(), cause })
    }

    /// The same from the text; the error says what does not fit.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(|line| {
            // Neither sign can stand in a name or in base64.
            let line = line.split('#').next().unwrap_or_default();
            line.split_once(" //").map_or(line, |(before, _)| before)
        });
        let text: String = lines.map(|line| format!("{line} ")).collect();
        let text = text.replace(['{', '}', ';', '"'], " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let after = |word: &str| {
            let at = words.iter().position(|w| w.eq_ignore_ascii_case(word))?;
            words.get(at + 1).copied()
        };
        let lacks = |what: &str| format!("it has no '{what}'; write it as tsig-keygen does");
        let name = after("key").ok_or_else(|| lacks("key NAME"))?;
        let name = Name::from_ascii(name).map_err(|_| format!("'{name}' is no name for a key"))?;
        let algorithm = after("algorithm").ok_or_else(|| lacks("algorithm"))?;
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            other => {
                return Err(format!(
                    "its algorithm '{other}' is not one of hmac-sha256, hmac-sha384, hmac-sha512"
                ));
            }
        };
        let secret = after("secret").ok_or_else(|| lacks("secret"))?;
        let secret =
            BASE64_STANDARD.decode(secret).map_err(|_| "its secret is not base64".to_owned())?;
        Ok(Self { name, algorithm, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tsig_keygen_writes_is_read() {
        let text = "# made by hand\nkey \"acme.example\" {\n\talgorithm hmac-sha256;\n\
                    \tsecret \"c2VjcmV0\"; // shared\n};\n";
        let key = TsigKey::parse(text).unwrap();
        assert_eq!(key.name.to_ascii(), "acme.example");
        assert_eq!(key.algorithm, TsigAlgorithm::HmacSha256);
        assert_eq!(key.secret, b"secret");
        assert_eq!(format!("{key:?}"), "TsigKey(acme.example)");
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, part) in [
            ("", "no 'key NAME'"),
            ("key a { secret \"c2Vj\"; };", "no 'algorithm'"),
            ("key a { algorithm hmac-md5; secret \"c2Vj\"; };", "'hmac-md5' is not one"),
            ("key a { algorithm hmac-sha512; };", "no 'secret'"),
            ("key a { algorithm hmac-sha512; secret \"?\"; };", "not base64"),
        ] {
            let error = TsigKey::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(key|algorithm|secret|hmac-sha256|[a-z0-9\"{};=# /\n]){0,40}") {
            let _ = TsigKey::parse(&text);
        }
    }
}
