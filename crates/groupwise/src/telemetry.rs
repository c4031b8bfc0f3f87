//! What the service counts, in one place for the exporter.

use metrics::{Unit, describe_counter, describe_gauge};

/// Files put into `API_IN`.
pub(crate) const OUT_FILES: &str = "concord_groupwise_files_out_total";
/// Recipients of the core's messages.
pub(crate) const OUT_RECIPIENTS: &str = "concord_groupwise_recipients_out_total";
/// Files taken from `API_OUT`.
pub(crate) const IN_FILES: &str = "concord_groupwise_files_in_total";
/// Messages that the core may have twice.
pub(crate) const DUPLICATES: &str = "concord_groupwise_possible_duplicates_total";
/// Headers in `API_OUT` that are not ready.
pub(crate) const UNFINISHED: &str = "concord_groupwise_unfinished_files";
/// Problem files.
pub(crate) const PROBLEMS: &str = "concord_groupwise_problem_files_total";

/// Tells the exporter what each figure means.
pub(crate) fn describe() {
    describe_counter!(
        OUT_FILES,
        Unit::Count,
        "Header files for GroupWise; kind: item, status; outcome: written, recognised (it lay \
         there already from an attempt whose answer was lost)"
    );
    describe_counter!(
        OUT_RECIPIENTS,
        Unit::Count,
        "Recipients of messages to GroupWise; result: delivered (in API_IN), deferred (4xx), \
         failed (5xx)"
    );
    describe_counter!(
        IN_FILES,
        Unit::Count,
        "Header files from GroupWise; kind: item, status, search, directory, bad; outcome: taken, \
         refused (by the core), later, dropped, quarantined"
    );
    describe_counter!(
        DUPLICATES,
        Unit::Count,
        "Items that were in hand when the connector or its session died: the core may have got \
         them, and gets them again"
    );
    describe_gauge!(UNFINISHED, Unit::Count, "Header files in API_OUT that are not whole yet");
    describe_counter!(PROBLEMS, Unit::Count, "Files of ours that the gateway put into GWPROB");
}
