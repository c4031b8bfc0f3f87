//! Debian's clamd and clamav-milter, with a signature for the EICAR test file.

use crate::daemon::{Daemon, listens, write_below};
use crate::ports::Ports;
use crate::trouble::Result;
use std::fmt::Write;
use std::os::unix::net::UnixStream;
use std::process::Command;

/// The EICAR test file; in two parts, so that no scanner takes this source for it.
pub fn eicar() -> String {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"].concat()
}

/// Both programs, running. The milter refuses what clamd finds, and defers what
/// it cannot ask it about.
#[derive(Debug)]
pub struct ClamAv {
    /// Asked by the mail server.
    pub milter: Daemon,
    /// Asked by the milter.
    pub clamd: Daemon,
    port: u16,
    _directory: tempfile::TempDir,
    _ports: Ports,
}

impl ClamAv {
    /// Starts both. It knows one virus.
    ///
    /// # Errors
    /// They are not installed, or did not start.
    pub fn start() -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("clamav-").tempdir()?;
        let directory = scratch.path();
        let ports = Ports::take()?;
        let port = ports.next()?;
        let hex = eicar().bytes().fold(String::new(), |mut hex, octet| {
            let _ = write!(hex, "{octet:02x}");
            hex
        });
        write_below(directory, "db/test.ndb", &format!("Eicar-Test:0:*:{hex}\n"))?;
        let socket = directory.join("clamd.sock");
        let at = directory.display();
        let config = format!(
            "LocalSocket {at}/clamd.sock\nDatabaseDirectory {at}/db\nForeground true\n\
             User root\nLogFile {at}/clamd.log\n"
        );
        let config = write_below(directory, "clamd.conf", &config)?;
        let mut command = Command::new("clamd");
        let mut clamd = Daemon::start(command.arg("-c").arg(config), directory, "clamd")?;
        // The milter looks for clamd once at its start, and not again for minutes;
        // the socket has a name before it can be connected to.
        clamd.wait(|| UnixStream::connect(&socket).is_ok())?;
        let config = format!(
            "MilterSocket inet:{port}@127.0.0.1\nClamdSocket unix:{at}/clamd.sock\n\
             Foreground true\nUser root\nOnClean Accept\nOnInfected Reject\nOnFail Defer\n\
             RejectMsg virus found: %v\nAddHeader Replace\nLogFile {at}/milter.log\n"
        );
        let config = write_below(directory, "milter.conf", &config)?;
        let mut command = Command::new("clamav-milter");
        let mut milter = Daemon::start(command.arg("-c").arg(config), directory, "milter")?;
        milter.wait(|| listens(port))?;
        Ok(Self { milter, clamd, port, _directory: scratch, _ports: ports })
    }

    /// Where the milter listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}
