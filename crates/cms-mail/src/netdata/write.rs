//! Writing a transmission, with the units that CMS writes and no others.

use super::model::{Acknowledgement, FileName, NetdataFile, RecordFormat, Transmission};
use super::segment::Writer;
use super::unit::{UnitWriter, header_octets};
use super::{WriteNetdataError, key};
use crate::limits::{CARD, MAX_FILES, MAX_QUALIFIERS, MAX_RECIPIENTS, MAX_RECORD};
use crate::{HostAddress, Records};

/// `DSORG` of a sequential file.
const SEQUENTIAL: u16 = 0x4000;
/// The utility that every receiver has.
const INMCOPY: &str = "INMCOPY";

/// Writes a transmission as cards.
///
/// # Errors
/// What cannot be written; nothing is left out silently.
pub fn write(transmission: &Transmission) -> Result<Records, WriteNetdataError> {
    let count = transmission.files.len();
    if count == 0 || count > MAX_FILES {
        return Err(WriteNetdataError::Files(count));
    }
    let mut out = Writer::default();
    out.record(&header(transmission)?, true);
    for (number, file) in transmission.files.iter().enumerate() {
        check(number, file)?;
        out.record(&describe(number, file)?, true);
        let mut data = UnitWriter::new("INMR03")?;
        data.number(key::INMSIZE, file.size.unwrap_or_default())?;
        data.values(key::INMDSORG, &[SEQUENTIAL.to_be_bytes()])?;
        data.values(key::INMLRECL, &[[0, CARD_OCTET]])?;
        data.values(key::INMRECFM, &[RecordFormat::SHORT_SPANNED.0.to_be_bytes()])?;
        out.record(&data.into_octets(), true);
        for record in file.records.iter() {
            out.record(record, false);
        }
    }
    out.record(&header_octets("INMR06")?, true);
    Ok(out.cards())
}

/// [`CARD`] in a header.
const CARD_OCTET: u8 = 80;
const _: () = assert!(CARD == 80, "as in a header");

/// Writes an acknowledgement as cards. That receivers want a trailer behind it is
/// not verified; none is known to mind.
///
/// # Errors
/// As [`write()`].
pub fn write_acknowledgement(said: &Acknowledgement) -> Result<Records, WriteNetdataError> {
    let mut units = UnitWriter::new("INMR07")?;
    user(&mut units, said.from.as_ref(), key::INMFNODE, key::INMFUID)?;
    user(&mut units, said.to.as_ref(), key::INMTNODE, key::INMTUID)?;
    units.time(key::INMFTIME, said.sent)?;
    units.time(key::INMTTIME, said.acknowledged)?;
    name(&mut units, &said.subject)?;
    units.text(key::INMERRCD, said.outcome.word())?;
    if let Some(echo) = &said.echo {
        units.values(key::INMFACK, &[echo])?;
    }
    let mut out = Writer::default();
    out.record(&units.into_octets(), true);
    out.record(&header_octets("INMR06")?, true);
    Ok(out.cards())
}

fn user(
    units: &mut UnitWriter,
    user: Option<&HostAddress>,
    node_key: u16,
    user_key: u16,
) -> Result<(), WriteNetdataError> {
    let Some(user) = user else { return Ok(()) };
    units.text(node_key, user.node())?;
    units.text(user_key, user.user())
}

fn header(transmission: &Transmission) -> Result<Vec<u8>, WriteNetdataError> {
    let origin = transmission.origin.as_ref().ok_or(WriteNetdataError::NoOrigin)?;
    if transmission.recipients.is_empty() {
        return Err(WriteNetdataError::NoRecipient);
    }
    if transmission.recipients.len() > MAX_RECIPIENTS {
        return Err(WriteNetdataError::TooManyRecipients);
    }
    let mut units = UnitWriter::new("INMR01")?;
    units.values(key::INMLRECL, &[[0, CARD_OCTET]])?;
    user(&mut units, Some(origin), key::INMFNODE, key::INMFUID)?;
    for one in &transmission.recipients {
        user(&mut units, Some(one), key::INMTNODE, key::INMTUID)?;
    }
    if let Some(echo) = &transmission.acknowledge {
        units.values(key::INMFACK, &[echo])?;
    }
    if let Some(reference) = &transmission.reference {
        units.text(key::INMUSERP, reference)?;
    }
    units.time(key::INMFTIME, transmission.sent)?;
    units.number(key::INMNUMF, u64::try_from(transmission.files.len()).unwrap_or(u64::MAX))?;
    Ok(units.into_octets())
}

fn describe(number: usize, file: &NetdataFile) -> Result<Vec<u8>, WriteNetdataError> {
    let mut units = UnitWriter::new("INMR02")?;
    let number = u32::try_from(number.saturating_add(1)).unwrap_or(u32::MAX);
    units.raw(&number.to_be_bytes());
    units.number(key::INMSIZE, file.size.unwrap_or_default())?;
    units.values(key::INMDSORG, &[SEQUENTIAL.to_be_bytes()])?;
    units.number(key::INMLRECL, file.record_length.unwrap_or_default())?;
    units.text(key::INMUTILN, INMCOPY)?;
    units.values(key::INMRECFM, &[file.format.0.to_be_bytes()])?;
    name(&mut units, &file.name)?;
    units.time(key::INMCREAT, file.created)?;
    units.time(key::INMLCHG, file.changed)?;
    units.time(key::INMLREF, file.referenced)?;
    Ok(units.into_octets())
}

fn name(units: &mut UnitWriter, name: &FileName) -> Result<(), WriteNetdataError> {
    let parts: Vec<&str> = match name {
        FileName::Note => return units.values::<&[u8]>(key::INMTERM, &[]),
        FileName::Cms(cms) => vec![cms.mode(), cms.name(), cms.kind()],
        FileName::DataSet(parts) => parts.iter().map(String::as_str).collect(),
    };
    if parts.is_empty() {
        return Ok(());
    }
    if parts.len() > MAX_QUALIFIERS {
        return Err(WriteNetdataError::Text(parts.join(".").chars().take(40).collect()));
    }
    let parts: Result<Vec<_>, _> = parts.into_iter().map(header_octets).collect();
    units.values(key::INMDSNAM, &parts?)
}

fn check(file: usize, it: &NetdataFile) -> Result<(), WriteNetdataError> {
    for (record, one) in it.records.iter().enumerate() {
        let octets = one.len();
        if octets > MAX_RECORD {
            return Err(WriteNetdataError::RecordTooLong { file, record });
        }
        if let Some(length) = it.record_length.filter(|_| it.format.is_fixed())
            && u64::try_from(octets).ok() != Some(length)
        {
            return Err(WriteNetdataError::RecordLength { file, record, octets, length });
        }
    }
    Ok(())
}
