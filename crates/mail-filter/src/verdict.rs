//! What filters say of a message.

use crate::edit::Edit;
use bytes::Bytes;
use concord_smtp::Reply;
use std::sync::Arc;
use std::time::Duration;

/// What to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Take it.
    Accept,
    /// Refuse it for good with this reply (5xx).
    Refuse(Reply),
    /// Refuse it for now with this reply (4xx; 421 wants the session ended).
    Defer(Reply),
    /// Tell the client that it was taken, and drop it.
    Discard,
    /// Take it and hold it back.
    Quarantine {
        /// Why, for the administrator.
        reason: String,
    },
}

/// A test of a filter that had an effect on the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    /// Its name, `GTUBE`.
    pub name: String,
    /// What it added.
    pub score: f64,
}

/// What one filter said, for the message's story.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The filter's name.
    pub filter: Arc<str>,
    /// What it said, in a few words.
    pub what: String,
    /// The score, if it gives one.
    pub score: Option<f64>,
    /// Tests that mattered, those with the largest effect first.
    pub symbols: Vec<Symbol>,
    /// How long it took over this message.
    pub time: Duration,
}

/// A recipient that a filter adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedRecipient {
    /// The path without brackets.
    pub path: String,
    /// ESMTP parameters.
    pub parameters: Vec<String>,
}

/// What all filters together say of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What to do.
    pub action: Action,
    /// Changes, in order; empty if the message is not taken.
    pub edits: Vec<Edit>,
    /// The message with these changes made; the same octets (not a copy) if
    /// there are none.
    pub message: Bytes,
    /// Another reverse-path, without brackets; empty is the null one.
    pub sender: Option<String>,
    /// Further recipients. They have passed no check of the server.
    pub add_recipients: Vec<AddedRecipient>,
    /// Paths, without brackets, that are no recipients any more.
    pub remove_recipients: Vec<String>,
    /// What each filter said, in order.
    pub notes: Vec<Note>,
}

/// What one filter says.
#[derive(Debug, Clone)]
pub(crate) struct Opinion {
    pub action: Action,
    pub edits: Vec<Edit>,
    pub sender: Option<String>,
    pub add_recipients: Vec<AddedRecipient>,
    pub remove_recipients: Vec<String>,
    pub what: String,
    pub score: Option<f64>,
    pub symbols: Vec<Symbol>,
}

impl Opinion {
    pub fn new(action: Action, what: impl Into<String>) -> Self {
        Self {
            action,
            edits: Vec::new(),
            sender: None,
            add_recipients: Vec::new(),
            remove_recipients: Vec::new(),
            what: what.into(),
            score: None,
            symbols: Vec::new(),
        }
    }
}
