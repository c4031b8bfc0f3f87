//! Backups, what happens then, and recovering from it.

use crate::machine::{Machine, VERSION};
use crate::scenes::{
    install_connector, options, release, remove_everything, run, start, with_connectors,
};
use concord_base::ObjectId;
use concord_directory::{Details, DistributionList, Kind, Mailbox, NewObject};
use concord_setup::backup::{Backup, CreateOptions, Part, create};
use concord_setup::host::{Entry, EntryKey, Host};
use concord_setup::recover::{self, RecoverOptions};
use concord_setup::survey::Survey;
use concord_setup::verb::connector;
use concord_setup::verb::install::{Source, stage_own_program};
use concord_setup::verb::remove_all::Keep;
use concord_setup::{Plan, Result, Session};
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

fn entry(name: &str, details: Details, members: &[&str]) -> Entry {
    let object = NewObject {
        name: name.to_owned(),
        display_name: name.to_owned(),
        proxies: Vec::new(),
        details,
        attributes: Default::default(),
        policy: Default::default(),
    };
    let mut entry = Entry { object, referred: BTreeMap::new() };
    for (id, name) in (1..).zip(members) {
        if let Details::List(list) = &mut entry.object.details {
            list.members.push(ObjectId(id));
        }
        entry.referred.insert(id, EntryKey::new(Kind::Mailbox, name));
    }
    entry
}

fn mailbox(name: &str) -> Entry {
    entry(name, Details::Mailbox(Mailbox::default()), &[])
}

fn backups(host: &Host) -> PathBuf {
    let root = host.layout.root().path();
    root.parent().unwrap().parent().unwrap().join("backups")
}

/// A server with connectors, people and keys, running, and a backup of it.
fn backed_up(machine: &Machine) {
    with_connectors(machine);
    backed_up_as_it_is(machine);
}

fn backed_up_as_it_is(machine: &Machine) {
    let tls = machine.layout().root().tls();
    std::fs::write(tls.join("key.pem"), "the key").unwrap();
    std::fs::create_dir_all(machine.layout().trusted_keys()).unwrap();
    std::fs::write(machine.layout().trusted_keys().join("a.pub"), "trust").unwrap();
    machine.change_store(|store| {
        store.directory.lineage = Some(Uuid::from_u128(1));
        let everyone = Details::List(DistributionList::default());
        store.entries =
            vec![entry("everyone", everyone, &["alice"]), mailbox("alice"), mailbox("bob")];
    });
    start(machine);
    let host = machine.host();
    let session = Session::begin(&host, "backup", VERSION, &mut |_| {}).unwrap();
    let survey = Survey::take(&host).unwrap();
    let options = CreateOptions { directory: backups(&host), keep: None };
    create(&host, &survey, &release(VERSION, 1), &options, &mut |_| {}).unwrap();
    session.close().unwrap();
}

pub fn destroyed(machine: &Machine) {
    backed_up(machine);
    remove_everything(&machine.host(), &Keep::Nothing).unwrap();
}

pub fn later_mail(machine: &Machine) {
    backed_up(machine);
    let data = machine.layout().root().data();
    std::fs::create_dir(data.join("large")).unwrap();
    std::fs::write(data.join("large/1.body"), "came later").unwrap();
    machine.change_store(|store| store.entries.push(mailbox("later")));
}

pub fn stopped(machine: &Machine) {
    later_mail(machine);
    let host = machine.host();
    host.system.act_on_unit(concord_setup::host::UnitVerb::Stop, "concord.service").unwrap();
}

pub fn lost_connector(machine: &Machine) {
    later_mail(machine);
    let host = machine.host();
    run(&host, |s| connector::plan_remove(&host, s, "webhook")).unwrap();
}

pub fn lost_objects(machine: &Machine) {
    backed_up(machine);
    machine.change_store(|store| {
        store.entries.retain(|entry| entry.object.name == "bob");
        store.entries.push(mailbox("only-here"));
    });
}

pub fn other_settings(machine: &Machine) {
    backed_up(machine);
    let root = machine.layout().root().clone();
    std::fs::write(root.config_file(), "# other settings\n").unwrap();
    std::fs::write(root.tls().join("key.pem"), "another key").unwrap();
    std::fs::remove_dir_all(root.etc().join("trust")).unwrap();
}

pub fn lost_registry(machine: &Machine) {
    stopped(machine);
    let layout = machine.layout();
    std::fs::remove_file(layout.registry()).unwrap();
    let copy = concord_registry::Database::new(layout.registry()).copy_path();
    std::fs::remove_file(copy).unwrap();
}

pub fn everything(host: &Host) -> Result<()> {
    recover(host, &Part::ALL)
}

pub fn store(host: &Host) -> Result<()> {
    recover(host, &[Part::Store])
}

pub fn directory(host: &Host) -> Result<()> {
    recover(host, &[Part::Directory])
}

pub fn settings_and_keys(host: &Host) -> Result<()> {
    recover(host, &[Part::Config, Part::Keys])
}

fn recover(host: &Host, parts: &[Part]) -> Result<()> {
    planned(host, parts).map(|_| ())
}

/// As the command line does it.
fn planned(host: &Host, parts: &[Part]) -> Result<Plan> {
    let backup = std::fs::read_dir(backups(host)).unwrap().next().unwrap().unwrap().path();
    let backup = Backup::open(&backup)?;
    let session = Session::begin(host, "recover", VERSION, &mut |_| {})?;
    let files = stage_own_program(host, VERSION)?;
    let survey = Survey::take(host)?;
    let options = RecoverOptions {
        parts: parts.iter().copied().collect(),
        hostname: None,
        adopt_lineage: false,
        overwrite: false,
        machine: recover::Machine {
            installation: options(host, Source::Staged).installation,
            source: Source::Staged,
            files,
        },
        dry_run: false,
    };
    let facts = release(VERSION, 1);
    let planned = recover::prepare(host, &survey, &backup, &facts, &options, &mut |_| {});
    let done = planned.and_then(|plan| {
        session.carry_out(&plan, &mut |_| {})?;
        Ok(plan)
    });
    if done.as_ref().is_err_and(concord_setup::SetupError::is_killed) {
        return done;
    }
    session.close()?;
    done
}

#[test]
fn everything_is_back_on_a_fresh_machine_and_healthy() {
    let machine = Machine::new();
    destroyed(&machine);
    everything(&machine.host()).unwrap();
    let root = machine.layout().root().clone();
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(root.tls().join("key.pem")), "the key");
    assert_eq!(read(root.etc().join("trust/packages/a.pub")), "trust");
    for service in ["core", "internet-mail", "webhook", "second"] {
        assert!(machine.layout().record(service).exists(), "{service}");
    }
    assert!(machine.layout().connector("webhook", "1.0.0").join("run").exists());
    let host = machine.host();
    let survey = Survey::take(&host).unwrap();
    let registry = survey.known().unwrap();
    assert_eq!(registry.identity.organisation.as_deref(), Some("Example"));
    assert_eq!(registry.identity.lineage, Some(Uuid::from_u128(1)));
    assert_eq!(host.system.entries().unwrap().unwrap().len(), 3);
}

#[test]
fn a_connector_whose_package_is_not_in_the_backup_is_told() {
    let machine = Machine::new();
    with_connectors(&machine);
    std::fs::remove_dir_all(machine.layout().connector("webhook", "1.0.0")).unwrap();
    backed_up_as_it_is(&machine);
    remove_everything(&machine.host(), &Keep::Nothing).unwrap();
    let plan = planned(&machine.host(), &Part::ALL).unwrap();
    let note = plan.notes.iter().find(|note| note.contains("'webhook'")).unwrap();
    assert!(note.contains("concord connector install") && note.contains("CC-0103"), "{note}");
    assert!(!machine.layout().record("webhook").exists());
    assert!(machine.layout().record("second").exists());
}

#[test]
fn a_component_that_the_backup_does_not_know_keeps_running() {
    let machine = Machine::new();
    backed_up(&machine);
    install_connector(&machine.host(), "third", "1.0.0").unwrap();
    everything(&machine.host()).unwrap();
    assert!(machine.layout().record("third").exists());
    let host = machine.host();
    let directory = host.system.directory().unwrap().unwrap();
    assert!(directory.connectors.iter().any(|connector| connector.name == "third"));
    let survey = Survey::take(&host).unwrap();
    assert!(survey.known().unwrap().components.contains_key("third"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let machine = Machine::new();
    destroyed(&machine);
    let old = crate::state::State::of(&machine);
    let host = machine.host();
    let backup = std::fs::read_dir(backups(&host)).unwrap().next().unwrap().unwrap().path();
    let backup = Backup::open(&backup).unwrap();
    let options = RecoverOptions {
        parts: Part::ALL.into(),
        hostname: None,
        adopt_lineage: false,
        overwrite: false,
        machine: recover::Machine {
            installation: options(&host, Source::Staged).installation,
            source: Source::Staged,
            files: Vec::new(),
        },
        dry_run: true,
    };
    let survey = Survey::take(&host).unwrap();
    let facts = release(VERSION, 1);
    let plan = recover::prepare(&host, &survey, &backup, &facts, &options, &mut |_| {}).unwrap();
    assert!(plan.changes.iter().any(|change| change.what == "service webhook"));
    assert!(plan.notes.iter().any(|note| note.starts_with("1 deliveries wait")));
    assert!(crate::state::State::of(&machine) == old);
    // A newer release's backup is refused.
    let mut newer = backup;
    newer.manifest.release.schemas.index = 2;
    let told = recover::prepare(&host, &survey, &newer, &facts, &options, &mut |_| {});
    assert!(told.unwrap_err().to_string().contains("index"));
}
