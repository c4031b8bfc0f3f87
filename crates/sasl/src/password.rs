//! From a password to verifiers, and back to yes or no.

use crate::SaslError;
use crate::scram::{self, KEY};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use concord_directory::{Credentials, ScramVerifier};
use rand::CryptoRng;
use std::borrow::Cow;

/// Octets of a password. Longer ones only burn CPU for whoever sends them.
pub const MAX_PASSWORD: usize = 512;
/// OWASP Password Storage Cheat Sheet, argon2id: 19 MiB of memory, in KiB.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// The same: passes over that memory.
const ARGON2_PASSES: u32 = 2;
/// The same: lanes.
const ARGON2_LANES: u32 = 1;
/// Octets of a salt; RFC 9106 section 3.1 recommends 16.
pub(crate) const SALT: usize = 16;
/// PBKDF2 rounds of the SCRAM verifier. RFC 7677 section 4 asks for at least
/// 4,096; the client pays them at each login, a phone some 30 ms for these.
pub(crate) const SCRAM_ITERATIONS: u32 = 32_768;

fn argon2() -> Result<Argon2<'static>, SaslError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(KEY))
        .map_err(|e| SaslError::Bug(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// SASLprep (RFC 4013) and the bounds that hold for every password.
pub(crate) fn prepare(password: &str) -> Result<Cow<'_, str>, SaslError> {
    if password.len() > MAX_PASSWORD {
        return Err(SaslError::PasswordTooLong { limit: MAX_PASSWORD });
    }
    let prepared = stringprep::saslprep(password).map_err(|_| SaslError::PasswordCharacters)?;
    if prepared.is_empty() { Err(SaslError::PasswordEmpty) } else { Ok(prepared) }
}

/// Turns a password into verifiers. Takes some 50 ms of CPU and 19 MiB: not to
/// be called on a thread that serves connections.
///
/// # Errors
/// [`SaslError::PasswordEmpty`], [`SaslError::PasswordTooLong`],
/// [`SaslError::PasswordCharacters`].
pub fn make_credentials(
    password: &str,
    rng: &mut impl CryptoRng,
) -> Result<Credentials, SaslError> {
    let password = prepare(password)?;
    let (mut salt, mut scram_salt) = ([0u8; SALT], [0u8; SALT]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut scram_salt);
    let argon2id = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e| SaslError::Bug(e.to_string()))?
        .to_string();
    let scram_sha_256 = make_verifier(password.as_bytes(), &scram_salt, SCRAM_ITERATIONS);
    Ok(Credentials { argon2id, scram_sha_256 })
}

/// RFC 5802 section 3: `StoredKey` and `ServerKey` of a prepared password.
pub(crate) fn make_verifier(password: &[u8], salt: &[u8], iterations: u32) -> ScramVerifier {
    let salted = scram::salted_password(password, salt, iterations);
    let client_key = scram::hmac(&salted, &[b"Client Key"]);
    ScramVerifier {
        salt: salt.to_vec(),
        iterations,
        stored_key: scram::sha256(&client_key).to_vec(),
        server_key: scram::hmac(&salted, &[b"Server Key"]).to_vec(),
    }
}

/// Whether the password is the one that the credentials were made from.
///
/// CPU heavy (some 20 ms) and 19 MiB: call it on a blocking thread, with a
/// bound on how many run at once, or use [`crate::PasswordGate`], which does both.
pub fn check_password(credentials: &Credentials, password: &str) -> bool {
    let Ok(password) = prepare(password) else { return false };
    let Ok(hash) = PasswordHash::new(&credentials.argon2id) else { return false };
    let Ok(argon2) = argon2() else { return false };
    // the parameters come from the hash, so hashes made with older ones still check
    argon2.verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_checks_and_another_does_not() {
        let made = make_credentials("I\u{AD}X paß", &mut rand::rng()).unwrap();
        assert!(made.argon2id.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", made.argon2id);
        // RFC 4013 section 3: the soft hyphen is mapped to nothing
        assert!(check_password(&made, "IX paß"));
        assert!(!check_password(&made, "ix paß"));
        assert!(!check_password(&made, ""));
        let broken = Credentials { argon2id: "$argon2id$v=19$broken".into(), ..made };
        assert!(!check_password(&broken, "IX paß"));
    }

    #[test]
    fn unusable_passwords_are_named() {
        let make = |p: &str| make_credentials(p, &mut rand::rng()).unwrap_err();
        assert_eq!(make(""), SaslError::PasswordEmpty);
        assert_eq!(make(&"x".repeat(513)), SaslError::PasswordTooLong { limit: 512 });
        assert_eq!(make("a\u{7}b"), SaslError::PasswordCharacters);
    }
}
