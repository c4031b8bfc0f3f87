//! A partner that says anything.

use super::table::ReceiveInput;
use super::{Event, JobItem, Link, LinkState};
use crate::frame::write_ttb;
use crate::limits::{MAX_PIECE, MAX_STREAMS};
use crate::settings::LinkSettings;
use crate::stream::{StreamId, StreamKind};
use crate::text::Name;
use crate::ttc::Ttc;
use bytes::{BufMut, BytesMut};
use std::time::Duration;

/// Feeds a link that was dialled, one that was opened, and an active one.
pub(crate) fn fuzz(data: &[u8]) {
    let (own, partner) = (Name::BLANK, Name::new("P").unwrap_or_default());
    let mut settings = LinkSettings::new(own, partner);
    settings.partner.survives_cancel = true;
    let now = Duration::ZERO;
    for prepare in 0..3_u8 {
        let mut link = Link::new(settings.clone());
        match prepare {
            0 => {
                let _ = link.dialled(now);
            }
            _ => drop(link.peer_opened(&Ttc::open(partner, own), now)),
        }
        if prepare == 2 {
            link.state = LinkState::Active;
            let _ = link.start(StreamKind::Sysout);
        }
        for (index, piece) in data.chunks(97).enumerate() {
            link.receive(piece, now);
            while let Some(event) = link.poll() {
                match event {
                    Event::Asked { stream, .. } if index % 2 == 0 => {
                        let _ = link.permit(stream);
                    }
                    Event::Asked { stream, .. } | Event::Job { stream, .. } if index % 5 == 1 => {
                        let _ = link.refuse(stream);
                    }
                    Event::Whole(stream) => {
                        let _ = link.acknowledge(stream);
                    }
                    Event::Permitted(stream) => {
                        let _ = link.end(stream);
                    }
                    _ => {}
                }
            }
            let _ = link.take_output(now);
        }
        link.lost();
        assert_eq!(link.state(), LinkState::Down, "a link without a connection is down");
    }
}

/// Feeds an active link one block with these records, on streams that are open.
pub(crate) fn fuzz_block(records: &[u8]) {
    let (own, partner) = (Name::BLANK, Name::new("P").unwrap_or_default());
    let mut link = Link::new(LinkSettings::new(own, partner));
    let now = Duration::ZERO;
    drop(link.peer_opened(&Ttc::open(partner, own), now));
    link.state = LinkState::Active;
    for stream in StreamId::all(StreamKind::Sysout, MAX_STREAMS) {
        let receiving = link.receiving.entry(stream).or_default();
        receiving.step(ReceiveInput::Request);
        receiving.step(ReceiveInput::Permit);
    }
    let mut block = BytesMut::from(&b"\x10\x02\x80\x8f\xcf"[..]);
    block.put_slice(records);
    let mut ttb = BytesMut::new();
    write_ttb(&[block.freeze()], &mut ttb);
    link.receive(&ttb, now);
    let mut decoded = 0_usize;
    while let Some(event) = link.poll() {
        if let Event::Job { item: JobItem::Record(record), .. } = event {
            decoded = decoded.saturating_add(record.octets.len());
        }
    }
    // A length octet with nothing behind it is a card of blanks: four octets of a
    // block become 255 at most.
    assert!(decoded <= records.len().saturating_mul(MAX_PIECE), "what a block becomes is bounded");
}
