//! The core's API as a connector sees it.

mod client;
mod error;

pub use client::CoreApi;
pub use error::ApiError;
