//! What the service counts, in one place for the exporter.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Tells the exporter what each figure means.
pub(crate) fn describe() {
    describe_gauge!("concord_smtp_sessions", Unit::Count, "Sessions of clients now");
    describe_counter!(
        "concord_smtp_sessions_total",
        Unit::Count,
        "Connections of clients; result: accepted, too-many (over a bound, told 421)"
    );
    describe_counter!(
        "concord_smtp_messages_total",
        Unit::Count,
        "Messages of clients; result: accepted (by the core), deferred (4xx), refused (5xx), loop"
    );
    describe_histogram!(
        "concord_smtp_message_seconds",
        Unit::Seconds,
        "From DATA or BDAT to the answer, the client's sending included"
    );
    describe_counter!(
        "concord_smtp_recipients_refused_total",
        Unit::Count,
        "Recipients of clients that the core refused"
    );
    describe_counter!("concord_smtp_auth_total", Unit::Count, "Logins; result: ok, refused");
    describe_gauge!(
        "concord_outbound_connections_busy",
        Unit::Count,
        "Outbound connections in use now"
    );
    describe_counter!(
        "concord_outbound_connections_total",
        Unit::Count,
        "Attempts to connect to a remote host; result: ok, failed"
    );
    describe_counter!(
        "concord_outbound_recipients_total",
        Unit::Count,
        "Recipients of outbound messages; result: delivered, deferred (4xx), failed (5xx)"
    );
}
