//! Damage on the disk: `concord store verify` names it, and the rest is read.

use super::ledger::{Ledger, MAILBOXES};
use concord_testkit::{Concord, Random, Result, Sample, trouble};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Flips a bit in the middle of a closed segment, and one towards the end of
/// the newest, with the server stopped. Both must be named; afterwards the
/// server starts, reads everything else and takes mail.
pub fn check(server: &mut Concord, ledger: &Ledger, random: &mut Random) -> Result<()> {
    let before = read(server, ledger)?;
    if before.altered > 0 {
        return Err(trouble(format!("{} messages are not as they were sent", before.altered)));
    }
    server.stop()?;
    // A cut may have left a flipped bit in what was never acknowledged.
    let known = findings(server)?;
    let mut segments = segments(&server.root().join("data"))?;
    segments.sort();
    let closed = segments.first().cloned().ok_or_else(|| trouble("no segments found"))?;
    let newest = segments.last().cloned().ok_or_else(|| trouble("no segments found"))?;
    let mut flipped = vec![flip(&closed, random, 0.3, 0.7)?];
    if newest != closed {
        flipped.push(flip(&newest, random, 0.5, 0.99)?);
    }
    let found: Vec<String> = findings(server)?.into_iter().filter(|f| !known.contains(f)).collect();
    println!("bits flipped at          {}", shown(&flipped));
    for finding in &found {
        println!("  store verify           {finding}");
    }
    for (file, _) in &flipped {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !found.iter().any(|finding| finding.contains(&name)) {
            return Err(trouble(format!("store verify does not name {name}")));
        }
    }
    server.up().map_err(|e| e.during("starting with a damaged log"))?;
    let after = read(server, ledger)?;
    println!("listed before, after     {}, {}", before.listed, after.listed);
    println!("refused as unreadable    {}", after.unreadable);
    println!("handed out altered       {}", after.altered);
    // One flipped bit meets one record.
    let harmed = before.listed.saturating_sub(after.listed) + after.unreadable + after.altered;
    if after.altered > 0 {
        return Err(trouble("a damaged message was handed out as if it were whole"));
    }
    if harmed as usize > flipped.len() {
        return Err(trouble("damage took more than the damaged records with it"));
    }
    takes_mail(server)?;
    server.stop()
}

/// What `store verify` finds, a line each; findings make it exit with an error.
fn findings(server: &Concord) -> Result<Vec<String>> {
    let done = server.command(&["store", "verify", "--json"])?;
    let report: Value = serde_json::from_str(&done.stdout)
        .map_err(|e| trouble(format!("store verify: {e}: {}{}", done.stdout, done.stderr)))?;
    let list = report.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
    if list.is_empty() != (done.code == Some(0)) {
        return Err(trouble(format!("{} findings, exit code {:?}", list.len(), done.code)));
    }
    let text = |f: &Value, key| f.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(list.iter().map(|f| format!("{}: {}", text(f, "place"), text(f, "what"))).collect())
}

fn shown(flipped: &[(PathBuf, u64)]) -> String {
    let one = |(file, at): &(PathBuf, u64)| {
        format!("{} {at}", file.file_name().unwrap_or_default().to_string_lossy())
    };
    flipped.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn takes_mail(server: &Concord) -> Result<()> {
    let mut smtp = server.smtp()?;
    smtp.hello()?;
    let message = Sample::new("after-damage@storm.test", "a@storm.test", MAILBOXES[0]);
    let reply = smtp.send("a@storm.test", &[MAILBOXES[0]], &message.octets())?;
    if reply.code == 250 {
        return Ok(());
    }
    Err(trouble(format!("after damage: {} {}", reply.code, reply.text())))
}

/// What the mailboxes hold.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    listed: u32,
    /// The body was refused.
    unreadable: u32,
    /// The body is not the one that was sent.
    altered: u32,
}

/// Reads every message and compares it with what was sent.
fn read(server: &Concord, ledger: &Ledger) -> Result<Seen> {
    let mut seen = Seen::default();
    for mailbox in MAILBOXES {
        let mut imap = server.imap(mailbox)?;
        let count = imap.select("INBOX")?;
        seen.listed += count;
        for sequence in 1..=count {
            let Ok(lines) = imap.command(&format!("FETCH {sequence} (BODY.PEEK[])")) else {
                seen.unreadable += 1;
                imap = server.imap(mailbox)?;
                imap.select("INBOX")?;
                continue;
            };
            match lines.iter().flat_map(|l| &l.literals).next().filter(|o| !o.is_empty()) {
                None => seen.unreadable += 1,
                Some(octets) if ledger.differs(octets) => seen.altered += 1,
                Some(_) => {}
            }
        }
    }
    Ok(seen)
}

fn segments(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(segments(&path)?);
        } else if path.extension().is_some_and(|e| e == "seg") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Flips one bit between two shares of what the file holds. Zeros are left
/// alone: they are room between and behind writes, and mean nothing.
fn flip(file: &Path, random: &mut Random, from: f64, to: f64) -> Result<(PathBuf, u64)> {
    let octets = fs::read(file)?;
    let used = octets.iter().rposition(|octet| *octet != 0).unwrap_or(0) as f64;
    let start = random.between((used * from) as u64, (used * to) as u64);
    let written = octets.iter().enumerate().skip(start as usize).find(|(_, octet)| **octet != 0);
    let (at, octet) = written.ok_or_else(|| trouble("a segment without anything in it"))?;
    let handle = OpenOptions::new().write(true).open(file)?;
    handle.write_all_at(&[octet ^ 0x10], at as u64)?;
    Ok((file.to_path_buf(), at as u64))
}
