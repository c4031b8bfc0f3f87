//! Option negotiation: what the server can do, and what the filter wants.

use crate::command::Command;
use crate::error::MilterError;
use crate::limits::{MAX_MACROS, MAX_STAGES};
use bytes::Bytes;
use std::ops::BitOr;

/// The version of the protocol that we speak: `SMFI_PROT_VERSION` 6.
pub(crate) const VERSION: u32 = 6;
/// The oldest that Sendmail still takes (`SMFI_PROT_VERSION_MIN`).
const OLDEST: u32 = 2;

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $constant:ident = $value:expr;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            /// None.
            pub const NONE: Self = Self(0);
            $($(#[$each])* pub const $constant: Self = Self($value);)*

            /// From the number on the wire.
            pub const fn from_bits(bits: u32) -> Self {
                Self(bits)
            }

            /// The number on the wire.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// Whether all of `other` is in this.
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// This without `other`.
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }

        impl BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    };
}

bits! {
    /// What a filter may change (`SMFIF_*`).
    Actions {
        /// Add header fields (`SMFIF_ADDHDRS`), also at a place.
        ADD_HEADERS = 0x1;
        /// Replace the body (`SMFIF_CHGBODY`).
        CHANGE_BODY = 0x2;
        /// Add recipients (`SMFIF_ADDRCPT`).
        ADD_RECIPIENT = 0x4;
        /// Remove recipients (`SMFIF_DELRCPT`).
        REMOVE_RECIPIENT = 0x8;
        /// Change and remove header fields (`SMFIF_CHGHDRS`).
        CHANGE_HEADERS = 0x10;
        /// Quarantine the message (`SMFIF_QUARANTINE`).
        QUARANTINE = 0x20;
        /// Change the reverse-path (`SMFIF_CHGFROM`).
        CHANGE_FROM = 0x40;
        /// Add recipients with ESMTP parameters (`SMFIF_ADDRCPT_PAR`).
        ADD_RECIPIENT_WITH_PARAMETERS = 0x80;
        /// Say which macros it wants (`SMFIF_SETSYMLIST`).
        CHOOSE_MACROS = 0x100;
        /// All of version 6.
        ALL = 0x1ff;
    }
}

bits! {
    /// Which steps a filter wants left out, and other habits (`SMFIP_*`).
    Steps {
        /// No connect.
        NO_CONNECT = 0x1;
        /// No HELO.
        NO_HELO = 0x2;
        /// No MAIL.
        NO_MAIL = 0x4;
        /// No RCPT.
        NO_RCPT = 0x8;
        /// No body.
        NO_BODY = 0x10;
        /// No header fields.
        NO_HEADERS = 0x20;
        /// No end of header.
        NO_END_OF_HEADER = 0x40;
        /// Header fields get no answer.
        NO_REPLY_HEADERS = 0x80;
        /// No unknown commands.
        NO_UNKNOWN = 0x100;
        /// No DATA.
        NO_DATA = 0x200;
        /// The filter may answer [`crate::Answer::Skip`] to a piece of the body.
        SKIP = 0x400;
        /// The filter wants recipients that the server refused, too.
        REFUSED_RECIPIENTS = 0x800;
        /// Connect gets no answer.
        NO_REPLY_CONNECT = 0x1000;
        /// HELO gets no answer.
        NO_REPLY_HELO = 0x2000;
        /// MAIL gets no answer.
        NO_REPLY_MAIL = 0x4000;
        /// RCPT gets no answer.
        NO_REPLY_RCPT = 0x8000;
        /// DATA gets no answer.
        NO_REPLY_DATA = 0x1_0000;
        /// Unknown commands get no answer.
        NO_REPLY_UNKNOWN = 0x2_0000;
        /// End of header gets no answer.
        NO_REPLY_END_OF_HEADER = 0x4_0000;
        /// Pieces of the body get no answer.
        NO_REPLY_BODY = 0x8_0000;
        /// Values of header fields keep the space behind the colon.
        LEADING_SPACE = 0x10_0000;
        /// All of version 6 but the larger packets (`SMFIP_MDS_*`), which
        /// nothing needs.
        ALL = 0x1f_ffff;
    }
}

/// The points of a session for which macros are sent (`SMFIM_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The client connected.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the message.
    EndOfMessage,
    /// The end of the header.
    EndOfHeader,
}

impl Stage {
    /// All of them, at their number on the wire.
    pub const ALL: [Self; MAX_STAGES] = [
        Self::Connect,
        Self::Helo,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::EndOfMessage,
        Self::EndOfHeader,
    ];

    /// The letter of the command that the macros belong to.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Connect => b'C',
            Self::Helo => b'H',
            Self::Mail => b'M',
            Self::Rcpt => b'R',
            Self::Data => b'T',
            Self::EndOfMessage => b'E',
            Self::EndOfHeader => b'N',
        }
    }

    /// Macros that Sendmail sends at this point unless told otherwise
    /// (`confMILTER_MACROS_*`).
    pub const fn usual_macros(self) -> &'static [&'static str] {
        match self {
            Self::Connect => {
                &["j", "_", "daemon_name", "daemon_port", "if_name", "if_addr", "client_port", "v"]
            }
            Self::Helo => &["tls_version", "cipher", "cipher_bits", "cert_subject", "cert_issuer"],
            Self::Mail => &[
                "i",
                "auth_type",
                "auth_authen",
                "auth_ssf",
                "auth_author",
                "mail_mailer",
                "mail_host",
                "mail_addr",
            ],
            Self::Rcpt => &["rcpt_mailer", "rcpt_host", "rcpt_addr"],
            Self::Data | Self::EndOfHeader => &["i"],
            Self::EndOfMessage => &["msg_id", "i"],
        }
    }
}

/// What the server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Changes that it can make.
    pub actions: Actions,
    /// Steps that can be left out, and habits.
    pub steps: Steps,
}

impl Default for Offer {
    /// All of version 6.
    fn default() -> Self {
        Self { actions: Actions::ALL, steps: Steps::ALL }
    }
}

impl Offer {
    /// The command that opens the conversation.
    pub const fn command(self) -> Command {
        Command::Negotiate { version: VERSION, actions: self.actions, steps: self.steps }
    }
}

/// What server and filter agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// The version that the filter speaks, 2 to 6.
    pub version: u32,
    /// Changes that the filter may ask for.
    pub actions: Actions,
    /// What the filter wants left out.
    pub steps: Steps,
    /// The macros that the filter wants at a stage, names without braces. A
    /// stage that is not named gets [`Stage::usual_macros`].
    pub macros: Vec<(Stage, Vec<String>)>,
}

impl Agreement {
    /// Checks the filter's answer against the offer.
    ///
    /// # Errors
    /// [`MilterError::Version`], [`MilterError::NotOffered`].
    pub(crate) fn new(
        offer: Offer,
        version: u32,
        actions: Actions,
        steps: Steps,
        lists: &[(u32, Bytes)],
    ) -> Result<Self, MilterError> {
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(MilterError::Version(version));
        }
        let extra = actions.without(offer.actions).bits();
        if extra != 0 {
            return Err(MilterError::NotOffered { what: "actions", bits: extra });
        }
        let extra = steps.without(offer.steps).bits();
        if extra != 0 {
            return Err(MilterError::NotOffered { what: "protocol steps", bits: extra });
        }
        // Commands that the older versions do not have (milter.c of Sendmail).
        let mut steps = steps;
        if version < 3 {
            steps = steps | Steps::NO_UNKNOWN;
        }
        if version < 4 {
            steps = steps | Steps::NO_DATA;
        }
        let macros = lists.iter().filter_map(|(stage, names)| named(*stage, names)).collect();
        Ok(Self { version, actions, steps, macros })
    }

    /// Whether the filter gets this macro, named without braces, at this stage.
    pub fn wants(&self, stage: Stage, name: &str) -> bool {
        match self.macros.iter().find(|(named, _)| *named == stage) {
            Some((_, names)) => names.iter().any(|n| n == name),
            None => stage.usual_macros().contains(&name),
        }
    }
}

/// Names parted by blanks or commas, with or without braces.
fn named(stage: u32, names: &Bytes) -> Option<(Stage, Vec<String>)> {
    let stage = *Stage::ALL.get(usize::try_from(stage).ok()?)?;
    let text = String::from_utf8_lossy(names);
    let names = text
        .split([' ', ',', '\t'])
        .map(|name| name.trim_start_matches('{').trim_end_matches('}'))
        .filter(|name| !name.is_empty())
        .take(MAX_MACROS)
        .map(str::to_owned)
        .collect();
    Some((stage, names))
}
