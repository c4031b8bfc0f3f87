//! Transmissions that are written and read, and ones that are wrong.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_cms_mail::netdata::{
    self, Acknowledgement, FileName, Netdata, NetdataError, NetdataFile, Outcome, RecordFormat,
    Transmission, WriteNetdataError,
};
use concord_cms_mail::{CmsName, HostAddress, Place, Records};
use proptest::prelude::*;

fn host(node: &str, user: &str) -> HostAddress {
    HostAddress::new(node, user).unwrap()
}

fn file(records: Records) -> NetdataFile {
    NetdataFile::varying(FileName::Cms(CmsName::new("TEST", "LOG").unwrap()), records)
}

fn simple(files: Vec<NetdataFile>) -> Transmission {
    Transmission {
        origin: Some(host("NODEA", "ALICE")),
        recipients: vec![host("NODEB", "BOB")],
        files,
        ..Transmission::default()
    }
}

fn again(transmission: &Transmission) -> Transmission {
    match netdata::read(&netdata::write(transmission).unwrap()) {
        Ok(Netdata::Transmission(read)) => read,
        other => panic!("{other:?}"),
    }
}

/// Octets as segments of one record each, in cards.
fn cards(segments: &[(u8, &[u8])]) -> Records {
    let mut stream = Vec::new();
    for (flags, data) in segments {
        stream.push(u8::try_from(data.len() + 2).unwrap());
        stream.push(*flags);
        stream.extend_from_slice(data);
    }
    stream.resize(stream.len().next_multiple_of(80), 0);
    stream.chunks(80).collect()
}

const WHOLE: u8 = 0xE0;
const INMR01: &[u8] = b"\xC9\xD5\xD4\xD9\xF0\xF1";
const INMR02: &[u8] = b"\xC9\xD5\xD4\xD9\xF0\xF2\0\0\0\x01";
const INMR03: &[u8] = b"\xC9\xD5\xD4\xD9\xF0\xF3";
const INMR06: &[u8] = b"\xC9\xD5\xD4\xD9\xF0\xF6";

#[test]
fn several_files_are_told_apart_and_a_note_has_no_name() {
    let note = NetdataFile::varying(FileName::Note, [b"\x81\x82"].into_iter().collect());
    let empty = file(Records::new());
    let binary = NetdataFile::fixed(
        FileName::DataSet(vec!["K000165".into(), "TEST".into(), "CNTL".into(), "X".into()]),
        256,
        [(0..=255).collect::<Vec<u8>>()].into_iter().collect(),
    );
    let sent = simple(vec![note, empty, binary]);
    assert_eq!(again(&sent), sent);
}

/// Q233319: the first recipient got every copy.
#[test]
fn each_recipient_gets_one_transmission_or_a_pair_of_its_own() {
    let recipients = vec![host("N1", "A"), host("N2", "B"), host("N1", "C")];
    let sent =
        Transmission { recipients: recipients.clone(), ..simple(vec![file(Records::new())]) };
    assert_eq!(again(&sent).recipients, recipients);
    let apart: Vec<Transmission> = sent.separate().collect();
    let each: Vec<_> = apart.iter().flat_map(|one| one.recipients.clone()).collect();
    assert_eq!(each, recipients);
    assert!(apart.iter().all(|one| one.recipients.len() == 1 && one.files.len() == 1));
}

/// Q128468: IBMMAIL rejects files whose NETDATA has another origin than NJE has,
/// or none.
#[test]
fn a_transmission_without_origin_or_recipient_is_not_written() {
    let good = simple(vec![file(Records::new())]);
    let none = Transmission { origin: None, ..good.clone() };
    assert_eq!(netdata::write(&none), Err(WriteNetdataError::NoOrigin));
    let none = Transmission { recipients: Vec::new(), ..good.clone() };
    assert_eq!(netdata::write(&none), Err(WriteNetdataError::NoRecipient));
    let none = Transmission { files: Vec::new(), ..good };
    assert_eq!(netdata::write(&none), Err(WriteNetdataError::Files(0)));
}

#[test]
fn a_fixed_file_with_a_record_of_another_length_is_not_written() {
    let records: Records = [[0_u8; 80].as_slice(), &[0; 79]].into_iter().collect();
    let name = FileName::Cms(CmsName::new("A", "B").unwrap());
    let wrong = simple(vec![NetdataFile::fixed(name, 80, records)]);
    let (file, record, octets, length) = (0, 1, 79, 80);
    let expected = WriteNetdataError::RecordLength { file, record, octets, length };
    assert_eq!(netdata::write(&wrong), Err(expected));
}

#[test]
fn an_acknowledgement_brings_back_what_was_asked_with() {
    for outcome in [Outcome::Received, Outcome::Deleted, Outcome::Other("LOST".into())] {
        let said = Acknowledgement {
            from: Some(host("NODEB", "BOB")),
            to: Some(host("NODEA", "ALICE")),
            sent: Some("1993-11-13T21:52:42Z".parse().unwrap()),
            acknowledged: None,
            subject: FileName::Note,
            outcome,
            echo: Some(b"\x01\x02".to_vec()),
        };
        let cards = netdata::write_acknowledgement(&said).unwrap();
        assert_eq!(netdata::read(&cards), Ok(Netdata::Acknowledgements(vec![said.clone()])));
        // Not verified which receivers write a trailer; both are read.
        let stream = cards.joined();
        let trailer = stream.windows(6).rposition(|name| name == INMR06).unwrap();
        let bare: Records = stream[..trailer - 2]
            .chunks(80)
            .map(|card| {
                let mut card = card.to_vec();
                card.resize(80, 0);
                card
            })
            .collect();
        assert_eq!(netdata::read(&bare), Ok(Netdata::Acknowledgements(vec![said])));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    use NetdataError as E;
    let start = Place::default;
    let at = |offset| Place { record: 0, offset };
    type Segments<'a> = &'a [(u8, &'a [u8])];
    let cases: [(Segments<'_>, E); 14] = [
        (&[], E::Truncated(start())),
        (&[(WHOLE, INMR06)], E::NoHeader(start())),
        (&[(WHOLE, INMR01), (WHOLE, INMR01)], E::SecondHeader(at(8))),
        (&[(WHOLE, INMR01), (WHOLE, b"HELLO!")], E::UnknownControl(at(8))),
        (&[(WHOLE, INMR01), (WHOLE, b"x")], E::UnknownControl(at(8))),
        (&[(0x80, b"x"), (0x80, b"x")], E::RecordNotEnded(at(3))),
        (&[(0x40, b"x")], E::RecordNotBegun(start())),
        (&[(0x80, b"x"), (0x60, b"x")], E::MixedRecord(at(3))),
        (&[(0xC0, b"x")], E::DataWithoutFile(start())),
        (&[(WHOLE, INMR01), (WHOLE, INMR02), (0xC0, b"x")], E::DataWithoutFile(at(20))),
        (&[(WHOLE, INMR01), (WHOLE, INMR03)], E::FileNotDescribed(at(8))),
        (&[(WHOLE, INMR01), (WHOLE, INMR02)], E::Truncated(at(20))),
        (&[(WHOLE, b"\xC9\xD5\xD4\xD9\xF0\xF1\x10\x11\0\x01\0\x09x")], E::UnitCut(start())),
        (
            &[
                (WHOLE, INMR01),
                (WHOLE, b"\xC9\xD5\xD4\xD9\xF0\xF2\0\0\0\x01\0\x42\0\x01\0\x09123456789"),
            ],
            E::NumberTooLong { place: at(8), key: 0x42, octets: 9 },
        ),
    ];
    for (segments, expected) in cases {
        assert_eq!(netdata::read(&cards(segments)), Err(expected), "{segments:02X?}");
    }
}

#[test]
fn the_number_of_the_next_record_is_read_over() {
    let read = netdata::read(&cards(&[
        (WHOLE, INMR01),
        (WHOLE, INMR02),
        (WHOLE, INMR03),
        (0x10, b"\0\0\0\x01"),
        (0x80, b"on"),
        (0x40, b"e"),
        (WHOLE, INMR06),
    ]));
    let Ok(Netdata::Transmission(read)) = read else { panic!("{read:?}") };
    assert_eq!(read.files[0].records.joined(), b"one");
    assert_eq!(read.files[0].name, FileName::DataSet(Vec::new()));
}

/// A partitioned data set goes through two utilities; both describe one file.
#[test]
fn two_descriptions_of_one_number_are_one_file() {
    let named = b"\xC9\xD5\xD4\xD9\xF0\xF2\0\0\0\x01\0\x02\0\x01\0\x01\xC1\x10\x28\0\x01\0\x07\xC9\xC5\xC2\xC3\xD6\xD7\xE8";
    let read = netdata::read(&cards(&[
        (WHOLE, INMR01),
        (WHOLE, named),
        (WHOLE, INMR02),
        (WHOLE, INMR03),
        (0xC0, b"x"),
        (WHOLE, INMR06),
    ]));
    let Ok(Netdata::Transmission(read)) = read else { panic!("{read:?}") };
    let [file] = read.files.as_slice() else { panic!("{:?}", read.files) };
    assert_eq!(file.name, FileName::DataSet(vec!["A".into()]));
    assert!(file.partitioned);
}

/// Q224597: messages were of 1601.
#[test]
fn a_transmission_without_a_time_has_none() {
    let sent = simple(vec![file(Records::new())]);
    assert_eq!(again(&sent).sent, None);
}

/// Q216065 and its like: faults at powers of two.
#[test]
fn records_of_every_length_near_a_bound_come_back() {
    for length in [0, 1, 78, 79, 80, 81, 252, 253, 254, 255, 256, 506, 507, 4096, 8192, 65_535] {
        let record: Vec<u8> = (0..=255).cycle().take(length).collect();
        let sent = simple(vec![file([&record, &record].into_iter().collect())]);
        assert_eq!(again(&sent), sent, "{length}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[A-Z$#][A-Z0-9$#-]{0,7}"
}

fn a_host() -> impl Strategy<Value = HostAddress> {
    (name(), name()).prop_map(|(node, user)| host(&node, &user))
}

fn file_name() -> impl Strategy<Value = FileName> {
    prop_oneof![
        Just(FileName::Note),
        (name(), name(), "[A-Z][0-9]?").prop_map(|(name, kind, mode)| {
            FileName::Cms(CmsName::with_mode(&name, &kind, &mode).unwrap())
        }),
        prop::collection::vec(name(), 4..8).prop_map(FileName::DataSet),
    ]
}

fn time() -> impl Strategy<Value = Option<jiff::Timestamp>> {
    prop::option::of(
        (-2_000_000_000_i64..60_000_000_000)
            .prop_map(|seconds| jiff::Timestamp::from_second(seconds).unwrap()),
    )
}

fn a_file() -> impl Strategy<Value = NetdataFile> {
    let records = prop_oneof![
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6)
            .prop_map(|all| (None, all)),
        (1_usize..300, prop::collection::vec(any::<u8>(), 0..1500)).prop_map(|(length, octets)| {
            (Some(length), octets.chunks_exact(length).map(<[u8]>::to_vec).collect())
        }),
    ];
    (file_name(), records, time(), time(), 0_u16..0x10).prop_map(
        |(name, (length, records), created, changed, bits): (
            _,
            (Option<usize>, Vec<Vec<u8>>),
            _,
            _,
            _,
        )| {
            let records: Records = records.into_iter().collect();
            let made = match length {
                Some(length) => NetdataFile::fixed(name, length, records),
                None => NetdataFile::varying(name, records),
            };
            let format = RecordFormat(made.format.0 | bits << 8);
            let format =
                if format.is_fixed() == made.format.is_fixed() { format } else { made.format };
            NetdataFile { created, changed, format, ..made }
        },
    )
}

prop_compose! {
    fn a_transmission()(
        origin in a_host(),
        recipients in prop::collection::vec(a_host(), 1..40),
        sent in time(),
        acknowledge in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        reference in prop::option::of("[A-Z0-9.]{1,64}"),
        files in prop::collection::vec(a_file(), 1..4),
    ) -> Transmission {
        Transmission { origin: Some(origin), recipients, sent, acknowledge, reference, files }
    }
}

proptest! {
    #[test]
    fn a_transmission_that_was_written_is_read_again(sent in a_transmission()) {
        prop_assert_eq!(again(&sent), sent);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = netdata::read(&octets.chunks(80).collect());
    }

    #[test]
    fn a_transmission_with_a_changed_octet_is_read_or_refused(
        sent in a_transmission(), at in any::<prop::sample::Index>(), octet in any::<u8>(),
    ) {
        let cards = netdata::write(&sent).unwrap();
        let mut stream = cards.joined().to_vec();
        let at = at.index(stream.len());
        stream[at] = octet;
        let _ = netdata::read(&stream.chunks(80).collect());
    }
}
