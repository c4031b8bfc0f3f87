//! A web server for MTA-STS policies.

use super::spawn;
use crate::command::tool;
use crate::log::Log;
use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// Serves a file for each host name, 404 for others, by Python's own server.
const SERVER: &str = "\
import http.server, os, ssl, sys
address, certificate, key, directory = sys.argv[1:]
class Policies(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get('Host', '').split(':')[0]
        file = os.path.join(directory, os.path.basename(host))
        if self.path != '/.well-known/mta-sts.txt' or not os.path.isfile(file):
            self.send_error(404)
            return
        text = open(file, 'rb').read()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain; charset=utf-8')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = http.server.ThreadingHTTPServer((address, 443), Policies)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

/// A running policy host; dropping it ends it.
#[derive(Debug)]
pub struct PolicyHost {
    directory: tempfile::TempDir,
    child: Child,
    log: Log,
}

impl PolicyHost {
    /// Starts it at port 443 of an address, with a certificate and its key.
    ///
    /// # Errors
    /// There is no Python, we are not root, or it did not start.
    pub fn start(address: IpAddr, certificate: &Path, key: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("policies-").tempdir()?;
        let python = tool("python3").ok_or_else(|| trouble("python3 is not installed"))?;
        let mut command = Command::new(python);
        command.args(["-c", SERVER]).arg(address.to_string()).arg(certificate).arg(key);
        let (child, log) = spawn(command.arg(directory.path()))?;
        let mut host = Self { directory, child, log };
        let started = wait_until("the policy host", LIMIT, || {
            if let Some(status) = host.child.try_wait()? {
                return Err(trouble(format!("the policy host ended with {status}")));
            }
            Ok(TcpStream::connect(SocketAddr::new(address, 443)).is_ok())
        });
        started.map_err(|e| trouble(format!("{}\n{}", e.text(), host.log.text())))?;
        Ok(host)
    }

    /// Publishes a policy at `mta-sts.` a domain.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, domain: &str, policy: &str) -> Result<()> {
        std::fs::write(self.directory.path().join(format!("mta-sts.{domain}")), policy)?;
        Ok(())
    }
}

impl Drop for PolicyHost {
    fn drop(&mut self) {
        let _ = process::kill(self.child.id());
        let _ = self.child.wait();
    }
}
