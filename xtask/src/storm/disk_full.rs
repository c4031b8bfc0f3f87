//! `cargo xtask storm disk-full`: a small file system that fills up.

use super::ledger::{Ledger, MAILBOXES};
use super::load::{Load, Outside, Targets};
use super::{Common, collect, wait_for_acknowledgements};
use crate::workspace::{must, program};
use clap::Args;
use concord_testkit::{Concord, Result, Sample, trouble, wait_for, wait_until};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
    /// How often it is filled and emptied.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// The file system's size in MiB: filled in seconds, roomy enough for an index.
const SIZE: usize = 256;
/// Left to be filled by mail, above the server's reserve.
const ROOM: u64 = 12 << 20;
/// The server's own reserve.
const RESERVE: u64 = 16 << 20;
const LIMIT: Duration = Duration::from_secs(120);

/// A mounted tmpfs; unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        must(
            program("mount")
                .args(["-t", "tmpfs", "-o"])
                .arg(format!("size={SIZE}m"))
                .args(["concord-disk-full"])
                .arg(at),
        )
        .map_err(|e| e.during("mounting a tmpfs needs root"))?;
        Ok(Self(at.to_path_buf()))
    }

    fn free(&self) -> Result<u64> {
        let done = concord_testkit::run(
            program("df").args(["--output=avail", "-B1"]).arg(&self.0),
            Duration::from_secs(10),
        )?
        .ok()?;
        let number = done.stdout.lines().nth(1).and_then(|l| l.trim().parse().ok());
        number.ok_or_else(|| trouble("df says nothing"))
    }

    /// Fills the file system until only `left` octets are free.
    fn fill(&self, left: u64) -> Result<PathBuf> {
        let path = self.0.join(format!("filler-{left}"));
        let mut file = File::create(&path)?;
        let block = vec![0x5a; 64 << 10];
        while self.free()? > left + block.len() as u64 {
            if file.write_all(&block).is_err() {
                break;
            }
        }
        Ok(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = must(program("umount").arg("--lazy").arg(&self.0));
    }
}

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    let binary = options.common.binary()?;
    let seed = options.common.seed();
    let scratch = tempfile::Builder::new().prefix("disk-full-").tempdir()?;
    let mount = Mount::new(&scratch.path().join("disk"))?;
    let outside = Outside::start()?;
    let host = outside.sink.address();
    let mut server = Concord::builder()?
        .binary(binary)
        .root(mount.0.join("root"))
        .config(|c| {
            c.smart_host(host);
            c.set("storage", "segment-size", "\"4 MiB\"");
            c.set("storage", "reserve", format!("\"{} MiB\"", RESERVE >> 20));
        })
        .start()?;
    let ledger = Arc::new(Ledger::new(format!("full{seed}")));
    let targets =
        Targets { smtp: server.address("smtp"), submission: server.address("submission") };
    for round in 1..=options.rounds {
        let load = Load::start(targets, &ledger, options.common.sessions, seed + round as u64);
        let done = fill_and_empty(&server, &mount, &ledger, round);
        load.stop();
        done.map_err(|e| e.during(&format!("round {round}")))?;
    }
    let arrivals = collect(&server, &outside, &ledger)?;
    arrivals.judge(&ledger)?;
    server.stop()?;
    let verified = server.command(&["store", "verify", "--json"])?;
    if verified.code != Some(0) {
        return Err(trouble(format!("store verify: {}{}", verified.stdout, verified.stderr)));
    }
    println!("store verify             nothing wrong");
    Ok(())
}

fn fill_and_empty(
    server: &Concord,
    mount: &Mount,
    ledger: &Arc<Ledger>,
    round: usize,
) -> Result<()> {
    wait_for_acknowledgements(ledger, 10, LIMIT)?;
    let filler = mount.fill(RESERVE + ROOM)?;
    let refusal = wait_for("a refusal because of the full disk", LIMIT, || probe(server, round))?;
    println!("round {round}: {} bytes free, refused with: {refusal}", mount.free()?);
    if !refusal.starts_with("452 4.3.1") {
        return Err(trouble(format!("the refusal is not '452 4.3.1 ...' but '{refusal}'")));
    }
    // Somebody else takes even the reserve.
    let rest = mount.fill(0)?;
    for mailbox in MAILBOXES {
        let mut imap = server.imap(mailbox).map_err(|e| e.during("reading on a full disk"))?;
        imap.headers("INBOX", "MESSAGE-ID").map_err(|e| e.during("reading on a full disk"))?;
    }
    server.json(&["queue", "list"]).map_err(|e| e.during("queue list on a full disk"))?;
    fs::remove_file(rest)?;
    fs::remove_file(filler)?;
    wait_until("mail to be taken again", LIMIT, || Ok(probe(server, round)?.is_none()))?;
    wait_for_acknowledgements(ledger, 20, LIMIT)
}

/// Sends a message; gives back the refusal if there was one.
fn probe(server: &Concord, round: usize) -> Result<Option<String>> {
    let mut smtp = server.smtp()?;
    smtp.hello()?;
    let to = MAILBOXES[1];
    let sample = Sample::new(&format!("probe{round}@probe.test"), "probe@probe.test", to);
    let reply = smtp.send("probe@probe.test", &[to], &sample.octets())?;
    let refused = reply.code != 250;
    Ok(refused.then(|| format!("{} {}", reply.code, reply.text())))
}
