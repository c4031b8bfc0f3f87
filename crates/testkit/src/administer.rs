//! The program's own commands, as an administrator types them.

use crate::command::{Finished, run, run_with_input};
use crate::concord::Concord;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// No command of the program takes longer on a test's data.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

impl Concord {
    /// The process id of a service, as `concord service list` tells it.
    ///
    /// # Errors
    /// The service is not known or does not run.
    pub fn service(&self, name: &str) -> Result<u32> {
        let list = self.json(&["service", "list"])?;
        let found = find_objects(&list, &|o| {
            ["name", "service"].iter().any(|k| o.get(*k).and_then(Value::as_str) == Some(name))
        });
        let pid = found.iter().find_map(|o| o.get("pid")).and_then(Value::as_u64);
        let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
        pid.ok_or_else(|| trouble(format!("service {name} has no process: {list}")))
    }

    /// Runs a command of the program on this root.
    ///
    /// # Errors
    /// It could not be started or did not end.
    pub fn command(&self, args: &[&str]) -> Result<Finished> {
        self.command_with_input(args, "")
    }

    /// As [`command`](Self::command), with text for its standard input.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub fn command_with_input(&self, args: &[&str], input: &str) -> Result<Finished> {
        let mut command = Command::new(self.binary());
        command.args(args).arg("--root").arg(self.root());
        if input.is_empty() {
            run(&mut command, COMMAND_LIMIT)
        } else {
            run_with_input(&mut command, input.as_bytes(), COMMAND_LIMIT)
        }
    }

    /// What a command says with `--json`.
    ///
    /// # Errors
    /// It failed or did not print JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let done = self.command(&[args, &["--json"]].concat())?;
        let done = done.ok().map_err(|e| e.during(&format!("concord {}", args.join(" "))))?;
        serde_json::from_str(&done.stdout).map_err(|e| {
            trouble(format!("concord {args:?} printed no JSON ({e}): {}", done.stdout))
        })
    }

    /// Adds a mailbox with the usual password.
    ///
    /// # Errors
    /// The command failed.
    pub fn add_mailbox(&self, address: &str) -> Result<()> {
        let password = format!("{}\n", crate::PASSWORD);
        let name = address.split('@').next().unwrap_or(address);
        let add = ["mailbox", "add", name, "--address", address, "--password-stdin"];
        self.command_with_input(&add, &password)?.ok().map_err(|e| e.during("mailbox add"))?;
        Ok(())
    }

    /// Waits until nothing waits in the queue (held and quarantined deliveries too).
    ///
    /// # Errors
    /// The time is over.
    pub fn wait_queue_empty(&self, limit: Duration) -> Result<()> {
        let mut last = Value::Null;
        let waited = wait_until("an empty queue", limit, || {
            last = self.json(&["queue", "list"])?;
            Ok(is_empty(&last))
        });
        waited.map_err(|e| trouble(format!("{}; it holds {}", e.text(), shorten(&last))))
    }
}

/// Whether a listing has no rows, whatever object it is wrapped in.
fn is_empty(listing: &Value) -> bool {
    match listing {
        Value::Array(rows) => rows.is_empty(),
        Value::Object(fields) => fields
            .values()
            .filter(|v| v.is_array())
            .all(|v| v.as_array().is_some_and(Vec::is_empty)),
        _ => false,
    }
}

fn find_objects<'a>(value: &'a Value, wanted: &dyn Fn(&Value) -> bool) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let inner: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => {
            if wanted(value) {
                found.push(value);
            }
            fields.values().collect()
        }
        _ => Vec::new(),
    };
    found.extend(inner.into_iter().flat_map(|v| find_objects(v, wanted)));
    found
}

fn shorten(value: &Value) -> String {
    value.to_string().chars().take(2_000).collect()
}
