//! Connectors: external ones from their packages, and built-in ones, which say
//! the same things of themselves.

use super::{CORE, Facts, Manifest, service};
use crate::host::{ConnectorObject, GeneratorObject, ObjectState};
use crate::layout::CONNECTORS;
use crate::package::ConnectorManifest;
use crate::record::ServiceRecord;
use concord_registry::{Class, Component, Resource, TreeFile};
use serde_json::json;
use std::path::PathBuf;

/// `name` is the connector's; one package may serve several connectors.
pub(super) fn manifest(
    name: &str,
    component: &Component,
    package: &ConnectorManifest,
    files: &[TreeFile],
) -> Manifest {
    let home = PathBuf::from(CONNECTORS).join(name);
    let tree = home.join(&component.version);
    let mut manifest = Manifest::default();
    manifest.resources.push(Resource::Directory {
        path: home,
        mode: 0o755,
        service_owned: false,
        whole: false,
        class: Class::Program,
    });
    let program = tree.join(&package.connector.program);
    let record = record(name, component, package, program);
    manifest.resources.push(Resource::Tree { path: tree, files: files.to_vec() });
    declare(name, (name, package), &record, &mut manifest);
    manifest
}

/// A connector of a kind that every release has.
pub(super) fn built_in(
    name: &str,
    component: &Component,
    kind: &ConnectorManifest,
    facts: &Facts<'_>,
) -> Manifest {
    let mut manifest = Manifest::default();
    let record = record(name, component, kind, super::program(facts.release));
    declare(name, (&kind.connector.name, kind), &record, &mut manifest);
    manifest
}

/// The service and what the directory has of a connector; `component` is what
/// its object says that it is.
fn declare(
    name: &str,
    (component, package): (&str, &ConnectorManifest),
    record: &ServiceRecord,
    manifest: &mut Manifest,
) {
    manifest.resources.push(service(record));
    for listener in &package.listeners {
        // Two connectors may both call theirs 'http'.
        let name = format!("{name}.{}", listener.name);
        manifest.resources.push(Resource::Listener { name });
    }
    let connector = Resource::Connector { name: name.to_owned() };
    manifest.objects.insert(connector.key(), object(name, component, package));
    manifest.resources.push(connector);
    if let Some(brought) = &package.address_type {
        let generator = Resource::Generator {
            address_type: brought.name.clone(),
            rule: brought.generator.clone(),
        };
        let object = ObjectState::Generator(GeneratorObject {
            address_type: brought.name.clone(),
            component: component.to_owned(),
            rule: brought.generator.clone(),
        });
        manifest.objects.insert(generator.key(), object);
        manifest.resources.push(generator);
    }
}

fn record(
    name: &str,
    component: &Component,
    package: &ConnectorManifest,
    program: PathBuf,
) -> ServiceRecord {
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ServiceRecord {
        service: name.to_owned(),
        component: name.to_owned(),
        version: component.version.clone(),
        enabled: component.enabled,
        program,
        arguments: package.connector.arguments.clone(),
        needs: vec![CORE.to_owned()],
        listeners: Vec::new(),
        sockets: [variable("deliver", &format!("deliver-{name}.sock"))].into(),
        addresses: component.listeners.clone(),
        environment: [
            variable("CONCORD_CONNECTOR", name),
            variable("CONCORD_API_SOCKET", "{root}/run/api.sock"),
            variable("CONCORD_SUBMIT_SOCKET", "{root}/run/submit.sock"),
        ]
        .into(),
    }
}

fn object(name: &str, component: &str, package: &ConnectorManifest) -> ObjectState {
    let spaces = package
        .address_spaces
        .iter()
        .map(|space| json!({ "type": space.kind, "pattern": space.pattern, "cost": space.cost }));
    ObjectState::Connector(ConnectorObject {
        name: name.to_owned(),
        component: component.to_owned(),
        enabled: true,
        address_spaces: spaces.collect(),
        settings: package.defaults(),
    })
}
