//! Damage on the disk: `concord store verify` names it, and the rest is read.

use super::ledger::MAILBOXES;
use concord_testkit::{Concord, Random, Result, trouble};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Flips a bit in the middle of a closed segment, and one in the newest one's
/// last record, with the server stopped. Both must be named; afterwards the
/// server starts and reads everything else.
pub fn check(server: &mut Concord, random: &mut Random) -> Result<()> {
    let before = count(server)?;
    server.stop()?;
    let sound = server.command(&["store", "verify", "--json"])?;
    if sound.code != Some(0) {
        return Err(trouble(format!(
            "store verify complains before damage was done: {}{}",
            sound.stdout, sound.stderr
        )));
    }
    let mut segments = segments(&server.root().join("data"))?;
    segments.sort();
    let closed = segments.first().cloned().ok_or_else(|| trouble("no segments found"))?;
    let newest = segments.last().cloned().ok_or_else(|| trouble("no segments found"))?;
    let mut flipped = vec![flip(&closed, random, 0.3, 0.7)?];
    if newest != closed {
        flipped.push(flip(&newest, random, 0.5, 0.99)?);
    }
    let verified = server.command(&["store", "verify", "--json"])?;
    println!(
        "store verify after flips at {flipped:?}: exit code {:?}\n{}",
        verified.code,
        verified.stdout.trim()
    );
    if verified.code == Some(0) {
        return Err(trouble("store verify found no damage"));
    }
    for (file, _) in &flipped {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = u64::from_str_radix(&name, 16).unwrap_or(0);
        let named = verified.stdout.contains(&name)
            || verified.stdout.contains(&format!("\"segment\":{number}"))
            || verified.stdout.contains(&format!("\"segment\": {number}"));
        if !named {
            return Err(trouble(format!("store verify does not name segment {name}")));
        }
    }
    server.up().map_err(|e| e.during("starting with a damaged log"))?;
    let (after, unreadable) = readable(server)?;
    println!("messages before {before}, listed {after}, unreadable {unreadable}");
    // One flipped bit meets one record.
    if before.saturating_sub(after) + unreadable > flipped.len() as u32 {
        return Err(trouble("damage took more than the damaged records with it"));
    }
    let mut smtp = server.smtp()?;
    smtp.hello()?;
    let message =
        concord_testkit::Sample::new("after-damage@storm.test", "a@storm.test", MAILBOXES[0]);
    let reply = smtp.send("a@storm.test", &[MAILBOXES[0]], &message.octets())?;
    if reply.code != 250 {
        return Err(trouble(format!("after damage: {} {}", reply.code, reply.text())));
    }
    server.stop()
}

fn count(server: &Concord) -> Result<u32> {
    MAILBOXES.iter().map(|m| server.imap(m)?.count("INBOX")).sum()
}

/// Messages listed, and those of them whose body cannot be had.
fn readable(server: &Concord) -> Result<(u32, u32)> {
    let (mut listed, mut unreadable) = (0, 0);
    for mailbox in MAILBOXES {
        let mut imap = server.imap(mailbox)?;
        let count = imap.select("INBOX")?;
        listed += count;
        for sequence in 1..=count {
            let lines = imap.command(&format!("FETCH {sequence} (BODY.PEEK[])"));
            let Ok(lines) = lines else {
                unreadable += 1;
                imap = server.imap(mailbox)?;
                imap.select("INBOX")?;
                continue;
            };
            let whole = lines.iter().any(|l| l.literals.iter().any(|o| !o.is_empty()));
            unreadable += u32::from(!whole);
        }
    }
    Ok((listed, unreadable))
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

/// Flips one bit between two shares of the file's length.
fn flip(file: &Path, random: &mut Random, from: f64, to: f64) -> Result<(PathBuf, u64)> {
    let size = fs::metadata(file)?.len() as f64;
    let at = random.between((size * from) as u64, (size * to) as u64);
    let handle = OpenOptions::new().read(true).write(true).open(file)?;
    let mut octet = [0; 1];
    handle.read_exact_at(&mut octet, at)?;
    handle.write_all_at(&octet.map(|o| o ^ 0x10), at)?;
    Ok((file.to_path_buf(), at))
}
