//! What the octets of a gateway's files mean.

use oem_cp::code_table::{
    DECODING_TABLE_CP437, DECODING_TABLE_CP850, ENCODING_TABLE_CP437, ENCODING_TABLE_CP850,
};

/// The tables that are installed in the gateway (Q263641).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayPage {
    /// What it comes with.
    #[default]
    Cp437,
    /// With the tables for western Europe.
    Cp850,
}

impl GatewayPage {
    pub(super) fn decode(self, octets: &[u8]) -> String {
        oem_cp::decode_string_complete_table(
            octets,
            match self {
                Self::Cp437 => &DECODING_TABLE_CP437,
                Self::Cp850 => &DECODING_TABLE_CP850,
            },
        )
    }

    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        let table = match self {
            Self::Cp437 => &ENCODING_TABLE_CP437,
            Self::Cp850 => &ENCODING_TABLE_CP850,
        };
        oem_cp::encode_string_lossy(text, table)
    }
}
