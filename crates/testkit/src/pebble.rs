//! Debian's Pebble, the ACME server of Let's Encrypt for tests, as a
//! certification authority.

use crate::command::{run, tool};
use crate::log::Log;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// It makes its own keys at the start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// openssl and curl here.
const TOOL_LIMIT: Duration = Duration::from_secs(20);

/// How the authority is set up.
#[derive(Debug, Clone)]
pub struct PebbleSettings {
    /// Where it listens.
    pub port: u16,
    /// Where its root can be asked for.
    pub management_port: u16,
    /// The name server that it asks.
    pub dns: SocketAddr,
    /// Where it looks for HTTP-01, in place of port 80.
    pub http_port: u16,
    /// Where it looks for TLS-ALPN-01, in place of port 443.
    pub tls_port: u16,
    /// Key identifier and key (base64url) that new accounts must be bound to.
    pub external_account: Option<(String, String)>,
}

/// A running authority; dropping it ends it.
#[derive(Debug)]
pub struct Pebble {
    directory: tempfile::TempDir,
    settings: PebbleSettings,
    child: Child,
    log: Log,
}

impl Pebble {
    /// Starts it. It proves every name anew, at once, and refuses one nonce in
    /// twenty, as it always does.
    ///
    /// # Errors
    /// It is not installed or did not start.
    pub fn start(settings: &PebbleSettings) -> Result<Self> {
        let program = tool("pebble").ok_or_else(|| trouble("pebble is not installed"))?;
        let directory = tempfile::Builder::new().prefix("pebble-").tempdir()?;
        let (certificate, key) =
            (directory.path().join("tls.pem"), directory.path().join("tls.key"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
        openssl.args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        run(&mut openssl, TOOL_LIMIT)?.ok()?;
        let keys = match &settings.external_account {
            Some((id, key)) => serde_json::json!({ id: key }),
            None => serde_json::json!({}),
        };
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{}", settings.port),
            "managementListenAddress": format!("127.0.0.1:{}", settings.management_port),
            "certificate": certificate,
            "privateKey": key,
            "httpPort": settings.http_port,
            "tlsPort": settings.tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": settings.external_account.is_some(),
            "externalAccountMACKeys": keys,
        }});
        let file = directory.path().join("pebble.json");
        std::fs::write(&file, configuration.to_string())?;
        let mut child = Command::new(program)
            .arg("-config")
            .arg(&file)
            .args(["-dnsserver", &settings.dns.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = Log::default();
        if let Some(stdout) = child.stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let mut peer = Self { directory, settings: settings.clone(), child, log };
        let ports = [settings.port, settings.management_port];
        let started = wait_until("pebble to listen", START_LIMIT, || {
            if let Some(status) = peer.child.try_wait()? {
                return Err(trouble(format!("pebble ended with {status}")));
            }
            Ok(ports.iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok()))
        });
        let said = peer.log.tail(20);
        started.map_err(|e| trouble(format!("{}\n{said}", e.text())))?;
        Ok(peer)
    }

    /// Its directory URL.
    pub fn directory_url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.settings.port)
    }

    /// The root that vouches for its own server.
    pub fn server_root(&self) -> PathBuf {
        self.directory.path().join("tls.pem")
    }

    /// Writes the root of the certificates that it gives into a file.
    ///
    /// # Errors
    /// It does not tell it.
    pub fn issuing_root(&self) -> Result<PathBuf> {
        let url = format!("https://127.0.0.1:{}/roots/0", self.settings.management_port);
        let done = run(Command::new("curl").args(["-sSfk", &url]), TOOL_LIMIT)?.ok()?;
        let file = self.directory.path().join("root.pem");
        std::fs::write(&file, done.stdout)?;
        Ok(file)
    }

    /// What it logged.
    pub fn said(&self) -> String {
        self.log.text()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        // It keeps nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("pebble said:\n{}", self.log.tail(20));
        }
    }
}
