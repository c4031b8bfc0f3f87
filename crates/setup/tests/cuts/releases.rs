//! Updates and the way back.

use crate::machine::{Machine, VERSION};
use crate::scenes::{run, start, with_connectors};
use concord_registry::Schemas;
use concord_setup::host::{Host, UnitVerb};
use concord_setup::survey::Survey;
use concord_setup::verb::install::stage_own_program;
use concord_setup::verb::update::{self, Offered};
use concord_setup::{Result, Session};

pub fn started(machine: &Machine) {
    with_connectors(machine);
    start(machine);
}

pub fn updated(machine: &Machine) {
    started(machine);
    update(&machine.host()).unwrap();
}

pub fn updated_and_stopped(machine: &Machine) {
    updated(machine);
    machine.host().system.act_on_unit(UnitVerb::Stop, "concord.service").unwrap();
}

/// The newer release is still there, and an index of each schema is kept.
pub fn returned(machine: &Machine) {
    updated(machine);
    rollback(&machine.host()).unwrap();
}

pub fn update(host: &Host) -> Result<()> {
    update_to(host, "1.1.0")
}

/// The release before the last one goes.
pub fn update_further(host: &Host) -> Result<()> {
    update_to(host, "1.2.0")
}

/// As the command line does it, with a bundle that was checked.
fn update_to(host: &Host, version: &str) -> Result<()> {
    let session = Session::begin(host, "update apply", VERSION, &mut |_| {})?;
    let files = stage_own_program(host, version)?;
    let offered = Offered {
        version: version.to_owned(),
        platform: "x86_64-linux".to_owned(),
        schemas: Schemas { index: 2, registry: 1, contract: 1 },
        components: ["core", "internet-mail", "groupwise"].map(str::to_owned).to_vec(),
        files,
        order: std::cmp::Ordering::Greater,
    };
    let plan = update::plan(host, &Survey::take(host)?, &offered)?;
    session.carry_out(&plan, &mut |_| {})?;
    session.close()
}

pub fn rollback(host: &Host) -> Result<()> {
    run(host, |survey| concord_setup::verb::rollback::plan(host, survey))
}
