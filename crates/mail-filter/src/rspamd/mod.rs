//! rspamd, over its HTTP protocol.

mod answer;
mod http;

pub(crate) use http::{Request, ask};

pub(crate) fn fuzz(data: &[u8]) {
    answer::fuzz(data);
}
