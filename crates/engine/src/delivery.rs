//! What the index keeps of envelopes and deliveries in one column.

use concord_address::TypedAddress;
use concord_base::StorageError;
use concord_transport::{
    Arrival, EnvelopeOptions, Notify, PeerAnswer, ReversePath, RoutedRecipient,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The parts of an envelope that no look-up goes by.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub arrival: Arrival,
    pub options: EnvelopeOptions,
}

/// The parts of a delivery that no look-up goes by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeliveryData {
    pub address: TypedAddress,
    pub given: TypedAddress,
    pub original: Option<String>,
    pub notify: Notify,
    pub attempts: u32,
    pub delay_reported: bool,
    pub last_answer: Option<PeerAnswer>,
    #[serde(default)]
    pub reports_to: Option<ReversePath>,
}

impl DeliveryData {
    pub fn new(recipient: &RoutedRecipient) -> Self {
        Self {
            address: recipient.address.clone(),
            given: recipient.given.clone(),
            original: recipient.original.clone(),
            notify: recipient.notify,
            attempts: 0,
            delay_reported: false,
            last_answer: None,
            reports_to: recipient.reports_to.clone(),
        }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, crate::apply::ActError> {
    rmp_serde::to_vec(value).map_err(|e| {
        crate::apply::ActError::Storage(StorageError::Bug(format!("cannot encode a row: {e}")))
    })
}

/// For use within row mappers.
pub(crate) fn decode<T: DeserializeOwned>(octets: &[u8]) -> Result<T, rusqlite::Error> {
    rmp_serde::from_slice(octets).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(e))
    })
}
