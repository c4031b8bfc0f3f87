//! The doctor, and changes of the registry alone.

use crate::machine::{Machine, VERSION};
use crate::scenes::{self, release, run, start, with_connectors};
use concord_setup::Result;
use concord_setup::doctor::{self, Case};
use concord_setup::host::Host;
use concord_setup::verb::registry;

/// As for the repair, with what only the doctor sees.
pub fn damaged(machine: &Machine) {
    scenes::damaged(machine);
    machine.change(|facts| {
        facts.users.insert("concord".to_owned(), "/var/concord".to_owned());
    });
    let layout = machine.layout();
    std::fs::write(layout.record("stray"), "of nobody").unwrap();
    std::fs::create_dir_all(layout.release("0.9.0")).unwrap();
    std::fs::write(layout.release("0.9.0").join("concord"), "old").unwrap();
}

pub fn damaged_and_started(machine: &Machine) {
    with_connectors(machine);
    let layout = machine.layout();
    std::fs::remove_file(layout.record("webhook")).unwrap();
    std::fs::write(layout.record("core"), "by hand").unwrap();
    machine.change_store(|store| store.directory.generators.clear());
    start(machine);
}

/// What is mended only when it is asked for.
pub fn strays(machine: &Machine) {
    with_connectors(machine);
    std::fs::write(machine.layout().root().path().join("stray"), "of somebody").unwrap();
}

pub fn fix(host: &Host) -> Result<()> {
    fix_with(host, &[])
}

pub fn fix_named(host: &Host) -> Result<()> {
    fix_with(host, &["CC-0201".to_owned()])
}

fn fix_with(host: &Host, codes: &[String]) -> Result<()> {
    run(host, |survey| {
        let facts = release(VERSION, 1);
        let case = Case { host, survey, release: &facts, deep: false };
        doctor::plan_fix(host, survey, &doctor::examine(&case)?, codes)
    })
}

/// The registry is gone while there are connectors of every kind.
pub fn lost_registry_of_gateways(machine: &Machine) {
    scenes::with_gateways(machine);
    std::fs::write(machine.layout().registry(), "no database").unwrap();
}

pub fn import(host: &Host) -> Result<()> {
    run(host, |survey| {
        let mut other = survey.known().unwrap().clone();
        other.identity.hostname = "other.example.test".to_owned();
        registry::plan_store(survey, &other, "registry import")
    })
}

pub fn lost_registry(machine: &Machine) {
    with_connectors(machine);
    std::fs::write(machine.layout().registry(), "no database").unwrap();
}

pub fn restore(host: &Host) -> Result<()> {
    run(host, |survey| {
        let made = registry::from_machine(host, survey, &release(VERSION, 1))?;
        registry::plan_store(survey, &made, "registry restore")
    })
}
