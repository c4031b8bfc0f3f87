//! `[queue]`

use crate::schema::{Key, Kind, Section};
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `[queue]`: outbound messages that wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// Waits between attempts; the last one repeats. Never empty.
    pub retry_schedule: Vec<Duration>,
    /// After this a delivery is given up and reported.
    pub expire_after: Duration,
    /// After this the sender hears of the delay; zero: never.
    pub delay_warning_after: Duration,
    /// How long tracking events are kept.
    pub tracking_retention: Duration,
    /// Mail waits for the cheapest way, even while it cannot be reached.
    pub least_cost_only: bool,
    /// How long removed objects of the directory are remembered.
    pub removed_retention: Duration,
}

pub(crate) const SECTION: Section = Section {
    name: "queue",
    doc: "Outbound messages that wait.",
    keys: &[
        Key::new(
            "retry-schedule",
            r#"["2 min", "5 min", "10 min", "20 min", "30 min", "1 h"]"#,
            Kind::Durations(Duration::from_secs(1), Duration::from_secs(DAY), |s, v| {
                s.queue.retry_schedule = v;
            }),
            "Waits between attempts at a delivery that was put off. The last one repeats.",
        ),
        Key::new(
            "expire-after",
            "\"5 d\"",
            Kind::Duration(Duration::from_secs(MINUTE), Duration::from_secs(60 * DAY), |s, v| {
                s.queue.expire_after = v;
            }),
            "A delivery that did not succeed in this time is returned to the sender.",
        ),
        Key::new(
            "delay-warning-after",
            "\"4 h\"",
            Kind::Duration(Duration::ZERO, Duration::from_secs(60 * DAY), |s, v| {
                s.queue.delay_warning_after = v;
            }),
            "After this time the sender is told, once, that the message still waits. \
             \"0 s\": never.",
        ),
        Key::new(
            "tracking-retention",
            "\"30 d\"",
            Kind::Duration(Duration::from_secs(HOUR), Duration::from_secs(3_650 * DAY), |s, v| {
                s.queue.tracking_retention = v;
            }),
            "How long 'concord trace' remembers a message.",
        ),
        Key::new(
            "least-cost-only",
            "false",
            Kind::Flag(|s, v| s.queue.least_cost_only = v),
            "Whether mail waits for the connector that costs least while it cannot be reached. \
             Otherwise it takes a dearer one whose address space fits as closely.",
        ),
        Key::new(
            "removed-retention",
            "\"30 d\"",
            Kind::Duration(Duration::from_secs(HOUR), Duration::from_secs(3_650 * DAY), |s, v| {
                s.queue.removed_retention = v;
            }),
            "How long objects that were removed from the directory are remembered for those who \
             ask what has changed.",
        ),
    ],
};
