//! A spool file as VM knows it, and the headers that carry it.

use crate::header::{DataSetHeader, JobHeader, JobTrailer, TodClock, data_set, job, trailer};
use crate::text::{Name, Text};

/// The device that a spool file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Device {
    /// A punch: cards of 80 octets. It arrives in a user's reader.
    #[default]
    Punch,
    /// A printer: lines with carriage control.
    Print,
}

/// A spool file: what its job header and data set header say of it. Records are not
/// in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VmFile {
    /// Who sends it: node and user. NETDATA within must name the same (Q128468).
    pub origin: (Name, Name),
    /// Whom it is for: node and user.
    pub destination: (Name, Name),
    /// Its number in the sender's spool, 1 to 9999.
    pub job_id: u16,
    /// When it was spooled; zero harms some receivers (Q197115).
    pub entry_time: TodClock,
    /// Punch or print.
    pub device: Device,
    /// The spool class: `M` mail, `N` NETDATA, `A` else.
    pub class: Text<1>,
    /// The form; with one that begins with `QU` the receiving node sends no notice.
    pub form: Name,
    /// The file's name.
    pub file_name: Text<12>,
    /// The file's type.
    pub file_type: Text<12>,
    /// The distribution code.
    pub distribution: Name,
    /// The job's priority: VM gives files 7 and notes 15.
    pub priority: u8,
    /// Copies.
    pub copies: u8,
    /// Whether it is held at the receiver.
    pub hold: bool,
    /// The longest record: cards 80, lines 133.
    pub record_length: u16,
    /// How many records it has.
    pub records: u32,
}

const HOLD: u8 = 0x40;
/// RSCS's priority of files, which FUNET sends too.
const RSCS_PRIORITY: u16 = 50;
/// The version of RSCS that the section follows: 2.1, as FUNET says.
const RSCS_VERSION: (u8, u8) = (2, 1);
/// The priority of files.
const FILE_PRIORITY: u8 = 7;
const FILE_NUMBER: u16 = 1;

impl VmFile {
    /// A file of cards with usual values; the caller sets what differs.
    pub fn cards(origin: (Name, Name), destination: (Name, Name)) -> Self {
        Self {
            origin,
            destination,
            job_id: 1,
            entry_time: TodClock::default(),
            device: Device::Punch,
            class: Text::new("A").unwrap_or_default(),
            form: Name::new("QUIET").unwrap_or_default(),
            file_name: Text::BLANK,
            file_type: Text::BLANK,
            distribution: Name::new("SYSTEM").unwrap_or_default(),
            priority: FILE_PRIORITY,
            copies: 1,
            hold: false,
            record_length: 80,
            records: 0,
        }
    }

    /// The headers and the trailer of a job with this one file.
    pub fn headers(&self) -> (JobHeader, DataSetHeader, JobTrailer) {
        (self.job_header(), self.data_set_header(), self.job_trailer())
    }

    fn job_header(&self) -> JobHeader {
        let ((node, user), (to_node, to_user)) = (self.origin, self.destination);
        let class = Text::new("A").unwrap_or_default();
        let name = Name::new(&format!("RSCS{:04}", self.job_id)).unwrap_or_default();
        JobHeader::new()
            .with(job::JOB_ID, self.job_id)
            .with(job::JOB_CLASS, class)
            .with(job::MESSAGE_CLASS, class)
            .with(job::FLAGS, job::NO_FORWARDING_MESSAGES | job::NO_ACCEPTANCE_MESSAGES)
            .with(job::PRIORITY, self.priority)
            .with(job::ORIGIN_MEMBER, 1)
            .with(job::COPIES, 1)
            .with(job::JOB_NAME, name)
            .with(job::NOTIFY_USER, user)
            .with(job::ENTRY_TIME, self.entry_time)
            .with(job::ORIGIN_NODE, node)
            .with(job::ORIGIN_USER, user)
            .with(job::EXECUTION_NODE, node)
            .with(job::EXECUTION_USER, user)
            .with(job::PRINT_NODE, to_node)
            .with(job::PRINT_USER, to_user)
            .with(job::PUNCH_NODE, to_node)
            .with(job::PUNCH_USER, to_user)
            .with(job::PROGRAMMER, Text::new(&user.to_string()).unwrap_or_default())
            .with(job::ROOM, self.distribution)
            .with(job::RECORDS, self.records)
    }

    fn data_set_header(&self) -> DataSetHeader {
        let (to_node, to_user) = self.destination;
        let (flag, device, format) = match self.device {
            Device::Punch => (data_set::PUNCH, data_set::VM_PUNCH, data_set::FIXED),
            Device::Print => (data_set::PRINT, data_set::VM_PRINT, data_set::VARIABLE_MACHINE),
        };
        let (node, user) = (to_node.to_string(), to_user.to_string());
        let tag = Text::new(&format!("{node:<8} {user:<8} {RSCS_PRIORITY}")).unwrap_or_default();
        DataSetHeader::new()
            .with(data_set::NODE, to_node)
            .with(data_set::USER, to_user)
            .with(data_set::PROCEDURE, shortened(&self.file_name))
            .with(data_set::STEP, shortened(&self.file_type))
            .with(data_set::NUMBER, FILE_NUMBER)
            .with(data_set::CLASS, self.class)
            .with(data_set::RECORDS, self.records)
            .with(data_set::FLAGS, if self.hold { HOLD } else { 0 })
            .with(data_set::RECORD_FORMAT, format)
            .with(data_set::RECORD_LENGTH, self.record_length)
            .with(data_set::COPIES, self.copies)
            .with(data_set::FORM, self.form)
            .with(data_set::WRITER, to_user)
            .with(data_set::DEVICE_FLAGS, flag)
            .with(data_set::RSCS_CLASS, self.class)
            .with(data_set::DEVICE, device)
            .with(data_set::DISTRIBUTION, self.distribution)
            .with(data_set::FILE_NAME, self.file_name)
            .with(data_set::FILE_TYPE, self.file_type)
            .with(data_set::RSCS_PRIORITY, RSCS_PRIORITY)
            .with(data_set::RSCS_VERSION, RSCS_VERSION.0)
            .with(data_set::RSCS_RELEASE, RSCS_VERSION.1)
            .with(data_set::TAG, tag)
    }

    fn job_trailer(&self) -> JobTrailer {
        let count = match self.device {
            Device::Punch => trailer::CARDS,
            Device::Print => trailer::LINES,
        };
        let class = Text::new("A").unwrap_or_default();
        JobTrailer::new().with(trailer::CLASS, class).with(count, self.records)
    }

    /// The file that headers carry. The data set's destination rules, the job's
    /// fills in; without RSCS's section (MVS) its name is the job's, its type
    /// `OUTPUT`. What a header lacks has the value of [`VmFile::cards`].
    pub fn of(job_header: &JobHeader, header: &DataSetHeader) -> Self {
        let origin = (
            job_header.get(job::ORIGIN_NODE).unwrap_or_default(),
            job_header.get(job::ORIGIN_USER).unwrap_or_default(),
        );
        let flags = header.get(data_set::DEVICE_FLAGS).unwrap_or_default();
        let print = flags & data_set::PRINT != 0;
        let (node, user) = if print {
            (job::PRINT_NODE, job::PRINT_USER)
        } else {
            (job::PUNCH_NODE, job::PUNCH_USER)
        };
        let there = |name: &Name| !name.is_empty();
        let node = header.get(data_set::NODE).filter(there).or_else(|| job_header.get(node));
        let user = header.get(data_set::USER).filter(there).or_else(|| job_header.get(user));
        let usual = Self::cards(origin, (node.unwrap_or_default(), user.unwrap_or_default()));
        let named = |name: &Text<12>| !name.is_empty();
        let job_name = || {
            let name = job_header.get(job::JOB_NAME).unwrap_or_default();
            Text::new(&name.to_string()).unwrap_or_default()
        };
        let output = || Text::new("OUTPUT").unwrap_or_default();
        Self {
            job_id: job_header.get(job::JOB_ID).unwrap_or(usual.job_id),
            entry_time: job_header.get(job::ENTRY_TIME).unwrap_or_default(),
            device: if print { Device::Print } else { Device::Punch },
            class: header.get(data_set::CLASS).unwrap_or(usual.class),
            form: header.get(data_set::FORM).unwrap_or_default(),
            file_name: header.get(data_set::FILE_NAME).filter(named).unwrap_or_else(job_name),
            file_type: header.get(data_set::FILE_TYPE).filter(named).unwrap_or_else(output),
            distribution: header.get(data_set::DISTRIBUTION).unwrap_or_default(),
            priority: job_header.get(job::PRIORITY).unwrap_or_default(),
            copies: header.get(data_set::COPIES).unwrap_or(usual.copies),
            hold: header.get(data_set::FLAGS).is_some_and(|flags| flags & HOLD != 0),
            record_length: header.get(data_set::RECORD_LENGTH).unwrap_or(usual.record_length),
            records: header.get(data_set::RECORDS).unwrap_or_default(),
            ..usual
        }
    }
}

/// The first eight characters, which is what the general section has room for.
fn shortened(text: &Text<12>) -> Name {
    let octets = text.octets().first_chunk::<8>();
    octets.map_or(Name::BLANK, |octets| Name::from_octets(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::user_at;

    fn file() -> VmFile {
        let origin = user_at("NODEA", "ALICE").unwrap();
        VmFile {
            job_id: 14,
            entry_time: TodClock(0xe39d_66be_0000_0000),
            class: Text::new("M").unwrap(),
            form: Name::new("QUMAIL").unwrap(),
            file_name: Text::new("LONGFILENAME").unwrap(),
            file_type: Text::new("MAIL").unwrap(),
            records: 40,
            hold: true,
            ..VmFile::cards(origin, user_at("NODEB", "BOB").unwrap())
        }
    }

    #[test]
    fn a_file_comes_back_from_its_headers() {
        for device in [Device::Punch, Device::Print] {
            let file = VmFile { device, ..file() };
            let (header, data_set, trailer) = file.headers();
            assert_eq!(VmFile::of(&header, &data_set), file);
            assert_eq!(header.octets().len(), 200);
            assert_eq!(data_set.octets().len(), 292, "112 and 180");
            assert_eq!(trailer.octets().len(), 44);
        }
    }

    #[test]
    fn a_file_of_mvs_is_named_by_its_job() {
        let (header, mut data_set, _) = file().headers();
        data_set.sections.truncate(1);
        data_set.set(data_set::NODE, Name::BLANK);
        let came = VmFile::of(&header, &data_set);
        assert_eq!(came.file_name.to_string(), "RSCS0014");
        assert_eq!(came.file_type.to_string(), "OUTPUT");
        assert_eq!(came.destination.0.to_string(), "NODEB", "from the job header");
    }
}
