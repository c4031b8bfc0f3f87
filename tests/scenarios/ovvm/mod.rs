//! OfficeVision/VM's side of Concord: two servers that are two nodes of NJE.

mod addresses;
mod directories;
mod mail;
mod orders;
mod storm;
mod trouble;

/// Settings of both connectors: none.
const NOTHING: [&[&str]; 2] = [&[], &[]];
const ALICE: &str = "alice@example.test";
const BOB: &str = "bob@example.test";
