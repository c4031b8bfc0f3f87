//! Which queued messages.

use concord_admin_api::wire::QueueQuery;

/// Which queued messages; all that is said must hold.
#[derive(Debug, Clone, clap::Args)]
pub struct Filter {
    /// Only from this sender
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Only to this recipient
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Only to this domain
    #[arg(long)]
    domain: Option<String>,
    /// Only what waits for this connector
    #[arg(long)]
    connector: Option<String>,
    /// Only what is quarantined, because services died over it
    #[arg(long, conflicts_with = "held")]
    pub quarantined: bool,
    /// Only what an administrator holds
    #[arg(long)]
    held: bool,
}

impl Filter {
    /// As the API takes it.
    pub fn query(&self) -> QueueQuery {
        let state = match (self.quarantined, self.held) {
            (true, _) => Some("quarantined".to_owned()),
            (_, true) => Some("held".to_owned()),
            _ => None,
        };
        QueueQuery {
            state,
            connector: self.connector.clone(),
            domain: self.domain.clone(),
            sender: self.sender.clone(),
            recipient: self.recipient.clone(),
            after: None,
            limit: None,
        }
    }

    /// Whether anything is said.
    pub fn is_empty(&self) -> bool {
        self.query() == QueueQuery::default()
    }
}
