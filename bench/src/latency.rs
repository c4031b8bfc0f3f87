//! From the final dot to the mailbox, one message at a time.

use crate::figures::Times;
use crate::load::{Plan, send};
use crate::pair::{Server, user};
use concord_testkit::{Imap, PASSWORD, Result, trouble};
use std::time::{Duration, Instant};

/// A message that takes longer is lost.
const LIMIT: Duration = Duration::from_secs(20);

/// Times of probes.
pub struct Latency {
    /// From writing the body to the 250.
    pub accepted: Times,
    /// From the 250 until a logged-in IMAP session is told of it.
    pub visible: Times,
}

/// Sends `probes` messages and waits for each in a selected mailbox.
pub fn measure(server: &dyn Server, probes: usize, size: usize) -> Result<Latency> {
    let to = user(0);
    let mut imap = Imap::login(server.imap(), &to, PASSWORD)?;
    let mut have = imap.select("INBOX")?;
    let (mut accepted, mut visible) = (Vec::new(), Vec::new());
    for _ in 0..probes {
        let outcome = send(&Plan {
            address: server.smtp(),
            sessions: 1,
            total: 1,
            size,
            limit: LIMIT,
            per_connection: 0,
            to: vec![to.clone()],
        })?;
        let answered = Instant::now();
        if outcome.sent != 1 {
            return Err(trouble(format!("a probe failed: {:?}", outcome.last_error)));
        }
        accepted.push(Duration::from_secs_f64(outcome.dot.quantile(1.0) / 1e3));
        loop {
            let now = exists(&mut imap)?.unwrap_or(have);
            if now > have {
                have = now;
                break;
            }
            if answered.elapsed() > LIMIT {
                return Err(trouble("a probe did not arrive"));
            }
        }
        visible.push(answered.elapsed());
    }
    Ok(Latency { accepted: Times::new(accepted), visible: Times::new(visible) })
}

fn exists(imap: &mut Imap) -> Result<Option<u32>> {
    let lines = imap.must("NOOP")?;
    let last = lines.iter().rev().find_map(|l| l.text.strip_prefix("* ")?.strip_suffix(" EXISTS"));
    Ok(last.and_then(|n| n.parse().ok()))
}
