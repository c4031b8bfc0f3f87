//! Rules of our own.

mod archive;
mod attachment;
mod header;
mod real_type;

pub(crate) use attachment::AttachmentRule;
pub(crate) use header::{HeaderRule, Test};

use crate::edit::Field;
use crate::verdict::{Action, Opinion};
use concord_smtp::Reply;

/// What a rule does with what it finds.
#[derive(Debug, Clone)]
pub(crate) enum Consequence {
    Refuse(Reply),
    Quarantine,
    Mark(Field),
    Strip,
}

impl Consequence {
    /// What refusing or holding back means; marks and strips are edits.
    fn opinion(&self, found: String) -> Opinion {
        match self {
            Self::Refuse(reply) => Opinion::new(Action::Refuse(reply.clone()), found),
            Self::Quarantine => Opinion::new(Action::Quarantine { reason: found.clone() }, found),
            Self::Mark(_) | Self::Strip => Opinion::new(Action::Accept, found),
        }
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    archive::fuzz(data);
    header::fuzz(data);
    attachment::fuzz(data);
}
