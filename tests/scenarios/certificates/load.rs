//! A renewal that nobody notices.

use super::{HOST, PATIENCE, Town};
use crate::ALICE;
use concord_testkit::{PASSWORD, Result, trouble, wait_until};
use concord_tls::{Verification, client_config, server_name};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// No answer takes longer, also on a busy machine.
const ANSWER: Duration = Duration::from_secs(20);

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A session within TLS.
struct Session {
    stream: Stream,
}

impl Session {
    fn imaps(at: SocketAddr, tls: &Arc<ClientConfig>) -> Result<Self> {
        let mut session = Self::begin(connect(at)?, tls)?;
        session.expect("* OK")?;
        Ok(session)
    }

    fn submission(at: SocketAddr, tls: &Arc<ClientConfig>) -> Result<Self> {
        let stream = connect(at)?;
        let mut lines = BufReader::new(stream.try_clone()?);
        reply(&mut lines, "220")?;
        (&stream).write_all(b"EHLO client.example.test\r\n")?;
        reply(&mut lines, "250")?;
        (&stream).write_all(b"STARTTLS\r\n")?;
        reply(&mut lines, "220")?;
        let mut session = Self::begin(stream, tls)?;
        session.say("EHLO client.example.test")?;
        reply(&mut session.stream, "250")?;
        Ok(session)
    }

    fn begin(stream: TcpStream, tls: &Arc<ClientConfig>) -> Result<Self> {
        let mut connection = ClientConnection::new(Arc::clone(tls), server_name(HOST)?)?;
        let mut stream = stream;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Self { stream: BufReader::new(StreamOwned::new(connection, stream)) })
    }

    fn certificate(&self) -> Result<CertificateDer<'static>> {
        let chain = self.stream.get_ref().conn.peer_certificates().unwrap_or_default();
        let own = chain.first().ok_or_else(|| trouble("no certificate was shown"))?;
        Ok(own.clone().into_owned())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()?;
        Ok(())
    }

    fn expect(&mut self, start: &str) -> Result<()> {
        reply(&mut self.stream, start)
    }
}

/// A client that resumes a session reports the certificate of the one it
/// resumes (RFC 8446 section 2.2 sends none again), which may be long replaced.
fn without_resumption() -> Result<Arc<ClientConfig>> {
    let mut tls = ClientConfig::clone(&*client_config(&Verification::Opportunistic)?);
    tls.resumption = Resumption::disabled();
    Ok(Arc::new(tls))
}

fn connect(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&at, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    Ok(stream)
}

/// Reads to the last line of an answer that begins so.
fn reply(lines: &mut BufReader<impl Read>, start: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if line.starts_with("* ") && !start.starts_with("* ") {
            continue;
        }
        if !line.starts_with(start) {
            return Err(trouble(format!("expected {start}, got {line:?}")));
        }
        // RFC 5321 section 4.2.1: more lines follow a hyphen.
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// What the clients saw.
#[derive(Default)]
struct Seen {
    sessions: usize,
    failures: Vec<String>,
    certificates: Vec<CertificateDer<'static>>,
}

/// One client after the other, until the stop.
fn clients(
    begin: impl Fn() -> Result<Session> + Send + 'static,
    bye: &'static str,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let outcome = begin().and_then(|mut session| {
                session.say(bye)?;
                session.certificate()
            });
            let mut seen = seen.lock().unwrap();
            seen.sessions += 1;
            match outcome {
                Ok(certificate) if seen.certificates.contains(&certificate) => {}
                Ok(certificate) => seen.certificates.push(certificate),
                Err(error) => seen.failures.push(error.to_string()),
            }
        }
    })
}

#[test]
fn certificate_is_renewed_under_load() -> Result<()> {
    let mut town = Town::new(None, |_| {})?;
    town.add_web()?;
    town.ordered()?;
    let file = town.server.root().join("data/tls/acme.pem");
    let on_disk = || CertificateDer::from_pem_file(&file).map_err(|e| trouble(e.to_string()));
    let (imaps, submission) = (town.server.address("imaps"), town.server.address("submission"));
    let tls = without_resumption()?;
    let first = on_disk()?;
    wait_until("the first ordered certificate in use", PATIENCE, || {
        let both = [Session::imaps(imaps, &tls)?, Session::submission(submission, &tls)?];
        Ok(both.iter().all(|s| s.certificate().is_ok_and(|c| c == first)))
    })?;

    // These stay open all the time.
    let mut reader = Session::imaps(imaps, &tls)?;
    reader.say(&format!("a LOGIN {ALICE} {PASSWORD}"))?;
    reader.expect("a OK")?;
    let mut sender = Session::submission(submission, &tls)?;

    let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
    let mut threads = Vec::new();
    for _ in 0..3 {
        let config = Arc::clone(&tls);
        let begin = move || Session::imaps(imaps, &config);
        threads.push(clients(begin, "z LOGOUT", Arc::clone(&seen), Arc::clone(&stop)));
        let config = Arc::clone(&tls);
        let begin = move || Session::submission(submission, &config);
        threads.push(clients(begin, "QUIT", Arc::clone(&seen), Arc::clone(&stop)));
    }
    let core = town.server.service("core")?;
    let mail = town.server.service("internet-mail")?;
    let serial = town.order_anew(|_| {})?;
    let second = on_disk()?;
    assert_ne!(first, second, "serial {serial}");
    let both_use_it = wait_until("the new certificate in use", PATIENCE, || {
        let both = [Session::imaps(imaps, &tls)?, Session::submission(submission, &tls)?];
        Ok(both.iter().all(|s| s.certificate().is_ok_and(|c| c == second)))
    });
    // A little longer, so that every client meets it.
    std::thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| trouble("a client panicked"))?;
    }
    both_use_it?;
    let seen = seen.lock().unwrap();
    println!("{} sessions, {} failures", seen.sessions, seen.failures.len());
    assert!(seen.failures.is_empty(), "{:?}", seen.failures);
    assert!(seen.sessions > 100, "only {} sessions", seen.sessions);
    assert_eq!(seen.certificates, [first, second], "the old one, then the new one");

    reader.say("b NOOP")?;
    reader.expect("b OK")?;
    sender.say("NOOP")?;
    sender.expect("250")?;
    assert_eq!(town.server.service("core")?, core, "no restart");
    assert_eq!(town.server.service("internet-mail")?, mail, "no restart");
    Ok(())
}
