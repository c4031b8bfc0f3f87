use super::*;
use concord_base::Timestamp;
use rustls::{ClientConnection, ServerConnection};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

fn now() -> Timestamp {
    use concord_base::{Clock, SystemClock};
    SystemClock.now()
}

/// Runs a handshake in memory. What the client says if it refuses.
fn handshake(
    client: Arc<rustls::ClientConfig>,
    server: Arc<rustls::ServerConfig>,
    name: &str,
) -> Result<(), rustls::Error> {
    let mut client = ClientConnection::new(client, server_name(name).unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn a_self_made_certificate_is_kept_and_serves_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let files = self_made(&dir.path().join("tls"), "mail.example.test", now()).unwrap();
    let mode = std::fs::metadata(&files.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = std::fs::read(&files.key).unwrap();
    self_made(&dir.path().join("tls"), "mail.example.test", now()).unwrap();
    assert_eq!(std::fs::read(&files.key).unwrap(), first, "kept while it is fresh");

    let server = server_config(files.clone()).unwrap();
    let verify = Verification::Verify(Roots::File(files.certificate.clone()));
    let client = client_config(&verify).unwrap();
    for name in ["mail.example.test", "localhost", "127.0.0.1", "::1"] {
        handshake(client.clone(), server.clone(), name).unwrap();
    }
    assert!(handshake(client, server, "other.example.test").is_err());
}

#[test]
fn it_is_made_afresh_for_another_name_and_before_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let files = self_made(dir.path(), "a.example", now()).unwrap();
    let first = std::fs::read(&files.key).unwrap();
    self_made(dir.path(), "b.example", now()).unwrap();
    let second = std::fs::read(&files.key).unwrap();
    assert_ne!(first, second);
    let later = now() + std::time::Duration::from_secs(800 * 86_400);
    self_made(dir.path(), "b.example", later).unwrap();
    assert_ne!(std::fs::read(&files.key).unwrap(), second);
}

#[test]
fn opportunistic_takes_a_certificate_that_verification_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let files = self_made(dir.path(), "mail.example.test", now()).unwrap();
    let server = server_config(files).unwrap();
    let anybody = client_config(&Verification::Opportunistic).unwrap();
    handshake(anybody, server.clone(), "whoever.example").unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = self_made(other.path(), "mail.example.test", now()).unwrap();
    let verify = Verification::Verify(Roots::File(stranger.certificate));
    let error = handshake(client_config(&verify).unwrap(), server, "mail.example.test");
    assert!(matches!(error, Err(rustls::Error::InvalidCertificate(_))), "{error:?}");
}

#[test]
fn a_changed_file_is_read_again_and_a_broken_one_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let files = self_made(dir.path(), "a.example", now()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let reloading = Reloading::new(files.clone(), provider).unwrap();
    let first = reloading.current();
    assert!(!reloading.refresh().unwrap());
    self_made(dir.path(), "b.example", now()).unwrap();
    assert!(reloading.refresh().unwrap());
    let second = reloading.current();
    assert_ne!(first.cert, second.cert);
    std::fs::write(&files.key, "rubbish").unwrap();
    assert!(reloading.refresh().is_err());
    assert_eq!(reloading.current().cert, second.cert);
    assert!(!reloading.refresh().unwrap(), "not tried again until it changes");
}

#[test]
fn a_better_certificate_is_taken_when_it_comes_and_while_it_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let own = self_made(dir.path(), "a.example", now()).unwrap();
    let better = ordered_files(dir.path());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let all = vec![better.clone(), own.clone()];
    let reloading = Reloading::of_first(all.clone(), provider.clone()).unwrap();
    let first = reloading.current();
    let elsewhere = tempfile::tempdir().unwrap();
    let ordered = self_made(elsewhere.path(), "a.example", now()).unwrap();
    std::fs::rename(&ordered.certificate, &better.certificate).unwrap();
    assert!(reloading.refresh().unwrap());
    let second = reloading.current();
    assert_ne!(second.cert, first.cert);
    // A damaged one does not displace what works, and a start with it still serves.
    std::fs::write(&better.certificate, "rubbish").unwrap();
    assert!(reloading.refresh().is_err());
    assert_eq!(reloading.current().cert, second.cert);
    assert_eq!(Reloading::of_first(all, provider).unwrap().current().cert, first.cert);
}

#[test]
fn each_mistake_has_its_own_error() {
    let dir = tempfile::tempdir().unwrap();
    let good = self_made(dir.path(), "a.example", now()).unwrap();
    let other = self_made(&dir.path().join("other"), "a.example", now()).unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let missing = dir.path().join("missing.pem");
    let failure = |certificate: &std::path::Path, key: &std::path::Path| {
        let files = CertificateFiles { certificate: certificate.into(), key: key.into() };
        server_config(files).unwrap_err()
    };
    assert!(matches!(failure(&missing, &good.key), TlsError::Unreadable { .. }));
    assert!(matches!(failure(&empty, &good.key), TlsError::NoCertificate { .. }));
    assert!(matches!(failure(&good.certificate, &empty), TlsError::NoKey { .. }));
    assert!(matches!(failure(&good.certificate, &other.key), TlsError::Unusable { .. }));
    let roots = Verification::Verify(Roots::File(empty));
    assert!(matches!(client_config(&roots).unwrap_err(), TlsError::NoRoots { .. }));
    assert!(matches!(server_name("a b").unwrap_err(), TlsError::PeerName(_)));
}
