//! Whole conversations, and what must not happen in one.

// Clippy takes only the functions marked as tests for tests; all of this is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use bytes::{Bytes, BytesMut};
use concord_milter::{
    Actions, Answer, Bounds, Client, Command, Edit, Event, MilterError, Offer, PacketReader, Peer,
    ReplyCode, Response, Sent, Stage, Steps,
};
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds { new_body: 100 };

struct Talk {
    client: Client,
    out: BytesMut,
}

impl Talk {
    fn new(actions: Actions, steps: Steps, macros: Vec<(u32, Bytes)>) -> Self {
        let mut talk = Self { client: Client::new(Offer::default(), BOUNDS), out: BytesMut::new() };
        assert_eq!(talk.client.negotiate(&mut talk.out), Ok(Sent::Answer));
        talk.says(&Response::Negotiate { version: 6, actions, steps, macros });
        assert_eq!(talk.client.poll(), Ok(Some(Event::Agreed)));
        talk.out.clear();
        talk
    }

    /// Up to a place where `end_of_message` may follow.
    fn in_message(actions: Actions) -> Self {
        let mut talk = Self::new(actions, Steps::NONE, Vec::new());
        talk.go(|c, o| c.connect("h", Peer::Unknown, o));
        talk.go(|c, o| c.mail("<a@example>", &[], o));
        talk.go(|c, o| c.rcpt("<b@example>", &[], o));
        talk.go(|c, o| c.end_of_header(o));
        talk
    }

    fn says(&mut self, response: &Response) {
        let mut packet = BytesMut::new();
        response.write(&mut packet);
        self.client.feed(&packet);
    }

    fn answered(&mut self, response: &Response) -> Result<Option<Event>, MilterError> {
        self.says(response);
        self.client.poll()
    }

    fn go(&mut self, send: impl FnOnce(&mut Client, &mut BytesMut) -> Result<Sent, MilterError>) {
        assert_eq!(send(&mut self.client, &mut self.out), Ok(Sent::Answer));
        let answer = Some(Event::Answer(Answer::Continue));
        assert_eq!(self.answered(&Response::Continue), Ok(answer));
    }

    fn commands(&mut self) -> Vec<Command> {
        let mut reader = PacketReader::new();
        reader.feed(&self.out.split());
        let mut commands = Vec::new();
        while let Some((letter, data)) = reader.next_packet().unwrap() {
            commands.push(Command::parse(letter, data).unwrap());
        }
        commands
    }
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn a_message_goes_through_all_its_stages() {
    let mut talk = Talk::new(Actions::ALL, Steps::NONE, Vec::new());
    let (client, out) = (&mut talk.client, &mut talk.out);
    client.macros(Stage::Connect, &[("j", "mx.example"), ("i", "not here")], out).unwrap();
    talk.go(|c, o| c.connect("h", Peer::Ip([192, 0, 2, 1].into(), 25), o));
    talk.go(|c, o| c.helo("h.example", o));
    talk.go(|c, o| c.mail("<a@example>", &["SIZE=3".to_owned()], o));
    talk.go(|c, o| c.rcpt("<b@example>", &[], o));
    talk.go(|c, o| c.data(o));
    talk.go(|c, o| c.header(b"Subject", b" two\r\n  lines", o));
    talk.go(|c, o| c.end_of_header(o));
    talk.go(|c, o| c.body(text("hello\r\n"), o));
    assert_eq!(talk.client.end_of_message(&mut talk.out), Ok(Sent::Answer));
    let edit = Edit::AddHeader { name: text("X"), value: text("y") };
    assert_eq!(talk.answered(&Response::Progress), Ok(Some(Event::Progress)));
    let event = talk.answered(&Response::Edit(edit.clone()));
    assert_eq!(event, Ok(Some(Event::Edit(edit))));
    let accepted = Ok(Some(Event::Answer(Answer::Accept)));
    assert_eq!(talk.answered(&Response::Accept), accepted);
    // The next message of the session, and the next client on the connection;
    // only behind `Continue`, as libmilter does not hear of it elsewhere.
    let too_early = Err(MilterError::OutOfOrder("quit for a new connection"));
    assert_eq!(talk.client.quit_new_connection(&mut talk.out), too_early);
    talk.go(|c, o| c.mail("<>", &[], o));
    talk.client.abort(&mut talk.out).unwrap();
    assert_eq!(talk.client.quit_new_connection(&mut talk.out), too_early);
    talk.go(|c, o| c.mail("<>", &[], o));
    talk.go(|c, o| c.end_of_header(o));
    talk.go(|c, o| c.end_of_message(o));
    talk.client.quit_new_connection(&mut talk.out).unwrap();
    talk.go(|c, o| c.connect("h", Peer::Unknown, o));
    assert_eq!(talk.client.quit_new_connection(&mut talk.out), too_early);
    talk.client.quit(&mut talk.out);
    let commands = talk.commands();
    let letters: String = commands.iter().map(|c| char::from(c.letter())).collect();
    assert_eq!(letters, "DCHMRTLNBEMAMNEKCQ");
    assert_eq!(commands[0], Command::Macros(b'C', vec![(text("j"), text("mx.example"))]));
    assert_eq!(commands[6], Command::Header(text("Subject"), text("two\n  lines")));
}

#[test]
fn what_the_filter_does_not_want_is_not_sent() {
    let steps = Steps::NO_CONNECT | Steps::NO_HELO | Steps::NO_BODY | Steps::NO_REPLY_HEADERS;
    let mut talk = Talk::new(Actions::NONE, steps | Steps::LEADING_SPACE, Vec::new());
    let (client, out) = (&mut talk.client, &mut talk.out);
    client.macros(Stage::Connect, &[("j", "mx.example")], out).unwrap();
    assert_eq!(client.connect("h", Peer::Unknown, out), Ok(Sent::Nothing));
    assert_eq!(client.helo("h", out), Ok(Sent::Nothing));
    talk.go(|c, o| c.mail("<>", &[], o));
    talk.go(|c, o| c.rcpt("<b@example>", &[], o));
    let (client, out) = (&mut talk.client, &mut talk.out);
    assert_eq!(client.header(b"A", b" b", out), Ok(Sent::NoAnswer));
    talk.go(|c, o| c.end_of_header(o));
    assert!(!talk.client.wants_body());
    assert_eq!(talk.client.body(text("x"), &mut talk.out), Ok(Sent::Nothing));
    let commands = talk.commands();
    assert_eq!(commands[2], Command::Header(text("A"), text(" b")));
    assert_eq!(commands.len(), 4);
}

#[test]
fn an_old_filter_gets_only_commands_that_it_knows() {
    let mut client = Client::new(Offer::default(), BOUNDS);
    let mut out = BytesMut::new();
    let _ = client.negotiate(&mut out);
    client.feed(b"\0\0\0\x0dO\0\0\0\x02\0\0\0\0\0\0\0\0");
    assert_eq!(client.poll(), Ok(Some(Event::Agreed)));
    assert!(client.agreement().steps.has(Steps::NO_DATA | Steps::NO_UNKNOWN));
}

#[test]
fn the_filter_chooses_its_macros() {
    let mut talk = Talk::new(Actions::NONE, Steps::NONE, vec![(0, text("{client_name},j i"))]);
    let (client, out) = (&mut talk.client, &mut talk.out);
    client.macros(Stage::Connect, &[("client_name", "h"), ("v", "1"), ("i", "Q")], out).unwrap();
    let pairs = vec![(text("client_name"), text("h")), (text("i"), text("Q"))];
    assert_eq!(talk.commands(), [Command::Macros(b'C', pairs)]);
}

#[test]
fn nothing_is_taken_that_was_not_offered_or_agreed() {
    let offer = Offer { actions: Actions::ADD_HEADERS, steps: Steps::NONE };
    for (answer, error) in [
        (b"\0\0\0\x0dO\0\0\0\x06\0\0\0\x03\0\0\0\0", "actions"),
        (b"\0\0\0\x0dO\0\0\0\x06\0\0\0\x01\0\0\0\x01", "protocol steps"),
    ] {
        let mut client = Client::new(offer, BOUNDS);
        let _ = client.negotiate(&mut BytesMut::new());
        client.feed(answer);
        let found = client.poll();
        assert!(matches!(found, Err(MilterError::NotOffered { what, .. }) if what == error));
    }
    let mut talk = Talk::in_message(Actions::ADD_HEADERS);
    let _ = talk.client.end_of_message(&mut talk.out);
    let edit = Response::Edit(Edit::RemoveRecipient(text("<b@example>")));
    assert_eq!(talk.answered(&edit), Err(MilterError::NotAgreed("remove recipient")));
}

#[test]
fn changes_come_at_the_end_only_and_within_bounds() {
    let mut talk = Talk::in_message(Actions::ALL);
    let _ = talk.client.body(text("x"), &mut talk.out);
    let edit = Response::Edit(Edit::Quarantine(text("why")));
    assert!(matches!(talk.answered(&edit), Err(MilterError::Unexpected { .. })));
    let mut talk = Talk::in_message(Actions::ALL);
    let _ = talk.client.end_of_message(&mut talk.out);
    let piece = Response::Edit(Edit::ReplaceBody(Bytes::from(vec![b'x'; 60])));
    assert!(talk.answered(&piece).is_ok());
    assert_eq!(talk.answered(&piece), Err(MilterError::BodyTooLarge(100)));
    assert!(talk.client.mail("<>", &[], &mut talk.out).is_err(), "the connection is over");
}

#[test]
fn a_refused_recipient_leaves_the_message() {
    let mut talk = Talk::new(Actions::NONE, Steps::NONE, Vec::new());
    talk.go(|c, o| c.connect("h", Peer::Unknown, o));
    talk.go(|c, o| c.mail("<>", &[], o));
    let _ = talk.client.rcpt("<b@example>", &[], &mut talk.out);
    let words = ReplyCode { code: 550, status: Some((5, 1, 1)), lines: vec!["no".to_owned()] };
    let event = talk.answered(&Response::Reply(words.clone()));
    assert_eq!(event, Ok(Some(Event::Answer(Answer::Reply(words)))));
    talk.go(|c, o| c.rcpt("<c@example>", &[], o));
    let _ = talk.client.data(&mut talk.out);
    talk.answered(&Response::Accept).unwrap();
    let after = talk.client.header(b"A", b"b", &mut talk.out);
    assert_eq!(after, Err(MilterError::OutOfOrder("header")));
    talk.client.abort(&mut talk.out).unwrap();
    talk.go(|c, o| c.mail("<>", &[], o));
}

#[test]
fn skip_ends_the_body_and_fits_nowhere_else() {
    let mut talk = Talk::in_message(Actions::NONE);
    let _ = talk.client.body(text("x"), &mut talk.out);
    assert_eq!(talk.answered(&Response::Skip), Ok(Some(Event::Answer(Answer::Skip))));
    assert_eq!(talk.client.body(text("y"), &mut talk.out), Ok(Sent::Nothing));
    let _ = talk.client.end_of_message(&mut talk.out);
    assert!(matches!(talk.answered(&Response::Skip), Err(MilterError::Unexpected { .. })));
}

#[test]
fn an_answer_that_nobody_asked_for_is_an_error() {
    let mut talk = Talk::in_message(Actions::NONE);
    assert!(matches!(talk.answered(&Response::Continue), Err(MilterError::Unexpected { .. })));
}

fn edits() -> impl Strategy<Value = Edit> {
    let octets = || proptest::collection::vec(1_u8..=255, 0..40).prop_map(Bytes::from);
    let path = || "[!-~]{1,20}".prop_map(Bytes::from);
    let name = || "[a-zA-Z-]{1,20}".prop_map(Bytes::from);
    prop_oneof![
        (name(), octets()).prop_map(|(name, value)| Edit::AddHeader { name, value }),
        (any::<u32>(), name(), octets()).prop_map(|(at, name, value)| Edit::InsertHeader {
            at,
            name,
            value
        }),
        (any::<u32>(), name(), octets()).prop_map(|(occurrence, name, value)| {
            Edit::ChangeHeader { occurrence, name, value }
        }),
        octets().prop_map(Edit::ReplaceBody),
        (path(), proptest::option::of(path()))
            .prop_map(|(path, parameters)| Edit::ChangeFrom { path, parameters }),
        (path(), proptest::option::of(path()))
            .prop_map(|(path, parameters)| Edit::AddRecipient { path, parameters }),
        path().prop_map(Edit::RemoveRecipient),
        octets().prop_map(Edit::Quarantine),
    ]
}

proptest! {
    #[test]
    fn every_change_reads_back_as_it_was_written(edit in edits(), cut in 1_usize..9) {
        let mut out = BytesMut::new();
        Response::Edit(edit.clone()).write(&mut out);
        let mut reader = PacketReader::new();
        let mut found = None;
        for piece in out.chunks(cut) {
            reader.feed(piece);
            if let Some((letter, data)) = reader.next_packet().unwrap() {
                found = Some(Response::parse(letter, data).unwrap());
            }
        }
        prop_assert_eq!(found, Some(Response::Edit(edit)));
    }

    #[test]
    fn no_octets_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        concord_milter::fuzz(&data);
    }
}
