//! What a server uses: CPU, memory, syncs, octets to the disk.

use concord_testkit::{ProcessUse, Result, descendants};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Linux counts in these units whatever the disk's blocks are.
const SECTOR: u64 = 512;
/// Memory is looked at this often: reading it costs the server a little.
const PACE: Duration = Duration::from_millis(500);

/// The counter that `bench/shims/syncs.c` adds to.
#[derive(Debug, Clone)]
pub struct SyncCounter(PathBuf);

impl SyncCounter {
    /// A new counter in a file that every user may write.
    pub fn new(path: &Path) -> Result<Self> {
        std::fs::write(path, 0u64.to_ne_bytes())?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
        Ok(Self(path.to_path_buf()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn value(&self) -> Result<u64> {
        let mut octets = [0; 8];
        std::fs::File::open(&self.0)?.read_exact_at(&mut octets, 0)?;
        Ok(u64::from_ne_bytes(octets))
    }
}

/// What was used between two looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// CPU seconds.
    pub cpu: f64,
    /// The most resident memory (PSS) seen, in MiB.
    pub resident: f64,
    /// fsync and fdatasync calls.
    pub syncs: u64,
    /// Octets that the block device wrote; `None` if there is none.
    pub written: Option<u64>,
}

/// A running measurement.
pub struct Meter {
    roots: Vec<u32>,
    cpu: f64,
    counter: SyncCounter,
    syncs: u64,
    directory: PathBuf,
    written: Option<u64>,
    over: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    watcher: Option<JoinHandle<()>>,
}

fn used_by(roots: &[u32]) -> ProcessUse {
    let pids: Vec<u32> = roots.iter().flat_map(|pid| descendants(*pid)).collect();
    concord_testkit::usage(&pids)
}

impl Meter {
    /// Starts measuring these processes and what they start.
    pub fn start(roots: &[u32], counter: &SyncCounter, directory: &Path) -> Result<Self> {
        let written = device_octets(directory)?;
        let over = Arc::new(AtomicBool::new(false));
        let most = Arc::new(AtomicU64::new(0));
        let (end, seen, pids) = (Arc::clone(&over), Arc::clone(&most), roots.to_vec());
        let watcher = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                seen.fetch_max(used_by(&pids).resident, Ordering::Relaxed);
                std::thread::sleep(PACE);
            }
        });
        Ok(Self {
            roots: roots.to_vec(),
            cpu: used_by(roots).cpu_seconds,
            syncs: counter.value()?,
            counter: counter.clone(),
            directory: directory.to_path_buf(),
            written,
            over,
            most,
            watcher: Some(watcher),
        })
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<Used> {
        self.over.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
        let now = used_by(&self.roots);
        let written = device_octets(&self.directory)?;
        let most = self.most.load(Ordering::Relaxed).max(now.resident);
        Ok(Used {
            cpu: now.cpu_seconds - self.cpu,
            resident: most as f64 / f64::from(1 << 20),
            syncs: self.counter.value()? - self.syncs,
            written: self.written.zip(written).map(|(before, after)| after - before),
        })
    }
}

/// Octets that the device under a directory has written, everything that waits
/// in memory included.
fn device_octets(directory: &Path) -> Result<Option<u64>> {
    let handle = std::fs::File::open(directory)?;
    rustix::fs::syncfs(&handle)?;
    let device = handle.metadata()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let Ok(text) = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")) else {
        return Ok(None);
    };
    // Documentation/block/stat.rst: the seventh number is sectors written.
    let sectors = text.split_whitespace().nth(6).and_then(|n| n.parse::<u64>().ok());
    Ok(sectors.map(|n| n * SECTOR))
}
