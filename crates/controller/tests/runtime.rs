//! The controller with real processes. Each test is named after the promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use concord_controller::{SocketAddress, SocketSpec, Verb, machine::State};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn services_start_in_order_of_dependency_and_stop_in_reverse() {
    let dir = tempfile::tempdir().unwrap();
    let mut edge = service("edge", &["ready", "slow-stop"]);
    edge.depends_on = vec!["core".to_owned()];
    let mut run = Run::start(dir.path(), &[edge, service("core", &["sleep=0.2", "ready"])]);
    run.until("settled");
    let order: Vec<_> = run.seen.iter().filter(|l| l.contains("starting")).cloned().collect();
    assert_eq!(
        order,
        [
            "core waiting starting",
            "core starting ready",
            "edge waiting starting",
            "edge starting ready"
        ]
    );
    let list = run.ask(async |c| c.list().await).unwrap();
    let names: Vec<_> = list.iter().map(|s| (s.name.as_str(), s.state)).collect();
    assert_eq!(
        names,
        [("controller", State::Ready), ("edge", State::Ready), ("core", State::Ready)]
    );
    assert_eq!(list[1].status.as_deref(), Some("at work"));
    let seen = run.stop();
    let stops = seen.iter().position(|l| l == "stopping").unwrap();
    assert_eq!(
        seen[stops..],
        [
            "stopping",
            "edge ready stopping",
            "edge stopping stopped",
            "core ready stopping",
            "core stopping stopped",
            "end"
        ]
    );
}

#[test]
fn a_crash_loop_ends_in_failed_and_start_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut looping = service("core", &["crash"]);
    looping.sockets = vec![tcp("smtp", address)];
    let mut run = Run::start(dir.path(), &[looping]);
    run.until("core starting failed exit code 1");
    assert_eq!(run.pids("core").len(), 5, "the budget");
    assert!(TcpStream::connect(address).is_err(), "a failed service refuses connections");
    let again = run.ask(async |c| c.act("core", Verb::Start).await).unwrap();
    assert_eq!((again.state, again.crashes), (State::Failed, 10));
    let seen = run.stop();
    assert!(!seen.iter().any(|l| l.starts_with("core failed starting")));
}

#[test]
fn a_service_that_refuses_its_configuration_is_not_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("core", &["refuse"])]);
    run.until("core starting failed exit code 78");
    assert_eq!(run.pids("core").len(), 1);
    run.stop();
}

#[test]
fn what_waits_for_a_failed_service_does_not_hold_up_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut edge = service("edge", &["ready"]);
    edge.depends_on = vec!["core".to_owned()];
    let mut run = Run::start(dir.path(), &[edge, service("core", &["refuse"])]);
    run.until("settled");
    let edge = run.ask(async |c| c.act("edge", Verb::Start).await).unwrap();
    assert_eq!(edge.state, State::Waiting);
    run.stop();
}

#[test]
fn a_missed_watchdog_ends_the_process_and_starts_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut hanging = service("hanging", &["ready"]);
    hanging.supervision.watchdog = Duration::from_millis(300);
    let mut living = service("living", &["alive", "ready"]);
    living.supervision.watchdog = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[hanging, living]);
    run.until("hanging ready crashing no sign of life");
    run.until("hanging crashing back-off killed (SIGKILL)");
    run.until("hanging starting ready");
    assert!(!run.seen.iter().any(|l| l.starts_with("living ready")), "{:?}", run.seen);
    run.stop();
}

#[test]
fn a_service_that_is_not_ready_in_time_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut slow = service("slow", &["sleep=30"]);
    slow.supervision.start_time = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[slow]);
    run.until("slow starting crashing not ready in time");
    run.until("slow crashing back-off");
    run.stop();
}

#[test]
fn a_service_that_does_not_stop_is_killed_after_its_stop_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut stubborn = service("stubborn", &["stubborn", "ready"]);
    stubborn.supervision.stop_time = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[stubborn]);
    run.until("stubborn starting ready");
    let stopped = run.ask(async |c| c.act("stubborn", Verb::Stop).await).unwrap();
    assert_eq!(stopped.state, State::Stopped);
    assert_eq!(stopped.last_exit.as_deref(), Some("killed (SIGKILL)"));
    run.stop();
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut stubborn = service("stubborn", &["stubborn", "ready"]);
    stubborn.supervision.stop_time = Duration::from_secs(600);
    let mut run = Run::start(dir.path(), &[stubborn]);
    run.until("settled");
    run.signal(rustix::process::Signal::INT);
    run.until("stubborn ready stopping");
    run.signal(rustix::process::Signal::INT);
    run.until("end");
}

#[test]
fn a_closed_terminal_stops_everything_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("core", &["ready"])]);
    run.until("settled");
    run.signal(rustix::process::Signal::HUP);
    run.until("core stopping stopped");
    run.until("end");
}

#[test]
fn a_restart_refuses_no_connection_and_loses_no_waiting_one() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut serving = service("serving", &["children", "sleep=0.2", "serve", "ready"]);
    serving.sockets = vec![tcp("smtp", address)];
    let mut run = Run::start(dir.path(), &[serving]);
    run.until("settled");
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let client = std::thread::spawn({
        let stop = stop.clone();
        move || {
            let mut served = std::collections::BTreeMap::<String, u32>::new();
            while !stop.load(Ordering::Relaxed) {
                let mut stream = TcpStream::connect(address).expect("refused");
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                // A connection that the old process took with it is cut, as
                // any is; one that waited must be served by the new process.
                let mut answer = String::new();
                if stream.write_all(b"hello").is_ok()
                    && stream.read_to_string(&mut answer).is_ok()
                    && let Some((pid, "hello")) = answer.split_once(' ')
                {
                    *served.entry(pid.to_owned()).or_default() += 1;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            served
        }
    });
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(100));
        let after = run.ask(async |c| c.act("serving", Verb::Restart).await).unwrap();
        assert_eq!(after.state, State::Ready);
    }
    std::thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    let served = client.join().unwrap();
    assert_eq!(served.len(), 6, "each process served: {served:?}");
    assert!(run.log("serving").contains("fds 1 smtp True"), "{}", run.log("serving"));
    run.stop();
}

#[test]
fn a_stopped_service_refuses_connections_until_it_starts() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut serving = service("serving", &["serve", "ready"]);
    serving.sockets = vec![tcp("smtp", address)];
    let mut edge = service("edge", &["ready"]);
    edge.depends_on = vec!["serving".to_owned()];
    let mut run = Run::start(dir.path(), &[serving, edge]);
    run.until("settled");
    run.ask(async |c| c.act("serving", Verb::Stop).await).unwrap();
    let edge = run.ask(async |c| c.status("edge").await).unwrap();
    assert_eq!(edge.state, State::Stopped, "what depends on it stopped before");
    assert!(TcpStream::connect(address).is_err());
    run.ask(async |c| c.act("edge", Verb::Start).await).unwrap();
    let serving = run.ask(async |c| c.status("serving").await).unwrap();
    assert_eq!(serving.state, State::Ready, "what it depends on started with it");
    assert!(TcpStream::connect(address).is_ok());
    run.stop();
}

#[test]
fn a_killed_controller_leaves_no_service_and_the_next_finds_clean_ground() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let socket = dir.path().join("run/admin.sock");
    let mut good = service("good", &["serve", "ready"]);
    good.sockets = vec![
        tcp("smtp", address),
        SocketSpec { name: "admin".into(), address: SocketAddress::Unix(socket.clone()) },
    ];
    let services = [good, service("other", &["ready", "slow-stop"])];
    let mut run = Run::start(dir.path(), &services);
    run.until("settled");
    let pids = [run.pids("good"), run.pids("other")].concat();
    assert_eq!(pids.len(), 2);
    run.signal(rustix::process::Signal::KILL);
    run.child.wait().unwrap();
    eventually("every service ends by itself", || !pids.iter().any(|pid| is_alive(*pid)));
    assert!(run.log("other").contains("stopped"), "it had the time to finish");
    assert!(socket.exists(), "a dead controller's socket");

    let mut next = Run::start(dir.path(), &services);
    next.until("settled");
    assert!(!next.seen.iter().any(|l| l.starts_with("cleaned")));
    assert!(TcpStream::connect(address).is_ok());
    next.stop();
    assert!(!socket.exists(), "removed in an orderly end");
}

#[test]
fn what_a_killed_controller_leaves_behind_is_ended_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut stubborn = service("stubborn", &["stubborn", "serve", "ready"]);
    stubborn.sockets = vec![tcp("smtp", address)];
    stubborn.supervision.stop_time = Duration::from_millis(500);
    let mut run = Run::start(dir.path(), std::slice::from_ref(&stubborn));
    run.until("settled");
    let pids = run.pids("stubborn");
    run.signal(rustix::process::Signal::KILL);
    run.child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_alive(pids[0]), "it ignores SIGTERM");
    let mut next = Run::start(dir.path(), &[stubborn]);
    next.until("cleaned stubborn");
    next.until("settled");
    assert!(!is_alive(pids[0]));
    next.signal(rustix::process::Signal::INT);
    next.until("end");
}

#[test]
fn two_controllers_on_one_root_and_taken_ports_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (free_address(), free_address());
    let mut first = service("first", &["ready"]);
    first.sockets = vec![tcp("smtp", a), tcp("imap", b)];
    let mut run = Run::start(dir.path(), std::slice::from_ref(&first));
    run.until("settled");
    let mut second = Run::start(dir.path(), std::slice::from_ref(&first));
    let line = second.until("error");
    let pid = format!("(pid {})", run.child.id());
    assert!(line.contains("a controller already runs") && line.contains(&pid), "{line}");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut third = Run::start(elsewhere.path(), &[first]);
    third.until("error cannot open 2 listeners");
    let line = third.until("  smtp");
    assert!(line.contains("taken by") && line.contains("pid"), "{line}");
    third.until("  imap");
    run.stop();
}

#[test]
fn killed_services_come_back_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut steady = service("steady", &["ready"]);
    steady.supervision.crash_budget = 1_000;
    let mut run = Run::start(dir.path(), &[steady]);
    run.until("steady starting ready");
    for _ in 0..10 {
        let pid = run.ask(async |c| c.status("steady").await).unwrap().pid.unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        run.until("steady ready back-off killed (SIGKILL)");
        run.until("steady starting ready");
    }
    let logs = run.ask(async |c| c.logs("steady", 3).await).unwrap();
    assert_eq!(logs.lines.len(), 3);
    assert!(
        run.ask(async |c| c.status("nobody").await).unwrap_err().to_string().contains("steady")
    );
    run.stop();
}
