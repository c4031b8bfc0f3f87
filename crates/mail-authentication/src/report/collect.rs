//! What is reported to a domain about a day, counted message by message. Pure:
//! whoever owns it keeps it (it can be written as JSON) and sends it.

use super::utc_day;
use crate::limits;
use crate::results::{DkimResult, DmarcRecord, Results, SpfResult};
use crate::verdict::Applied;
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Counts messages by policy domain and UTC day, within
/// [`limits::MAX_REPORT_DOMAINS`], [`limits::MAX_REPORT_ROWS`] and
/// [`limits::MAX_REPORT_ROWS_IN_ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DmarcCollector {
    days: BTreeMap<i64, BTreeMap<String, DmarcDay>>,
    /// Messages of domains that found no place any more.
    left_out: u64,
    /// Rows of all.
    #[serde(default)]
    rows: usize,
}

/// One domain on one day: the content of one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmarcDay {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// The record as it was seen last that day. Its domain is reported to.
    pub record: DmarcRecord,
    /// How often each kind of message came.
    #[serde(with = "entries")]
    pub rows: BTreeMap<DmarcRow, u64>,
    /// Messages beyond the bound of rows, which are counted only.
    pub left_out: u64,
}

/// One kind of message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DmarcRow {
    /// The client.
    pub ip: IpAddr,
    /// What was done, and why not what the domain wants.
    pub applied: Applied,
    /// DKIM passed for an aligned domain.
    pub dkim_aligned: bool,
    /// SPF passed for an aligned domain.
    pub spf_aligned: bool,
    /// The domain of the reverse-path; empty for the null path.
    pub envelope_from: String,
    /// The author's domain.
    pub header_from: String,
    /// Domain, selector and result of each signature.
    pub dkim: Vec<(String, String, DkimResult)>,
    /// What SPF looked at: a domain, and whether it is that of HELO.
    pub spf: (String, bool),
    /// What SPF said.
    pub spf_result: SpfResult,
}

impl DmarcCollector {
    /// Counts a message, if its domain wants reports, with what was done about
    /// DMARC. Says whether it did.
    pub fn count(&mut self, results: &Results, applied: Applied, now: Timestamp) -> bool {
        let (Some(record), Some(author)) = (&results.dmarc.record, results.author_domain()) else {
            return false;
        };
        if record.rua.is_empty() {
            return false;
        }
        let day = utc_day(now);
        let domains = self.days.entry(day).or_default();
        if !domains.contains_key(&record.domain) && domains.len() >= limits::MAX_REPORT_DOMAINS {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        let entry = domains.entry(record.domain.clone()).or_insert_with(|| DmarcDay {
            day,
            record: record.clone(),
            rows: BTreeMap::new(),
            left_out: 0,
        });
        if entry.record != *record {
            entry.record = record.clone();
        }
        let room = self.rows < limits::MAX_REPORT_ROWS_IN_ALL;
        if entry.count(row(results, author, applied), room) {
            self.rows = self.rows.saturating_add(1);
        }
        true
    }

    /// Takes out what is complete: the days before today.
    pub fn take_complete(&mut self, now: Timestamp) -> Vec<DmarcDay> {
        let open = self.days.split_off(&utc_day(now));
        let complete = std::mem::replace(&mut self.days, open);
        let complete: Vec<DmarcDay> =
            complete.into_values().flat_map(BTreeMap::into_values).collect();
        let taken = complete.iter().map(|day| day.rows.len()).sum();
        self.rows = self.rows.saturating_sub(taken);
        complete
    }

    /// Whether there is something to take out.
    pub fn has_complete(&self, now: Timestamp) -> bool {
        self.days.first_key_value().is_some_and(|(day, _)| *day < utc_day(now))
    }

    /// What is there of each domain, the oldest day first.
    pub fn domains(&self) -> impl Iterator<Item = &DmarcDay> {
        self.days.values().flat_map(BTreeMap::values)
    }

    /// Messages that were not counted, because there were too many domains.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl DmarcDay {
    /// Says whether it is a new row; there is none without room for it.
    fn count(&mut self, row: DmarcRow, room: bool) -> bool {
        if let Some(count) = self.rows.get_mut(&row) {
            *count = count.saturating_add(1);
        } else if room && self.rows.len() < limits::MAX_REPORT_ROWS {
            self.rows.insert(row, 1);
            return true;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        false
    }
}

fn row(results: &Results, author: &str, applied: Applied) -> DmarcRow {
    let null = results.reverse_path.is_empty();
    DmarcRow {
        ip: results.ip,
        applied,
        dkim_aligned: results.dmarc.dkim_aligned,
        spf_aligned: results.dmarc.spf_aligned,
        envelope_from: if null { String::new() } else { results.spf.domain.clone() },
        header_from: author.to_owned(),
        dkim: results
            .dkim
            .iter()
            .filter(|dkim| !dkim.domain.is_empty())
            .map(|dkim| (dkim.domain.clone(), dkim.selector.clone(), dkim.result))
            .collect(),
        spf: (results.spf.domain.clone(), null),
        spf_result: results.spf.result,
    }
}

/// JSON has only texts for keys.
mod entries {
    use super::DmarcRow;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(
        rows: &BTreeMap<DmarcRow, u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        rows.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<DmarcRow, u64>, D::Error> {
        Ok(Vec::<(DmarcRow, u64)>::deserialize(from)?.into_iter().collect())
    }
}
