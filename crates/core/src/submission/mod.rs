//! SMTP from connectors: envelopes are judged here, messages committed here.

mod auth;
mod handler;
mod recipients;
mod serve;

pub(crate) use serve::{Submission, serve};
