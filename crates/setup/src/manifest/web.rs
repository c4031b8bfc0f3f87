//! The web service: certificates, and documents for mail programs.

use super::{Facts, Manifest, WEB, built_in_record, listeners, service};
use concord_registry::Component;

pub(super) fn manifest(component: &Component, facts: &Facts<'_>) -> Manifest {
    let mut record = built_in_record(WEB, component, facts);
    // A certificate is renewed also while nothing else runs.
    record.needs = Vec::new();
    let tcp = ["http", "https"];
    record.listeners = tcp.map(str::to_owned).to_vec();
    record.sockets = [("web".to_owned(), "web.sock".to_owned())].into();
    let mut resources = vec![service(&record)];
    resources.extend(listeners(&tcp));
    Manifest { resources, ..Manifest::default() }
}
