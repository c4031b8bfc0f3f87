//! What the service counts, in one place for the exporter.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Tells the exporter what each figure means.
pub(crate) fn describe() {
    concord_mail_filter::describe();
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
    describe_counter!(
        "concord_smtp_refusals_total",
        Unit::Count,
        "Clients, messages and recipients that were refused for what the client is or does; cause: limit, blocklist, greylisting"
    );
    describe_counter!(
        "concord_blocklist_hits_total",
        Unit::Count,
        "Clients that a blocklist has; zone: the list"
    );
    describe_counter!(
        "concord_reports_total",
        Unit::Count,
        "Aggregate reports to other domains; result: sent (to the queue), failed (comes again), given-up (too old), unwanted"
    );
    describe_counter!(
        "concord_seals_total",
        Unit::Count,
        "Messages of strangers, if they are to be sealed (ARC); result: sealed, no-key, not-sealed (its chain is broken or not known)"
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
    describe_gauge!(
        "concord_outbound_destinations",
        Unit::Count,
        "Destinations of which connections or their pace are remembered"
    );
    describe_gauge!(
        "concord_outbound_destinations_slowed",
        Unit::Count,
        "Those of them that get less than they might, because they complained"
    );
    describe_counter!(
        "concord_outbound_pace_total",
        Unit::Count,
        "Changes of a destination's pace; change: lowered (fewer connections at once), raised \
         (one more), rested (nothing for a while)"
    );
    describe_counter!(
        "concord_outbound_signed_total",
        Unit::Count,
        "Messages of domains that have a key; result: signed, failed (they wait)"
    );
    describe_counter!(
        "concord_outbound_tls_total",
        Unit::Count,
        "Outbound sessions; protection: clear, encrypted (whoever is there), names (certificate \
         checked), tlsa (matches its TLSA records)"
    );
    describe_counter!(
        "concord_outbound_tls_refused_total",
        Unit::Count,
        "Hosts that were not used for what is asked of their TLS; code: the error's"
    );
    describe_counter!(
        "concord_outbound_sts_fetches_total",
        Unit::Count,
        "Fetches of MTA-STS policies; result: ok, failed"
    );
    describe_counter!(
        "concord_outbound_recipients_total",
        Unit::Count,
        "Recipients of outbound messages; result: delivered, deferred (4xx), failed (5xx)"
    );
    describe_counter!(
        "concord_pickup_refused_total",
        Unit::Count,
        "Files of the pickup directory that were put aside as no messages, or refused"
    );
}
