//! Reading a transmission.

use super::model::{
    Acknowledgement, FileName, Netdata, NetdataFile, Outcome, RecordFormat, Transmission,
};
use super::segment::{Logical, Reader};
use super::unit::{HEADER_PAGE, Unit, Units, text};
use super::{NetdataError, key};
use crate::file_name::CmsName;
use crate::limits::{MAX_FILES, MAX_QUALIFIERS, MAX_RECIPIENTS, MAX_REFERENCE};
use crate::{HostAddress, Place, Records};

/// The utility that unloads partitioned data sets.
const IEBCOPY: &str = "IEBCOPY";
/// `DSORG` of a partitioned data set.
const PARTITIONED: u64 = 0x0200;
/// Octets of a control record's name.
const NAME: usize = 6;

/// Reads the cards of a spool file.
///
/// # Errors
/// What is wrong, with its place. Nothing is guessed: a transmission without its
/// trailer is an error, however little is missing.
pub fn read(cards: &Records) -> Result<Netdata, NetdataError> {
    let mut reader = Reader::new(cards)?;
    let mut open = Open::default();
    loop {
        let place = reader.place();
        let Some(record) = reader.next()? else {
            // What receivers send back may have no trailer.
            return match open.acknowledgements.is_empty() {
                true => Err(NetdataError::Truncated(place)),
                false => Ok(Netdata::Acknowledgements(open.acknowledgements)),
            };
        };
        if !record.control {
            open.data(&record)?;
        } else if open.control(&record)? {
            return open.close(record.place);
        }
    }
}

/// Whether records look like NETDATA: the first one begins with a segment that
/// begins a control record.
pub fn is_netdata(cards: &Records) -> bool {
    let first = cards.get(0).unwrap_or_default();
    first.get(2..7).is_some_and(|name| HEADER_PAGE.decode(name) == "INMR0")
}

/// A transmission while it is read.
#[derive(Default)]
struct Open {
    header: Option<Transmission>,
    acknowledgements: Vec<Acknowledgement>,
    /// Descriptions of files, in the order in which their numbers came first.
    described: Vec<(u32, NetdataFile)>,
    /// How many of them have had their data begun (INMR03).
    begun: usize,
}

impl Open {
    /// Takes a control record; whether it was the trailer.
    fn control(&mut self, record: &Logical) -> Result<bool, NetdataError> {
        let place = record.place;
        let (name, rest) =
            record.octets.split_at_checked(NAME).ok_or(NetdataError::UnknownControl(place))?;
        let name = HEADER_PAGE.decode(name);
        let begun = self.header.is_some() || !self.acknowledgements.is_empty();
        match name.as_str() {
            "INMR01" if self.header.is_some() => return Err(NetdataError::SecondHeader(place)),
            "INMR01" => self.header = Some(header(rest, place)?),
            "INMR07" => {
                if self.acknowledgements.len() >= MAX_FILES {
                    return Err(NetdataError::TooManyFiles(place));
                }
                self.acknowledgements.push(acknowledgement(rest, place)?);
            }
            _ if !begun => return Err(NetdataError::NoHeader(place)),
            "INMR02" => self.describe(rest, place)?,
            "INMR03" => {
                if self.begun >= self.described.len() {
                    return Err(NetdataError::FileNotDescribed(place));
                }
                self.begun = self.begun.saturating_add(1);
            }
            // The sender's own; no two agree on what is in it.
            "INMR04" => {}
            "INMR06" => return Ok(true),
            _ => return Err(NetdataError::UnknownControl(place)),
        }
        Ok(false)
    }

    fn describe(&mut self, rest: &[u8], place: Place) -> Result<(), NetdataError> {
        let (number, rest) = rest.split_at_checked(4).ok_or(NetdataError::UnitCut(place))?;
        let number = number.iter().fold(0, |sum, octet| (sum << 8) | u32::from(*octet));
        let file = file(rest, place)?;
        // One for each utility that the file went through; the last one wrote
        // what is sent, the first one knew the file's name.
        let full = self.described.len() >= MAX_FILES;
        match self.described.iter_mut().find(|(known, _)| *known == number) {
            Some((_, known)) => {
                let nameless = FileName::DataSet(Vec::new());
                let name =
                    if known.name == nameless { file.name.clone() } else { known.name.clone() };
                let partitioned = known.partitioned || file.partitioned;
                *known = NetdataFile { name, partitioned, ..file };
            }
            None if full => return Err(NetdataError::TooManyFiles(place)),
            None => self.described.push((number, file)),
        }
        Ok(())
    }

    fn data(&mut self, record: &Logical) -> Result<(), NetdataError> {
        let file = self.begun.checked_sub(1).and_then(|at| self.described.get_mut(at));
        let (_, file) = file.ok_or(NetdataError::DataWithoutFile(record.place))?;
        file.records.push(&record.octets);
        Ok(())
    }

    fn close(self, place: Place) -> Result<Netdata, NetdataError> {
        if !self.acknowledgements.is_empty() {
            return Ok(Netdata::Acknowledgements(self.acknowledgements));
        }
        let mut transmission = self.header.ok_or(NetdataError::NoHeader(place))?;
        // A file that was announced and has no data control record is empty.
        transmission.files = self.described.into_iter().map(|(_, file)| file).collect();
        Ok(Netdata::Transmission(transmission))
    }
}

/// Users of nodes, gathered from two units each.
#[derive(Default)]
struct Users {
    nodes: Vec<String>,
    users: Vec<String>,
}

impl Users {
    fn pairs(self) -> Vec<HostAddress> {
        let pairs = self.nodes.iter().zip(&self.users);
        pairs.filter_map(|(node, user)| HostAddress::new(node, user).ok()).collect()
    }

    fn first(self) -> Option<HostAddress> {
        self.pairs().into_iter().next()
    }
}

fn texts(unit: &Unit<'_>) -> impl Iterator<Item = String> {
    unit.values.iter().map(|value| text(value))
}

fn header(rest: &[u8], place: Place) -> Result<Transmission, NetdataError> {
    let (mut origin, mut targets) = (Users::default(), Users::default());
    let mut header = Transmission::default();
    let mut units = Units::new(rest, place);
    while let Some(unit) = units.next()? {
        match unit.key {
            key::INMFNODE => origin.nodes.extend(texts(&unit)),
            key::INMFUID => origin.users.extend(texts(&unit)),
            key::INMTNODE => targets.nodes.extend(texts(&unit)),
            key::INMTUID => targets.users.extend(texts(&unit)),
            key::INMFTIME => header.sent = unit.time(),
            key::INMFACK => {
                header.acknowledge =
                    Some(unit.values.first().copied().unwrap_or_default().to_vec());
            }
            key::INMUSERP => {
                let text = unit.text();
                let fits = (1..=MAX_REFERENCE).contains(&text.len())
                    && text.bytes().all(|octet| octet.is_ascii_graphic());
                header.reference = Some(text).filter(|_| fits);
            }
            _ => {}
        }
        if targets.users.len() > MAX_RECIPIENTS {
            return Err(NetdataError::TooManyRecipients(place));
        }
    }
    header.origin = origin.first();
    header.recipients = targets.pairs();
    Ok(header)
}

fn file(rest: &[u8], place: Place) -> Result<NetdataFile, NetdataError> {
    let mut file = NetdataFile::varying(FileName::DataSet(Vec::new()), Records::new());
    (file.record_length, file.size) = (None, None);
    let mut units = Units::new(rest, place);
    while let Some(unit) = units.next()? {
        match unit.key {
            key::INMDSNAM => file.name = file_name(&unit, place)?,
            key::INMTERM => file.name = FileName::Note,
            key::INMLRECL => file.record_length = unit.number(place)?,
            key::INMRECFM => {
                let bits = unit.number(place)?.and_then(|bits| u16::try_from(bits).ok());
                file.format = bits.map_or(RecordFormat::VARYING, RecordFormat);
            }
            key::INMSIZE => file.size = unit.number(place)?,
            key::INMDSORG if unit.number(place)? == Some(PARTITIONED) => file.partitioned = true,
            key::INMUTILN if unit.text() == IEBCOPY => file.partitioned = true,
            key::INMCREAT => file.created = unit.time(),
            key::INMLCHG => file.changed = unit.time(),
            key::INMLREF => file.referenced = unit.time(),
            _ => {}
        }
    }
    Ok(file)
}

/// CMS writes mode, name and type; MVS one value for each qualifier.
fn file_name(unit: &Unit<'_>, place: Place) -> Result<FileName, NetdataError> {
    if unit.values.len() > MAX_QUALIFIERS {
        return Err(NetdataError::NameTooLong(place));
    }
    let parts: Vec<String> = texts(unit).collect();
    Ok(match parts.as_slice() {
        [mode, name, kind] => match CmsName::with_mode(name, kind, mode) {
            Some(cms) => FileName::Cms(cms),
            None => FileName::DataSet(parts),
        },
        _ => FileName::DataSet(parts),
    })
}

fn acknowledgement(rest: &[u8], place: Place) -> Result<Acknowledgement, NetdataError> {
    let (mut origin, mut target) = (Users::default(), Users::default());
    let mut read = Acknowledgement {
        from: None,
        to: None,
        sent: None,
        acknowledged: None,
        subject: FileName::DataSet(Vec::new()),
        outcome: Outcome::Received,
        echo: None,
    };
    let mut units = Units::new(rest, place);
    while let Some(unit) = units.next()? {
        match unit.key {
            key::INMFNODE => origin.nodes.extend(texts(&unit)),
            key::INMFUID => origin.users.extend(texts(&unit)),
            key::INMTNODE => target.nodes.extend(texts(&unit)),
            key::INMTUID => target.users.extend(texts(&unit)),
            key::INMFTIME => read.sent = unit.time(),
            key::INMTTIME => read.acknowledged = unit.time(),
            key::INMDSNAM => read.subject = file_name(&unit, place)?,
            key::INMTERM => read.subject = FileName::Note,
            key::INMERRCD => read.outcome = Outcome::read(&unit.text()),
            key::INMFACK => {
                read.echo = Some(unit.values.first().copied().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
    (read.from, read.to) = (origin.first(), target.first());
    Ok(read)
}

impl Outcome {
    fn read(text: &str) -> Self {
        match text {
            "" | "RECEIVED" => Self::Received,
            "DELETED" => Self::Deleted,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word for it in an acknowledgement.
    pub fn word(&self) -> &str {
        match self {
            Self::Received => "RECEIVED",
            Self::Deleted => "DELETED",
            Self::Other(text) => text,
        }
    }
}
