//! The fields of headers, by name, with the manuals' own names.

use super::{DataSet, Job, Trailer, section};
use crate::text::Text;
use std::marker::PhantomData;

/// What a field can hold.
pub trait Value: Sized {
    /// Its octets.
    const LENGTH: usize;
    /// Reads it from the start of octets; `None` if they are too few.
    fn read(octets: &[u8]) -> Option<Self>;
    /// Writes it over as many octets.
    fn write(&self, place: &mut [u8]);
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Value for $kind {
            const LENGTH: usize = size_of::<$kind>();

            fn read(octets: &[u8]) -> Option<Self> {
                octets.first_chunk().map(|octets| Self::from_be_bytes(*octets))
            }

            fn write(&self, place: &mut [u8]) {
                copy(&self.to_be_bytes(), place);
            }
        }
    )*};
}
number!(u8, u16, u32, u64);

impl<const N: usize> Value for Text<N> {
    const LENGTH: usize = N;

    fn read(octets: &[u8]) -> Option<Self> {
        octets.first_chunk().map(|octets| Self::from_octets(*octets))
    }

    fn write(&self, place: &mut [u8]) {
        copy(self.octets(), place);
    }
}

impl Value for super::TodClock {
    const LENGTH: usize = 8;

    fn read(octets: &[u8]) -> Option<Self> {
        u64::read(octets).map(Self)
    }

    fn write(&self, place: &mut [u8]) {
        self.0.write(place);
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Where a field of a header `K` stands, and what it holds.
#[derive(Debug)]
pub struct Field<K, T> {
    pub(super) section: u8,
    /// Octets from the end of the section's prefix.
    pub(super) at: usize,
    kind: PhantomData<fn() -> (K, T)>,
}

impl<K, T> Clone for Field<K, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T> Copy for Field<K, T> {}

impl<K, T> Field<K, T> {
    /// A field of a section that this crate does not name: `at` counts from the
    /// end of the section's prefix of four octets.
    pub const fn at(section: u8, at: usize) -> Self {
        Self { section, at, kind: PhantomData }
    }

    /// A field of the general section, at the offset that the manuals count from
    /// the start of the record.
    const fn general(offset: usize) -> Self {
        Self::at(section::GENERAL, offset - 8)
    }
}

/// Fields of the job header (NJH).
pub mod job {
    use super::{Field, Job};
    use crate::header::TodClock;
    use crate::text::{Name, Text};

    /// NJHGJID: spool number at the origin, 1 to 9999.
    pub const JOB_ID: Field<Job, u16> = Field::general(8);
    /// NJHGJCLS: job class.
    pub const JOB_CLASS: Field<Job, Text<1>> = Field::general(10);
    /// NJHGMCLS: message class.
    pub const MESSAGE_CLASS: Field<Job, Text<1>> = Field::general(11);
    /// NJHGFLG1; see [`DO_NOT_RECOMPUTE_PRIORITY`] and those after it.
    pub const FLAGS: Field<Job, u8> = Field::general(12);
    /// NJHGPRIO: priority; VM gives files 7 and notes 15.
    pub const PRIORITY: Field<Job, u8> = Field::general(13);
    /// NJHGORGQ: member of the origin node.
    pub const ORIGIN_MEMBER: Field<Job, u8> = Field::general(14);
    /// NJHGJCPY: copies.
    pub const COPIES: Field<Job, u8> = Field::general(15);
    /// NJHGLNCT: lines on a page.
    pub const LINES: Field<Job, u8> = Field::general(16);
    /// NJHGHOPS: nodes passed; each that hands the job on adds one.
    pub const HOPS: Field<Job, u16> = Field::general(18);
    /// NJHGACCT: account.
    pub const ACCOUNT: Field<Job, Name> = Field::general(20);
    /// NJHGJNAM: job name; RSCS writes `RSCS` and the number.
    pub const JOB_NAME: Field<Job, Name> = Field::general(28);
    /// NJHGUSID: the user to be told.
    pub const NOTIFY_USER: Field<Job, Name> = Field::general(36);
    /// NJHGPASS: password.
    pub const PASSWORD: Field<Job, Name> = Field::general(44);
    /// NJHGNPAS: new password.
    pub const NEW_PASSWORD: Field<Job, Name> = Field::general(52);
    /// NJHGETS: when it came into being.
    pub const ENTRY_TIME: Field<Job, TodClock> = Field::general(60);
    /// NJHGORGN: origin node.
    pub const ORIGIN_NODE: Field<Job, Name> = Field::general(68);
    /// NJHGORGR: origin user, or remote station.
    pub const ORIGIN_USER: Field<Job, Name> = Field::general(76);
    /// NJHGXEQN: node to run at; the origin for SYSOUT.
    pub const EXECUTION_NODE: Field<Job, Name> = Field::general(84);
    /// NJHGXEQU: user to run for; the origin user for SYSOUT.
    pub const EXECUTION_USER: Field<Job, Name> = Field::general(92);
    /// NJHGPRTN: node for print.
    pub const PRINT_NODE: Field<Job, Name> = Field::general(100);
    /// NJHGPRTR: user for print.
    pub const PRINT_USER: Field<Job, Name> = Field::general(108);
    /// NJHGPUNN: node for punch.
    pub const PUNCH_NODE: Field<Job, Name> = Field::general(116);
    /// NJHGPUNR: user for punch.
    pub const PUNCH_USER: Field<Job, Name> = Field::general(124);
    /// NJHGFORM: form.
    pub const FORM: Field<Job, Name> = Field::general(132);
    /// NJHGICRD: input cards.
    pub const INPUT_CARDS: Field<Job, u32> = Field::general(140);
    /// NJHGETIM: estimated time.
    pub const ESTIMATED_TIME: Field<Job, u32> = Field::general(144);
    /// NJHGELIN: estimated lines.
    pub const ESTIMATED_LINES: Field<Job, u32> = Field::general(148);
    /// NJHGECRD: estimated cards.
    pub const ESTIMATED_CARDS: Field<Job, u32> = Field::general(152);
    /// NJHGPRGN: programmer's name.
    pub const PROGRAMMER: Field<Job, Text<20>> = Field::general(156);
    /// NJHGROOM: room; VM has the distribution code here.
    pub const ROOM: Field<Job, Name> = Field::general(176);
    /// NJHGDEPT: department.
    pub const DEPARTMENT: Field<Job, Name> = Field::general(184);
    /// NJHGBLDG: building.
    pub const BUILDING: Field<Job, Name> = Field::general(192);
    /// NJHGNREC: records.
    pub const RECORDS: Field<Job, u32> = Field::general(200);
    /// NJHGJNO: a job number of more than 16 bits (newer JES2; the section then
    /// has 212 octets).
    pub const LONG_JOB_ID: Field<Job, u32> = Field::general(204);
    /// NJHGNTYN: node to be told (newer JES2).
    pub const NOTIFY_NODE: Field<Job, Name> = Field::general(208);

    /// [`FLAGS`]: do not compute the priority anew.
    pub const DO_NOT_RECOMPUTE_PRIORITY: u8 = 0x80;
    /// [`FLAGS`]: the job number is set.
    pub const JOB_ID_IS_SET: u8 = 0x40;
    /// [`FLAGS`]: no messages about handing it on.
    pub const NO_FORWARDING_MESSAGES: u8 = 0x08;
    /// [`FLAGS`]: no messages about taking it.
    pub const NO_ACCEPTANCE_MESSAGES: u8 = 0x04;
}

/// Fields of the data set header (DSH): of its general section, and of that of
/// RSCS.
pub mod data_set {
    use super::{DataSet, Field, section};
    use crate::text::{Name, Text};

    /// NDHGNODE: destination node. It beats the job header's.
    pub const NODE: Field<DataSet, Name> = Field::general(8);
    /// NDHGRMT: destination user.
    pub const USER: Field<DataSet, Name> = Field::general(16);
    /// NDHGPROC: procedure; VM has the file name here.
    pub const PROCEDURE: Field<DataSet, Name> = Field::general(24);
    /// NDHGSTEP: step; VM has the file type here.
    pub const STEP: Field<DataSet, Name> = Field::general(32);
    /// NDHGDD: DD name.
    pub const DD_NAME: Field<DataSet, Name> = Field::general(40);
    /// NDHGDSNO: number of the data set. FUNET writes it the wrong way round.
    pub const NUMBER: Field<DataSet, u16> = Field::general(48);
    /// NDHGCLAS: spool class.
    pub const CLASS: Field<DataSet, Text<1>> = Field::general(51);
    /// NDHGNREC: records.
    pub const RECORDS: Field<DataSet, u32> = Field::general(52);
    /// NDHGFLG1: X'80' spin, X'40' hold, X'20' job log, X'10' page overflow,
    /// X'08' interpret the punch.
    pub const FLAGS: Field<DataSet, u8> = Field::general(56);
    /// NDHGRCFM: record format, see [`FIXED`] and [`VARIABLE_MACHINE`].
    pub const RECORD_FORMAT: Field<DataSet, u8> = Field::general(57);
    /// NDHGLREC: longest record: cards 80, lines 133.
    pub const RECORD_LENGTH: Field<DataSet, u16> = Field::general(58);
    /// NDHGDSCT: copies.
    pub const COPIES: Field<DataSet, u8> = Field::general(60);
    /// NDHGFCBI: index of the forms control buffer.
    pub const FCB_INDEX: Field<DataSet, u8> = Field::general(61);
    /// NDHGLNCT: lines on a page.
    pub const LINES: Field<DataSet, u8> = Field::general(62);
    /// NDHGFORM: form. With one that begins with `QU` a VM node tells nobody.
    pub const FORM: Field<DataSet, Name> = Field::general(64);
    /// NDHGFCB: forms control buffer.
    pub const FCB: Field<DataSet, Name> = Field::general(72);
    /// NDHGUCS: universal character set.
    pub const UCS: Field<DataSet, Name> = Field::general(80);
    /// NDHGXWTR: external writer; VM has the destination user here.
    pub const WRITER: Field<DataSet, Name> = Field::general(88);
    /// NDHGNAME: name qualifier.
    pub const NAME: Field<DataSet, Name> = Field::general(96);
    /// NDHGFLG2: see [`PRINT`] and [`PUNCH`].
    pub const DEVICE_FLAGS: Field<DataSet, u8> = Field::general(104);
    /// NDHGUCSO: options of the character set.
    pub const UCS_OPTIONS: Field<DataSet, u8> = Field::general(105);
    /// NDHGPMDE: mode of processing.
    pub const PROCESSING_MODE: Field<DataSet, Name> = Field::general(108);

    /// [`RECORD_FORMAT`]: fixed, as cards are.
    pub const FIXED: u8 = 0x80;
    /// [`RECORD_FORMAT`]: variable with machine carriage control, as print is.
    pub const VARIABLE_MACHINE: u8 = 0x42;
    /// [`DEVICE_FLAGS`]: print.
    pub const PRINT: u8 = 0x80;
    /// [`DEVICE_FLAGS`]: punch.
    pub const PUNCH: u8 = 0x40;

    const fn rscs<T>(at: usize) -> Field<DataSet, T> {
        Field::at(section::RSCS, at)
    }

    /// NDHVFLG1: X'08' no messages.
    pub const RSCS_FLAGS: Field<DataSet, u8> = rscs(0);
    /// NDHVCLAS: spool class at VM.
    pub const RSCS_CLASS: Field<DataSet, Text<1>> = rscs(1);
    /// NDHVIDEV: device, see [`VM_PUNCH`] and [`VM_PRINT`].
    pub const DEVICE: Field<DataSet, u8> = rscs(2);
    /// NDHVPGLE: page length.
    pub const PAGE_LENGTH: Field<DataSet, u8> = rscs(3);
    /// NDHVDIST: distribution code.
    pub const DISTRIBUTION: Field<DataSet, Name> = rscs(4);
    /// NDHVFNAM: file name.
    pub const FILE_NAME: Field<DataSet, Text<12>> = rscs(12);
    /// NDHVFTYP: file type.
    pub const FILE_TYPE: Field<DataSet, Text<12>> = rscs(24);
    /// NDHVPRIO: priority.
    pub const RSCS_PRIORITY: Field<DataSet, u16> = rscs(36);
    /// NDHVVRSN: version of RSCS.
    pub const RSCS_VERSION: Field<DataSet, u8> = rscs(38);
    /// NDHVRELN: its release.
    pub const RSCS_RELEASE: Field<DataSet, u8> = rscs(39);
    /// NDHVTAGR: the tag, `node user priority` and options, for people and later
    /// `TAG QUERY`. Absent in a section of 44 octets.
    pub const TAG: Field<DataSet, Text<136>> = rscs(40);

    /// [`DEVICE`]: a punch.
    pub const VM_PUNCH: u8 = 0x82;
    /// [`DEVICE`]: a printer.
    pub const VM_PRINT: u8 = 0x41;
}

/// Fields of the job trailer (NJT).
pub mod trailer {
    use super::{Field, Trailer};
    use crate::header::TodClock;
    use crate::text::Text;

    /// NJTGFLG1.
    pub const FLAGS: Field<Trailer, u8> = Field::general(8);
    /// NJTGXCLS: class that it ran in.
    pub const CLASS: Field<Trailer, Text<1>> = Field::general(9);
    /// NJTGSTRT: when it began to run.
    pub const START: Field<Trailer, TodClock> = Field::general(12);
    /// NJTGSTOP: when it ended.
    pub const STOP: Field<Trailer, TodClock> = Field::general(20);
    /// NJTGACPU: processor time.
    pub const PROCESSOR_TIME: Field<Trailer, u32> = Field::general(28);
    /// NJTGALIN: lines of print.
    pub const LINES: Field<Trailer, u32> = Field::general(32);
    /// NJTGCARD: cards.
    pub const CARDS: Field<Trailer, u32> = Field::general(36);
    /// NJTGEXCP: channel programs.
    pub const CHANNEL_PROGRAMS: Field<Trailer, u32> = Field::general(40);
    /// NJTGIXPR: initial priority to run.
    pub const INITIAL_RUN_PRIORITY: Field<Trailer, u8> = Field::general(44);
    /// NJTGAXPR: actual priority to run.
    pub const RUN_PRIORITY: Field<Trailer, u8> = Field::general(45);
    /// NJTGIOPR: initial priority of the output.
    pub const INITIAL_OUTPUT_PRIORITY: Field<Trailer, u8> = Field::general(46);
    /// NJTGAOPR: actual priority of the output.
    pub const OUTPUT_PRIORITY: Field<Trailer, u8> = Field::general(47);
}
