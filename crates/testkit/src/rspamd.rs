//! Debian's rspamd with Debian's configuration.

use crate::daemon::{Daemon, write_below};
use crate::ports::Ports;
use crate::trouble::Result;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

/// rspamd's test patterns: with X it is refused, with Y it gets a header field,
/// with Z another subject.
pub fn gtube(letter: char) -> String {
    format!("{letter}JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
}

/// A running rspamd without DNS: look-ups end by their time-out.
#[derive(Debug)]
pub struct Rspamd {
    /// Its main process.
    pub daemon: Daemon,
    port: u16,
    _directory: tempfile::TempDir,
    _ports: Ports,
}

impl Rspamd {
    /// Starts it, with more lines for its normal worker.
    ///
    /// # Errors
    /// It is not installed, or did not start.
    pub fn start(worker: &str) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("rspamd-").tempdir()?;
        let directory = scratch.path();
        let ports = Ports::take()?;
        let (port, dns) = (ports.next()?, ports.next()?);
        // Compiling its tables takes it half a minute; later starts find them here.
        let cache = std::env::temp_dir().join("concord-rspamd-tables");
        std::fs::create_dir_all(&cache)?;
        // Its test patterns have the first name before 3.8, the second since.
        let options = format!(
            "dns {{ nameserver = [\"127.0.0.1:{dns}\"]; timeout = 0.1s; retransmits = 1; }}\n\
             enable_test_patterns = true;\ngtube_patterns = \"all\";\nlocal_addrs = [];\nhs_cache_dir = \"{}/\";\n",
            cache.display()
        );
        let normal = format!("bind_socket = \"127.0.0.1:{port}\";\ncount = 1;\n{worker}");
        for (name, text) in [
            ("options.inc", options.as_str()),
            ("worker-normal.inc", normal.as_str()),
            ("worker-controller.inc", "enabled = false;\n"),
            ("worker-proxy.inc", "enabled = false;\n"),
            ("logging.inc", "type = \"console\";\nlevel = \"info\";\n"),
        ] {
            write_below(directory, &format!("override.d/{name}"), text)?;
        }
        let path = directory.display();
        let mut command = Command::new("rspamd");
        command.args(["-f", "-i", "-c", "/etc/rspamd/rspamd.conf"]).args([
            format!("--var=LOCAL_CONFDIR={path}"),
            format!("--var=DBDIR={path}"),
            format!("--var=RUNDIR={path}"),
            format!("--var=LOGDIR={path}"),
        ]);
        let mut daemon = Daemon::start(&mut command, directory, "rspamd")?;
        daemon.wait(|| answers(port))?;
        Ok(Self { daemon, port, _directory: scratch, _ports: ports })
    }

    /// Where its worker listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Its socket is there long before its workers.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.contains("pong")
}
