//! Where tracing goes.

use crate::failure::Failure;
use concord_settings::{LogFormat, Logging, Root, Settings};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The controller's own log: `log/controller.log`.
pub fn log_to_file(root: &Root, settings: &Settings) -> Result<(), Failure> {
    let path = concord_controller::logs::file(&root.log(), "controller");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| Failure::new("up.log", format!("cannot write {}: {e}", path.display())))?;
    begin(&settings.logging, Mutex::new(file));
    Ok(())
}

/// A service's log: stdout, which the controller made its log file.
pub fn log_to_stdout(logging: &Logging) {
    begin(logging, std::io::stdout);
}

fn begin<W>(logging: &Logging, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(logging.level.as_str()))
        .with_ansi(false)
        // A full disk must not end a service by way of its complaint about it.
        .log_internal_errors(false)
        .with_writer(writer);
    // A second subscriber in one process is refused, and the first serves.
    let _ = match logging.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
