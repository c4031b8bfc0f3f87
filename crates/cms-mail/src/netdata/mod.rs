//! NETDATA: what TSO TRANSMIT, CMS SENDFILE and CMS NOTE send.
//!
//! A transmission is a chain of records in segments that run on across
//! cards: `INMR01` (who, to whom, when), for each file `INMR02` (its name and
//! form) and `INMR03` (the transmission's own form) and its records, and
//! `INMR06`. `INMR07` acknowledges one. Control records are made of text units.
//!
//! Sources: captures of NJE links; the key table and the units that CMS writes as
//! the descriptions of the format and a note of 1993 have them; Q192932, Q233319,
//! Q187865. Not verified: length words before variable records, `INMR07` with
//! and without a trailer.

mod error;
mod key;
mod model;
mod read;
mod segment;
mod unit;
mod write;

pub use error::{NetdataError, WriteNetdataError};
pub use model::{
    Acknowledgement, FileName, Netdata, NetdataFile, Outcome, RecordFormat, Transmission,
};
pub use read::{is_netdata, read};
pub use write::{write, write_acknowledgement};

use crate::Records;
use crate::limits::CARD;

/// Reads `data` as cards and checks what holds for any input.
pub(crate) fn fuzz(data: &[u8]) {
    let cards: Records = data.chunks(CARD).collect();
    match read(&cards) {
        Ok(Netdata::Transmission(transmission)) => {
            let octets: usize = transmission.files.iter().map(|file| file.records.octets()).sum();
            assert!(octets <= data.len().saturating_add(CARD), "nothing is made up");
            if let Ok(again) = write(&transmission) {
                let again = read(&again);
                let rewritten = Transmission {
                    files: transmission.files.into_iter().map(as_written).collect(),
                    ..transmission
                };
                assert_eq!(again, Ok(Netdata::Transmission(rewritten)), "it reads back");
            }
        }
        Ok(Netdata::Acknowledgements(all)) => {
            for one in all {
                if let Ok(again) = write_acknowledgement(&one) {
                    assert_eq!(read(&again), Ok(Netdata::Acknowledgements(vec![one])));
                }
            }
        }
        Err(_) => {}
    }
}

/// What writing settles: sizes that were missing, and that nothing written is
/// partitioned.
fn as_written(file: NetdataFile) -> NetdataFile {
    NetdataFile {
        size: Some(file.size.unwrap_or_default()),
        record_length: Some(file.record_length.unwrap_or_default()),
        partitioned: false,
        ..file
    }
}
