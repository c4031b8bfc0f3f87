//! What holds for any input, for the fuzzer.

use super::{Arrived, Envelope, Gathered, People, SentKey, inbound, outbound, told};
use concord_address::{Domain, SmtpAddress};
use concord_groupwise_api::model::{Address, Message};
use concord_groupwise_api::{Characters, Reading, read, write};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A directory that knows nobody.
struct Nobody;

impl People for Nobody {
    fn groupwise(&self, _: &SmtpAddress) -> Option<Address> {
        None
    }

    fn internet(&self, _: &Address) -> Option<SmtpAddress> {
        None
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let (Ok(recipient), Ok(domain)) = ("bob@gw.example".parse(), "gw.example".parse()) else {
        return;
    };
    out(data, recipient, &domain);
    back(data, &domain);
}

fn out(data: &[u8], recipient: SmtpAddress, domain: &Domain) {
    let envelope = Envelope {
        key: SentKey { queue_id: "Q1".into(), recipient, meeting: None },
        sender: Address::new("EXCHANGE", "US", "ann"),
        recipient: Address::new("GWDOM", "GWPO", "bob"),
        notify_success: false,
    };
    let Some(converted) = outbound(data, &envelope, &Nobody, domain) else { return };
    let (said, content) = converted.place(1, Characters::default());
    let written = write(&said, Characters::default());
    assert!(
        matches!(read(&written.octets, Characters::default()), Reading::Complete(_)),
        "what is sent is a whole header"
    );
    let octets: usize = content.iter().map(|one| one.octets.len()).sum();
    assert!(octets <= 4096 + data.len() * 16, "content is bounded");
}

fn back(data: &[u8], domain: &Domain) {
    let Reading::Complete(header) = read(data, Characters::default()) else { return };
    match header.message {
        Message::Item(item) => {
            let files = item.attachments.iter().map(|_| Some(data.to_vec())).take(4).collect();
            let gathered = Gathered { body: Some(data.to_vec()), attachments: files };
            let (zone, found) = (TimeZone::UTC, Timestamp::UNIX_EPOCH);
            let arrived = Arrived { people: &Nobody, domain, zone: &zone, found };
            let one = inbound(&item, &gathered, &arrived);
            assert_eq!(one, inbound(&item, &gathered, &arrived), "the same every time");
        }
        Message::Status(status) => drop(told(&status, &TimeZone::UTC)),
        Message::Search(_) | Message::BusyAnswer(_) | Message::Directory(_) => {}
    }
}
