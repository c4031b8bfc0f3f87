//! Recorded connections decode, and come back octet for octet.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

mod common;

use bytes::BytesMut;
use common::{CAPTURES, Said, capture, conversation, octets_of};
use concord_nje::{
    Block, Compression, Control, DataJoiner, DataRecord, DataSet, DataSetHeader, Direction, Fcs,
    Field, JobHeader, JobKey, JobRecord, JobTrailer, Message, Record, RecordStyle, Text, data_set,
    job, trailer, write_ttb,
};

const ENDS: [Direction; 2] = [Direction::FromOpener, Direction::FromListener];

#[test]
fn every_recorded_file_is_played() {
    let directory = format!("{}/tests/data", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(directory).unwrap().map(|f| f.unwrap().file_name());
    let mut files: Vec<String> = files.map(|f| f.into_string().unwrap()).collect();
    files.sort();
    let listed: Vec<String> = CAPTURES.iter().map(|name| format!("{name}.nje")).collect();
    let mut sorted = listed;
    sorted.sort();
    assert_eq!(files, sorted);
}

/// A TTB is nothing but its blocks.
#[test]
fn ttbs_come_back() {
    for name in CAPTURES {
        for end in ENDS {
            let octets = octets_of(&capture(name), end);
            let mut rest = &octets[33..];
            while !rest.is_empty() {
                let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
                let mut blocks = Vec::new();
                let mut at = 8;
                loop {
                    let block = usize::from(u16::from_be_bytes([rest[at + 2], rest[at + 3]]));
                    if block == 0 {
                        break;
                    }
                    // FAST OPEN is a flag that is never sent here.
                    assert!(rest[at] == 0 || *name == "probes-files");
                    blocks.push(rest[at + 4..at + 4 + block].to_vec().into());
                    at += 4 + block;
                }
                let mut again = BytesMut::new();
                write_ttb(&blocks, &mut again);
                if rest[8] == 0 {
                    assert_eq!(again[..], rest[..length], "{name}");
                }
                rest = &rest[length..];
            }
        }
    }
}

fn styles() -> impl Iterator<Item = RecordStyle> {
    [Compression::Runs, Compression::Literals].into_iter().flat_map(|compression| {
        [0x80, 0].map(|srcb| RecordStyle {
            compression,
            message_srcb: srcb,
            end_of_file_srcb: srcb,
        })
    })
}

/// Records come back in one of the ways in which they are written.
#[test]
fn blocks_come_back() {
    let mut count = 0;
    let mut different = Vec::new();
    for name in CAPTURES {
        for (_, said) in conversation(&capture(name)) {
            let padded = match &said {
                Said::Line(block) => {
                    assert!(block.octets(true).len() == 3 && block.octets(false).len() == 2);
                    continue;
                }
                Said::Block { block: Block::Data(data), octets, records, .. } => {
                    // NJELIB's message and control records end with their blocks.
                    let again = styles().find(|style| {
                        let again: Vec<u8> =
                            records.iter().flat_map(|record| record.octets(*style)).collect();
                        let rest = data.records.strip_prefix(&again[..]);
                        rest.is_some_and(|rest| {
                            rest == [0] || (rest.is_empty() && may_lack_end(records))
                        })
                    });
                    assert_eq!(Block::Data(data.clone()).octets(false), octets);
                    again
                }
                _ => continue,
            };
            count += 1;
            if padded.is_none() {
                different.push((*name, said));
            }
        }
    }
    assert!(count > 300, "{count}");
    // FUNET puts the prefix of a data set header into a string of its own. All
    // else is canonical.
    let header_alone = |said: &Said| {
        let Said::Block { records, octets, .. } = said else { return false };
        matches!(records[..], [Record::Job { kind: JobRecord::DataSetHeader, .. }])
            && octets[7] == 0xc4
    };
    // And it ends its sign-off with X'FF', where the test peer has X'00'.
    let (sign_offs, headers): (Vec<_>, Vec<_>) = different.iter().partition(|(_, said)| {
        matches!(said, Said::Block { records, .. } if records[..] == [Record::Control(Control::SignOff)])
    });
    for (name, said) in &headers {
        assert!(header_alone(said), "{name}: not canonical: {said:?}");
    }
    assert_eq!((headers.len(), sign_offs.len()), (24, 1));
}

fn may_lack_end(records: &[Record]) -> bool {
    matches!(records, [Record::Message(_)]) || records.first().is_some_and(Record::ends_its_block)
}

/// What the parts of jobs are, by the streams that they came on.
struct Parts {
    headers: Vec<JobHeader>,
    data_sets: Vec<DataSetHeader>,
    records: Vec<DataRecord>,
    trailers: Vec<JobTrailer>,
    messages: Vec<Message>,
}

/// The jobs of a conversation. Pieces of headers are joined here by hand, so that
/// the crate's own joining is tested against something else.
fn parts(name: &str) -> Parts {
    let mut parts = Parts {
        headers: Vec::new(),
        data_sets: Vec::new(),
        records: Vec::new(),
        trailers: Vec::new(),
        messages: Vec::new(),
    };
    let mut open = std::collections::HashMap::new();
    let mut joiners = std::collections::HashMap::new();
    for (direction, said) in conversation(&capture(name)) {
        let Said::Block { records, .. } = said else { continue };
        for record in records {
            let (stream, kind, octets) = match record {
                Record::Job { stream, kind, octets } => (stream, kind, octets),
                Record::Message(message) => {
                    parts.messages.push(message);
                    continue;
                }
                _ => continue,
            };
            let key = (direction == Direction::FromOpener, stream);
            if let JobRecord::Data(format, piece) = kind {
                let joiner: &mut DataJoiner = joiners.entry(key).or_default();
                parts.records.extend(joiner.push(format, piece, &octets).unwrap());
                continue;
            }
            if matches!(kind, JobRecord::EndOfFile | JobRecord::Abort) {
                continue;
            }
            let sections: &mut Vec<u8> = open.entry(key).or_default();
            assert_eq!(usize::from(u16::from_be_bytes([octets[0], octets[1]])), octets.len());
            sections.extend_from_slice(&octets[4..]);
            if octets[3] & 0x80 != 0 {
                continue;
            }
            let sections = std::mem::take(sections);
            let again = match kind {
                JobRecord::JobHeader => {
                    parts.headers.push(JobHeader::parse(&sections).unwrap());
                    parts.headers.last().unwrap().octets()
                }
                JobRecord::DataSetHeader => {
                    parts.data_sets.push(DataSetHeader::parse(&sections).unwrap());
                    parts.data_sets.last().unwrap().octets()
                }
                _ => {
                    parts.trailers.push(JobTrailer::parse(&sections).unwrap());
                    parts.trailers.last().unwrap().octets()
                }
            };
            assert_eq!(again, sections, "{name}");
        }
    }
    parts
}

#[test]
fn headers_and_records_of_every_job_come_back() {
    let mut jobs = 0;
    for name in CAPTURES {
        let parts = parts(name);
        jobs += parts.headers.len();
        for header in &parts.headers {
            assert!(
                header.get(job::ORIGIN_NODE).is_some_and(|n| n.to_string().starts_with("NODE"))
            );
            assert!(JobKey::of(header).is_some());
        }
    }
    assert_eq!(jobs, 19, "in all captures together");
}

#[test]
fn what_funet_sends_is_what_its_operator_sent() {
    let parts = parts("funet-to-funet");
    let names: Vec<String> = parts
        .data_sets
        .iter()
        .map(|header| {
            let get = |field: Field<DataSet, Text<12>>| header.get(field).unwrap();
            format!("{} {}", get(data_set::FILE_NAME), get(data_set::FILE_TYPE))
        })
        .collect();
    assert!(names.iter().any(|name| name == "HELLO TEXT"), "{names:?}");
    let mail = &parts.data_sets[0];
    assert_eq!(mail.get(data_set::NODE).unwrap().to_string(), "NODEB");
    assert_eq!(mail.get(data_set::USER).unwrap().to_string(), "BOB");
    assert_eq!(mail.get(data_set::FORM).unwrap().to_string(), "QUMAIL");
    assert_eq!(mail.get(data_set::RECORD_LENGTH), Some(80));
    assert_eq!(mail.get(data_set::DEVICE), Some(data_set::VM_PUNCH));
    assert_eq!(mail.get(data_set::DEVICE_FLAGS), Some(data_set::PUNCH));
    assert!(mail.get(data_set::TAG).unwrap().to_string().starts_with("NODEB    BOB"));
    assert!(parts.trailers.iter().any(|t| t.get(trailer::CARDS).is_some_and(|cards| cards > 0)));
    let words: Vec<String> = parts.messages.iter().map(Message::words).collect();
    assert!(words.iter().any(|words| words == "CPQ TIME"), "{words:?}");
    assert!(words.iter().any(|words| words.starts_with("CPQ: TIME IS 06:50:20 UTC")));
    let print = parts.records.iter().filter(|r| r.carriage_control().is_some()).count();
    assert!(print > 2, "lines with machine and ASA control");
}

#[test]
fn njelib_signs_on_with_features_and_sends_a_compressed_command() {
    let said = conversation(&capture("njelib-to-funet"));
    let records: Vec<Record> = said
        .iter()
        .filter_map(|(_, said)| match said {
            Said::Block { records, .. } => Some(records.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let initial = records.iter().find_map(|r| match r {
        Record::Control(Control::Initial(sign_on)) => Some(*sign_on),
        _ => None,
    });
    let initial = initial.unwrap();
    assert_eq!((initial.features, initial.resistance), (Some(0x1500_0000), 100));
    assert_eq!(initial.buffer_size, 32768);
    assert!(initial.has_path_manager());
    let concurs = |r: &Record| matches!(r, Record::Control(Control::Concurrence(p)) if p.resistance == Some(200));
    assert!(records.iter().any(concurs));
    let command =
        |r: &Record| matches!(r, Record::Message(m) if m.is_command() && m.words() == "CPQ TIME");
    assert!(records.iter().any(command));
}

#[test]
fn wait_a_bit_is_seen() {
    let said = conversation(&capture("probes-wait-a-bit"));
    let held = said.iter().filter(|(_, said)| {
        matches!(said, Said::Block { block: Block::Data(data), .. } if data.fcs == Fcs::WAIT_A_BIT)
    });
    assert_eq!(held.count(), 1);
}
