//! The link takes an end of each recorded connection and answers as the notes
//! beside it say.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

mod common;

use common::{End, Said, capture};
use concord_nje::{
    CloseReason, Control, DataJoiner, Direction, Event, JobItem, JobRecord, Link, LinkSettings,
    LinkState, NakReason, Name, Opening, Partner, Piece, Record, StreamId, Ttc, UseError,
};
use std::collections::HashMap;
use std::time::Duration;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn settings(own: &str, partner: &str) -> LinkSettings {
    let mut settings = LinkSettings::new(name(own), name(partner));
    settings.partner = Partner::funet();
    settings.buffer_size = 4096;
    settings.streams = 7;
    let address = |node: &str| [127, 0, 0, if node == "NODEA" { 2 } else { 3 }].into();
    settings.own_address = address(own);
    settings.partner_address = address(partner);
    settings
}

/// The parts of a job, put together from what was recorded.
#[derive(Default)]
struct Parts {
    sections: Vec<u8>,
    data: DataJoiner,
}

impl Parts {
    fn item(&mut self, kind: JobRecord, octets: &[u8]) -> Option<JobItem> {
        if let JobRecord::Data(format, piece) = kind {
            return self.data.push(format, piece, octets).unwrap().map(JobItem::Record);
        }
        self.sections.extend_from_slice(&octets[4..]);
        if octets[3] & 0x80 != 0 {
            return None;
        }
        let sections = std::mem::take(&mut self.sections);
        Some(match kind {
            JobRecord::JobHeader => {
                JobItem::JobHeader(concord_nje::Header::parse(&sections).unwrap())
            }
            JobRecord::DataSetHeader => {
                JobItem::DataSetHeader(concord_nje::Header::parse(&sections).unwrap())
            }
            _ => JobItem::JobTrailer(concord_nje::Header::parse(&sections).unwrap()),
        })
    }
}

struct Player {
    link: Link,
    now: Duration,
    /// Reads what we send.
    own: End,
    own_octets: Vec<u8>,
    ours: Vec<Said>,
    events: Vec<Event>,
    jobs: HashMap<StreamId, Parts>,
}

impl Player {
    fn new(settings: LinkSettings) -> Self {
        Self {
            link: Link::new(settings),
            now: Duration::ZERO,
            own: End::new(),
            own_octets: Vec::new(),
            ours: Vec::new(),
            events: Vec::new(),
            jobs: HashMap::new(),
        }
    }

    /// Permits every job, and acknowledges each when it is whole.
    fn listen(&mut self) {
        while let Some(event) = self.link.poll() {
            match &event {
                Event::Asked { stream, open: false } => self.link.permit(*stream).unwrap(),
                Event::Whole(stream) => self.link.acknowledge(*stream).unwrap(),
                _ => {}
            }
            self.events.push(event);
        }
        if let Some(octets) = self.link.take_output(self.now) {
            self.own_octets.extend_from_slice(&octets);
            self.ours.extend(self.own.feed(&octets));
        }
    }

    /// Does what the recorded end did of its own accord.
    fn act(&mut self, said: &Said) {
        let Said::Block { records, .. } = said else { return };
        for record in records {
            match record {
                Record::Request(stream) => self.link.start_on(*stream).unwrap(),
                Record::Message(message) => self.link.send_message(message).unwrap(),
                Record::Control(Control::SignOff) => self.link.sign_off(),
                Record::Job { stream, kind: JobRecord::EndOfFile, .. } => {
                    self.link.end(*stream).unwrap();
                }
                Record::Job { stream, kind, octets } => {
                    let parts = self.jobs.entry(*stream).or_default();
                    if let Some(item) = parts.item(*kind, octets) {
                        self.link.write(*stream, &item).unwrap();
                    }
                }
                _ => {}
            }
        }
        self.listen();
    }

    /// Plays a recorded connection; `acts` says whether the recorded end's own
    /// deeds are done too. Gives what that end had said.
    fn play(&mut self, file: &str, own: Direction, acts: bool) -> Vec<Said> {
        let mut recorded = End::new();
        let mut said = Vec::new();
        if own == Direction::FromOpener {
            self.link.dialled(self.now).unwrap();
            self.listen();
        }
        let mut ttc = own == Direction::FromListener;
        for piece in capture(file) {
            self.now = Duration::from_millis(piece.millis);
            if piece.direction == own {
                for one in recorded.feed(&piece.octets) {
                    if acts {
                        self.act(&one);
                    }
                    said.push(one);
                }
            } else if std::mem::take(&mut ttc) {
                let open = Ttc::parse(piece.octets[..33].try_into().unwrap()).unwrap();
                assert_eq!(self.link.peer_opened(&open, self.now), Opening::Accepted);
                self.listen();
            } else {
                self.link.receive(&piece.octets, self.now);
                self.listen();
            }
        }
        said
    }

    fn close_reason(&self) -> &CloseReason {
        match self.events.last() {
            Some(Event::Closed { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn has(&self, wanted: &Event) -> bool {
        self.events.contains(wanted)
    }
}

/// Records by what they belong to: the order between jobs is the sender's affair.
fn by_lane(said: &[Said]) -> HashMap<String, Vec<Record>> {
    let mut lanes: HashMap<String, Vec<Record>> = HashMap::new();
    for said in said {
        let Said::Block { records, .. } = said else { continue };
        for record in records {
            let lane = match record {
                Record::Job { stream, .. } => stream.to_string(),
                Record::Message(_) => "console".to_owned(),
                Record::Control(_) => "control".to_owned(),
                Record::Request(_) => "request".to_owned(),
                _ => "answer".to_owned(),
            };
            lanes.entry(lane).or_default().push(padded(record));
        }
    }
    lanes
}

/// FUNET leaves blanks at the end of some records off; they mean the same.
fn padded(record: &Record) -> Record {
    match record {
        Record::Job { stream, kind: kind @ JobRecord::Data(_, Piece::Whole), octets } => {
            let mut octets = octets.to_vec();
            let length = usize::from(octets[0]) + 1;
            octets.resize(length, 0x40);
            Record::Job { stream: *stream, kind: *kind, octets: octets.into() }
        }
        other => other.clone(),
    }
}

fn lines(said: &[Said]) -> Vec<&Said> {
    said.iter().filter(|said| matches!(said, Said::Ttc(_) | Said::Line(_))).collect()
}

fn same(ours: &[Said], recorded: &[Said]) {
    assert_eq!(lines(ours), lines(recorded));
    let (ours, recorded) = (by_lane(ours), by_lane(recorded));
    let mut lanes: Vec<_> = ours.keys().chain(recorded.keys()).collect();
    lanes.sort();
    lanes.dedup();
    for lane in lanes {
        assert_eq!(ours.get(lane), recorded.get(lane), "{lane}");
    }
}

#[test]
fn in_funets_place_as_opener_it_says_what_funet_said() {
    for (file, own, partner) in
        [("funet-to-funet", "NODEA", "NODEB"), ("funet-opens-again", "NODEB", "NODEA")]
    {
        let mut player = Player::new(settings(own, partner));
        let recorded = player.play(file, Direction::FromOpener, true);
        same(&player.ours, &recorded);
        let octets = common::octets_of(&capture(file), Direction::FromOpener);
        let sign_on = 33 + 19 + 62 + 19;
        assert_eq!(player.own_octets[..sign_on], octets[..sign_on], "octet for octet");
        assert!(player.has(&Event::Active { buffer_size: 4096 }));
    }
}

#[test]
fn in_funets_place_as_listener_it_says_what_funet_said() {
    for (file, own, partner) in
        [("funet-to-funet", "NODEB", "NODEA"), ("funet-opens-again", "NODEA", "NODEB")]
    {
        let mut player = Player::new(settings(own, partner));
        let recorded = player.play(file, Direction::FromListener, true);
        same(&player.ours, &recorded);
        let octets = common::octets_of(&capture(file), Direction::FromListener);
        let sign_on = 33 + 19 + 62;
        assert_eq!(player.own_octets[..sign_on], octets[..sign_on], "octet for octet");
    }
    let mut player = Player::new(settings("NODEB", "NODEA"));
    player.play("funet-to-funet", Direction::FromListener, true);
    assert_eq!(player.close_reason(), &CloseReason::SignedOff);
    assert_eq!(player.events.iter().filter(|e| matches!(e, Event::Whole(_))).count(), 10);
}

#[test]
fn a_job_in_one_ttb_in_one_block_and_without_permission_is_taken() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    let recorded = player.play("probes-files", Direction::FromListener, true);
    // FUNET closed at the abort, and did not see the last request.
    let last = player.ours.pop().unwrap();
    assert!(
        matches!(last, Said::Block { records, .. } if matches!(records[..], [Record::Permit(_)]))
    );
    assert!(matches!(player.events.pop(), Some(Event::Asked { .. })));
    same(&player.ours, &recorded);
    let stream = |rcb| StreamId::from_rcb(rcb).unwrap();
    let whole = player.events.iter().filter(|e| matches!(e, Event::Whole(_))).count();
    assert_eq!(whole, 4);
    let fast = player.events.iter().filter(|e| matches!(e, Event::Asked { open: true, .. }));
    assert_eq!(fast.count(), 1);
    assert_eq!(player.events.last(), Some(&Event::Aborted(stream(0x99))));
    assert_eq!(player.link.state(), LinkState::Active, "an abort costs a job, not the link");
}

#[test]
fn a_partner_that_says_wait_is_not_sent_to() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    let mut recorded = End::new();
    let mut held = false;
    let mut waited = false;
    for (index, piece) in capture("probes-wait-a-bit").into_iter().enumerate() {
        if piece.direction == Direction::FromListener {
            recorded.feed(&piece.octets);
            continue;
        }
        if index == 0 {
            let open = Ttc::parse(piece.octets[..33].try_into().unwrap()).unwrap();
            assert_eq!(player.link.peer_opened(&open, player.now), Opening::Accepted);
        } else {
            player.link.receive(&piece.octets, player.now);
        }
        let before = player.ours.len();
        player.listen();
        match player.events.last() {
            Some(Event::Held(true)) if !held => {
                held = true;
                let node = name("NODEA");
                let message = concord_nje::Message::notice(name("NODEB"), node, node, "later");
                player.link.send_message(&message).unwrap();
                assert!(player.link.take_output(player.now).is_none(), "nothing goes out");
            }
            Some(Event::Held(false)) if !waited => {
                waited = true;
                let said = &player.ours[before..];
                assert!(
                    matches!(said, [Said::Block { records, .. }] if matches!(records[..], [Record::Message(_)])),
                    "{said:?}"
                );
            }
            _ => {}
        }
    }
    assert!(held && waited);
    assert_eq!(player.close_reason(), &CloseReason::SequenceGap { expected: 4, found: 7 });
    let last = player.ours.last().unwrap();
    let Said::Block { records, .. } = last else { panic!("{last:?}") };
    assert_eq!(records[..], [Record::SequenceError(4)]);
}

#[test]
fn a_block_twice_is_dropped_and_a_record_in_pieces_is_whole() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    let recorded = player.play("probes-sequence", Direction::FromListener, true);
    same(&player.ours, &recorded);
    let records: Vec<usize> = player
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Job { item: JobItem::Record(record), .. } => Some(record.octets.len()),
            _ => None,
        })
        .collect();
    assert_eq!(records, [400], "FUNET takes it for two records; IBM's manual says one");
    assert_eq!(player.close_reason(), &CloseReason::SignedOff);
}

#[test]
fn syn_nak_is_answered_by_an_enquiry() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    let recorded = player.play("probes-line-nak", Direction::FromListener, false);
    same(&player.ours, &recorded);
    assert_eq!(player.link.state(), LinkState::EnquirySent);
}

#[test]
fn a_sign_on_of_another_node_ends_the_link() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    player.play("probes-wrong-sign-on", Direction::FromListener, false);
    let reason = player.close_reason();
    assert!(matches!(reason, CloseReason::WrongNode { .. }), "{reason:?}");
    let last = player.ours.last().unwrap();
    let Said::Block { records, .. } = last else { panic!("{last:?}") };
    assert_eq!(records[..], [Record::Control(Control::SignOff)]);
}

#[test]
fn njelib_signs_on_without_a_last_ack_and_sends_a_command() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    player.play("njelib-to-funet", Direction::FromListener, false);
    assert!(player.has(&Event::Active { buffer_size: 4096 }));
    let command =
        |e: &Event| matches!(e, Event::Message(m) if m.is_command() && m.words() == "CPQ TIME");
    assert!(player.events.iter().any(command), "{:?}", player.events);
    for file in ["njelib-first-try", "njelib-second-try"] {
        let mut player = Player::new(settings("NODEB", "NODEA"));
        player.play(file, Direction::FromListener, false);
        player.now += Duration::from_secs(60);
        player.link.elapse(player.now);
        player.listen();
        assert_eq!(player.close_reason(), &CloseReason::Silent(LinkState::AwaitInitial));
    }
}

#[test]
fn an_open_in_two_segments_is_no_matter_here() {
    let octets = common::octets_of(&capture("open-in-two-segments"), Direction::FromOpener);
    let open = Ttc::parse(octets[..33].try_into().unwrap()).unwrap();
    let mut link = Link::new(settings("NODEB", "NODEA"));
    assert_eq!(link.peer_opened(&open, Duration::ZERO), Opening::Accepted);
}

#[test]
fn opens_are_refused_as_funet_does() {
    for (file, reason) in [
        ("refused-no-such-link", NakReason::NoSuchLink),
        ("refused-wrong-node", NakReason::NoSuchLink),
        ("refused-link-active", NakReason::LinkActive),
        ("probes-second-open-refused", NakReason::LinkActive),
    ] {
        let octets = common::octets_of(&capture(file), Direction::FromOpener);
        let open = Ttc::parse(octets[..33].try_into().unwrap()).unwrap();
        let mut player = Player::new(settings("NODEB", "NODEA"));
        player.play("probes-second-open", Direction::FromListener, false);
        let refused = player.link.peer_opened(&open, player.now);
        if file.starts_with("probes") {
            // The first link was signed off at the recording's end.
            assert_eq!(refused, Opening::Accepted);
            let again = player.link.peer_opened(&open, player.now);
            assert!(matches!(again, Opening::Refused { reason: r, .. } if r == reason));
        } else if reason == NakReason::NoSuchLink {
            let Opening::Refused { nak, reason: r } = refused else { panic!("{file}") };
            assert_eq!(r, reason);
            let nak = Ttc::parse(nak[..].try_into().unwrap()).unwrap();
            assert_eq!(nak.sender, open.receiver);
        }
        // And what the refused end makes of it.
        let mut link = Link::new(settings("NODEA", "NODEB"));
        link.dialled(Duration::ZERO).unwrap();
        let nak = common::octets_of(&capture(file), Direction::FromListener);
        link.receive(&nak, Duration::ZERO);
        let Some(Event::Closed { reason: closed, .. }) = link.poll() else { panic!("{file}") };
        assert_eq!(closed, CloseReason::Refused(reason));
    }
}

#[test]
fn funets_file_comes_whole_with_a_small_buffer_and_never_with_one_too_large() {
    let mut player = Player::new(settings("NODEA", "NODEB"));
    player.play("buffer-200", Direction::FromOpener, false);
    let records = |player: &Player| {
        let record = |e: &&Event| matches!(e, Event::Job { item: JobItem::Record(_), .. });
        player.events.iter().filter(record).count()
    };
    assert_eq!(records(&player), 40);
    assert!(player.has(&Event::Whole(StreamId::from_rcb(0x99).unwrap())));
    let mut player = Player::new(settings("NODEA", "NODEB"));
    player.play("buffer-32768", Direction::FromOpener, false);
    assert_eq!(records(&player), 0, "why no more than 32760 is ever announced");
    assert!(settings("NODEA", "NODEB").agreed_buffer(u16::MAX) <= 4096);
    let mut large = settings("NODEA", "NODEB");
    large.buffer_size = u16::MAX;
    assert_eq!(large.agreed_buffer(u16::MAX), 32_760);
}

#[test]
fn a_refused_request_leaves_the_file_with_its_sender() {
    let mut player = Player::new(settings("NODEB", "NODEA"));
    player.play("refused-request", Direction::FromListener, true);
    let stream = StreamId::from_rcb(0x99).unwrap();
    assert!(player.has(&Event::Refused(stream)));
    assert!(!player.has(&Event::Confirmed(stream)));
}

/// FUNET dies of a receiver that cancels: we survive one, and are none to a
/// partner that would not.
#[test]
fn a_receiver_that_cancels_is_survived() {
    let stream = StreamId::from_rcb(0x99).unwrap();
    let mut player = Player::new(settings("NODEB", "NODEA"));
    let mut recorded = End::new();
    for (index, piece) in capture("receiver-cancels").into_iter().enumerate() {
        if piece.direction == Direction::FromOpener && index > 0 {
            player.link.receive(&piece.octets, player.now);
            player.listen();
            continue;
        }
        if index == 0 {
            let open = Ttc::parse(piece.octets[..33].try_into().unwrap()).unwrap();
            let _ = player.link.peer_opened(&open, player.now);
            player.listen();
            continue;
        }
        for said in recorded.feed(&piece.octets) {
            // Up to the first card; the rest would come behind the cancel.
            if !player.has(&Event::Permitted(stream)) || player.jobs.is_empty() {
                player.act(&said);
            }
        }
    }
    assert!(player.has(&Event::Cancelled(stream)), "{:?}", player.events);
    assert_eq!(player.close_reason(), &CloseReason::SignedOff);

    let mut player = Player::new(settings("NODEA", "NODEB"));
    let mut refused = None;
    player.link.dialled(Duration::ZERO).unwrap();
    for piece in capture("receiver-cancels") {
        if piece.direction == Direction::FromListener {
            player.link.receive(&piece.octets, player.now);
            player.listen();
            if player.events.iter().any(|e| matches!(e, Event::Job { .. })) {
                refused.get_or_insert_with(|| player.link.refuse(stream));
            }
        }
    }
    assert_eq!(refused, Some(Err(UseError::PartnerWouldDie)));
}
