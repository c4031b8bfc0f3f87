//! What filters count.

use crate::fault::FilterFault;
use concord_base::Fault;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use std::sync::Arc;
use std::time::Duration;

/// Tells the exporter what each figure means.
pub fn describe() {
    describe_counter!(
        "concord_filter_messages_total",
        Unit::Count,
        "Messages by filter; result: accepted, changed, refused, deferred, discarded, quarantined, failed"
    );
    describe_counter!(
        "concord_filter_commands_refused_total",
        Unit::Count,
        "HELO, MAIL and RCPT that a filter refused; by filter and command"
    );
    describe_counter!(
        "concord_filter_failures_total",
        Unit::Count,
        "Failures by filter and cause (connect, timeout, broken, protocol, ...)"
    );
    describe_histogram!(
        "concord_filter_seconds",
        Unit::Seconds,
        "Time of a filter over one message, from MAIL on"
    );
}

pub(crate) fn message(filter: &Arc<str>, result: &'static str, time: Duration) {
    let name = filter.to_string();
    counter!("concord_filter_messages_total", "filter" => name.clone(), "result" => result)
        .increment(1);
    histogram!("concord_filter_seconds", "filter" => name).record(time.as_secs_f64());
}

pub(crate) fn refused(filter: &Arc<str>, command: &'static str) {
    let name = filter.to_string();
    counter!("concord_filter_commands_refused_total", "filter" => name, "command" => command)
        .increment(1);
}

pub(crate) fn failed(filter: &Arc<str>, fault: &FilterFault, effect: &'static str) {
    let name = filter.to_string();
    counter!("concord_filter_failures_total", "filter" => name, "cause" => fault.cause())
        .increment(1);
    tracing::warn!(filter = %filter, code = fault.code(), effect, "{fault}");
}
