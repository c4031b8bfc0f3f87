//! A disk that fills up. Needs root, for the small file system.

use crate::{ALICE, BOB, SOON};
use concord_testkit::{Concord, Result, Sample, run, wait_for, wait_until};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In MiB: room for the server, the reserve and a little mail.
const SIZE: u64 = 96;
const RESERVE: u64 = 16;

/// A mounted tmpfs; unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> Result<Self> {
        std::fs::create_dir_all(at)?;
        let size = format!("size={SIZE}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "concord-test"]).arg(at);
        run(&mut mount, SOON)?.ok().map_err(|e| e.during("mounting a tmpfs needs root"))?;
        Ok(Self(at.to_path_buf()))
    }

    fn free(&self) -> Result<u64> {
        let mut df = Command::new("df");
        df.args(["--output=avail", "-B1"]).arg(&self.0);
        let said = run(&mut df, SOON)?.ok()?.stdout;
        Ok(said.lines().nth(1).unwrap_or_default().trim().parse()?)
    }

    fn fill_up_to(&self, left: u64) -> Result<PathBuf> {
        let path = self.0.join("filler");
        let mut file = File::create(&path)?;
        let free = self.free()?;
        file.write_all(&vec![0x5a; usize::try_from(free.saturating_sub(left))?])?;
        Ok(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0), SOON);
    }
}

#[test]
fn disk_full_says_452_and_recovers() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let disk = Small::mount(&scratch.path().join("disk"))?;
    let mut server = Concord::builder()?
        .root(disk.0.join("root"))
        .config(|c| {
            c.set("storage", "reserve", format!("\"{RESERVE} MiB\""));
            c.set("storage", "segment-size", "\"2 MiB\"");
        })
        .start()?;
    let filler = disk.fill_up_to((RESERVE + 4) << 20)?;
    let mut taken = Vec::new();
    let mut send = |n: usize| -> Result<(u16, String)> {
        let id = format!("full{n}@stranger.test");
        let sample = Sample::new(&id, "a@stranger.test", BOB).size(100_000).octets();
        let mut session = server.smtp()?;
        session.hello()?;
        let reply = session.send("a@stranger.test", &[BOB], &sample)?;
        if reply.code == 250 {
            taken.push(id);
        }
        Ok((reply.code, reply.text()))
    };
    let mut n = 0;
    let refused = wait_for("a refusal", SOON * 2, || {
        n += 1;
        let (code, text) = send(n)?;
        Ok((code != 250).then_some((code, text)))
    })?;
    assert_eq!(refused.0, 452, "{refused:?}");
    assert!(refused.1.starts_with("4.3.1"), "{refused:?}");
    std::fs::remove_file(filler)?;
    wait_until("mail to be taken again", SOON, || {
        n += 1;
        Ok(send(n)?.0 == 250)
    })?;
    let mut ids = server.imap(BOB)?.headers("INBOX", "Message-ID")?;
    ids.sort();
    taken.sort();
    assert_eq!(ids, taken, "exactly what was acknowledged");
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 0);
    // And it is still so after a restart.
    server.stop()?;
    server.up()?;
    assert_eq!(server.imap(BOB)?.count("INBOX")? as usize, taken.len());
    server.stop()
}
