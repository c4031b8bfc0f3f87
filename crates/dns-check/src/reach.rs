//! Whether other hosts can be reached.

use crate::error::DnsCheckError;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For the connection. A filter that swallows packets is silent for ever.
const CONNECT: Duration = Duration::from_secs(15);
/// For the greeting; some hosts wait before they greet.
const GREETING: Duration = Duration::from_secs(30);
/// Octets of a greeting that are read.
const MAX_GREETING: u64 = 1_024;

/// Connects to a host and reads its greeting. Nothing is sent.
///
/// # Errors
/// [`DnsCheckError::Unreachable`]
pub async fn reach(host: &str, port: u16) -> Result<String, DnsCheckError> {
    let fail = |cause: String| DnsCheckError::Unreachable { host: host.to_owned(), port, cause };
    let stream = timeout(CONNECT, TcpStream::connect((host, port)))
        .await
        .map_err(|_| fail(format!("no answer within {} s", CONNECT.as_secs())))?
        .map_err(|error| fail(error.to_string()))?;
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(MAX_GREETING));
    timeout(GREETING, reader.read_line(&mut line))
        .await
        .map_err(|_| fail(format!("no greeting within {} s", GREETING.as_secs())))?
        .map_err(|error| fail(error.to_string()))?;
    let greeting = line.trim_end();
    if greeting.starts_with("220") {
        return Ok(greeting.to_owned());
    }
    let said: String = greeting.chars().filter(|c| !c.is_control()).take(100).collect();
    Err(fail(format!("it said '{said}' instead of a greeting")))
}
