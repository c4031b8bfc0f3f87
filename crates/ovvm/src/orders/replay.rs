//! Replays: files of a capture, taken in as if the partner had sent them (Q220833).
//!
//! They take the way of live files, so one that was taken before is known by its
//! key and not delivered twice. By force it gets a new key: the time in its job
//! header is set to now.

use super::error::OrderError;
use super::links::find;
use super::wire::{Replay, ReplayNumber, ReplayPart, Replayed, ReplayedFile};
use crate::shared::Running;
use concord_nje::limits::TTC_LENGTH;
use concord_nje::{
    CaptureLine, CapturePiece, Direction, JobHeader, JobItem, Name, RecordedJob, TodClock, Ttc,
    job, read_capture_lines, recorded_jobs,
};
use concord_nje_tokio::IncomingJob as _;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Octets of a capture's text: two for each octet of the connection, so files of
/// 32 MiB in all.
const MAX_CAPTURE: usize = 64 << 20;
/// Captures that are being brought at once; the oldest goes.
const MAX_REPLAYS: usize = 2;

/// Captures that are being brought.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    number: u64,
    captures: BTreeMap<u64, String>,
}

impl Replays {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn part(&self, part: ReplayPart) -> Result<ReplayNumber, OrderError> {
        let mut open = self.open();
        let replay = match part.replay {
            Some(replay) => replay,
            None => {
                open.number = open.number.saturating_add(1);
                let number = open.number;
                open.captures.insert(number, String::new());
                if open.captures.len() > MAX_REPLAYS {
                    open.captures.pop_first();
                }
                number
            }
        };
        let capture = open.captures.get_mut(&replay).ok_or(OrderError::NoSuchReplay(replay))?;
        if capture.len().saturating_add(part.text.len()) > MAX_CAPTURE {
            open.captures.remove(&replay);
            return Err(OrderError::ReplayTooLarge(MAX_CAPTURE));
        }
        capture.push_str(&part.text);
        Ok(ReplayNumber { replay })
    }

    fn take(&self, replay: u64) -> Result<String, OrderError> {
        self.open().captures.remove(&replay).ok_or(OrderError::NoSuchReplay(replay))
    }
}

pub(super) async fn run(running: &Running, replay: &Replay) -> Result<Replayed, OrderError> {
    let (setting, _) = find(running, &replay.link)?;
    let text = running.shared.operators.replays.take(replay.replay)?;
    let mut replayed = Replayed::default();
    for connection in connections(read_capture_lines(&text)?) {
        let sender = connection.direction_of(setting.partner)?;
        let limit = &setting.settings.job_limit;
        let jobs = recorded_jobs(&connection.pieces, sender, connection.under_way, limit);
        for job in jobs.map_err(OrderError::Captured)? {
            replayed.files.push(one(running, setting.partner, job, replay.force).await?);
        }
    }
    Ok(replayed)
}

async fn one(
    running: &Running,
    partner: Name,
    mut job: RecordedJob,
    force: bool,
) -> Result<ReplayedFile, OrderError> {
    let mut file = ReplayedFile {
        records: job.items.iter().filter(|item| matches!(item, JobItem::Record(_))).count(),
        ..ReplayedFile::default()
    };
    if let Some(header) = header(&mut job) {
        let text = |name: Option<Name>| name.unwrap_or_default().to_string();
        file.job = text(header.get(job::JOB_NAME));
        let (node, user) = (header.get(job::ORIGIN_NODE), header.get(job::ORIGIN_USER));
        file.from = format!("{}.{}", text(node), text(user));
        if force {
            let micros = running.shared.clock.now().0.saturating_mul(1_000);
            if let Some(now) = TodClock::from_unix_micros(micros) {
                header.set(job::ENTRY_TIME, now);
            }
        }
    }
    if !job.whole {
        file.outcome = "cut-off".to_owned();
        file.why = Some("the capture ends before the file does".to_owned());
        return Ok(file);
    }
    let Some(mut incoming) = running.arrivals.arriving(partner, job.stream) else {
        return Err(OrderError::NoRoom);
    };
    let mut stopped = None;
    for item in job.items {
        if let Err(why) = incoming.take(item) {
            stopped = Some(why);
            break;
        }
    }
    let taken = match stopped {
        Some(why) => Err(why),
        None => incoming.hand_over().await,
    };
    (file.outcome, file.why) = match taken {
        Ok(all) if !all.is_empty() && all.iter().all(|one| *one == "repeated") => {
            ("duplicate".to_owned(), Some("it was taken before; --force delivers it again".into()))
        }
        // What it became, if it is not delivered as it is.
        Ok(all) => ("taken".to_owned(), Some(all.join(", ")).filter(|all| all != "taken")),
        Err(stopped) => ("refused".to_owned(), Some(stopped.0)),
    };
    Ok(file)
}

fn header(job: &mut RecordedJob) -> Option<&mut JobHeader> {
    job.items.iter_mut().find_map(|item| match item {
        JobItem::JobHeader(header) => Some(header),
        _ => None,
    })
}

/// A connection of a capture.
#[derive(Default)]
struct Connection {
    /// Its nodes, the opener first, if the capture names them.
    nodes: Option<(Name, Name)>,
    under_way: bool,
    pieces: Vec<CapturePiece>,
}

fn connections(lines: Vec<CaptureLine>) -> Vec<Connection> {
    let mut all = Vec::new();
    let mut current = Connection::default();
    for line in lines {
        match line {
            CaptureLine::Piece(piece) => current.pieces.push(piece),
            CaptureLine::Begin { opener, listener, under_way } => {
                let next =
                    Connection { nodes: Some((opener, listener)), under_way, pieces: Vec::new() };
                all.push(std::mem::replace(&mut current, next));
            }
            CaptureLine::End => all.push(std::mem::take(&mut current)),
        }
    }
    all.push(current);
    all.retain(|connection| !connection.pieces.is_empty());
    all
}

impl Connection {
    /// Which end a node is.
    fn direction_of(&self, node: Name) -> Result<Direction, OrderError> {
        let other = |nodes: String| OrderError::OtherLink { link: node.to_string(), nodes };
        let (opener, listener) = match self.nodes {
            Some(nodes) => nodes,
            // A capture from elsewhere: the control record names them.
            None => self.opened().ok_or_else(|| other("nodes that it does not name".to_owned()))?,
        };
        if opener.same(&node) {
            Ok(Direction::FromOpener)
        } else if listener.same(&node) {
            Ok(Direction::FromListener)
        } else {
            Err(other(format!("{opener} and {listener}")))
        }
    }

    fn opened(&self) -> Option<(Name, Name)> {
        let from = self.pieces.iter().filter(|piece| piece.direction == Direction::FromOpener);
        let octets: Vec<u8> =
            from.flat_map(|piece| piece.octets.iter().copied()).take(TTC_LENGTH).collect();
        let open = Ttc::parse(octets.first_chunk()?).ok()?;
        Some((open.sender, open.receiver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_capture_is_parted_into_its_connections() {
        let open: String = Ttc::open(name("VM1"), name("US"))
            .octets()
            .iter()
            .map(|o| format!("{o:02x}"))
            .collect();
        let text = format!(
            "0 > {open}\n= under-way US VM1\n0 < 00\n= closed\n# nothing\n= opened VM2 US\n0 > 00\n"
        );
        let all = connections(read_capture_lines(&text).unwrap());
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].direction_of(name("VM1")).unwrap(), Direction::FromOpener);
        assert_eq!(all[1].direction_of(name("VM1")).unwrap(), Direction::FromListener);
        assert!(all[1].under_way && !all[2].under_way);
        let other = all[2].direction_of(name("VM1"));
        assert!(matches!(other, Err(OrderError::OtherLink { .. })), "{other:?}");
    }

    #[test]
    fn parts_of_a_capture_are_bounded() {
        let replays = Replays::default();
        let begin = |text: &str| ReplayPart { replay: None, text: text.to_owned() };
        let first = replays.part(begin("0 > ")).unwrap().replay;
        let part = ReplayPart { replay: Some(first), text: "00\n".to_owned() };
        replays.part(part.clone()).unwrap();
        assert_eq!(replays.take(first).unwrap(), "0 > 00\n");
        assert!(matches!(replays.part(part), Err(OrderError::NoSuchReplay(_))));
        let oldest = replays.part(begin("")).unwrap().replay;
        for _ in 0..MAX_REPLAYS {
            replays.part(begin("")).unwrap();
        }
        assert!(replays.take(oldest).is_err());
        let large = replays.part(begin(&"#".repeat(MAX_CAPTURE + 1)));
        assert!(matches!(large, Err(OrderError::ReplayTooLarge(_))));
    }
}
