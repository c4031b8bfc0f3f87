//! The external connector at work: installed from its package, it carries mail
//! both ways, and a message waits in the core while it is away.

use super::package::{packed, services};
use concord_testkit::{Result, Site, run, trouble, wait_until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// An HTTP server that answers 204 and keeps what was posted.
struct Endpoint {
    address: SocketAddr,
    posted: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = Self::answer(stream, &kept);
            }
        });
        Ok(Self { address, posted })
    }

    fn answer(stream: std::net::TcpStream, kept: &Mutex<Vec<String>>) -> Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| trouble("no length"))?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
        kept.lock()
            .map_err(|_| trouble("poisoned"))?
            .push(String::from_utf8_lossy(&body).into_owned());
        Ok(())
    }

    fn has(&self, text: &str) -> Result<bool> {
        let posted = self.posted.lock().map_err(|_| trouble("poisoned"))?;
        Ok(posted.iter().any(|body| body.contains(text)))
    }
}

fn submit(site: &Site, subject: &str) -> Result<()> {
    let mut smtp = concord_testkit::Smtp::connect(site.address("submission"))?;
    smtp.hello()?;
    smtp.login("alice@example.test", "secret")?;
    let text = format!("From: <alice@example.test>\r\nSubject: {subject}\r\n\r\nhello\r\n");
    let reply = smtp.send("alice@example.test", &["orders@hook.internal"], text.as_bytes())?;
    if reply.is_positive() { Ok(()) } else { Err(trouble(reply.text())) }
}

#[test]
fn webhook_connector_carries_mail_both_ways() -> Result<()> {
    let endpoint = Endpoint::start()?;
    let site = Site::running()?;
    site.add_mailbox("alice")?;
    let package = packed(&site, "1.0.0", 1)?.display().to_string();
    let trust = site.top().join("publisher.pub").display().to_string();
    let port = site.port()?;
    let (url, listen) =
        (format!("url=http://{}/", endpoint.address), format!("http=127.0.0.1:{port}"));
    site.ok(&[
        "connector",
        "install",
        &package,
        "--trust",
        &trust,
        "--setting",
        &url,
        "--setting",
        "send-token=let-me-in",
        "--listen",
        &listen,
    ])?;
    submit(&site, "outward")?;
    wait_until("the post", SOON, || endpoint.has("outward"))?;
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--header", "authorization: Bearer let-me-in"])
        .args(["--header", "content-type: application/json", "--data"])
        .arg(r#"{"from":"orders@hook.internal","to":["alice@example.test"],"subject":"inward","text":"hi"}"#)
        .arg(format!("http://127.0.0.1:{port}/send"));
    run(&mut curl, SOON)?.ok()?;
    wait_until("the mail", SOON, || {
        Ok(site.imap("alice")?.headers("INBOX", "SUBJECT")?.contains(&"inward".to_owned()))
    })?;
    // It goes away; what is for it waits in the core, nowhere else.
    site.ok(&["service", "stop", "webhook"])?;
    submit(&site, "patience")?;
    assert!(site.ok(&["queue", "list"])?.contains("hook.internal"));
    let newer = packed(&site, "1.1.0", 1)?.display().to_string();
    site.ok(&["service", "start", "webhook"])?;
    wait_until("what waited", SOON, || endpoint.has("patience"))?;
    site.ok(&["connector", "install", &newer])?;
    assert!(services(&site)?.contains(&"webhook ready".to_owned()));
    submit(&site, "after the update")?;
    wait_until("mail through the newer one", SOON, || endpoint.has("after the update"))?;
    let story = site.ok(&["trace", "orders@hook.internal"])?;
    assert!(story.contains("webhook"), "{story}");
    super::healthy(&site)
}
