//! What a transmission consists of.

use crate::file_name::CmsName;
use crate::{HostAddress, Records};
use jiff::Timestamp;

/// Files on their way from one user to others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transmission {
    /// Who sends it. None if the header has no name that a user can have; the
    /// NJE header knows better then.
    pub origin: Option<HostAddress>,
    /// Whom it is for, as the header has it; names that no user can have are left
    /// out. What delivers is the NJE header.
    pub recipients: Vec<HostAddress>,
    /// When it was sent (INMFTIME). None if the header does not say or says
    /// nonsense (Q224597: messages were of 1601).
    pub sent: Option<Timestamp>,
    /// That the sender wants an acknowledgement (INMFACK), and what it has to
    /// bring back; that may be nothing.
    pub acknowledge: Option<Vec<u8>>,
    /// What ties transmissions that belong together: a note and files that go by
    /// themselves (INMUSERP, the sender's own parameter). At most
    /// [`crate::limits::MAX_REFERENCE`] characters of a header.
    pub reference: Option<String>,
    /// The files, in their order.
    pub files: Vec<NetdataFile>,
}

impl Transmission {
    /// The same files once for every recipient. Receivers that were told of
    /// several took the first, and gave it every copy (Q233319).
    pub fn separate(self) -> impl Iterator<Item = Self> {
        let recipients = self.recipients.clone();
        recipients.into_iter().map(move |one| Self { recipients: vec![one], ..self.clone() })
    }
}

/// What the other side said about a file that it got (INMR07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who got the file.
    pub from: Option<HostAddress>,
    /// Who sent it, and hears this.
    pub to: Option<HostAddress>,
    /// When the acknowledged file was sent: its INMFTIME.
    pub sent: Option<Timestamp>,
    /// When this was said.
    pub acknowledged: Option<Timestamp>,
    /// What was acknowledged.
    pub subject: FileName,
    /// What became of it.
    pub outcome: Outcome,
    /// What the sender's INMFACK was.
    pub echo: Option<Vec<u8>>,
}

/// What became of a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// It was taken in.
    #[default]
    Received,
    /// It was thrown away unread.
    Deleted,
    /// Something else, in the other system's words.
    Other(String),
}

/// Everything that NETDATA records can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Netdata {
    /// Files.
    Transmission(Transmission),
    /// Acknowledgements, at least one.
    Acknowledgements(Vec<Acknowledgement>),
}

/// What a file is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileName {
    /// It is a note (INMTERM), and has no name.
    Note,
    /// A file of CMS.
    Cms(CmsName),
    /// A data set of MVS in its qualifiers, or another system's name. It may be
    /// empty.
    DataSet(Vec<String>),
}

/// How a file's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordFormat(pub u16);

impl RecordFormat {
    /// All records have the file's record length.
    pub const FIXED: Self = Self(0x8000);
    /// Records of any length, as CMS sends variable files.
    pub const VARYING: Self = Self(0x0002);
    /// What transmissions themselves are: short variable spanned blocks.
    pub(super) const SHORT_SPANNED: Self = Self(0x0001);

    const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    /// Whether the records have the file's record length each.
    pub const fn is_fixed(self) -> bool {
        self.has(0x8000) && !self.has(0x4000)
    }

    /// Whether the records may have a length word (4 octets) before their data:
    /// variable, and not marked as being without.
    pub const fn may_have_length_words(self) -> bool {
        self.has(0x4000) && !self.has(0x8000) && !self.has(Self::VARYING.0)
    }

    /// Whether the file was packed by CMS; it is no text before it is unpacked.
    pub const fn is_packed(self) -> bool {
        self.has(0x0004)
    }

    /// Whether the file is compressed.
    pub const fn is_compressed(self) -> bool {
        self.has(0x0008)
    }

    /// Whether each record begins with a code for the printer's carriage.
    pub const fn has_machine_control(self) -> bool {
        self.has(0x0200)
    }

    /// Whether each record begins with a character for the printer's carriage
    /// (ASA).
    pub const fn has_asa_control(self) -> bool {
        self.has(0x0400)
    }
}

/// One file of a transmission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetdataFile {
    /// Its name.
    pub name: FileName,
    /// How its records are.
    pub format: RecordFormat,
    /// Octets of a record, of the longest one if they differ (INMLRECL). None if
    /// the header does not say.
    pub record_length: Option<u64>,
    /// Octets of the file as the sender counted them (INMSIZE); never relied on.
    pub size: Option<u64>,
    /// Whether it is a partitioned data set in the form that IEBCOPY unloads;
    /// such a file is kept as it is.
    pub partitioned: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
    /// When it was last read.
    pub referenced: Option<Timestamp>,
    /// Its records, as they were sent.
    pub records: Records,
}

impl NetdataFile {
    /// A file of a name with records of any length.
    pub fn varying(name: FileName, records: Records) -> Self {
        Self {
            name,
            format: RecordFormat::VARYING,
            record_length: u64::try_from(records.longest()).ok(),
            size: u64::try_from(records.octets()).ok(),
            partitioned: false,
            created: None,
            changed: None,
            referenced: None,
            records,
        }
    }

    /// A file of a name with records of `length` octets each.
    pub fn fixed(name: FileName, length: usize, records: Records) -> Self {
        let record_length = u64::try_from(length).ok();
        Self { format: RecordFormat::FIXED, record_length, ..Self::varying(name, records) }
    }

    /// The records without length words. Those of a fixed file never have any,
    /// whatever their first octets are (Q177544, Q179014, Q221551). Those of a
    /// variable one have them only if every record begins with its own length
    /// and two zero octets. That such files exist is not verified.
    pub fn data(&self) -> Records {
        let worded = |record: &[u8]| match record {
            [high, low, 0, 0, ..] => usize::from(u16::from_be_bytes([*high, *low])) == record.len(),
            _ => false,
        };
        if self.format.may_have_length_words()
            && !self.records.is_empty()
            && self.records.iter().all(worded)
        {
            return self.records.iter().map(|one| one.get(4..).unwrap_or_default()).collect();
        }
        self.records.clone()
    }
}
