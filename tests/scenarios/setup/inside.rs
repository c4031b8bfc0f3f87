//! A server on a machine of its own, as its administrator and its users see it.

use concord_testkit::{Imap, Machine, Result, Smtp, trouble, wait_until};
use std::time::Duration;

/// Where a server is by default when root installs it.
pub const ROOT: &str = "/var/lib/concord";
/// What is answered; the listeners are the usual ones, ports under 1024.
pub const ANSWERS: &str = "organisation = \"Example\"\ndomain = \"example.test\"\n\
    hostname = \"mail.example.test\"\n[settings.tls]\nallow-plaintext-auth = true\n\
    [settings.internet-mail]\nnameservers = [\"127.0.0.1:9\"]\nreverse-dns = false\n";
const SOON: Duration = Duration::from_secs(60);

/// A machine, or why there is none; then the test says so and ends.
pub fn machine() -> Result<Option<Machine>> {
    if let Some(missing) = Machine::missing() {
        println!("skipped: {missing}");
        return Ok(None);
    }
    Machine::new().map(Some)
}

/// A command of Concord that must succeed; gives back what it printed.
#[track_caller]
pub fn concord(machine: &Machine, words: &[&str]) -> Result<String> {
    machine.ok(&[&["concord", "--root", ROOT], words].concat())
}

/// Makes Alice's mailbox.
pub fn add_alice(machine: &Machine) -> Result<()> {
    let words = ["concord", "--root", ROOT, "mailbox", "add", "alice", "--password-stdin"];
    machine.ok_with(&words, "secret\n").map(|_| ())
}

/// Sends a mail from outside to Alice; acknowledged when it returns.
pub fn send(machine: &Machine, subject: &str) -> Result<()> {
    machine.inside(|| {
        let mut smtp = Smtp::connect(([127, 0, 0, 1], 25).into())?;
        smtp.hello()?;
        let text = format!("Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nhello\r\n");
        let reply = smtp.send("you@elsewhere.test", &["alice@example.test"], text.as_bytes())?;
        if reply.is_positive() { Ok(()) } else { Err(trouble(reply.text())) }
    })
}

/// Waits until Alice reads exactly these.
#[track_caller]
pub fn reads(machine: &Machine, expected: &[&str]) -> Result<()> {
    let mut found = Vec::new();
    wait_until("the mail", SOON, || {
        found = machine.inside(|| {
            let address = ([127, 0, 0, 1], 143).into();
            let mut imap = Imap::login(address, "alice@example.test", "secret")?;
            imap.headers("INBOX", "SUBJECT")
        })?;
        Ok(found == expected)
    })
    .map_err(|e| trouble(format!("{}: {found:?}", e.text())))
}

/// The service's main process on the machine; it must be active.
#[track_caller]
pub fn main_pid(machine: &Machine) -> Result<u32> {
    let state = machine.run(&["systemctl", "is-active", "concord.service"])?.stdout;
    if state.trim() != "active" {
        let why = machine.run(&["journalctl", "--no-pager", "-n", "40", "-u", "concord"])?.stdout;
        return Err(trouble(format!("concord.service is {}\n{why}", state.trim())));
    }
    let words = ["systemctl", "show", "--property", "MainPID", "--value", "concord.service"];
    let pid = machine.ok(&words)?;
    pid.trim().parse().map_err(|_| trouble(format!("no process: '{pid}'")))
}

/// Waits until the service runs.
#[track_caller]
pub fn started(machine: &Machine) -> Result<()> {
    let waited = wait_until("the service to start", SOON, || Ok(main_pid(machine).is_ok()));
    waited.or_else(|_| main_pid(machine).map(|_| ()))
}

/// A field of /proc/PID/status.
#[track_caller]
pub fn status(machine: &Machine, pid: u32, field: &str) -> Result<String> {
    let text = machine.ok(&["cat", &format!("/proc/{pid}/status")])?;
    let line = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    let line = line.ok_or_else(|| trouble(format!("no {field} in\n{text}")))?;
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}

/// The release that is registered.
#[track_caller]
pub fn release(machine: &Machine) -> Result<String> {
    let text = concord(machine, &["--json", "registry", "show"])?;
    let registry: serde_json::Value = serde_json::from_str(&text)?;
    Ok(registry["current"].as_str().unwrap_or_default().to_owned())
}

/// The doctor finds nothing but notes, and there is nothing to do.
#[track_caller]
pub fn healthy(machine: &Machine) -> Result<()> {
    concord(machine, &["doctor"])?;
    let plan = concord(machine, &["setup", "plan"])?;
    assert!(plan.contains("nothing to do"), "{plan}");
    Ok(())
}
