//! What the service counts, in one place for the exporter.

use metrics::{Unit, describe_counter, describe_gauge};

/// Recipients of the core's messages.
pub(crate) const OUT_RECIPIENTS: &str = "concord_ovvm_recipients_out_total";
/// Files sent to hosts.
pub(crate) const OUT_FILES: &str = "concord_ovvm_files_out_total";
/// Files taken from hosts.
pub(crate) const IN_FILES: &str = "concord_ovvm_files_in_total";
/// Links that are active.
pub(crate) const ACTIVE_LINKS: &str = "concord_ovvm_active_links";

/// Tells the exporter what each figure means.
pub(crate) fn describe() {
    describe_counter!(
        OUT_RECIPIENTS,
        Unit::Count,
        "Recipients of messages to hosts; result: delivered (the partner acknowledged every \
         file), deferred (4xx), failed (5xx)"
    );
    describe_counter!(
        OUT_FILES,
        Unit::Count,
        "Spool files sent; outcome: acknowledged, known (acknowledged in an earlier attempt), \
         unsent (the link was lost before all of it was sent), unknown (all of it was sent, and \
         the link was lost before the partner acknowledged: it is sent again, and the partner \
         may have it twice), refused"
    );
    describe_counter!(
        IN_FILES,
        Unit::Count,
        "Spool files received; kind: netdata, batch, message, note, files, listing, cards, \
         acknowledgement, empty, bad; outcome: taken, repeated (the core has it already), refused \
         (by the core; the sender is told), later, dropped, quarantined"
    );
    describe_gauge!(ACTIVE_LINKS, Unit::Count, "Links over which jobs can go");
}
