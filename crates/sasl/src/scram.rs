//! SCRAM-SHA-256: RFC 5802 with the hash of RFC 7677, server half.

use crate::session::{MAX_LOGIN, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord_directory::ScramVerifier;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Octets of SHA-256.
pub(crate) const KEY: usize = 32;
/// Octets of a client's first message: a login and a nonce.
const MAX_FIRST: usize = 1_024;
/// Octets of its final message: two nonces, the channel binding and a proof.
const MAX_FINAL: usize = 2_048;
/// Random octets of our nonce; RFC 5802 leaves it open, 18 make 24 characters.
const NONCE: usize = 18;

/// HMAC-SHA-256 of the parts one after the other.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY] {
    // HMAC takes keys of any length, so the error cannot come
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; KEY] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256(data: &[u8]) -> [u8; KEY] {
    Sha256::digest(data).into()
}

fn xor(a: &mut [u8; KEY], b: &[u8]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
}

/// `Hi()` of RFC 5802 section 2.2, which is PBKDF2 with one block.
pub(crate) fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> [u8; KEY] {
    let Ok(keyed) = <Hmac<Sha256> as KeyInit>::new_from_slice(password) else { return [0; KEY] };
    let mut mac = keyed.clone();
    mac.update(salt);
    mac.update(&1u32.to_be_bytes());
    let mut last: [u8; KEY] = mac.finalize().into_bytes().into();
    let mut sum = last;
    for _ in 1..iterations {
        let mut mac = keyed.clone();
        mac.update(&last);
        last = mac.finalize().into_bytes().into();
        xor(&mut sum, &last);
    }
    sum
}

/// A fresh nonce: printable, without commas.
pub(crate) fn nonce() -> String {
    let mut octets = [0; NONCE];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut octets);
    BASE64.encode(octets)
}

enum State {
    ClientFirst,
    Verifier,
    ClientFinal {
        verifier: ScramVerifier,
        known: bool,
        server_first: String,
    },
    /// The server's signature is sent; the client says that it has read it.
    Acknowledge,
}

/// One exchange.
pub(crate) struct Scram {
    state: State,
    server_nonce: String,
    login: String,
    gs2_header: String,
    client_first_bare: String,
    nonce: String,
}

impl Scram {
    pub(crate) fn new(server_nonce: String) -> Self {
        Self {
            state: State::ClientFirst,
            server_nonce,
            login: String::new(),
            gs2_header: String::new(),
            client_first_bare: String::new(),
            nonce: String::new(),
        }
    }

    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    pub(crate) fn respond(&mut self, response: &[u8]) -> Step {
        match std::mem::replace(&mut self.state, State::Verifier) {
            State::ClientFirst => self.client_first(response).unwrap_or(Step::Failed),
            State::ClientFinal { verifier, known, server_first } => {
                self.client_final(response, &verifier, known, &server_first).unwrap_or(Step::Failed)
            }
            State::Acknowledge if response.is_empty() => {
                Step::Success { login: std::mem::take(&mut self.login) }
            }
            State::Acknowledge | State::Verifier => Step::Failed,
        }
    }

    /// RFC 5802 section 7, `client-first-message`.
    fn client_first(&mut self, response: &[u8]) -> Option<Step> {
        let message = std::str::from_utf8(response).ok().filter(|m| m.len() <= MAX_FIRST)?;
        let (binding, rest) = message.split_once(',')?;
        let (authzid, bare) = rest.split_once(',')?;
        // `p=` asks for channel binding, which no name of ours offers; `y` says
        // that the client could and believes that we cannot, which is so
        if binding != "n" && binding != "y" {
            return None;
        }
        let mut fields = bare.split(',');
        // a mandatory extension (`m=`) would stand here, and we know none
        let login = unescape(fields.next()?.strip_prefix("n=")?)?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        if !authzid.is_empty() && unescape(authzid.strip_prefix("a=")?)? != login {
            return None;
        }
        let printable = nonce.bytes().all(|c| c.is_ascii_graphic() && c != b',');
        if nonce.is_empty() || !printable || login.is_empty() || login.len() > MAX_LOGIN {
            return None;
        }
        self.gs2_header = format!("{binding},{authzid},");
        self.client_first_bare = bare.to_owned();
        self.nonce = format!("{nonce}{}", self.server_nonce);
        self.login.clone_from(&login);
        Some(Step::NeedVerifier { login })
    }

    /// `server-first-message`.
    pub(crate) fn verifier(&mut self, verifier: ScramVerifier, known: bool) -> Step {
        if self.nonce.is_empty() || !matches!(self.state, State::Verifier) {
            return Step::Failed;
        }
        let salt = BASE64.encode(&verifier.salt);
        let server_first = format!("r={},s={salt},i={}", self.nonce, verifier.iterations);
        let challenge = server_first.clone().into_bytes();
        self.state = State::ClientFinal { verifier, known, server_first };
        Step::Challenge(challenge)
    }

    /// `client-final-message`, and the answer to it.
    fn client_final(
        &mut self,
        response: &[u8],
        verifier: &ScramVerifier,
        known: bool,
        server_first: &str,
    ) -> Option<Step> {
        let message = std::str::from_utf8(response).ok().filter(|m| m.len() <= MAX_FINAL)?;
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let mut fields = without_proof.split(',');
        let binding = BASE64.decode(fields.next()?.strip_prefix("c=")?).ok()?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        let mut client_key: [u8; KEY] = BASE64.decode(proof).ok()?.try_into().ok()?;
        if binding != self.gs2_header.as_bytes() || nonce != self.nonce {
            return None;
        }
        let auth: [&[u8]; 5] = [
            self.client_first_bare.as_bytes(),
            b",",
            server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        xor(&mut client_key, &hmac(&verifier.stored_key, &auth));
        let proven = sha256(&client_key).ct_eq(&verifier.stored_key);
        if !(bool::from(proven) && known) {
            return None;
        }
        let signature = BASE64.encode(hmac(&verifier.server_key, &auth));
        self.state = State::Acknowledge;
        Some(Step::Challenge(format!("v={signature}").into_bytes()))
    }
}

/// `=2C` and `=3D` in a `saslname`; no other `=` may stand there.
fn unescape(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut pieces = name.split('=');
    out.push_str(pieces.next()?);
    for piece in pieces {
        let (c, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        out.push(c);
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServerSession;
    use crate::password::make_verifier;

    /// RFC 7677 section 3.
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn verifier() -> ScramVerifier {
        make_verifier(b"pencil", &BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(), 4_096)
    }

    fn text(step: Step) -> String {
        match step {
            Step::Challenge(octets) => String::from_utf8(octets).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_exchange_of_rfc_7677() {
        let mut session = ServerSession::scram_with_nonce(SERVER_NONCE);
        assert_eq!(text(session.start(None)), "");
        assert!(matches!(session.respond(FIRST), Step::NeedVerifier { login } if login == "user"));
        assert_eq!(
            text(session.verifier(Some(verifier()), &[0; 32])),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(
            text(session.respond(FINAL.as_bytes())),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        assert!(matches!(session.respond(b""), Step::Success { login } if login == "user"));
        assert!(matches!(session.respond(b""), Step::Failed));
    }

    #[test]
    fn wrong_proofs_and_unknown_logins_fail_alike() {
        for (verifier, last) in [
            (Some(verifier()), FINAL.replace("p=dHzb", "p=eHzb")),
            (Some(verifier()), FINAL.replace("c=biws", "c=eSws")),
            (Some(verifier()), FINAL.replace("$k0", "$k1")),
            (Some(verifier()), FINAL.replace(",p=", ",q=")),
            (Some(verifier()), "p=".into()),
            (None, FINAL.into()),
        ] {
            let mut session = ServerSession::scram_with_nonce(SERVER_NONCE);
            session.start(Some(FIRST));
            let first = text(session.verifier(verifier, &[0; 32]));
            assert!(first.starts_with("r=rOprNGfwEbeRWgbNEkqO%hv"), "{first}");
            assert!(matches!(session.respond(last.as_bytes()), Step::Failed), "{last}");
        }
    }

    #[test]
    fn an_unknown_login_has_the_same_salt_each_time() {
        let ask = |login: &str| {
            let mut session = ServerSession::scram_with_nonce("x");
            session.start(Some(format!("n,,n={login},r=y").as_bytes()));
            text(session.verifier(None, &[3; 32]))
        };
        assert_eq!(ask("nobody"), ask("Nobody"));
        assert_ne!(ask("nobody"), ask("somebody"));
    }

    #[test]
    fn broken_first_messages_fail() {
        for first in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=",
            "n,,n=u",
            "n,,n=,r=x",
            "n,,n=u,r=",
            "n,,r=x,n=u",
            "p=tls-unique,,n=u,r=x",
            "n,a=other,n=u,r=x",
            "n,,m=x,n=u,r=x",
            "n,,n=u=2,r=x",
            "n,,n=u,r=\u{1}",
            "x,,n=u,r=x",
        ] {
            let mut session = ServerSession::scram_with_nonce("x");
            assert!(matches!(session.start(Some(first.as_bytes())), Step::Failed), "{first}");
        }
        assert_eq!(unescape("a=2Cb=3D"), Some("a,b=".into()));
    }
}
