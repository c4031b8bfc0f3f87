//! Two links with nothing between them but octets.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use concord_nje::{
    CloseReason, Compression, DataRecord, DataSetHeader, Event, Fcs, FirstBlock, JobHeader,
    JobItem, JobKey, JobLimit, JobTrailer, Link, LinkSettings, LinkState, Message, NakReason, Name,
    Opening, Partner, RecordFormat, StreamId, StreamKind, TodClock, Ttc, UseError, WireCause,
    data_set, job,
};
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn settings(own: &str, partner: &str) -> LinkSettings {
    LinkSettings::new(name(own), name(partner))
}

struct Pair {
    a: Link,
    b: Link,
    now: Duration,
    /// How many octets go over at once.
    piece: usize,
    at_a: Vec<Event>,
    at_b: Vec<Event>,
}

impl Pair {
    fn new(a: LinkSettings, b: LinkSettings) -> Self {
        let (a, b) = (Link::new(a), Link::new(b));
        Self { a, b, now: Duration::ZERO, piece: 8192, at_a: vec![], at_b: vec![] }
    }

    fn usual() -> Self {
        Self::new(settings("NODEA", "NODEB"), settings("NODEB", "NODEA"))
    }

    /// A opens, and octets go until both are silent.
    fn open(&mut self) {
        self.a.dialled(self.now).unwrap();
        let open = self.a.take_output(self.now).unwrap();
        let open = Ttc::parse(open[..].try_into().unwrap()).unwrap();
        assert_eq!(self.b.peer_opened(&open, self.now), Opening::Accepted);
        self.run();
        assert!(matches!(self.at_a[..], [Event::Active { .. }]), "{:?}", self.at_a);
        assert!(matches!(self.at_b[..], [Event::Active { .. }]), "{:?}", self.at_b);
        self.at_a.clear();
        self.at_b.clear();
    }

    fn run(&mut self) {
        loop {
            let to_b = self.a.take_output(self.now);
            let to_a = self.b.take_output(self.now);
            if to_a.is_none() && to_b.is_none() {
                return;
            }
            for (octets, link, events) in
                [(to_b, &mut self.b, &mut self.at_b), (to_a, &mut self.a, &mut self.at_a)]
            {
                for piece in octets.iter().flat_map(|octets| octets.chunks(self.piece)) {
                    link.receive(piece, self.now);
                    events.extend(std::iter::from_fn(|| link.poll()));
                }
            }
        }
    }

    fn started(&mut self, kind: StreamKind) -> StreamId {
        let stream = self.a.start(kind).unwrap();
        self.run();
        assert_eq!(self.at_b, [Event::Asked { stream, open: false }]);
        self.b.permit(stream).unwrap();
        self.run();
        assert_eq!(self.at_a, [Event::Permitted(stream)]);
        self.at_a.clear();
        self.at_b.clear();
        stream
    }
}

fn job_of(records: Vec<DataRecord>) -> Vec<JobItem> {
    let header = JobHeader::new()
        .with(job::JOB_ID, 17)
        .with(job::ORIGIN_NODE, name("NODEA"))
        .with(job::ENTRY_TIME, TodClock(0xe39d_66be_0000_0000));
    let data_set = DataSetHeader::new()
        .with(data_set::NODE, name("NODEB"))
        .with(data_set::TAG, concord_nje::Text::new("NODEB    BOB      50").unwrap());
    let mut items = vec![JobItem::JobHeader(header), JobItem::DataSetHeader(data_set)];
    items.extend(records.into_iter().map(JobItem::Record));
    items.push(JobItem::JobTrailer(JobTrailer::new()));
    items
}

fn cards(count: usize) -> Vec<DataRecord> {
    (0..count).map(|n| DataRecord::plain(vec![(n % 256) as u8; 80])).collect()
}

#[test]
fn a_job_is_acknowledged_only_when_the_caller_says_that_it_is_durable() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    let items = job_of(cards(3));
    for item in &items {
        pair.a.write(stream, item).unwrap();
    }
    pair.a.end(stream).unwrap();
    pair.run();
    let came: Vec<_> = items.into_iter().map(|item| Event::Job { stream, item }).collect();
    assert_eq!(pair.at_b[..came.len()], came);
    assert_eq!(pair.at_b[came.len()..], [Event::Whole(stream)]);
    assert_eq!(pair.at_a, [], "the sender knows nothing yet");
    assert_eq!(pair.a.start(StreamKind::Sysout), Err(UseError::NoFreeStream));

    // Durable.
    pair.b.acknowledge(stream).unwrap();
    pair.run();
    assert_eq!(pair.at_a, [Event::Confirmed(stream)]);
    let twice = pair.b.acknowledge(stream);
    assert!(matches!(twice, Err(UseError::StreamState { .. })));
    assert!(pair.a.start(StreamKind::Sysout).is_ok(), "the stream is free again");
}

#[test]
fn a_link_lost_before_the_acknowledgement_names_the_job_that_is_to_be_sent_again() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    for item in job_of(cards(3)) {
        pair.a.write(stream, &item).unwrap();
    }
    pair.a.end(stream).unwrap();
    pair.run();
    let key = |events: &[Event]| match &events[0] {
        Event::Job { item: JobItem::JobHeader(header), .. } => JobKey::of(header).unwrap(),
        other => panic!("{other:?}"),
    };
    let first = key(&pair.at_b);
    pair.a.lost();
    pair.b.lost();
    let reason = CloseReason::Lost;
    let closed = Event::Closed { reason, unconfirmed: vec![stream] };
    assert_eq!(pair.a.poll(), Some(closed));
    assert!(matches!(pair.b.poll(), Some(Event::Closed { .. })));
    assert!(pair.b.acknowledge(stream).is_err(), "nobody is there to be told");
    pair.at_b.clear();

    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    for item in job_of(cards(3)) {
        pair.a.write(stream, &item).unwrap();
    }
    pair.a.end(stream).unwrap();
    pair.run();
    assert_eq!(key(&pair.at_b), first, "the receiver can tell that it has it");
}

#[test]
fn jobs_of_both_ends_and_messages_go_side_by_side() {
    let (mut a, mut b) = (settings("NODEA", "NODEB"), settings("NODEB", "NODEA"));
    a.streams = 3;
    b.streams = 2;
    let mut pair = Pair::new(a, b);
    pair.open();
    let mut of_a = Vec::new();
    for _ in 0..3 {
        of_a.push(pair.a.start(StreamKind::Sysout).unwrap());
    }
    of_a.push(pair.a.start(StreamKind::Sysin).unwrap());
    assert_eq!(pair.a.start(StreamKind::Sysout), Err(UseError::NoFreeStream));
    let of_b = pair.b.start(StreamKind::Sysout).unwrap();
    pair.run();
    for stream in &of_a {
        pair.b.permit(*stream).unwrap();
    }
    pair.a.permit(of_b).unwrap();
    pair.run();
    pair.at_a.clear();
    pair.at_b.clear();
    let items = job_of(cards(300));
    for (index, item) in items.iter().enumerate() {
        for stream in &of_a {
            let data_set = matches!(item, JobItem::DataSetHeader(_));
            if stream.kind() == StreamKind::Sysout || !data_set {
                pair.a.write(*stream, item).unwrap();
            }
        }
        pair.b.write(of_b, item).unwrap();
        if index % 50 == 0 {
            pair.b
                .send_message(&Message::notice(name("NODEB"), name("NODEA"), name("A"), "x"))
                .unwrap();
            pair.run();
        }
    }
    for stream in &of_a {
        pair.a.end(*stream).unwrap();
    }
    pair.b.end(of_b).unwrap();
    pair.run();
    for stream in &of_a {
        let came = pair.at_b.iter().filter_map(|event| match event {
            Event::Job { stream: s, item } if s == stream => Some(item.clone()),
            _ => None,
        });
        let came: Vec<JobItem> = came.collect();
        let expected = items.iter().filter(|item| {
            stream.kind() == StreamKind::Sysout || !matches!(item, JobItem::DataSetHeader(_))
        });
        assert!(came.iter().eq(expected), "{stream}");
        assert!(pair.at_b.contains(&Event::Whole(*stream)));
    }
    assert!(pair.at_a.contains(&Event::Whole(of_b)));
    assert_eq!(pair.at_a.iter().filter(|e| matches!(e, Event::Message(_))).count(), 7);
}

#[test]
fn wait_a_bit_holds_everything_until_it_ends_even_at_both_ends_at_once() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    pair.b.allow(Fcs::WAIT_A_BIT).unwrap();
    pair.run();
    assert_eq!(pair.at_a, [Event::Held(true)]);
    pair.a.allow(Fcs::WAIT_A_BIT).unwrap();
    pair.a.write(stream, &job_of(vec![])[0]).unwrap();
    pair.a.send_message(&Message::notice(name("NODEA"), name("NODEB"), name("B"), "x")).unwrap();
    pair.run();
    assert_eq!(pair.at_b, [Event::Held(true)], "neither record nor message came");
    pair.b.allow(Fcs::ALL).unwrap();
    pair.run();
    assert!(pair.at_b.iter().any(|e| matches!(e, Event::Message(_))));
    assert!(pair.at_b.iter().any(|e| matches!(e, Event::Job { .. })));
    pair.a.allow(Fcs::ALL).unwrap();
    pair.run();
    assert_eq!(pair.at_b.last(), Some(&Event::Held(false)));
}

#[test]
fn one_stream_can_be_held_alone() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    pair.b.allow(Fcs::ALL.without(stream)).unwrap();
    pair.run();
    pair.a.write(stream, &job_of(vec![])[0]).unwrap();
    pair.a.send_message(&Message::notice(name("NODEA"), name("NODEB"), name("B"), "x")).unwrap();
    pair.run();
    assert!(matches!(pair.at_b[..], [Event::Message(_)]), "{:?}", pair.at_b);
    pair.b.allow(Fcs::ALL).unwrap();
    pair.run();
    assert!(matches!(pair.at_b[1..], [Event::Job { .. }]), "{:?}", pair.at_b);
}

#[test]
fn what_waits_for_a_held_link_is_bounded() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    pair.b.allow(Fcs::WAIT_A_BIT).unwrap();
    pair.run();
    let items = job_of(vec![]);
    pair.a.write(stream, &items[0]).unwrap();
    pair.a.write(stream, &items[1]).unwrap();
    let octets: Vec<u8> = (0..=254).collect();
    let line = JobItem::Record(DataRecord::plain(octets));
    let mut written = 0;
    while pair.a.write(stream, &line).is_ok() {
        written += 1;
    }
    assert_eq!(pair.a.write(stream, &line), Err(UseError::Full));
    assert!((900..1100).contains(&written), "{written}");
    pair.b.allow(Fcs::ALL).unwrap();
    pair.run();
    let came = pair.at_b.iter().filter(|e| matches!(e, Event::Job { .. })).count();
    assert_eq!(came, written + 2);
    pair.a.write(stream, &line).unwrap();
}

#[test]
fn a_request_that_is_not_answered_waits() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.a.start(StreamKind::Sysout).unwrap();
    pair.run();
    assert!(matches!(pair.a.write(stream, &job_of(vec![])[0]), Err(UseError::StreamState { .. })));
    pair.now += SECOND * 3600;
    pair.b.permit(stream).unwrap();
    pair.run();
    assert_eq!(pair.at_a, [Event::Permitted(stream)]);
}

#[test]
fn a_cancelled_job_frees_its_stream_at_both_ends() {
    let mut b = settings("NODEB", "NODEA");
    b.partner = Partner::rscs();
    let mut pair = Pair::new(settings("NODEA", "NODEB"), b);
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    for item in &job_of(cards(3))[..3] {
        pair.a.write(stream, item).unwrap();
    }
    pair.run();
    pair.b.refuse(stream).unwrap();
    pair.run();
    assert_eq!(pair.at_a, [Event::Cancelled(stream)]);
    pair.at_a.clear();
    pair.at_b.clear();
    pair.started(StreamKind::Sysout);
}

#[test]
fn parts_of_a_job_in_the_wrong_order_are_refused_before_they_are_sent() {
    let mut pair = Pair::usual();
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    let items = job_of(cards(1));
    let wrong = |result| matches!(result, Err(UseError::JobOrder { .. }));
    assert!(wrong(pair.a.write(stream, &items[1])));
    pair.a.write(stream, &items[0]).unwrap();
    assert!(wrong(pair.a.write(stream, &items[0])));
    assert!(wrong(pair.a.write(stream, &items[2])), "data without a data set");
    assert!(wrong(pair.a.end(stream)));
    pair.a.write(stream, &items[3]).unwrap();
    assert!(wrong(pair.a.write(stream, &items[1])));
    pair.a.end(stream).unwrap();
    pair.run();
    assert_eq!(pair.at_b.last(), Some(&Event::Whole(stream)));
    let long = JobItem::Record(DataRecord::plain(vec![0; 256]));
    let stream = {
        pair.b.acknowledge(stream).unwrap();
        pair.run();
        pair.at_a.clear();
        pair.at_b.clear();
        pair.started(StreamKind::Sysout)
    };
    let too_long = pair.a.write(stream, &long);
    assert_eq!(too_long, Err(UseError::RecordTooLong { octets: 256, most: 255 }));
}

#[test]
fn a_job_beyond_the_limit_costs_the_link() {
    let mut b = settings("NODEB", "NODEA");
    b.job_limit = JobLimit { records: 2, ..JobLimit::usual() };
    let mut pair = Pair::new(settings("NODEA", "NODEB"), b);
    pair.open();
    let stream = pair.started(StreamKind::Sysout);
    for item in job_of(cards(3)) {
        pair.a.write(stream, &item).unwrap();
    }
    pair.run();
    let reason = CloseReason::JobTooLarge { stream };
    assert_eq!(pair.at_b.last(), Some(&Event::Closed { reason, unconfirmed: vec![] }));
    assert_eq!(pair.b.state(), LinkState::Down);
}

#[test]
fn both_ends_open_at_once_and_the_lower_name_waits() {
    let mut pair = Pair::usual();
    pair.a.dialled(pair.now).unwrap();
    pair.b.dialled(pair.now).unwrap();
    let mut naks = Vec::new();
    for (from, to) in [(0, 1), (1, 0)] {
        let links = [&mut pair.a, &mut pair.b];
        let mut links = links.into_iter().collect::<Vec<_>>();
        let open = links[from].take_output(pair.now).unwrap();
        let open = Ttc::parse(open[..].try_into().unwrap()).unwrap();
        let Opening::Refused { nak, reason } = links[to].peer_opened(&open, pair.now) else {
            panic!("the own opening goes on")
        };
        assert_eq!(reason, NakReason::Opening);
        naks.push(nak);
    }
    pair.a.receive(&naks[0], pair.now);
    pair.b.receive(&naks[1], pair.now);
    let reason = CloseReason::Refused(NakReason::Opening);
    let closed = Event::Closed { reason: reason.clone(), unconfirmed: vec![] };
    assert_eq!((pair.a.poll(), pair.b.poll()), (Some(closed.clone()), Some(closed)));
    let (a, b) = (pair.a.wait_after(&reason).unwrap(), pair.b.wait_after(&reason).unwrap());
    assert!(b.end() < a.start(), "NODEB is the higher name");
    pair.open();
}

#[test]
fn a_dead_connection_is_found_out_when_the_partner_opens_again() {
    let mut pair = Pair::usual();
    pair.open();
    let again = Ttc::open(name("NODEA"), name("NODEB"));
    let Opening::Refused { reason, .. } = pair.b.peer_opened(&again, pair.now) else { panic!() };
    assert_eq!(reason, NakReason::LinkActive);
    assert_eq!(pair.b.take_output(pair.now).unwrap().len(), 12, "an empty TTB");
    assert_eq!(pair.b.next_time(), Some(SECOND * 30));
    // It lives: anything from the old connection will do.
    pair.b.receive(b"\0\0\0\x0c\0\0\0\0\0\0\0\0", pair.now + SECOND * 29);
    assert_eq!(pair.b.poll(), None);
    pair.b.elapse(pair.now + SECOND * 31);
    assert_eq!(pair.b.state(), LinkState::Active);
    // It is dead.
    let Opening::Refused { .. } = pair.b.peer_opened(&again, SECOND * 40) else { panic!() };
    let Opening::Refused { .. } = pair.b.peer_opened(&again, SECOND * 69) else { panic!() };
    pair.b.elapse(SECOND * 70);
    let reason = CloseReason::Silent(LinkState::Active);
    assert_eq!(pair.b.poll(), Some(Event::Closed { reason, unconfirmed: vec![] }));
    assert_eq!(pair.b.peer_opened(&again, SECOND * 71), Opening::Accepted);
}

#[test]
fn an_idle_link_gives_signs_of_life() {
    let mut pair = Pair::usual();
    pair.open();
    assert_eq!(pair.a.next_time(), Some(SECOND * 60));
    pair.a.elapse(SECOND * 59);
    assert_eq!(pair.a.take_output(SECOND * 59), None);
    pair.a.elapse(SECOND * 60);
    let life = pair.a.take_output(SECOND * 60).unwrap();
    assert_eq!(life[..], *b"\0\0\0\x0c\0\0\0\0\0\0\0\0");
    pair.b.receive(&life, SECOND * 60);
    assert_eq!(pair.b.poll(), None);
    assert_eq!(pair.a.next_time(), Some(SECOND * 120));
}

#[test]
fn a_partner_that_stops_in_the_middle_of_opening_is_given_up() {
    let mut link = Link::new(settings("NODEA", "NODEB"));
    link.dialled(SECOND).unwrap();
    assert_eq!(link.next_time(), Some(SECOND * 16));
    link.receive(b"\xc1\xc3\xd2", SECOND * 2);
    assert_eq!(link.poll(), None);
    link.elapse(SECOND * 16);
    let reason = CloseReason::Silent(LinkState::OpenSent);
    assert_eq!(link.poll(), Some(Event::Closed { reason, unconfirmed: vec![] }));
    assert_eq!(link.next_time(), None);
}

#[test]
fn a_wrong_password_ends_the_link() {
    let (mut a, mut b) = (settings("NODEA", "NODEB"), settings("NODEB", "NODEA"));
    b.expected_node_password = Some(name("SECRET"));
    let mut pair = Pair::new(a.clone(), b.clone());
    pair.a.dialled(pair.now).unwrap();
    let open = pair.a.take_output(pair.now).unwrap();
    let open = Ttc::parse(open[..].try_into().unwrap()).unwrap();
    assert_eq!(pair.b.peer_opened(&open, pair.now), Opening::Accepted);
    pair.run();
    let closed = |reason| Event::Closed { reason, unconfirmed: vec![] };
    assert_eq!(pair.at_b, [closed(CloseReason::WrongPassword("node"))]);
    assert_eq!(pair.at_a, [closed(CloseReason::SignedOff)]);
    a.node_password = name("SECRET");
    Pair::new(a, b).open();
}

#[test]
fn a_link_that_asks_for_ever_is_given_up() {
    let mut link = Link::new(settings("NODEB", "NODEA"));
    assert_eq!(
        link.peer_opened(&Ttc::open(name("NODEA"), name("NODEB")), SECOND),
        Opening::Accepted
    );
    for _ in 0..20 {
        link.receive(b"\0\0\0\x12\0\0\0\0\0\0\0\x02\x32\x3d\0\0\0\0", SECOND);
    }
    let reason = CloseReason::EnquiryRefused;
    assert_eq!(link.poll(), Some(Event::Closed { reason, unconfirmed: vec![] }));
}

#[test]
fn what_cannot_be_read_is_named_by_its_octet() {
    let mut pair = Pair::usual();
    pair.open();
    // A block without number, behind OPEN, SOH ENQ, I, DLE ACK0 and L.
    let before = 33 + 18 + 62 + 18 + 30;
    let block = b"\x10\x02\x90\x8f\xcf\x99\x80\xc1\x00\x41\x00";
    let mut ttb = bytes::BytesMut::new();
    concord_nje::write_ttb(&[bytes::Bytes::from_static(block)], &mut ttb);
    pair.b.receive(&ttb, pair.now);
    let cause = WireCause::UnknownScb(0x41);
    let reason = CloseReason::Malformed { octet: before + 12 + 9, cause };
    assert_eq!(pair.b.poll(), Some(Event::Closed { reason, unconfirmed: vec![] }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any records, in pieces of any size, with any way of writing.
    #[test]
    fn every_job_comes_as_it_went(
        records in proptest::collection::vec(
            (0..4_u8, proptest::collection::vec(prop_oneof![Just(0x40), any::<u8>()], 0..600)),
            0..40,
        ),
        piece in 1..2000_usize,
        buffer in 300..9000_u16,
        literals in any::<bool>(),
        normal in any::<bool>(),
    ) {
        let mut a = settings("NODEA", "NODEB");
        a.partner.spanned_records = true;
        a.buffer_size = buffer;
        if literals {
            a.partner.style.compression = Compression::Literals;
        }
        if normal {
            a.partner.first_block = FirstBlock::Normal;
        }
        let mut pair = Pair::new(a, settings("NODEB", "NODEA"));
        pair.piece = piece;
        pair.open();
        let stream = pair.started(StreamKind::Sysout);
        let records = records.into_iter().map(|(format, octets)| DataRecord {
            format: [
                RecordFormat::Plain, RecordFormat::Machine, RecordFormat::Asa, RecordFormat::Cpds,
            ][usize::from(format)],
            octets: octets.into(),
        });
        let items = job_of(records.collect());
        for item in &items {
            pair.a.write(stream, item).unwrap();
        }
        pair.a.end(stream).unwrap();
        pair.run();
        let mut came: Vec<_> = items.into_iter().map(|item| Event::Job { stream, item }).collect();
        came.push(Event::Whole(stream));
        prop_assert_eq!(&pair.at_b, &came);
        prop_assert!(pair.a.is_idle());
    }

    /// Octets of chance, and changed octets of a link, cost the link at most.
    #[test]
    fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
        concord_nje::fuzz(&octets);
        let mut pair = Pair::usual();
        pair.open();
        let mut ttb = bytes::BytesMut::new();
        let block = [b"\x10\x02\x90\x8f\xcf", &octets[..]].concat();
        concord_nje::write_ttb(&[block.into()], &mut ttb);
        pair.b.receive(&ttb, pair.now);
        while pair.b.poll().is_some() {}
        let _ = pair.b.take_output(pair.now);
    }
}
