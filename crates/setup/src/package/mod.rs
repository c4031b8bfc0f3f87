//! Packages of external connectors.

mod manifest;

pub use manifest::{
    AddressSpaceEntry, AddressTypeEntry, CONTRACT, ConnectorEntry, ConnectorManifest,
    ListenerEntry, SettingEntry, SettingKind,
};
