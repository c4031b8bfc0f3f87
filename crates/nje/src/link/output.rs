//! What goes out: records become blocks, blocks become TTBs.

use crate::block::{BLOCK_OVERHEAD, Bcb, Block, DataBlock, Fcs};
use crate::frame::{ttb_length, write_ttb};
use crate::limits::{MAX_PENDING, TTB_FILL};
use crate::record::Record;
use crate::settings::{FirstBlock, Partner};
use crate::sign_on::Control;
use crate::stream::StreamId;
use crate::ttc::Ttc;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;

/// Records that may share a block. A block carries records of one job only
/// (HASA600, FCS); requests and answers go one by one, as FUNET sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Control,
    Console,
    Stream(StreamId),
}

#[derive(Debug)]
pub(crate) struct Output {
    partner: Partner,
    wire: BytesMut,
    pending: VecDeque<(Lane, Vec<u8>)>,
    pending_octets: usize,
    /// The largest block.
    limit: usize,
    count: u8,
    began: bool,
    own_fcs: Fcs,
    announce: bool,
    peer_fcs: Fcs,
}

impl Output {
    pub(crate) fn new(partner: Partner) -> Self {
        Self {
            partner,
            wire: BytesMut::new(),
            pending: VecDeque::new(),
            pending_octets: 0,
            limit: usize::from(crate::limits::MIN_BUFFER),
            count: 0,
            began: false,
            own_fcs: Fcs::ALL,
            announce: false,
            peer_fcs: Fcs::ALL,
        }
    }

    pub(crate) const fn set_limit(&mut self, octets: usize) {
        self.limit = octets;
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.pending_octets >= MAX_PENDING
    }

    /// Takes over what the partner lets run; says whether holding everything
    /// began or ended.
    pub(crate) fn peer_allows(&mut self, fcs: Fcs) -> Option<bool> {
        let before = self.peer_fcs.holds_all();
        self.peer_fcs = fcs;
        (before != fcs.holds_all()).then_some(fcs.holds_all())
    }

    /// Says what the partner may let run, in the next block; that may be a null
    /// block, and goes out even if the partner holds everything: else both could
    /// wait for each other.
    pub(crate) fn announce(&mut self, fcs: Fcs) {
        if self.own_fcs != fcs {
            self.own_fcs = fcs;
            self.announce = true;
        }
    }

    pub(crate) fn ttc(&mut self, ttc: &Ttc) {
        self.wire.put_slice(&ttc.octets());
    }

    /// One of the short sequences, at once.
    pub(crate) fn line(&mut self, block: &Block) {
        let octets = block.octets(self.partner.padding);
        write_ttb(&[octets], &mut self.wire);
    }

    /// A sign-on record, at once.
    pub(crate) fn control(&mut self, control: &Control) {
        let block = self.block(control.octets().into());
        write_ttb(&[block], &mut self.wire);
    }

    /// A sign of life, if nothing else is on its way: they must not pile up.
    pub(crate) fn keep_alive(&mut self) {
        if self.wire.is_empty() {
            write_ttb(&[], &mut self.wire);
        }
    }

    pub(crate) fn push(&mut self, lane: Lane, record: &Record) {
        let octets = record.octets(self.partner.style);
        self.pending_octets = self.pending_octets.saturating_add(octets.len());
        self.pending.push_back((lane, octets));
    }

    /// Forgets what was to go on a stream.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.pending.retain(|(lane, _)| *lane != Lane::Stream(stream));
        self.pending_octets = self.pending.iter().map(|(_, octets)| octets.len()).sum();
    }

    /// Whether anything waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.wire.is_empty() && self.pending.is_empty()
    }

    fn runs(&self, lane: Lane) -> bool {
        match lane {
            Lane::Control => !self.peer_fcs.holds_all(),
            Lane::Console => self.peer_fcs.console_runs(),
            Lane::Stream(stream) => self.peer_fcs.runs(stream),
        }
    }

    /// Makes TTBs of what may go.
    pub(crate) fn flush(&mut self) {
        let mut blocks = Vec::new();
        let mut held = VecDeque::new();
        let mut open: Option<(Lane, BytesMut)> = None;
        for (lane, octets) in std::mem::take(&mut self.pending) {
            if !self.runs(lane) {
                held.push_back((lane, octets));
                continue;
            }
            self.pending_octets = self.pending_octets.saturating_sub(octets.len());
            let room = self.limit.saturating_sub(BLOCK_OVERHEAD);
            match &mut open {
                Some((same, records))
                    if *same == lane
                        && lane != Lane::Control
                        && records.len().saturating_add(octets.len()) <= room =>
                {
                    records.put_slice(&octets);
                }
                _ => {
                    if let Some((_, records)) = open.replace((lane, BytesMut::from(&octets[..]))) {
                        blocks.push(self.closed(records));
                    }
                }
            }
        }
        self.pending = held;
        if let Some((_, records)) = open {
            blocks.push(self.closed(records));
        }
        if blocks.is_empty() && self.announce {
            blocks.push(self.closed(BytesMut::new()));
        }
        self.frame(&blocks);
    }

    /// The output so far, for sending.
    pub(crate) fn take(&mut self) -> Bytes {
        self.wire.split().freeze()
    }

    fn frame(&mut self, blocks: &[Bytes]) {
        let mut rest = blocks;
        while !rest.is_empty() {
            let mut count = 1;
            while rest.get(..=count).is_some_and(|some| ttb_length(some) <= TTB_FILL) {
                count = count.saturating_add(1);
            }
            let (ttb, behind) = rest.split_at(count);
            write_ttb(ttb, &mut self.wire);
            rest = behind;
        }
    }

    fn closed(&mut self, mut records: BytesMut) -> Bytes {
        records.put_u8(0);
        self.block(records.freeze())
    }

    fn block(&mut self, records: Bytes) -> Bytes {
        let bcb = if !self.began && self.partner.first_block == FirstBlock::Reset {
            Bcb::Reset(0)
        } else {
            let count = self.count;
            self.count = count.wrapping_add(1) & 0x0f;
            Bcb::Normal(count)
        };
        self.began = true;
        self.announce = false;
        Block::Data(DataBlock { bcb, fcs: self.own_fcs, records }).octets(false)
    }
}
