//! A message that kills the service, on demand: for the scenario in which the
//! core must find and quarantine it. Debug builds only.

use concord_smtp::RcptCommand;

/// Recipients that contain its value end the process.
const ABORT_ON: &str = "CONCORD_FAULT_ABORT_ON";

/// Ends the process as a crash would, if a recipient asks for it.
pub(super) fn abort_over(rcpts: &[RcptCommand]) {
    let Ok(text) = std::env::var(ABORT_ON) else { return };
    if !text.is_empty() && rcpts.iter().any(|rcpt| rcpt.to.to_string().contains(&text)) {
        std::process::abort();
    }
}
