//! Shapes of connectors and address generators.

use concord_address::AddressSpace;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adds a connector to the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConnector {
    /// A word in kebab case; also the name of its service and its sockets.
    pub name: String,
    /// As the name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The package that it is.
    pub component: String,
    /// Whether it carries mail from now on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What it carries.
    #[serde(default)]
    pub address_spaces: Vec<AddressSpace>,
    /// Settings of its own.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// Changes a connector, in one commit. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectorPatch {
    /// A new display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether it carries mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// In place of all it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_spaces: Option<Vec<AddressSpace>>,
    /// Added; one that is there already gets the cost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_address_spaces: Vec<AddressSpace>,
    /// Taken away, as `TYPE:pattern`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_address_spaces: Vec<String>,
    /// Settings to set; `null` takes one away, the others stay.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

/// `GET` (an order that changes nothing) and `POST
/// /v1/connectors/{name}/orders/{order}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderQuery {
    /// `GET` only: what belongs to it, a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Seconds that the connector may take; 25 if not given, and at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}

/// What a connector answered to an order: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderAnswer {
    /// The answer, in words of the connector's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<OrderError>,
}

/// Why a connector did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderError {
    /// Stable; the connector's (`ovvm.no-such-link`).
    pub code: String,
    /// For people: what could not be done, why, and what to do.
    pub message: String,
}

/// Adds an address generator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGenerator {
    /// The address type.
    pub name: String,
    /// As the name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The package that brings it.
    pub component: String,
    /// How an address is made out of names.
    pub rule: String,
}

/// Changes an address generator. Addresses that are given out stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeneratorPatch {
    /// A new display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A new rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What stamping all mailboxes did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamped {
    /// Mailboxes that got addresses.
    pub stamped: u64,
    /// Mailboxes that had one of every type.
    pub already: u64,
    /// Mailboxes that still lack an address, and why; the first 1,000.
    pub failed: Vec<StampFailed>,
}

/// A mailbox that got no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampFailed {
    /// Its name.
    pub mailbox: String,
    /// Why.
    pub cause: String,
}

/// Mailboxes without an address of a type that has a generator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Missing {
    /// One for each generator.
    pub items: Vec<MissingOfType>,
}

/// Mailboxes without an address of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingOfType {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub count: u64,
    /// The names of the first 100.
    pub mailboxes: Vec<String>,
}
