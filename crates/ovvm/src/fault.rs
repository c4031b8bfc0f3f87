//! A file that kills the service, on demand: for the scenario in which it must
//! be found and quarantined. Debug builds only.

#[cfg(debug_assertions)]
const ABORT_ON: &str = "CONCORD_FAULT_ABORT_ON";

/// Ends the process as a crash would, if what is in hand asks for it.
pub(crate) fn abort_over(_text: &str) {
    #[cfg(debug_assertions)]
    if let Ok(text) = std::env::var(ABORT_ON)
        && !text.is_empty()
        && _text.contains(&text)
    {
        std::process::abort();
    }
}
