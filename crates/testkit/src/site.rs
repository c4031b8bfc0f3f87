//! A server that was installed by Setup, on a scratch root.

use crate::command::{Finished, run_with_input};
use crate::concord::executable;
use crate::imap::Imap;
use crate::log::Log;
use crate::ports::Ports;
use crate::process;
use crate::smtp::Smtp;
use crate::trouble::{Result, trouble};
use crate::wait::wait_for;
use serde_json::Value;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A debug build under load installs and starts well within this.
const LIMIT: Duration = Duration::from_secs(120);
/// The password of every mailbox that is made here.
const PASSWORD: &str = "secret";
/// Listeners that are switched on.
const LISTENERS: [&str; 3] = ["smtp", "submission", "imap"];

/// An installed server with ports of its own. Dropping it ends what it started.
#[derive(Debug)]
pub struct Site {
    scratch: tempfile::TempDir,
    root: PathBuf,
    binary: PathBuf,
    base: u16,
    ports: Ports,
    child: Option<Child>,
    log: Log,
    /// More lines of the answers' `[settings...]`.
    pub settings: String,
    /// Variables for the controller and what it starts.
    pub environment: Vec<(String, String)>,
}

impl Site {
    /// A scratch directory with nothing in it.
    ///
    /// # Errors
    /// No executable or no free ports.
    pub fn new() -> Result<Self> {
        Self::with_binary(executable()?)
    }

    /// The same for this executable.
    ///
    /// # Errors
    /// No free ports.
    pub fn with_binary(binary: impl Into<PathBuf>) -> Result<Self> {
        let ports = Ports::take()?;
        let scratch = tempfile::Builder::new().prefix("concord-").tempdir()?;
        let base = ports.next()?;
        for _ in 0..8 {
            ports.next()?;
        }
        Ok(Self {
            root: scratch.path().join("root"),
            scratch,
            binary: binary.into(),
            base,
            ports,
            child: None,
            log: Log::default(),
            settings: String::new(),
            environment: Vec::new(),
        })
    }

    /// The same, installed.
    ///
    /// # Errors
    /// It could not be installed.
    pub fn installed() -> Result<Self> {
        let site = Self::new()?;
        site.install()?;
        Ok(site)
    }

    /// The same, installed and running.
    ///
    /// # Errors
    /// It did not become ready.
    pub fn running() -> Result<Self> {
        let mut site = Self::installed()?;
        site.up()?;
        Ok(site)
    }

    /// The scratch directory around the root.
    pub fn top(&self) -> &Path {
        self.scratch.path()
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Another program from now on.
    pub fn set_binary(&mut self, binary: impl Into<PathBuf>) {
        self.binary = binary.into();
    }

    /// Another root below the same scratch directory.
    pub fn set_root(&mut self, name: &str) {
        self.root = self.scratch.path().join(name);
    }

    /// A port of this test that nothing else uses.
    ///
    /// # Errors
    /// They are used up.
    pub fn port(&self) -> Result<u16> {
        self.ports.next()
    }

    /// Where a listener is.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let place = LISTENERS.iter().position(|name| *name == listener).unwrap_or(8);
        let offset = u16::try_from(place).unwrap_or(8);
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.base + offset))
    }

    /// The answer file, written anew.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn answers(&self) -> Result<PathBuf> {
        let mut text = String::from(
            "organisation = \"Example\"\ndomain = \"example.test\"\n\
             hostname = \"mail.example.test\"\nsystemd = \"no\"\nuser = \"\"\nlink = \"\"\n\
             [settings.tls]\nallow-plaintext-auth = true\n\
             [settings.internet-mail]\nnameservers = [\"127.0.0.1:9\"]\nreverse-dns = false\n",
        );
        text.push_str(&self.settings);
        text.push_str("\n[settings.listen]\n");
        for name in ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s"] {
            let _ = match LISTENERS.contains(&name) {
                true => writeln!(text, "{name} = [\"{}\"]", self.address(name)),
                false => writeln!(text, "{name} = []"),
            };
        }
        let file = self.top().join("site.toml");
        std::fs::write(&file, text)?;
        Ok(file)
    }

    /// Installs it by its answers.
    ///
    /// # Errors
    /// It could not be installed.
    pub fn install(&self) -> Result<()> {
        let answers = self.answers()?.display().to_string();
        self.ok(&["setup", "install", "--answers", &answers])?;
        Ok(())
    }

    /// A command on this root.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--root").arg(&self.root).args(args).env("CONCORD_TEST_ROOT", &self.root);
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub fn run(&self, args: &[&str]) -> Result<Finished> {
        run_with_input(&mut self.command(args), b"", LIMIT)
    }

    /// Runs a command that must end with exit code 0; gives back what it printed.
    ///
    /// # Errors
    /// Another exit code.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Result<String> {
        let done = self.run(args)?;
        if done.code == Some(0) {
            return Ok(done.stdout);
        }
        Err(trouble(format!(
            "'concord {}' ended with {:?}\n{}{}\n{}",
            args.join(" "),
            done.code,
            done.stdout,
            done.stderr,
            self.log.tail(10)
        )))
    }

    /// Runs a command that must end with another exit code; gives back what it
    /// printed and complained.
    ///
    /// # Errors
    /// Another exit code than `code`.
    #[track_caller]
    pub fn fails(&self, code: i32, args: &[&str]) -> Result<String> {
        let done = self.run(args)?;
        let said = format!("{}{}", done.stdout, done.stderr);
        if done.code == Some(code) {
            return Ok(said);
        }
        let line = args.join(" ");
        Err(trouble(format!("'concord {line}' ended with {:?}, not {code}\n{said}", done.code)))
    }

    /// Runs a command with `--json`, whatever its exit code is.
    ///
    /// # Errors
    /// It printed no JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend(args);
        let done = self.run(&all)?;
        serde_json::from_str(&done.stdout).map_err(|e| {
            trouble(format!(
                "'{}' printed no JSON: {e}\n{}{}",
                args.join(" "),
                done.stdout,
                done.stderr
            ))
        })
    }

    /// Codes that the doctor finds, notes left out.
    ///
    /// # Errors
    /// The doctor could not look.
    #[track_caller]
    pub fn findings(&self) -> Result<Vec<String>> {
        let report = self.json(&["doctor"])?;
        let found = report.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |v: &Value, key: &str| {
            v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut codes: Vec<String> = found
            .iter()
            .filter(|finding| text(finding, "severity") != "note")
            .map(|finding| text(finding, "code"))
            .collect();
        codes.dedup();
        Ok(codes)
    }

    /// Starts `concord up` and waits until no service changes its state.
    ///
    /// # Errors
    /// It did not become ready.
    pub fn up(&mut self) -> Result<()> {
        self.log = Log::default();
        let mut child = self
            .command(&["up"])
            .envs(self.environment.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(stdout) = child.stdout.take() {
            self.log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.log.follow(stderr);
        }
        self.child = Some(child);
        wait_for("the welcome", LIMIT, || {
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().ok().flatten()) {
                let said = self.log.tail(20);
                return Err(trouble(format!("concord ended with {status}:\n{said}")));
            }
            Ok(self.log.text().contains("Ctrl-C stops.").then_some(()))
        })
    }

    /// What the controller printed.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Whether the controller's process lives.
    pub fn is_up(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// It did not stop.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        process::terminate(child.id())?;
        wait_for("concord to stop", LIMIT, || Ok(child.try_wait()?))?;
        Ok(())
    }

    /// Waits until its controller has ended by itself.
    ///
    /// # Errors
    /// It goes on.
    pub fn wait_ended(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        wait_for("concord to end", LIMIT, || Ok(child.try_wait()?))?;
        Ok(())
    }

    /// Everything of this server that lives.
    pub fn processes(&self) -> Vec<u32> {
        process::marked(&self.root.display().to_string())
    }

    /// Makes a mailbox.
    ///
    /// # Errors
    /// The core refused.
    pub fn add_mailbox(&self, name: &str) -> Result<()> {
        let mut command = self.command(&["mailbox", "add", name, "--password-stdin"]);
        run_with_input(&mut command, format!("{PASSWORD}\n").as_bytes(), LIMIT)?.ok()?;
        Ok(())
    }

    /// A session of a user with his mailbox.
    ///
    /// # Errors
    /// No connection, or no login.
    pub fn imap(&self, name: &str) -> Result<Imap> {
        Imap::login(self.address("imap"), &format!("{name}@example.test"), PASSWORD)
    }

    /// A session with the server for mail from strangers.
    ///
    /// # Errors
    /// No connection.
    pub fn smtp(&self) -> Result<Smtp> {
        Smtp::connect(self.address("smtp"))
    }

    /// Sends a mail from outside; acknowledged when it returns.
    ///
    /// # Errors
    /// It was not taken.
    pub fn send(&self, to: &str, subject: &str) -> Result<()> {
        let mut smtp = self.smtp()?;
        smtp.hello()?;
        let text = format!(
            "From: <you@elsewhere.test>\r\nTo: <{to}@example.test>\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@elsewhere.test>\r\n\r\nhello\r\n"
        );
        let reply =
            smtp.send("you@elsewhere.test", &[&format!("{to}@example.test")], text.as_bytes())?;
        if reply.is_positive() { Ok(()) } else { Err(trouble(reply.text())) }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("concord printed:\n{}", self.log.tail(30));
        }
        if let Some(mut child) = self.child.take() {
            let _ = process::terminate(child.id());
            let until = std::time::Instant::now() + Duration::from_secs(20);
            while std::time::Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        for pid in self.processes() {
            let _ = process::kill(pid);
        }
    }
}
