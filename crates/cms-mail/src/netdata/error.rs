//! What can be wrong with NETDATA.

use crate::Place;
use concord_base::{EnhancedStatus, Fault, Retry};

/// Why records are not a NETDATA transmission. Places are those of the spool
/// file's records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetdataError {
    /// The records end before the trailer.
    #[error("the NETDATA ends at {0}, before its trailer (INMR06): part of it is missing")]
    Truncated(Place),
    /// Larger than [`crate::limits::MAX_SPOOL_OCTETS`].
    #[error("the NETDATA has more than {0} octets")]
    TooLarge(usize),
    /// A record begins where another has not ended.
    #[error("a record begins at {0} before the one before it has ended")]
    RecordNotEnded(Place),
    /// A segment goes on where no record has begun.
    #[error("a segment at {0} continues a record that never began")]
    RecordNotBegun(Place),
    /// Segments of one record differ in whether it is a control record.
    #[error("the record with the segment at {0} is half a control record, half data")]
    MixedRecord(Place),
    /// A data record is longer than [`crate::limits::MAX_RECORD`].
    #[error("the record at {0} is longer than the {most} octets that are allowed", most = crate::limits::MAX_RECORD)]
    RecordTooLong(Place),
    /// A control record is longer than [`crate::limits::MAX_CONTROL_RECORD`].
    #[error("the control record at {0} is longer than the {most} octets that are allowed", most = crate::limits::MAX_CONTROL_RECORD)]
    ControlTooLong(Place),
    /// It does not begin with a header or an acknowledgement.
    #[error("the record at {0} is no NETDATA header (INMR01)")]
    NoHeader(Place),
    /// A second header.
    #[error("a second header (INMR01) stands at {0}")]
    SecondHeader(Place),
    /// A control record of no known name.
    #[error("the control record at {0} has a name that NETDATA does not have")]
    UnknownControl(Place),
    /// A text unit that its control record cuts off.
    #[error("a text unit of the control record at {0} is cut off")]
    UnitCut(Place),
    /// A number of more octets than any has.
    #[error("the text unit X'{key:04X}' at {place} is a number of {octets} octets; 8 are the most")]
    NumberTooLong {
        /// Its control record.
        place: Place,
        /// Its key.
        key: u16,
        /// Its octets.
        octets: usize,
    },
    /// Data without a description (INMR03 after INMR02) before it.
    #[error("data at {0} come before a description of their file")]
    DataWithoutFile(Place),
    /// A file's data are described (INMR03), but not the file (INMR02).
    #[error("the data control record at {0} belongs to no file")]
    FileNotDescribed(Place),
    /// More files than [`crate::limits::MAX_FILES`].
    #[error("there are more than {most} files at {0}", most = crate::limits::MAX_FILES)]
    TooManyFiles(Place),
    /// More recipients than [`crate::limits::MAX_RECIPIENTS`].
    #[error("there are more than {most} recipients at {0}", most = crate::limits::MAX_RECIPIENTS)]
    TooManyRecipients(Place),
    /// A name with more qualifiers than [`crate::limits::MAX_QUALIFIERS`].
    #[error("the file's name at {0} has more than {most} parts", most = crate::limits::MAX_QUALIFIERS)]
    NameTooLong(Place),
}

impl Fault for NetdataError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated(_) => "netdata.truncated",
            Self::TooLarge(_) => "netdata.too-large",
            Self::RecordNotEnded(_) => "netdata.record-not-ended",
            Self::RecordNotBegun(_) => "netdata.record-not-begun",
            Self::MixedRecord(_) => "netdata.mixed-record",
            Self::RecordTooLong(_) => "netdata.record-too-long",
            Self::ControlTooLong(_) => "netdata.control-too-long",
            Self::NoHeader(_) => "netdata.no-header",
            Self::SecondHeader(_) => "netdata.second-header",
            Self::UnknownControl(_) => "netdata.unknown-control",
            Self::UnitCut(_) => "netdata.unit-cut",
            Self::NumberTooLong { .. } => "netdata.number-too-long",
            Self::DataWithoutFile(_) => "netdata.data-without-file",
            Self::FileNotDescribed(_) => "netdata.file-not-described",
            Self::TooManyFiles(_) => "netdata.too-many-files",
            Self::TooManyRecipients(_) => "netdata.too-many-recipients",
            Self::NameTooLong(_) => "netdata.name-too-long",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::TooLarge(_) | Self::RecordTooLong(_) => EnhancedStatus::new(5, 3, 4),
            // RFC 3463: media error.
            _ => EnhancedStatus::new(5, 6, 0),
        }
    }
}

/// Why a transmission cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteNetdataError {
    /// No origin; receivers want it, and IBMMAIL rejects one that is not the NJE
    /// header's (Q128468).
    #[error("cannot write NETDATA: it has no origin")]
    NoOrigin,
    /// Nobody to send it to.
    #[error("cannot write NETDATA: it has no recipient")]
    NoRecipient,
    /// More recipients than [`crate::limits::MAX_RECIPIENTS`].
    #[error("cannot write NETDATA: it has more than {most} recipients", most = crate::limits::MAX_RECIPIENTS)]
    TooManyRecipients,
    /// No file, or more than [`crate::limits::MAX_FILES`].
    #[error("cannot write NETDATA: it has {0} files; 1 to {most} can be", most = crate::limits::MAX_FILES)]
    Files(usize),
    /// A record of a fixed file that is not as long as the file says.
    #[error(
        "cannot write NETDATA: record {record} of file {file} has {octets} octets, and each of its records {length}"
    )]
    RecordLength {
        /// The file's number, from 0.
        file: usize,
        /// The record's number, from 0.
        record: usize,
        /// Its octets.
        octets: usize,
        /// What the file says.
        length: u64,
    },
    /// A record longer than [`crate::limits::MAX_RECORD`].
    #[error("cannot write NETDATA: record {record} of file {file} is too long")]
    RecordTooLong {
        /// The file's number, from 0.
        file: usize,
        /// The record's number, from 0.
        record: usize,
    },
    /// A name, or another text, that code page 037 does not have, or that is too
    /// long.
    #[error("cannot write NETDATA: {0:?} cannot stand in a header")]
    Text(String),
}

impl Fault for WriteNetdataError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoOrigin => "netdata.no-origin",
            Self::NoRecipient => "netdata.no-recipient",
            Self::TooManyRecipients => "netdata.write-too-many-recipients",
            Self::Files(_) => "netdata.write-files",
            Self::RecordLength { .. } => "netdata.write-record-length",
            Self::RecordTooLong { .. } => "netdata.write-record-too-long",
            Self::Text(_) => "netdata.write-text",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoOrigin | Self::NoRecipient | Self::RecordLength { .. } => Retry::Bug,
            _ => Retry::Permanent,
        }
    }
}
