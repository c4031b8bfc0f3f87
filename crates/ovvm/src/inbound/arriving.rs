//! A job while it comes.

use super::bring::{Arrival, bring};
use crate::shared::Shared;
use crate::spool::file_of;
use crate::telemetry::IN_FILES;
use async_trait::async_trait;
use concord_cms_mail::Records;
use concord_connector::Room;
use concord_nje::{
    DataRecord, DataSetHeader, JobHeader, JobItem, JobKey, Name, RecordFormat, StreamKind, job,
};
use concord_nje_tokio::{IncomingJob, Stopped};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// A core that cannot take a file is asked again for so long; then the link is
/// closed, and the partner keeps the file.
const LATER_FOR: Duration = Duration::from_secs(30);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// A message in cards is larger than in octets: base64, headings, blanks that fill
/// the cards.
const CARDS_PER_OCTET: u64 = 3;

/// A data set as far as it is here.
struct DataSet {
    header: DataSetHeader,
    format: Option<RecordFormat>,
    records: Records,
}

impl DataSet {
    fn new(header: DataSetHeader) -> Self {
        Self { header, format: None, records: Records::new() }
    }
}

/// A job that a partner sends.
pub(crate) struct Arriving {
    shared: Arc<Shared>,
    partner: Name,
    kind: StreamKind,
    finishing: TaskTracker,
    header: Option<JobHeader>,
    sets: Vec<DataSet>,
    octets: u64,
    too_large: bool,
    memory: Room,
}

impl Arriving {
    /// A job from its start; none if there is no memory for it: the partner waits.
    pub fn new(
        shared: Arc<Shared>,
        partner: Name,
        kind: StreamKind,
        finishing: TaskTracker,
    ) -> Option<Self> {
        let memory = shared.memory.begin()?;
        Some(Self {
            shared,
            partner,
            kind,
            finishing,
            header: None,
            sets: Vec::new(),
            octets: 0,
            too_large: false,
            memory,
        })
    }

    fn record(&mut self, record: &DataRecord) -> Result<(), Stopped> {
        let octets = u64::try_from(record.octets.len()).unwrap_or(u64::MAX);
        self.octets = self.octets.saturating_add(octets);
        if self.octets > self.shared.message_size.saturating_mul(CARDS_PER_OCTET) {
            // It is taken to its end, for some partners do not survive a refusal,
            // and its sender is told.
            self.too_large = true;
            self.sets.iter_mut().for_each(|set| set.records = Records::new());
            return Ok(());
        }
        if !self.shared.memory.widen(&mut self.memory, self.octets) {
            return Err(Stopped("no memory is free for so large a file".into()));
        }
        // Jobs to run have no data set header.
        if self.sets.is_empty() {
            self.sets.push(DataSet::new(DataSetHeader::new()));
        }
        if let Some(set) = self.sets.last_mut() {
            set.format.get_or_insert(record.format);
            set.records.push(&record.octets);
        }
        Ok(())
    }

    /// What came, each with its key.
    fn arrivals(self) -> Vec<Arrival> {
        let Some(header) = self.header else { return Vec::new() };
        let key = key(&header);
        let hops = header.get(job::HOPS).unwrap_or_default();
        let mut sets = self.sets;
        if sets.is_empty() {
            sets.push(DataSet::new(DataSetHeader::new()));
        }
        let arrival = |(number, set): (usize, DataSet)| Arrival {
            key: format!("{key}/{number}"),
            partner: self.partner,
            hops,
            file: file_of(
                &header,
                &set.header,
                set.format.unwrap_or(RecordFormat::Plain),
                set.records,
            ),
            too_large: self.too_large,
            to_run: self.kind == StreamKind::Sysin,
        };
        sets.into_iter().enumerate().map(arrival).collect()
    }
}

/// What a job is known by when it comes again.
fn key(header: &JobHeader) -> String {
    match JobKey::of(header) {
        Some(key) => format!(
            "{}.{}.{:016x}.{}.{}",
            key.node, key.job_id, key.entry_time.0, key.name, key.records
        ),
        // A header without the usual fields; the same octets are the same job.
        None => crate::inbound::letter::digest_of(&header.octets()),
    }
}

#[async_trait]
impl IncomingJob for Arriving {
    fn take(&mut self, item: JobItem) -> Result<(), Stopped> {
        match item {
            JobItem::JobHeader(header) => self.header = Some(header),
            JobItem::DataSetHeader(header) => self.sets.push(DataSet::new(header)),
            JobItem::Record(record) => self.record(&record)?,
            JobItem::JobTrailer(_) => {}
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), Stopped> {
        self.hand_over().await.map(drop)
    }
}

impl Arriving {
    /// Hands what came to the core; gives what became of each file.
    pub async fn hand_over(self) -> Result<Vec<&'static str>, Stopped> {
        let _in_hand = self.finishing.token();
        let shared = Arc::clone(&self.shared);
        let octets = self.octets;
        // What was held while it came is given back first: two large files that
        // wait for each other's memory would wait for ever.
        let arrivals = self.arrivals();
        let _room = shared.memory.room(octets).await;
        let mut outcomes = Vec::new();
        for arrival in arrivals {
            let arrival = Arc::new(arrival);
            let until = tokio::time::Instant::now() + LATER_FOR;
            loop {
                let why = match bring(&shared, &arrival).await {
                    Ok(outcome) => {
                        outcomes.push(outcome);
                        break;
                    }
                    Err(why) => why,
                };
                metrics::counter!(IN_FILES, "kind" => "any", "outcome" => "later").increment(1);
                if tokio::time::Instant::now() >= until {
                    return Err(Stopped(why));
                }
                tracing::debug!(key = arrival.key, why, "a file waits for the core");
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(outcomes)
    }
}
