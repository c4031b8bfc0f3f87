//! Records made by a program of the administrator's.
//!
//! It is started as `PROGRAM present|remove NAME RECORD VALUE`, with the same
//! in its environment (`CONCORD_ACME_ACTION`, `..._NAME`, `..._RECORD`,
//! `..._VALUE`), and answers by its exit code. `present` must return when the
//! record is at the primary server; several records of one name may be there
//! at once.

use crate::error::AcmeError;
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// What is told of its output.
const SHOWN: usize = 500;
/// What is read of its output; more is left to it.
const READ: u64 = 64 << 10;
/// A program finds its own programs and its user's files by these.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// A program that makes and removes TXT records.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Absolute path.
    pub program: PathBuf,
    /// Longest run; then it and what it started are killed.
    pub time: Duration,
}

impl Hook {
    pub(super) async fn present(
        &self,
        host: &str,
        record: &str,
        value: &str,
    ) -> Result<(), AcmeError> {
        self.run("present", host, record, value).await
    }

    pub(super) async fn remove(
        &self,
        host: &str,
        record: &str,
        value: &str,
    ) -> Result<(), AcmeError> {
        self.run("remove", host, record, value).await
    }

    async fn run(
        &self,
        action: &str,
        host: &str,
        record: &str,
        value: &str,
    ) -> Result<(), AcmeError> {
        let failed = |cause: String| AcmeError::Hook {
            program: self.program.clone(),
            host: host.to_owned(),
            cause,
        };
        let mut command = Command::new(&self.program);
        command.args([action, host, record, value]).env_clear();
        command.envs(INHERITED.iter().filter_map(|n| std::env::var_os(n).map(|v| (n, v))));
        command.envs([
            ("CONCORD_ACME_ACTION", action),
            ("CONCORD_ACME_NAME", host),
            ("CONCORD_ACME_RECORD", record),
            ("CONCORD_ACME_VALUE", value),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| failed(format!("cannot be started: {e}")))?;
        let group = Group(child.id());
        let errors = child.stderr.take();
        let work = async {
            let mut said = Vec::new();
            if let Some(errors) = errors {
                // What it says is for people only; a broken pipe loses nothing.
                let _ = errors.take(READ).read_to_end(&mut said).await;
            }
            (child.wait().await, said)
        };
        let (ended, said) = tokio::time::timeout(self.time, work)
            .await
            .map_err(|_| failed(format!("did not end within {} s", self.time.as_secs_f32())))?;
        group.leave_alone();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(format!("ended with {status}{}", shown(&said)))),
            Err(error) => Err(failed(format!("cannot be waited for: {error}"))),
        }
    }
}

/// A process group that is killed when this is dropped.
struct Group(Option<u32>);

impl Group {
    fn leave_alone(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may be gone by itself.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// The end of what it said, on one line.
fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.is_empty() {
        return String::new();
    }
    let skip = line.chars().count().saturating_sub(SHOWN);
    format!(" and said '{}'", line.chars().skip(skip).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn hook(text: &str) -> (tempfile::TempDir, Hook) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("hook");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (dir, Hook { program, time: Duration::from_secs(10) })
    }

    #[tokio::test]
    async fn it_gets_its_arguments_and_its_environment() {
        let (dir, hook) = hook(
            "echo \"$1 $2 $3 $4 $CONCORD_ACME_ACTION $CONCORD_ACME_NAME $CONCORD_ACME_RECORD \
             $CONCORD_ACME_VALUE\" > \"$(dirname $0)/out\"",
        );
        hook.present("*.a.test", "_acme-challenge.a.test", "v").await.unwrap();
        let out = std::fs::read_to_string(dir.path().join("out")).unwrap();
        let words = "*.a.test _acme-challenge.a.test v";
        assert_eq!(out.trim(), format!("present {words} present {words}"));
    }

    #[tokio::test]
    async fn what_it_says_is_in_the_error() {
        let (_dir, hook) = hook("echo no such zone >&2; exit 3");
        let error = hook.present("a.test", "_acme-challenge.a.test", "v").await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3 and said 'no such zone'"), "{text}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let (dir, mut hook) = hook("sleep 600 & echo $! > \"$(dirname $0)/pid\"; wait");
        hook.time = Duration::from_millis(500);
        let error = hook.remove("a.test", "_acme-challenge.a.test", "v").await.unwrap_err();
        assert!(error.to_string().contains("did not end within 0.5 s"), "{error}");
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        for _ in 0..100 {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            if stat.map_or(true, |stat| stat.contains(") Z ")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("process {pid} lives on");
    }
}
