//! Running a program to its end, with a limit.

use crate::trouble::{Result, trouble};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A program's end.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Finished {
    /// Itself, if the exit code is 0.
    ///
    /// # Errors
    /// Another exit code; the text has what was printed.
    #[track_caller]
    pub fn ok(self) -> Result<Self> {
        if self.code == Some(0) {
            return Ok(self);
        }
        Err(trouble(format!("exit code {:?}\n{}{}", self.code, self.stdout, self.stderr)))
    }
}

/// Where a program is, if it is installed.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps server programs where an ordinary user's PATH does not look.
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .map(|dir| PathBuf::from(dir).join(name))
        .find(|file| file.is_file())
}

fn collect(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Runs a program; kills it after `limit`.
///
/// # Errors
/// It could not be started, or was killed at the limit.
#[track_caller]
pub fn run(command: &mut Command, limit: Duration) -> Result<Finished> {
    run_with_input(command, b"", limit)
}

/// As [`run`], with bytes for its standard input.
///
/// # Errors
/// As [`run`].
#[track_caller]
pub fn run_with_input(command: &mut Command, input: &[u8], limit: Duration) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| trouble(format!("cannot start {name}: {e}")))?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program may end without reading; that is its business.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let until = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |handle: JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&handle.join().unwrap_or_default()).into_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    match status {
        Some(status) => Ok(Finished { code: status.code(), stdout, stderr }),
        None => Err(trouble(format!("{name} did not end within {limit:?}\n{stdout}{stderr}"))),
    }
}
