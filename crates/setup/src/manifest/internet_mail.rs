//! The connector to the Internet.

use super::{Facts, INTERNET_MAIL, Manifest, built_in_record, listeners, service};
use crate::host::{ConnectorObject, ObjectState};
use concord_registry::{Class, Component, Resource};
use serde_json::json;

pub(super) fn manifest(component: &Component, facts: &Facts<'_>) -> Manifest {
    let mut record = built_in_record(INTERNET_MAIL, component, facts);
    let tcp = ["smtp", "submission", "submissions"];
    record.listeners = tcp.map(str::to_owned).to_vec();
    let socket = format!("deliver-{INTERNET_MAIL}.sock");
    let watch = ("watch".to_owned(), "watch.sock".to_owned());
    record.sockets = [("deliver".to_owned(), socket), watch].into();
    let connector = Resource::Connector { name: INTERNET_MAIL.to_owned() };
    let object = ObjectState::Connector(ConnectorObject {
        name: INTERNET_MAIL.to_owned(),
        component: INTERNET_MAIL.to_owned(),
        enabled: true,
        // Everything that no other connector has a nearer address space for.
        address_spaces: vec![json!({ "type": "SMTP", "pattern": "*", "cost": 100 })],
        settings: serde_json::Map::new(),
    });
    let objects = [(connector.key(), object)].into();
    let state = Resource::Directory {
        path: "data/internet-mail".into(),
        mode: 0o700,
        service_owned: true,
        whole: true,
        class: Class::Data,
    };
    let mut resources = vec![state, service(&record), connector];
    resources.extend(listeners(&tcp));
    Manifest { resources, objects }
}
