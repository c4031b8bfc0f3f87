//! Which files are finished.
//!
//! Programs write slowly, and a file is seen before it is whole (Q250441,
//! Q279320). Finished is a file whose size and time of change are the same for
//! [`STILL`]; a program that writes slower than that gives the file a name with
//! `.tmp` at its end, which nobody takes, and renames it when it is whole.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A file must be the same for so long.
const STILL: Duration = Duration::from_secs(2);
/// An empty one for so long: programs make a file first and write later.
const EMPTY_STILL: Duration = Duration::from_secs(600);
/// Files that one look takes; the others come with the next.
const MOST: usize = 1_000;

/// What is seen of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub name: String,
    pub octets: u64,
    pub modified: Option<SystemTime>,
}

/// What was seen before, and since when it is so.
#[derive(Debug, Default)]
pub(super) struct Watch(HashMap<String, (Seen, Instant)>);

impl Watch {
    /// Names and sizes of files that are finished; they are forgotten.
    pub fn finished(&mut self, listed: Vec<Seen>, now: Instant) -> Vec<(String, u64)> {
        let mut before = std::mem::take(&mut self.0);
        let mut finished = Vec::new();
        for seen in listed.into_iter().filter(|seen| is_offered(&seen.name)) {
            let since = match before.remove(&seen.name) {
                Some((same, since)) if same == seen => since,
                _ => now,
            };
            let still = if seen.octets == 0 { EMPTY_STILL } else { STILL };
            if now.saturating_duration_since(since) >= still && finished.len() < MOST {
                finished.push((seen.name, seen.octets));
            } else {
                self.0.insert(seen.name.clone(), (seen, since));
            }
        }
        finished.sort_unstable();
        finished
    }
}

/// Hidden files and those that are being written are nobody's yet.
fn is_offered(name: &str) -> bool {
    let unfinished = std::path::Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tmp"));
    !name.starts_with('.') && !unfinished
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, octets: u64) -> Seen {
        Seen { name: name.into(), octets, modified: None }
    }

    /// Q250441, Q279320
    #[test]
    fn a_file_that_grows_slowly_is_taken_when_it_is_still() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        for step in 0..20u32 {
            let size = u64::from(step);
            let listed = vec![seen("slow.eml", size)];
            assert!(watch.finished(listed, start + STILL * step).is_empty(), "{step}");
        }
        let done = watch.finished(vec![seen("slow.eml", 19)], start + STILL * 20);
        assert_eq!(done, [("slow.eml".to_owned(), 19)]);
        assert!(watch.0.is_empty());
    }

    #[test]
    fn what_is_being_written_is_told_by_its_name_or_by_being_empty() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        let listed = || vec![seen("a.tmp", 9), seen("b.TMP", 9), seen(".c", 9), seen("d", 0)];
        for step in 0..5 {
            assert!(watch.finished(listed(), start + STILL * step).is_empty());
        }
        let late = start + EMPTY_STILL;
        assert_eq!(watch.finished(listed(), late), [("d".to_owned(), 0)]);
    }

    #[test]
    fn a_changed_time_counts_as_a_change() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        let at = |second| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        let file = |second| vec![Seen { modified: at(second), ..seen("a", 5) }];
        watch.finished(file(1), start);
        assert!(watch.finished(file(2), start + STILL).is_empty());
        assert_eq!(watch.finished(file(2), start + STILL * 2).len(), 1);
    }
}
