//! The filters of one kind of traffic.

use crate::config::{FilterConfig, Traffic};
use crate::config_error::ConfigError;
use crate::facts::ClientFacts;
use crate::milter::Kept;
use crate::session::FilterSession;
use crate::spec::Spec;
use std::sync::Arc;

/// One filter with what is shared between sessions.
#[derive(Debug)]
pub(crate) struct Link {
    pub spec: Spec,
    pub kept: Kept,
}

/// Filters in their order; cheap to clone. A new configuration is a new chain;
/// sessions go on with the one that they began with.
#[derive(Debug, Clone)]
pub struct Chain {
    links: Arc<[Link]>,
}

impl Chain {
    /// The filters of this list that see this traffic. Reads password files;
    /// connects to nothing.
    ///
    /// # Errors
    /// Every mistake in the whole list.
    pub fn new(filters: &[FilterConfig], traffic: Traffic) -> Result<Self, Vec<ConfigError>> {
        let specs = Spec::of_all(filters, true)?;
        let links = specs
            .into_iter()
            .filter(|spec| spec.traffic.contains(&traffic))
            .map(|spec| Link { spec, kept: Kept::default() })
            .collect();
        Ok(Self { links })
    }

    /// Whether there is no filter: every message is taken as it is, and needs
    /// not be held for a verdict.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// A session for one client. Connects to nothing yet.
    pub fn session(&self, facts: ClientFacts) -> FilterSession {
        FilterSession::new(Arc::clone(&self.links), facts)
    }
}
