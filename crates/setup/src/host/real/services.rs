//! Services, by the controller's own interface.

use super::{ServiceState, block_on};
use crate::error::{Result, SetupError};
use concord_controller::{ClientError, ControlClient, ServiceStatus};
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two looks at services that are starting or stopping.
const LOOK: Duration = Duration::from_millis(20);
/// A new controller answers within this, even where much else goes on.
const BETWEEN_TWO: Duration = Duration::from_secs(20);
/// Services drain what they have; each has its stop time (30 s unless set).
const STOP_LIMIT: Duration = Duration::from_secs(180);
/// The core may read the tail of its log first (5 min unless set).
const READY_LIMIT: Duration = Duration::from_secs(360);

/// No controller is fine; anything else is told.
fn unless_running(act: &str, done: std::result::Result<(), ClientError>) -> Result<()> {
    match done {
        Err(error) if error.is_not_running() => Ok(()),
        Err(error) => Err(SetupError::Service { act: act.to_owned(), cause: error.to_string() }),
        Ok(()) => Ok(()),
    }
}

fn state(status: ServiceStatus) -> ServiceState {
    ServiceState {
        state: status.state.to_string(),
        note: status.status.or(status.last_exit),
        pid: status.pid,
        name: status.name,
    }
}

pub(super) fn list(control: &ControlClient) -> Result<Option<Vec<ServiceState>>> {
    let until = Instant::now() + BETWEEN_TWO;
    let mut asked = block_on(control.list())?;
    // A controller that becomes another program breaks off what is being said.
    while matches!(asked, Err(ClientError::Broken(_))) && Instant::now() < until {
        std::thread::sleep(LOOK);
        asked = block_on(control.list())?;
    }
    match asked {
        Ok(all) => Ok(Some(all.into_iter().map(state).collect())),
        Err(error) if error.is_not_running() => Ok(None),
        Err(error) => {
            Err(SetupError::Service { act: "ask the controller".into(), cause: error.to_string() })
        }
    }
}

pub(super) fn reload(control: &ControlClient) -> Result<()> {
    let done = block_on(control.reload())?;
    unless_running("let the controller read the service records", done.map(|_| ()))
}

pub(super) fn pause(control: &ControlClient) -> Result<()> {
    unless_running("pause the services", block_on(control.pause())?.map(|_| ()))
}

pub(super) fn resume(control: &ControlClient) -> Result<()> {
    unless_running("resume the services", block_on(control.resume())?.map(|_| ()))
}

pub(super) fn replace(control: &ControlClient, program: &Path, args: &[String]) -> Result<()> {
    if list(control)?.is_none() {
        return Ok(());
    }
    match block_on(control.replace(program, args))? {
        Ok(_) => Ok(()),
        Err(error) => Err(SetupError::Service {
            act: format!("let the controller become {}", program.display()),
            cause: error.to_string(),
        }),
    }
}

pub(super) fn stop(control: &ControlClient) -> Result<()> {
    unless_running("stop the controller", block_on(control.shutdown())?)?;
    let until = Instant::now() + STOP_LIMIT;
    while list(control).is_ok_and(|found| found.is_some()) {
        if Instant::now() > until {
            return Err(SetupError::Service {
                act: "stop the controller".to_owned(),
                cause: format!("it still runs after {} s", STOP_LIMIT.as_secs()),
            });
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

pub(super) fn await_ready(control: &ControlClient, names: &[String]) -> Result<()> {
    let until = Instant::now() + READY_LIMIT;
    let fail = |cause: String| SetupError::Service { act: "start the services".into(), cause };
    loop {
        let Some(all) = list(control)? else { return Ok(()) };
        let mut waiting = Vec::new();
        for name in names {
            match all.iter().find(|s| s.name == *name) {
                Some(service) if service.state == "ready" => {}
                Some(service)
                    if ["failed", "back-off", "crashing"].contains(&service.state.as_str()) =>
                {
                    let note = service.note.clone().unwrap_or_default();
                    return Err(fail(format!(
                        "{name} is {}: {note}; read 'concord service logs {name}'",
                        service.state
                    )));
                }
                Some(_) => waiting.push(name.clone()),
                None => return Err(fail(format!("the controller does not know {name}"))),
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(fail(format!("not ready in time: {}", waiting.join(", "))));
        }
        std::thread::sleep(LOOK);
    }
}
