//! `[controller]`

use crate::schema::{Key, Kind, Section};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// `[controller]`: how services are started, watched and stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controller {
    /// Time a service has from its start to READY=1.
    pub start_time: Duration,
    /// Time a service has to finish its work when it is asked to stop.
    pub stop_time: Duration,
    /// Longest silence of a ready service; zero: not watched.
    pub watchdog: Duration,
    /// Crashes within `crash_window` after which a service is given up.
    pub crash_budget: u64,
    /// See `crash_budget`.
    pub crash_window: Duration,
    /// Wait before the first restart after a crash; doubles with each.
    pub back_off_min: Duration,
    /// Longest wait before a restart.
    pub back_off_max: Duration,
}

pub(crate) const SECTION: Section = Section {
    name: "controller",
    doc: "How services are started, watched and stopped.",
    keys: &[
        Key::new(
            "start-time",
            "\"5 min\"",
            Kind::Duration(Duration::from_secs(1), HOUR, |s, v| s.controller.start_time = v),
            "Time a service has from its start until it is ready. After a power failure the \
             core reads the tail of its log in this time.",
        ),
        Key::new(
            "stop-time",
            "\"30 s\"",
            Kind::Duration(Duration::from_secs(1), HOUR, |s, v| s.controller.stop_time = v),
            "Time a service has to finish its work when it is asked to stop; then it is killed.",
        ),
        Key::new(
            "watchdog",
            "\"30 s\"",
            Kind::Duration(Duration::ZERO, HOUR, |s, v| s.controller.watchdog = v),
            "A service that gives no sign of life for this long is killed and started again. \
             \"0 s\": never.",
        ),
        Key::new(
            "crash-budget",
            "10",
            Kind::Count(1, 1_000_000, |s, v| s.controller.crash_budget = v),
            "A service that crashes this often within crash-window is given up until \
             'concord service start'.",
        ),
        Key::new(
            "crash-window",
            "\"10 min\"",
            Kind::Duration(Duration::from_secs(1), DAY, |s, v| {
                s.controller.crash_window = v;
            }),
            "The time over which crash-budget counts.",
        ),
        Key::new(
            "back-off-min",
            "\"200 ms\"",
            Kind::Duration(Duration::from_millis(10), HOUR, |s, v| s.controller.back_off_min = v),
            "Wait before the first restart after a crash. It doubles with each further crash \
             within crash-window.",
        ),
        Key::new(
            "back-off-max",
            "\"30 s\"",
            Kind::Duration(Duration::from_millis(10), HOUR, |s, v| s.controller.back_off_max = v),
            "Longest wait before a restart.",
        ),
    ],
};
