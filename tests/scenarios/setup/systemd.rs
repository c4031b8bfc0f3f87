//! A server that systemd runs, from its installation to its removal.

use super::inside::{
    ANSWERS, ROOT, add_alice, concord, healthy, machine, main_pid, reads, release, send, started,
    status,
};
use super::release::Release;
use concord_testkit::{Machine, Result, Traces, executable, trouble, wait_until};
use std::process::Stdio;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// Where the program and the bundle are put at first.
const PROGRAM: &str = "/root/concord";
const BUNDLE: &str = "/root/next.bundle";

fn install(machine: &Machine) -> Result<()> {
    machine.ok(&[PROGRAM, "--root", ROOT, "setup", "install", "--answers", "/root/site.toml"])?;
    assert_eq!(machine.ok(&["systemctl", "is-enabled", "concord.service"])?.trim(), "enabled");
    add_alice(machine)?;
    send(machine, "m0")?;
    reads(machine, &["m0"])?;
    healthy(machine)
}

/// It and what it started are of the service's user, and confined.
fn is_confined(machine: &Machine) -> Result<()> {
    let pid = main_pid(machine)?;
    let user = machine.ok(&["id", "-u", "concord"])?.trim().to_owned();
    assert_ne!(user, "0");
    let children = machine.ok(&["cat", &format!("/proc/{pid}/task/{pid}/children")])?;
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    let all: Vec<u32> = std::iter::once(pid).chain(children).collect();
    assert!(all.len() >= 3, "controller, core and internet-mail are {all:?}");
    for pid in all {
        assert_eq!(status(machine, pid, "Uid")?, user);
        assert_eq!(status(machine, pid, "NoNewPrivs")?, "1");
        assert_eq!(status(machine, pid, "Seccomp")?, "2");
        // CAP_NET_BIND_SERVICE, and none but that.
        assert_eq!(status(machine, pid, "CapBnd")?, "0000000000000400");
    }
    Ok(())
}

/// What an administrator or a crash breaks is mended.
fn break_and_mend(machine: &Machine) -> Result<()> {
    let unit = "/etc/systemd/system/concord.service";
    machine.ok(&["systemctl", "stop", "concord.service"])?;
    machine.ok(&["rm", unit])?;
    let said = machine.fails(2, &["concord", "--root", ROOT, "doctor"])?;
    assert!(said.contains("CC-0107"), "{said}");
    let done = machine.run(&["concord", "--root", ROOT, "doctor", "--fix"])?;
    assert!(machine.path(unit).is_file(), "{}{}", done.stdout, done.stderr);
    machine.ok(&["systemctl", "start", "concord.service"])?;
    healthy(machine)?;
    let before = main_pid(machine)?;
    machine.ok(&["sh", "-c", &format!("kill -KILL {before}")])?;
    wait_until("systemd to start it again", SOON, || {
        Ok(main_pid(machine).is_ok_and(|pid| pid != before))
    })?;
    send(machine, "m1")?;
    reads(machine, &["m0", "m1"])?;
    is_confined(machine)?;
    healthy(machine)
}

/// An update that is cut off with the whole machine is settled at the start.
fn die_in_update(machine: &mut Machine) -> Result<()> {
    // Few steps are behind the hold; a busy machine may be through with them
    // before it is cut off.
    for _ in 0..10 {
        cut_off_update(machine)?;
        let current = release(machine)?;
        assert!(!machine.path(ROOT).join("run/hold").exists());
        reads(machine, &["m0", "m1"])?;
        healthy(machine)?;
        if current == "0.1.0" {
            return Ok(());
        }
        concord(machine, &["rollback", "--yes"])?;
    }
    Err(trouble("no update was cut off in front of its commit"))
}

fn cut_off_update(machine: &mut Machine) -> Result<()> {
    let hold = machine.path(ROOT).join("run/hold");
    let mut update = machine
        .command(&["concord", "--root", ROOT, "update", "apply", BUNDLE])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let until = Instant::now() + SOON;
    while !hold.exists() && update.try_wait()?.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    machine.cut_power()?;
    update.wait()?;
    machine.boot()?;
    started(machine)
}

fn update(machine: &mut Machine, newer: &str) -> Result<()> {
    let before = main_pid(machine)?;
    concord(machine, &["update", "apply", BUNDLE])?;
    assert_eq!(main_pid(machine)?, before, "the main process is another one");
    assert_eq!(release(machine)?, newer);
    send(machine, "m2")?;
    reads(machine, &["m0", "m1", "m2"])?;
    is_confined(machine)?;
    healthy(machine)?;
    // The new program has heard from the old one where systemd waits for its
    // sign of life, and how often.
    let last = || {
        let asked = ["systemctl", "show", "--property", "WatchdogTimestampMonotonic", "concord"];
        machine.ok(&asked)
    };
    let (first, mut count) = (last()?, 0);
    let mut heard = first;
    wait_until("signs of life", SOON, || {
        let now = last()?;
        count += u32::from(now != heard);
        heard = now;
        Ok(count == 3)
    })?;
    assert_eq!(main_pid(machine)?, before, "it was restarted");
    machine.shut_down()?;
    machine.boot()?;
    started(machine)?;
    assert_eq!(release(machine)?, newer);
    reads(machine, &["m0", "m1", "m2"])?;
    healthy(machine)
}

fn remove(machine: &Machine, before: &Traces) -> Result<()> {
    concord(machine, &["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    let differences = before.differences(&Traces::of(machine)?);
    assert!(differences.is_empty(), "left behind: {differences:#?}");
    let units = machine.ok(&["systemctl", "list-unit-files", "--no-legend", "--no-pager"])?;
    assert!(!units.contains("concord"), "{units}");
    let units = machine.ok(&["systemctl", "list-units", "--all", "--no-legend"])?;
    assert!(!units.contains("concord.service"), "{units}");
    let processes = machine.ok(&["sh", "-c", "cat /proc/[0-9]*/comm"])?;
    assert!(!processes.contains("concord"), "{processes}");
    Ok(())
}

#[test]
fn systemd_boots_updates_and_removes() -> Result<()> {
    let Some(mut machine) = machine()? else { return Ok(()) };
    let newer = Release::next()?;
    let scratch = tempfile::tempdir()?;
    let (bundle, trust) = newer.published(scratch.path())?;
    std::fs::copy(executable()?, machine.path(PROGRAM))?;
    std::fs::copy(bundle, machine.path(BUNDLE))?;
    std::fs::copy(trust, machine.path("/root/root.json"))?;
    std::fs::write(machine.path("/root/site.toml"), ANSWERS)?;
    // An administrator's own lines, which Setup leaves alone.
    let own = machine.path("/etc/systemd/system/concord.service.d");
    std::fs::create_dir_all(&own)?;
    std::fs::write(own.join("own.conf"), "[Service]\nWatchdogSec=6s\n")?;
    machine.boot()?;
    let before = Traces::of(&machine)?;
    // What one round leaves behind would stand in the way of the next.
    for _ in 0..2 {
        install(&machine)?;
        is_confined(&machine)?;
        break_and_mend(&machine)?;
        concord(&machine, &["update", "trust", "/root/root.json"])?;
        die_in_update(&mut machine)?;
        update(&mut machine, newer.version())?;
        remove(&machine, &before)?;
    }
    machine.shut_down()
}
