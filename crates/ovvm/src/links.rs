//! How the links are: what the node told of each.

use concord_nje::Name;
use concord_nje_tokio::LinkNews;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A link as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LinkState {
    /// Whether jobs can go.
    pub active: bool,
    /// Since when; none if nothing was told yet.
    pub since: Option<Timestamp>,
    /// Why it is not active, in words.
    pub why: String,
}

/// The states of all links.
#[derive(Debug)]
pub(crate) struct LinkStates {
    states: Mutex<BTreeMap<Name, LinkState>>,
}

impl LinkStates {
    /// Links of which nothing is known yet.
    pub fn new(partners: impl IntoIterator<Item = Name>) -> Self {
        let unknown = LinkState { why: "it was not opened yet".to_owned(), ..LinkState::default() };
        let states = partners.into_iter().map(|partner| (partner, unknown.clone())).collect();
        Self { states: Mutex::new(states) }
    }

    /// Takes what the node told. Whether the link became active or ceased to be.
    pub fn take(&self, partner: Name, news: &LinkNews, now: Timestamp) -> bool {
        let (active, why) = match news {
            LinkNews::Active => (true, String::new()),
            LinkNews::Closed(reason) => (false, reason.to_string()),
            LinkNews::Unreachable(why) => (false, format!("it cannot be reached: {why}")),
            LinkNews::CaptureStopped(_) => return false,
        };
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(partner).or_default();
        let turned = state.active != active;
        let since = if turned || state.since.is_none() { Some(now) } else { state.since };
        *state = LinkState { active, since, why };
        turned
    }

    /// How a link is.
    pub fn of(&self, partner: Name) -> LinkState {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(&partner).cloned().unwrap_or_default()
    }

    /// Every link.
    pub fn all(&self) -> Vec<(Name, LinkState)> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().map(|(partner, state)| (*partner, state.clone())).collect()
    }
}
