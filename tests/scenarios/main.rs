//! End-to-end scenarios. Each starts the real executable on a scratch root,
//! with ports of its own, so that they run side by side; its name says what
//! happens. Run them by `cargo xtask test`, which builds the executable and
//! installs the peers.

// Clippy takes only the functions marked as tests for tests; all of this is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod attacks;
mod authentication;
mod certificates;
mod controller;
mod crashes;
mod directory;
mod disk_full;
mod dmarc_reports;
mod etrn;
mod filters;
mod groupwise;
mod hold;
mod ldap;
mod ldif;
mod mail;
mod mail_setup;
mod mbsync;
mod ovvm;
mod postfix;
mod proxy;
mod quarantine;
mod queue;
mod readers;
mod rebuild;
mod reports;
mod rules;
mod setup;
mod trace;
mod transport_security;
mod way_out;

use concord_testkit::{Concord, Result, wait_for};
use serde_json::Value;
use std::time::Duration;

/// The mailboxes that the demonstration has.
const ALICE: &str = "alice@example.test";
const BOB: &str = "bob@example.test";
/// Delivery on this machine takes milliseconds; a busy one gets patience.
const SOON: Duration = Duration::from_secs(30);

/// Waits until a mailbox has so many messages; gives them back.
fn wait_for_messages(server: &Concord, mailbox: &str, count: usize) -> Result<Vec<Vec<u8>>> {
    wait_for(&format!("{count} messages of {mailbox}"), SOON, || {
        let messages = server.imap(mailbox)?.messages("INBOX")?;
        Ok((messages.len() >= count).then_some(messages))
    })
}

/// The rows of a listing.
fn rows(listing: &Value) -> Vec<Value> {
    let items = listing.get("items").unwrap_or(listing);
    items.as_array().cloned().unwrap_or_default()
}

/// A text field.
fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}
