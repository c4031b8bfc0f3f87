//! Reload, pause and replacement with real processes. Each test is named after
//! the promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use concord_controller::{
    ClientError, ServiceSpec, ServiceStatus, SocketAddress, SocketSpec, Verb, machine::State,
};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

fn serving(name: &str, sockets: Vec<SocketSpec>) -> ServiceSpec {
    ServiceSpec { sockets, ..service(name, &["serve", "ready"]) }
}

fn states(list: &[ServiceStatus]) -> Vec<(&str, State)> {
    list.iter().skip(1).map(|s| (s.name.as_str(), s.state)).collect()
}

fn unix(name: &str, path: &Path) -> SocketSpec {
    SocketSpec { name: name.into(), address: SocketAddress::Unix(path.to_owned()) }
}

#[test]
fn a_reload_converges_and_touches_nothing_that_is_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let [same, changed, going, coming] = [(); 4].map(|()| free_address());
    let path = dir.path().join("run/going.sock");
    let going_spec = serving("going", vec![tcp("g", going), unix("u", &path)]);
    let mut needs_going = service("near", &["ready"]);
    needs_going.depends_on = vec!["going".into()];
    let before = [
        serving("same", vec![tcp("s", same)]),
        serving("changed", vec![tcp("c", changed)]),
        going_spec,
        needs_going,
    ];
    let mut run = Run::start(dir.path(), &before);
    run.until("settled");
    let (was_same, was_changed) = (served_by(same), served_by(changed));
    assert!(UnixStream::connect(&path).is_ok());

    let mut renewed = serving("changed", vec![tcp("c", changed), tcp("more", coming)]);
    renewed.environment.insert("WORD".into(), "new".into());
    renewed.args.insert(1, "word".into());
    let after = [before[0].clone(), renewed, serving("new", vec![])];
    describe(dir.path(), &after);
    let list = run.ask(async |c| c.reload().await).unwrap();
    assert_eq!(
        states(&list),
        [("same", State::Ready), ("changed", State::Ready), ("new", State::Ready)]
    );
    assert_eq!(served_by(same), was_same);
    assert_ne!(served_by(changed), was_changed);
    assert!(TcpStream::connect(coming).is_ok());
    assert!(TcpStream::connect(going).is_err());
    assert!(!path.exists(), "a Unix socket without a service is unlinked");
    assert!(run.log("changed").contains("word new"), "{}", run.log("changed"));
    let seen = run.stop();
    let ended = |name: &str| seen.iter().position(|l| l.starts_with(name)).unwrap();
    assert!(ended("near stopping stopped") < ended("going ready stopping"));
}

#[test]
fn a_changed_service_refuses_no_connection_on_a_socket_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut spec = serving("s", vec![tcp("smtp", address)]);
    spec.args.insert(1, "sleep=0.2".into());
    let mut run = Run::start(dir.path(), std::slice::from_ref(&spec));
    run.until("settled");
    let before = served_by(address);
    let client = std::thread::spawn(move || {
        let end = std::time::Instant::now() + Duration::from_secs(1);
        while std::time::Instant::now() < end {
            TcpStream::connect(address).expect("refused");
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    spec.environment.insert("A".into(), "b".into());
    describe(dir.path(), std::slice::from_ref(&spec));
    run.ask(async |c| c.reload().await).unwrap();
    client.join().unwrap();
    assert_ne!(served_by(address), before);
    run.stop();
}

#[test]
fn a_listener_may_move_to_an_address_that_holds_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut run = Run::start(dir.path(), &[serving("s", vec![tcp("smtp", address)])]);
    run.until("settled");
    let any = std::net::SocketAddr::from(([0, 0, 0, 0], address.port()));
    describe(dir.path(), &[serving("s", vec![tcp("smtp", any)])]);
    let list = run.ask(async |c| c.reload().await).unwrap();
    assert_eq!(states(&list), [("s", State::Ready)]);
    assert_eq!(list[1].sockets[0].address, any.to_string());
    served_by(std::net::SocketAddr::from(([127, 0, 0, 1], address.port())));
    run.stop();
}

#[test]
fn what_cannot_be_reloaded_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (address, taken) = (free_address(), free_address());
    let holder = std::net::TcpListener::bind(taken).unwrap();
    let before = serving("s", vec![tcp("smtp", address)]);
    let mut run = Run::start(dir.path(), std::slice::from_ref(&before));
    run.until("settled");
    let pid = served_by(address);
    let path = dir.path().join("run/x.sock");
    let mut circle = service("a", &["ready"]);
    circle.depends_on = vec!["a".into()];
    let other = serving("s", vec![unix("x", &path), tcp("smtp", taken)]);
    for (services, code) in
        [(vec![other], "controller.sockets"), (vec![circle], "controller.services")]
    {
        describe(dir.path(), &services);
        let error = run.ask(async |c| c.reload().await).unwrap_err();
        let ClientError::Refused { body, .. } = &error else { panic!("{error}") };
        assert_eq!(body.code, code);
        assert_eq!(served_by(address), pid);
        assert!(!path.exists());
    }
    std::fs::write(dir.path().join("services-in.json"), "{").unwrap();
    let error = run.ask(async |c| c.reload().await).unwrap_err();
    assert!(error.to_string().starts_with("cannot reload: "), "{error}");
    assert_eq!(served_by(address), pid);
    drop(holder);
    run.stop();
}

#[test]
fn what_an_administrator_stopped_stays_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = [(); 2].map(|()| free_address());
    let mut run = Run::start(dir.path(), &[serving("a", vec![tcp("a", a)])]);
    run.until("settled");
    run.ask(async |c| c.act("a", Verb::Stop).await).unwrap();
    describe(dir.path(), &[serving("a", vec![tcp("b", b)]), service("new", &["ready"])]);
    let list = run.ask(async |c| c.reload().await).unwrap();
    assert_eq!(states(&list), [("a", State::Stopped), ("new", State::Ready)]);
    assert!(TcpStream::connect(b).is_err());
    run.ask(async |c| c.pause().await).unwrap();
    run.ask(async |c| c.replace(&supervise(), &arguments(dir.path())).await).unwrap();
    let list = run.ask(async |c| c.resume().await).unwrap();
    assert_eq!(states(&list), [("a", State::Stopped), ("new", State::Ready)]);
    let list = run.ask(async |c| c.act("a", Verb::Start).await).unwrap();
    assert_eq!(list.state, State::Ready);
    served_by(b);
    run.stop();
}

#[test]
fn a_service_that_is_not_enabled_is_known_and_rests() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut spec = serving("s", vec![tcp("smtp", address)]);
    spec.enabled = false;
    let mut run = Run::start(dir.path(), &[spec.clone(), service("other", &["ready"])]);
    run.until("settled");
    let list = run.ask(async |c| c.list().await).unwrap();
    assert_eq!(states(&list), [("s", State::Stopped), ("other", State::Ready)]);
    assert!(TcpStream::connect(address).is_err());
    spec.enabled = true;
    describe(dir.path(), &[spec.clone(), service("other", &["ready"])]);
    let list = run.ask(async |c| c.reload().await).unwrap();
    assert_eq!(states(&list), [("s", State::Ready), ("other", State::Ready)]);
    served_by(address);
    spec.enabled = false;
    describe(dir.path(), &[spec, service("other", &["ready"])]);
    let list = run.ask(async |c| c.reload().await).unwrap();
    assert_eq!(states(&list), [("s", State::Stopped), ("other", State::Ready)]);
    assert!(TcpStream::connect(address).is_err());
    run.stop();
}

#[test]
fn an_optional_service_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let taken = free_address();
    let holder = std::net::TcpListener::bind(taken).unwrap();
    let mut missing = service("missing", &["ready"]);
    missing.program = "/nonexistent/program".into();
    missing.optional = true;
    let mut port = serving("port", vec![tcp("smtp", taken)]);
    port.optional = true;
    let mut run = Run::start(dir.path(), &[missing, port, service("core", &["ready"])]);
    run.until("settled");
    let list = run.ask(async |c| c.list().await).unwrap();
    assert_eq!(
        states(&list),
        [("missing", State::Failed), ("port", State::Failed), ("core", State::Ready)]
    );
    let why = |i: usize| list[i].last_exit.clone().unwrap();
    assert!(why(1).contains("/nonexistent/program"), "{}", why(1));
    assert!(why(2).contains("taken by"), "{}", why(2));
    drop(holder);
    let port = run.ask(async |c| c.act("port", Verb::Start).await).unwrap();
    assert_eq!(port.state, State::Ready);
    run.stop();
}

#[test]
fn while_paused_nothing_starts_and_clients_wait() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut edge = service("edge", &["ready"]);
    edge.depends_on = vec!["s".into()];
    let mut run = Run::start(dir.path(), &[serving("s", vec![tcp("smtp", address)]), edge]);
    run.until("settled");
    let before = served_by(address);
    for _ in 0..2 {
        let list = run.ask(async |c| c.pause().await).unwrap();
        assert_eq!(list[0].status.as_deref(), Some("paused"));
        assert!(list.iter().skip(1).all(|s| s.pid.is_none()));
    }
    let mut waiting = TcpStream::connect(address).expect("the socket is open");
    for verb in [Verb::Start, Verb::Restart] {
        let status = run.ask(async |c| c.act("s", verb).await).unwrap();
        assert_eq!((status.state, status.pid), (State::Waiting, None));
    }
    let list = run.ask(async |c| c.resume().await).unwrap();
    assert_eq!(states(&list), [("s", State::Ready), ("edge", State::Ready)]);
    assert_eq!(list[0].status, None);
    assert_ne!(ask(&mut waiting), before);
    let seen = run.stop();
    let order = |line: &str| seen.iter().position(|l| l.starts_with(line)).unwrap();
    assert!(order("edge restarting waiting") < order("s ready restarting"));
}

#[test]
fn a_pause_holds_against_crashes_and_its_end_is_a_stop_or_a_resume() {
    let dir = tempfile::tempdir().unwrap();
    let mut looping = service("looping", &["crash"]);
    looping.supervision.crash_budget = 1_000;
    let mut run = Run::start(dir.path(), &[looping, service("slow", &["ready", "slow-stop"])]);
    run.until("slow starting ready");
    eventually("a crash", || !run.pids("looping").is_empty());
    run.ask(async |c| c.pause().await).unwrap();
    let starts = run.pids("looping").len();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(run.pids("looping").len(), starts);
    run.ask(async |c| c.act("looping", Verb::Stop).await).unwrap();
    let list = run.ask(async |c| c.resume().await).unwrap();
    assert_eq!(states(&list), [("looping", State::Stopped), ("slow", State::Ready)]);
    run.ask(async |c| c.pause().await).unwrap();
    run.stop();
}

#[test]
fn a_client_that_connects_during_pause_and_replacement_is_answered_after_resume() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let path = dir.path().join("run/s.sock");
    let gone = free_address();
    let before = [
        serving("s", vec![tcp("smtp", address), unix("u", &path)]),
        serving("gone", vec![tcp("g", gone)]),
    ];
    let mut run = Run::start(dir.path(), &before);
    run.until("settled");
    let refused = run.ask(async |c| c.replace(&supervise(), &arguments(dir.path())).await);
    assert!(refused.unwrap_err().to_string().contains("not paused"));
    let pid = run.ask(async |c| c.list().await).unwrap()[0].pid;
    let process = served_by(address);
    run.ask(async |c| c.pause().await).unwrap();
    let mut early = TcpStream::connect(address).unwrap();
    describe(dir.path(), &before[..1]);
    let list = run.ask(async |c| c.replace(&supervise(), &arguments(dir.path())).await).unwrap();
    assert_eq!((list[0].pid, list[0].status.as_deref()), (pid, Some("paused")));
    assert_eq!(states(&list), [("s", State::Waiting)]);
    let mut late = TcpStream::connect(address).expect("the socket is open");
    assert!(UnixStream::connect(&path).is_ok());
    assert!(TcpStream::connect(gone).is_err(), "what is not wanted any more is closed");
    let mut second = Run::start(&dir.path().join("."), &before[..1]);
    assert!(second.until("error").contains("already runs"), "the lock was kept");
    let list = run.ask(async |c| c.resume().await).unwrap();
    assert_eq!(states(&list), [("s", State::Ready)]);
    let answered = ask(&mut early);
    assert_ne!(answered, process);
    assert_eq!(ask(&mut late), answered);
    run.until("settled");
    // And once more, from a controller that was itself handed over.
    run.ask(async |c| c.pause().await).unwrap();
    let mut waiting = TcpStream::connect(address).unwrap();
    run.ask(async |c| c.replace(&supervise(), &arguments(dir.path())).await).unwrap();
    run.ask(async |c| c.resume().await).unwrap();
    assert_ne!(ask(&mut waiting), answered);
    run.stop();
    assert!(!path.exists());
}

#[test]
fn a_program_that_cannot_be_executed_leaves_the_controller_paused_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut run = Run::start(dir.path(), &[serving("s", vec![tcp("smtp", address)])]);
    run.until("settled");
    run.ask(async |c| c.pause().await).unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "not a program").unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        path
    };
    let shell = write("shell", "echo not a program\n");
    // This one is refused by the kernel only.
    let interpreted = write("interpreted", "#!/nonexistent/interpreter\n");
    let mut waiting = TcpStream::connect(address).unwrap();
    for program in [Path::new("relative"), Path::new("/nonexistent"), &text, &shell, &interpreted] {
        let error = run.ask(async |c| c.replace(program, &[]).await).unwrap_err();
        let ClientError::Refused { body, .. } = &error else { panic!("{error}") };
        assert_eq!(body.code, "controller.program", "{error}");
        let list = run.ask(async |c| c.list().await).unwrap();
        assert_eq!(list[0].status.as_deref(), Some("paused"));
    }
    run.ask(async |c| c.resume().await).unwrap();
    ask(&mut waiting);
    run.ask(async |c| c.act("s", Verb::Stop).await).unwrap();
    assert!(TcpStream::connect(address).is_err(), "no copy of the socket stayed behind");
    run.stop();
}

#[test]
fn a_successor_that_ends_at_once_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("s", &["ready"])]);
    run.until("settled");
    run.ask(async |c| c.pause().await).unwrap();
    let error = run.ask(async |c| c.replace(Path::new("/bin/true"), &[]).await).unwrap_err();
    assert!(error.is_not_running(), "{error}");
}

#[test]
fn services_hear_of_the_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("s", &["hold", "ready"])]);
    run.until("settled");
    let hold = dir.path().join("run/hold");
    assert!(run.log("s").contains(&format!("hold {}", hold.display())), "{}", run.log("s"));
    run.stop();
}
