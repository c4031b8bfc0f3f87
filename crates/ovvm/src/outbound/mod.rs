//! From the core to the hosts.

mod batch;
mod confirmed;
mod deliver;
mod files;
mod reports;
mod send;
mod seven_bit;

pub(crate) use confirmed::Confirmed;
pub(crate) use deliver::ToHosts;
pub(crate) use files::acknowledged;
