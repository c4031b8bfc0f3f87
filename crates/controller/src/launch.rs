//! The step between the controller's fork and a service's program.
//!
//! It runs in the child as a program of its own, because only there its own
//! process id is known, which `LISTEN_PID` must carry (sd_listen_fds(3)), and
//! because code between fork and exec would have to be unsafe.

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Ties this process to the life of `controller` and becomes `program`.
/// Returns only if that is not possible, with the reason.
///
/// The kernel sends SIGTERM when the controller's main thread ends
/// (PR_SET_PDEATHSIG, prctl(2)); the setting survives exec.
pub fn launch(controller: i32, program: &OsString, args: &[OsString]) -> std::io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return error.into();
    }
    // The controller may have died before the call above.
    if getppid().map(Pid::as_raw_pid) != Some(controller) {
        return std::io::Error::other("the controller has ended");
    }
    let own = std::process::id().to_string();
    Command::new(program).args(args).env("LISTEN_PID", &own).env("WATCHDOG_PID", &own).exec()
}
