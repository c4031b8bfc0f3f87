//! What both directions share.

use crate::book::{Book, Known};
use crate::inbound::{FromHosts, InHand};
use crate::links::LinkStates;
use crate::orders::Operators;
use crate::outbound::Confirmed;
use crate::settings::OvvmSettings;
use concord_address::Domain;
use concord_base::{Clock, QueueId};
use concord_cms_mail::HostAddress;
use concord_cms_mail::convert::People as _;
use concord_connector::{ApiError, ConversionMemory, CoreApi, Say, Submissions};
use concord_nje_tokio::{LinkHandle, Node};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::RwLock;

/// A connection between the core and the hosts.
pub(crate) struct Shared {
    /// The connector's name.
    pub name: String,
    /// The server's name, at which hosts' people have addresses and Message-IDs.
    pub host: Domain,
    /// What the administrator set.
    pub settings: OvvmSettings,
    /// Octets of a message.
    pub message_size: u64,
    /// The directory.
    pub book: Book,
    /// The core's API.
    pub api: CoreApi,
    /// Sessions to the core.
    pub submissions: Submissions,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What may be converted at once.
    pub memory: ConversionMemory,
    /// What partners have of messages that are not done; stays when settings
    /// change.
    pub confirmed: Arc<Confirmed>,
    /// Files in hand, and what an earlier process died of.
    pub in_hand: Arc<InHand>,
    /// A file that the process may have died of is in hand alone.
    pub alone: Arc<RwLock<()>>,
    /// How the links are.
    pub links: LinkStates,
    /// Operators' orders.
    pub operators: Operators,
    /// What `concord service status` shows.
    pub say: Say,
}

/// Senders of a heading who are looked up by the names of their messages.
const MAX_STRANGERS: usize = 20;

impl Shared {
    /// Leaves a notice ([`CoreApi::leave_notice`]).
    pub async fn notice(&self, code: &str, text: &str) {
        self.api.leave_notice(code, text).await;
    }

    /// Now.
    pub fn instant(&self) -> Timestamp {
        Timestamp::from_second(self.clock.now().seconds()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Internet addresses of hosts' people, of ours, and of senders who are known
    /// to hosts by the name of a message ([`crate::outbound::ToHosts`]).
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn people(&self, addresses: &[HostAddress]) -> Result<Known, ApiError> {
        let mut known = self.book.on_the_internet(addresses).await?;
        let mut looked = 0_usize;
        for address in addresses {
            let is_message =
                self.settings.is_own(address.node()) && address.user().parse::<QueueId>().is_ok();
            if !is_message || known.internet(address).is_some() || looked >= MAX_STRANGERS {
                continue;
            }
            looked = looked.saturating_add(1);
            let story = match self.api.message(address.user()).await {
                Err(ApiError::Refused { status: 400..500, .. }) => None,
                story => story?,
            };
            if let Some(sender) = story.and_then(|story| story.sender.parse().ok()) {
                known.add(address.clone(), sender);
            }
        }
        Ok(known)
    }
}

/// The running service: what is shared, and the node with its links.
pub(crate) struct Running {
    /// What is shared.
    pub shared: Arc<Shared>,
    /// What takes the partners' files.
    pub arrivals: Arc<FromHosts>,
    /// The node.
    pub node: Node,
}

impl Running {
    /// The link by which a host's node is reached; none if there is no way.
    pub fn link_to(&self, node: &str) -> Option<&LinkHandle> {
        self.node.link(self.shared.settings.route(node)?.partner)
    }
}
