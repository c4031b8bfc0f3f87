//! SMTP from connectors: envelopes are judged here, messages committed here.

mod auth;
mod handler;
mod journal;
mod meaning;
mod recipients;
mod reply;
mod returned;
mod serve;
mod size;

pub(crate) use handler::may_send_as;
pub(crate) use meaning::meaning;
pub(crate) use recipients::{From, Recipients};
pub(crate) use returned::returned;
pub(crate) use serve::{Submission, serve};
