//! Spool files as jobs of NJE, and back.

use concord_cms_mail::{CarriageControl, Device, HostAddress, Records, SpoolFile};
use concord_nje::{
    DataRecord, DataSetHeader, JobHeader, JobItem, Name, RecordFormat, StreamKind, Text, TodClock,
    VmFile, job,
};
use concord_nje_tokio::OutgoingJob;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Columns of a card; shorter ones are filled with blanks.
const CARD: usize = concord_cms_mail::limits::CARD;
/// EBCDIC's blank.
const BLANK: u8 = 0x40;
/// Numbers of spool files go from 1 to here.
const MAX_JOB_ID: u64 = 9_999;
/// VM's priority of notes; files have 7.
const NOTE_PRIORITY: u8 = 15;
/// Nodes passed, as far as it is counted; the core's bound of hops is below it.
pub(crate) const MAX_HOPS: u16 = 200;

/// What makes a file that is sent this one: number and time, from which the
/// receiver makes the key by which it knows one that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    pub job_id: u16,
    pub entered: TodClock,
}

impl Stamp {
    /// The stamp of a message's file for one recipient: the same whenever it is
    /// tried. `at` is the message's own time; parts of a second are made up, so
    /// that files of the same second differ.
    pub fn of(queue_id: &str, recipient: &str, number: usize, at: Timestamp) -> Self {
        let digest = Sha256::digest(format!("{queue_id}\n{recipient}\n{number}"));
        let part = |from: usize| {
            let octets = digest.get(from..).unwrap_or_default().iter().take(7);
            octets.fold(0_u64, |sum, octet| (sum << 8) | u64::from(*octet))
        };
        let job_id = u16::try_from(part(0) % MAX_JOB_ID).unwrap_or(0).saturating_add(1);
        let micros = i64::try_from(part(8) % 1_000_000).unwrap_or(0);
        let micros = at.as_second().saturating_mul(1_000_000).saturating_add(micros);
        // Clocks of hosts end in 2042; what lies beyond is written as the last
        // moment before (a zero harms receivers, Q197115).
        let entered = TodClock::from_unix_micros(micros).unwrap_or(TodClock(u64::MAX));
        Self { job_id, entered }
    }
}

/// A file as a job. `None` if a name does not fit, which names of hosts always do.
pub(crate) fn job_of(file: &SpoolFile, stamp: Stamp, hops: u16) -> Option<OutgoingJob> {
    let (origin, destination) = (file.origin.as_ref()?, file.destination.as_ref()?);
    let note = file.class == 'M' || file.kind == "NOTE";
    let vm = VmFile {
        job_id: stamp.job_id,
        entry_time: stamp.entered,
        device: match file.device {
            Device::Punch => concord_nje::Device::Punch,
            Device::Print => concord_nje::Device::Print,
        },
        class: Text::new(&file.class.to_string()).ok()?,
        form: Name::new(&file.form).ok()?,
        file_name: Text::new(&file.name).ok()?,
        file_type: Text::new(&file.kind).ok()?,
        records: u32::try_from(file.records.len()).ok()?,
        ..VmFile::cards(named(origin)?, named(destination)?)
    };
    let vm = if note { VmFile { priority: NOTE_PRIORITY, ..vm } } else { vm };
    let (header, data_set, trailer) = vm.headers();
    let header = header.with(job::HOPS, hops);
    let format = format_of(file);
    let records = Arc::new(file.records.clone());
    let parts = move || {
        let (records, count) = (Arc::clone(&records), records.len());
        let cards = (0..count).map(move |number| {
            let mut octets = records.get(number).unwrap_or_default().to_vec();
            if format == RecordFormat::Plain && octets.len() < CARD {
                octets.resize(CARD, BLANK);
            }
            JobItem::Record(DataRecord { format, octets: octets.into() })
        });
        let head = [JobItem::JobHeader(header.clone()), JobItem::DataSetHeader(data_set.clone())];
        let all = head.into_iter().chain(cards).chain([JobItem::JobTrailer(trailer.clone())]);
        Box::new(all) as Box<dyn Iterator<Item = JobItem> + Send>
    };
    Some(OutgoingJob { kind: StreamKind::Sysout, parts: Arc::new(parts) })
}

fn format_of(file: &SpoolFile) -> RecordFormat {
    match (file.device, file.carriage) {
        (Device::Punch, _) | (_, CarriageControl::None) => RecordFormat::Plain,
        (_, CarriageControl::Machine) => RecordFormat::Machine,
        (_, CarriageControl::Asa) => RecordFormat::Asa,
    }
}

fn named(address: &HostAddress) -> Option<(Name, Name)> {
    Some((Name::new(address.node()).ok()?, Name::new(address.user()).ok()?))
}

/// A data set of a job that came, as the file that it is. `format` is its first
/// record's.
pub(crate) fn file_of(
    header: &JobHeader,
    data_set: &DataSetHeader,
    format: RecordFormat,
    records: Records,
) -> SpoolFile {
    let vm = VmFile::of(header, data_set);
    let user =
        |(node, user): (Name, Name)| HostAddress::new(&node.to_string(), &user.to_string()).ok();
    SpoolFile {
        origin: user(vm.origin),
        destination: user(vm.destination),
        entered: (vm.entry_time != TodClock::default())
            .then(|| Timestamp::from_microsecond(vm.entry_time.unix_micros()).ok())
            .flatten(),
        device: match vm.device {
            concord_nje::Device::Punch => Device::Punch,
            concord_nje::Device::Print => Device::Print,
        },
        carriage: match format {
            RecordFormat::Plain => CarriageControl::None,
            RecordFormat::Asa => CarriageControl::Asa,
            RecordFormat::Machine | RecordFormat::Cpds => CarriageControl::Machine,
        },
        class: vm.class.to_string().chars().next().unwrap_or('A'),
        form: vm.form.to_string(),
        name: vm.file_name.to_string(),
        kind: vm.file_type.to_string(),
        records,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_nje::JobKey;

    fn file() -> SpoolFile {
        SpoolFile {
            origin: Some("EXCH(JANE)".parse().unwrap()),
            destination: Some("VM(BOB)".parse().unwrap()),
            entered: None,
            class: 'A',
            form: "QUIET".into(),
            name: "A$B".into(),
            kind: "LISTING".into(),
            records: [&[0xc1_u8; 80][..], &[0xc2; 10]].into_iter().collect(),
            ..SpoolFile::default()
        }
    }

    fn at() -> Timestamp {
        "2026-11-29T05:00:00Z".parse().unwrap()
    }

    fn headers(job: &OutgoingJob) -> (JobHeader, DataSetHeader, Records) {
        let mut header = None;
        let mut data_set = None;
        let mut records = Records::new();
        for item in (job.parts)() {
            match item {
                JobItem::JobHeader(one) => header = Some(one),
                JobItem::DataSetHeader(one) => data_set = Some(one),
                JobItem::Record(one) => records.push(&one.octets),
                JobItem::JobTrailer(_) => {}
            }
        }
        (header.unwrap(), data_set.unwrap(), records)
    }

    /// T83, Q190557: `$` became `_`.
    #[test]
    fn a_file_comes_out_of_a_job_as_it_went_in_with_its_name() {
        let stamp = Stamp::of("Q0000001", "VM(BOB)", 0, at());
        let (header, data_set, records) = headers(&job_of(&file(), stamp, 3).unwrap());
        assert_eq!(records.get(1).unwrap().len(), 80, "cards are filled");
        let came = file_of(&header, &data_set, RecordFormat::Plain, records);
        let sent = SpoolFile { entered: came.entered, records: came.records.clone(), ..file() };
        assert_eq!(came, sent);
        assert_eq!(header.get(job::HOPS), Some(3));
        assert_eq!(came.entered.unwrap().as_second(), at().as_second());
    }

    /// T82: a repeated transmission is known by its key.
    #[test]
    fn a_second_attempt_has_the_same_key_and_another_file_another() {
        let key = |queue: &str, to: &str, number: usize| {
            let stamp = Stamp::of(queue, to, number, at());
            JobKey::of(&headers(&job_of(&file(), stamp, 0).unwrap()).0).unwrap()
        };
        assert_eq!(key("Q1", "VM(BOB)", 0), key("Q1", "VM(BOB)", 0));
        let all = [
            key("Q1", "VM(BOB)", 0),
            key("Q2", "VM(BOB)", 0),
            key("Q1", "VM(EVE)", 0),
            key("Q1", "VM(BOB)", 1),
        ];
        let distinct: std::collections::BTreeSet<JobKey> = all.into_iter().collect();
        assert_eq!(distinct.len(), 4);
    }

    /// Q221565: RSCS takes SYSTEM away.
    #[test]
    fn a_file_for_nobody_has_no_destination() {
        let stamp = Stamp::of("Q1", "VM(BOB)", 0, at());
        let (header, mut data_set, records) = headers(&job_of(&file(), stamp, 0).unwrap());
        data_set.set(concord_nje::data_set::USER, Name::BLANK);
        let header = header.with(job::PUNCH_USER, Name::BLANK);
        let came = file_of(&header, &data_set, RecordFormat::Plain, records);
        assert_eq!(came.destination, None);
    }
}
