//! What a link is told: names, sizes, times, and what its partner does otherwise
//! than others.

use crate::limits::{MAX_BUFFER, MIN_BUFFER};
use crate::record::RecordStyle;
use crate::scb::Compression;
use crate::text::Name;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Settings of a link to one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSettings {
    /// The own node.
    pub own_node: Name,
    /// The partner's node, which it must give in OPEN and sign-on.
    pub partner_node: Name,
    /// What the control record says of the own address.
    pub own_address: Ipv4Addr,
    /// What it says of the partner's.
    pub partner_address: Ipv4Addr,
    /// The largest block that is announced, 300 to 32760 octets; the lower of
    /// both ends' rules. RSCS's default is 1024 (Q240439).
    pub buffer_size: u16,
    /// Passwords that are sent; blank means none. They cross the network in
    /// clear.
    pub line_password: Name,
    /// Likewise for the node.
    pub node_password: Name,
    /// The line password that the partner must send.
    pub expected_line_password: Option<Name>,
    /// The node password that the partner must send.
    pub expected_node_password: Option<Name>,
    /// Jobs of each kind that are sent at once, 1 to 7. PROFS hosts were set up
    /// for one (`ST=1`, Q240439).
    pub streams: u8,
    /// How the partner differs.
    pub partner: Partner,
    /// Times.
    pub timers: Timers,
    /// How large a job may be that is received.
    pub job_limit: JobLimit,
}

impl LinkSettings {
    /// A link between two nodes with usual settings.
    pub const fn new(own_node: Name, partner_node: Name) -> Self {
        Self {
            own_node,
            partner_node,
            own_address: Ipv4Addr::UNSPECIFIED,
            partner_address: Ipv4Addr::UNSPECIFIED,
            buffer_size: 8192,
            line_password: Name::BLANK,
            node_password: Name::BLANK,
            expected_line_password: None,
            expected_node_password: None,
            streams: 1,
            partner: Partner::usual(),
            timers: Timers::usual(),
            job_limit: JobLimit::usual(),
        }
    }

    /// The buffer that rules when the partner announces `theirs`.
    pub fn agreed_buffer(&self, theirs: u16) -> u16 {
        self.buffer_size.min(theirs).clamp(MIN_BUFFER, MAX_BUFFER)
    }
}

/// What the first block's control octet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstBlock {
    /// X'A0', a reset, as FUNET sends.
    #[default]
    Reset,
    /// X'80', as NJELIB sends.
    Normal,
}

/// Whether K and L records are sent after J.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrence {
    /// If the partner's record reads like that of a path manager.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a partner differs from others. Whatever is set here only changes what is
/// sent to it; everything that any of them sends is understood in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner {
    /// It wants X'FF' behind the short sequences. NJELIB cannot read it.
    pub padding: bool,
    /// How the first block is numbered.
    pub first_block: FirstBlock,
    /// How records are written: compression, and two octets that peers write
    /// differently and none was seen to look at.
    pub style: RecordStyle,
    /// NCCIFEAT of our sign-on; `None` sends the record's length without it, as
    /// FUNET does.
    pub features: Option<u32>,
    /// NCCIREST of our sign-on.
    pub resistance: u16,
    /// Whether K and L records are sent.
    pub concurrence: Concurrence,
    /// It puts records of more than 255 octets together again. FUNET takes each
    /// piece for a record.
    pub spanned_records: bool,
    /// It survives a receiver that cancels a job (B0 when it has begun). FUNET
    /// dies of it.
    pub survives_cancel: bool,
}

impl Partner {
    /// What every known peer takes.
    pub const fn usual() -> Self {
        Self {
            padding: false,
            first_block: FirstBlock::Reset,
            style: RecordStyle {
                compression: Compression::Runs,
                message_srcb: 0x80,
                end_of_file_srcb: 0x80,
            },
            features: Some(0),
            resistance: 0,
            concurrence: Concurrence::Auto,
            spanned_records: false,
            survives_cancel: false,
        }
    }

    /// As FUNET-NJE itself writes: padded, with a short sign-on record, nothing
    /// compressed.
    pub const fn funet() -> Self {
        let mut partner = Self::usual();
        partner.padding = true;
        partner.features = None;
        partner.style.compression = Compression::Literals;
        partner
    }

    /// As NJELIB itself writes.
    pub const fn njelib() -> Self {
        let mut partner = Self::usual();
        partner.first_block = FirstBlock::Normal;
        partner.features = Some(0x1500_0000);
        partner.resistance = 100;
        partner.concurrence = Concurrence::Always;
        partner.style.message_srcb = 0;
        partner.style.end_of_file_srcb = 0;
        partner
    }

    /// For RSCS of VM and z/VM. No such system was at hand: taken from manuals.
    pub const fn rscs() -> Self {
        let mut partner = Self::usual();
        partner.spanned_records = true;
        partner.survives_cancel = true;
        partner
    }

    /// For JES2 of z/OS. No such system was at hand: taken from manuals.
    pub const fn jes2() -> Self {
        let mut partner = Self::rscs();
        partner.features = Some(0x1500_0000);
        partner.resistance = 100;
        partner
    }
}

impl Default for Partner {
    fn default() -> Self {
        Self::usual()
    }
}

/// Times of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// From the connection to the active link: peers give up after 10 to 15
    /// seconds.
    pub handshake: Duration,
    /// Idle time after which an empty TTB is sent.
    pub keep_alive: Duration,
    /// How long the old connection of a link may be silent when the partner opens
    /// it again; then it counts as dead.
    pub probe: Duration,
    /// How long an active link may be silent; `None` leaves that to TCP, since
    /// not every peer gives signs of life.
    pub silence: Option<Duration>,
}

impl Timers {
    /// 15 seconds, a minute, 30 seconds, no limit.
    pub const fn usual() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            keep_alive: Duration::from_secs(60),
            probe: Duration::from_secs(30),
            silence: None,
        }
    }
}

/// How large a received job may be. A job beyond costs the partner its link: it
/// is told nothing, since what it sent cannot be refused in the middle without
/// killing some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimit {
    /// Data records.
    pub records: u64,
    /// Octets of data records.
    pub octets: u64,
    /// Data sets.
    pub data_sets: u32,
}

impl JobLimit {
    /// A million records, 256 MiB, a thousand data sets: more than spool files of
    /// mail have.
    pub const fn usual() -> Self {
        Self { records: 1_000_000, octets: 256 * 1024 * 1024, data_sets: 1_000 }
    }
}
