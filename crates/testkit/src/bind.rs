//! Debian's BIND as a primary name server that takes changes by RFC 2136.

use crate::command::tool;
use crate::log::Log;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// It reads one small zone.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running BIND with one zone; dropping it ends it.
#[derive(Debug)]
pub struct Bind {
    directory: tempfile::TempDir,
    address: SocketAddr,
    child: Child,
    log: Log,
}

impl Bind {
    /// Starts it on a port of 127.0.0.1. Every host of `hosts` is below `zone`
    /// and has the address 127.0.0.1.
    ///
    /// # Errors
    /// It is not installed or did not start.
    pub fn start(port: u16, zone: &str, hosts: &[&str]) -> Result<Self> {
        let program = tool("named").ok_or_else(|| trouble("bind9 is not installed"))?;
        let directory = tempfile::Builder::new().prefix("bind-").tempdir()?;
        let at = directory.path();
        let mut records = format!(
            "$TTL 60\n@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60\n\
             @ IN NS ns.{zone}.\n@ IN A 127.0.0.1\nns IN A 127.0.0.1\n"
        );
        for host in hosts {
            let _ = writeln!(records, "{host}. IN A 127.0.0.1");
        }
        std::fs::write(at.join("zone"), records)?;
        // Nothing outside of this machine ever hears of this key.
        let key = "key \"acme\" {\n\talgorithm hmac-sha256;\n\t\
                   secret \"c2VjcmV0IGZvciB0ZXN0cyBvbmx5LCBubyBvdGhlciB1c2U=\";\n};\n";
        std::fs::write(at.join("key"), key)?;
        std::fs::write(at.join("named.conf"), configuration(at, port, zone))?;
        let mut child = Command::new(program)
            .args(["-g", "-c"])
            .arg(at.join("named.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = Log::default();
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut peer = Self { directory, address, child, log };
        let started = wait_until("named to listen", START_LIMIT, || {
            if let Some(status) = peer.child.try_wait()? {
                return Err(trouble(format!("named ended with {status}")));
            }
            Ok(TcpStream::connect(address).is_ok() && peer.log.text().contains("running"))
        });
        let said = peer.log.tail(20);
        started.map_err(|e| trouble(format!("{}\n{said}", e.text())))?;
        Ok(peer)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that may change TXT records, as `tsig-keygen` writes it.
    pub fn key_file(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// What it logged.
    pub fn said(&self) -> String {
        self.log.text()
    }
}

impl Drop for Bind {
    fn drop(&mut self) {
        // It holds nothing that anybody would miss.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(at: &Path, port: u16, zone: &str) -> String {
    let at = at.display();
    format!(
        "options {{\n directory \"{at}\";\n pid-file \"{at}/named.pid\";\n \
         session-keyfile \"{at}/session.key\";\n listen-on port {port} {{ 127.0.0.1; }};\n \
         listen-on-v6 {{ none; }};\n recursion no;\n allow-transfer {{ none; }};\n \
         dnssec-validation no;\n}};\ncontrols {{}};\ninclude \"{at}/key\";\n\
         zone \"{zone}\" {{\n type primary;\n file \"{at}/zone\";\n \
         update-policy {{ grant acme subdomain {zone} TXT; }};\n}};\n"
    )
}
