//! From the core to GroupWise.

mod deliver;
mod reports;

pub use deliver::ToGroupWise;
