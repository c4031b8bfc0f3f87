//! The executable as an administrator meets it. Each test is named after the
//! promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn concord(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.arg("--root").arg(root).args(args).env_remove("NOTIFY_SOCKET");
    command
}

fn run(root: &Path, args: &[&str]) -> Output {
    concord(root, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn configure(root: &Path, text: &str) {
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/concord.toml"), text).unwrap();
}

/// A configuration without fixed ports, so that tests may run side by side.
const NO_PORTS: &str = "[listen]\nsmtp = []\nsubmission = []\nsubmissions = []\nimap = []\n\
                        imaps = []\npop3 = []\npop3s = []\n";

struct Up {
    child: Child,
    lines: Receiver<serde_json::Value>,
}

impl Up {
    fn start(root: &Path) -> Self {
        let mut child = concord(root, &["--json", "up"]).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines }
    }

    fn until(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let event = self.lines.recv_timeout(PATIENCE).expect("the event in time");
            if wanted(&event) {
                return event;
            }
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_new_root_is_set_up_with_a_configuration_without_mistakes() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("new");
    // 25 and the others may be taken or not permitted here; the root is made all the same.
    let mut up =
        concord(&root, &["--json", "up", "--demo"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(up.stdout.take().unwrap()).read_line(&mut first).unwrap();
    up.kill().unwrap();
    up.wait().unwrap();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((first["event"].as_str(), first["new"].as_bool()), (Some("root"), Some(true)));
    let check = run(&root, &["config", "check"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    assert!(text(&check.stdout).contains("has no mistakes"));
    let example = run(&root, &["config", "example", "--demo"]);
    assert_eq!(
        text(&example.stdout),
        std::fs::read_to_string(root.join("etc/concord.toml")).unwrap()
    );
}

#[test]
fn every_mistake_of_the_configuration_is_reported_with_exit_code_78() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "[limits]\nmesage-size = 1\nrecipients = \"x\"\n[nothing]\n");
    for command in [&["config", "check"][..], &["up"], &["serve", "core"]] {
        let output = run(dir.path(), command);
        assert_eq!(output.status.code(), Some(78), "{command:?}");
        let errors = text(&output.stderr);
        assert!(errors.starts_with("concord: cannot use "), "{errors}");
        for part in ["3 mistakes", ":2:1: ", "'message-size'", ":3:14: ", ":4:2: "] {
            assert!(errors.contains(part), "{part} in {errors}");
        }
    }
    let output = run(dir.path(), &["--json", "config", "check"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["mistakes"].as_array().unwrap().len(), 3);
}

#[test]
fn taken_ports_are_named_with_their_holder_all_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (a, b) = (a.local_addr().map(|x| (a, x)).unwrap(), b.local_addr().map(|x| (b, x)).unwrap());
    let settings = NO_PORTS
        .replace("smtp = []", &format!("smtp = [\"{}\"]", a.1))
        .replace("imap = []", &format!("imap = [\"{}\"]", b.1));
    configure(dir.path(), &settings);
    let output = run(dir.path(), &["up"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    let us = format!("(pid {}, user ", std::process::id());
    assert_eq!(errors.matches(&us).count(), 2, "{errors}");
}

#[test]
fn up_is_alone_on_its_root_and_down_ends_it_in_order() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), NO_PORTS);
    let mut up = Up::start(dir.path());
    up.until(|e| e["service"] == "core" && e["to"] == "starting");
    let second = run(dir.path(), &["up"]);
    let errors = text(&second.stderr);
    assert!(errors.contains(&format!("(pid {})", up.child.id())), "{errors}");
    let list = run(dir.path(), &["--json", "service", "list"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|s| s["name"].clone()).collect();
    assert_eq!(names, ["controller", "core", "internet-mail"]);
    let unknown = run(dir.path(), &["service", "status", "croe"]);
    assert!(
        text(&unknown.stderr).contains("cannot find service 'croe': there are controller, core")
    );
    let logs = run(dir.path(), &["service", "logs", "controller"]);
    assert!(logs.status.success());

    assert!(run(dir.path(), &["down"]).status.success());
    up.until(|e| e["event"] == "stopped");
    assert!(up.child.wait().unwrap().success());
    let after = run(dir.path(), &["service", "list"]);
    assert_eq!(after.status.code(), Some(69));
    assert!(text(&after.stderr).contains("concord up"));
}

#[test]
fn a_launched_program_ends_with_its_controller() {
    let stranger = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["launch", "--", "1", "true"])
        .output()
        .unwrap();
    assert_eq!(stranger.status.code(), Some(1));
    assert!(text(&stranger.stderr).contains("the controller has ended"));
    // A shell is the controller here: it starts the launcher and is killed by the program.
    let program = env!("CARGO_BIN_EXE_concord");
    let script = "\"$0\" launch -- $$ sh -c 'echo $$; test $LISTEN_PID = $$ && kill -9 $PPID; \
                  exec sleep 60' & wait";
    let controller =
        Command::new("sh").args(["-c", script, program]).stdout(Stdio::piped()).output().unwrap();
    assert_eq!(controller.status.signal(), Some(9));
    let pid: u32 = text(&controller.stdout).trim().parse().unwrap();
    let gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let end = Instant::now() + PATIENCE;
    while !gone() {
        assert!(Instant::now() < end, "the program outlives its controller");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_service_that_was_not_started_by_the_controller_says_so() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), NO_PORTS);
    let output = run(dir.path(), &["serve", "core"]);
    assert!(text(&output.stderr).contains("run 'concord up'"), "{}", text(&output.stderr));
}

#[test]
fn manual_pages_and_completions_know_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man");
    assert!(run(dir.path(), &["man", "--output", pages.to_str().unwrap()]).status.success());
    for page in ["concord.1", "concord-up.1", "concord-service-logs.1"] {
        assert!(pages.join(page).exists(), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(dir.path(), &["completions", shell]);
        assert!(text(&script.stdout).contains("service"), "{shell}");
    }
    let usage = run(dir.path(), &["no-such-command"]);
    assert_eq!(usage.status.code(), Some(64));
}

#[test]
fn a_systemd_that_started_it_hears_of_readiness_life_and_end() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), NO_PORTS);
    let notify = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut heard = String::new();
    let mut until = |wanted: &str| {
        let mut datagram = [0; 4096];
        while !heard.contains(wanted) {
            let length = notify.recv(&mut datagram).expect(wanted);
            heard.push_str(&text(&datagram[..length]));
        }
        heard.clone()
    };
    let mut up = concord(dir.path(), &["up"])
        .env("NOTIFY_SOCKET", dir.path().join("notify"))
        .env("WATCHDOG_USEC", "200000")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("READY=1");
    until("STATUS=2 of 2 services ready");
    until("WATCHDOG=1");
    let pid = rustix::process::Pid::from_child(&up);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("STOPPING=1");
    assert!(up.wait().unwrap().success());
}

#[test]
fn a_killed_up_leaves_nothing_that_hinders_the_next() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), NO_PORTS);
    for _ in 0..3 {
        let mut up = Up::start(dir.path());
        let settled = up.until(|e| e["event"] == "settled");
        let states: Vec<_> =
            settled["services"].as_array().unwrap().iter().map(|s| s["state"].clone()).collect();
        assert_eq!(states, ["ready", "ready", "ready"], "{settled}");
        up.child.kill().unwrap();
        up.child.wait().unwrap();
    }
    let mut last = Up::start(dir.path());
    last.until(|e| e["event"] == "settled");
    assert!(run(dir.path(), &["down"]).status.success());
    assert!(last.child.wait().unwrap().success());
}
