//! The client side.

mod auth;
mod body;
mod error;
mod gather;
mod session;
mod timeouts;
mod transaction;

pub use body::{BodyMode, ChunkSource};
pub use error::{ClientError, Phase};
pub use session::{HelloVerb, SmtpClient};
pub use timeouts::ClientTimeouts;
pub use transaction::{Delivered, Envelope};
