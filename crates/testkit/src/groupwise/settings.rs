//! How the system is made, and what can be made to go wrong.

use super::page::GatewayPage;
use std::time::Duration;

/// How the gateway writes addresses (Q222550).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressStyle {
    /// `WPD= ...; WPPO= ...; WPU= ...;`
    #[default]
    Component,
    /// `DOMAIN.POSTOFFICE.USER`; then the gateway does not know the component
    /// keywords either (Q222538).
    GroupWise,
}

/// What the gateway does if the name of an attachment is taken in `ATT_OUT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameClash {
    /// It finds another name for the file.
    #[default]
    Rename,
    /// It waits until the name is free and then uses it again.
    Wait,
}

/// How the names of attachments beyond ASCII come out of the file share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShareNames {
    /// The mount translates them.
    #[default]
    Utf8,
    /// They are octets of the gateway's code page (Q252689).
    CodePage,
}

/// A GroupWise system with one domain and an API gateway.
#[derive(Debug, Clone)]
pub struct GroupWiseSettings {
    /// Its own domain.
    pub domain: String,
    /// The post offices of its domain.
    pub post_offices: Vec<String>,
    /// External foreign domains that are linked to the gateway.
    pub foreign_domains: Vec<String>,
    /// How often the gateway looks into `API_IN`.
    pub pace: Duration,
    /// Hours that its clocks are ahead of UTC.
    pub hours_ahead: i8,
    /// Whether it writes that offset behind its dates.
    pub write_offset: bool,
    /// The knobs at the beginning.
    pub knobs: Knobs,
}

impl Default for GroupWiseSettings {
    fn default() -> Self {
        Self {
            domain: "GWDOM".into(),
            post_offices: vec!["GWPO".into()],
            foreign_domains: vec!["EXCHANGE".into()],
            pace: Duration::from_millis(20),
            hours_ahead: 0,
            write_offset: false,
            knobs: Knobs::default(),
        }
    }
}

/// A header that is written in pieces while the file is held open and locked.
#[derive(Debug, Clone, Copy)]
pub struct Slow {
    /// In how many pieces.
    pub pieces: usize,
    /// How long it rests behind each.
    pub rest: Duration,
}

/// What can be turned while it runs. What is said of "the next" happens once.
#[derive(Debug, Clone, Default)]
pub struct Knobs {
    /// The gateway's tables.
    pub page: GatewayPage,
    /// The gateway's addressing format.
    pub style: AddressStyle,
    /// What happens to equal names in `ATT_OUT`.
    pub clash: NameClash,
    /// How names of attachments look on the share.
    pub names: ShareNames,
    /// Every header is written slowly (Q242232, Q253349).
    pub slow: Option<Slow>,
    /// Ids longer than this are continued in another line, with many blanks
    /// behind the equals sign (Q244467).
    pub fold_ids: Option<usize>,
    /// The next two directory answers change places (Q222186).
    pub swap_answers: bool,
    /// The next directory answer breaks off in the middle, without `-END-`.
    pub truncate_answer: bool,
    /// The next directory answer has only this share of its objects, in
    /// percent, and looks complete (Q222186).
    pub shrink_answer: Option<u8>,
    /// The next header stays empty and locked (Q245431).
    pub empty_header: bool,
    /// The next message with content leaves its body in `ATT_OUT` and gets no
    /// header (Q234388).
    pub orphan_body: bool,
    /// The gateway is set to Synchronization: it answers no directory request
    /// and sends changes on its own (Q229821).
    pub synchronisation: bool,
    /// Busy searches and probes are taken and never answered (Q260690).
    pub mute_searches: bool,
    /// Headers come without a message type (Q244253).
    pub no_message_type: bool,
    /// Words of status reports in capitals, and `UNDELIVERED` for undeliverable.
    pub other_status_words: bool,
    /// The gateway takes nothing and writes nothing, as if it were stopped.
    pub stopped: bool,
}
