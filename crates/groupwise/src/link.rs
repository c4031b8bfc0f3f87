//! What both directions share.

use crate::book::Book;
use crate::gateway::{Gateway, GatewayError};
use crate::settings::GroupWiseSettings;
use concord_address::Domain;
use concord_base::Clock;
use concord_connector::{ConversionMemory, CoreApi, Say, Submissions};
use concord_groupwise_api::model::Message;
use concord_groupwise_api::{Moment, write};
use concord_smtp::Notify;
use jiff::Timestamp;
use std::sync::Arc;

/// A connection between the core and one gateway.
pub struct Link {
    /// The connector's name.
    pub name: String,
    /// The server's name, at which GroupWise people have addresses and
    /// Message-IDs.
    pub host: Domain,
    /// What the administrator set.
    pub settings: GroupWiseSettings,
    /// Octets of a message.
    pub message_size: u64,
    /// The gateway's directories.
    pub gateway: Arc<Gateway>,
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
    /// What `concord service status` shows.
    pub say: Say,
}

impl Link {
    /// Leaves a notice ([`CoreApi::leave_notice`]).
    pub async fn notice(&self, code: &str, text: &str) {
        self.api.leave_notice(code, text).await;
    }

    /// Now, as the files write it: in the gateway's zone, with its offset.
    pub fn moment(&self) -> Moment {
        Moment::in_zone(self.instant(), &self.settings.zone)
    }

    /// Now.
    pub fn instant(&self) -> Timestamp {
        Timestamp::from_second(self.clock.now().seconds()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Puts a message without content into `API_IN`.
    ///
    /// # Errors
    /// [`GatewayError`]
    pub async fn publish(&self, id: String, message: Message) -> Result<(), GatewayError> {
        let characters = self.settings.characters;
        let header = write(&message, characters).octets;
        self.gateway
            .blocking(move |gateway| {
                let make = |_| crate::gateway::Put { header: header.clone(), content: Vec::new() };
                gateway.publish(&id, characters, &make)
            })
            .await?;
        Ok(())
    }
}

/// NOTIFY for reports on failure, and on success if it was asked for.
pub const fn notify(success: bool) -> Notify {
    Notify { success, failure: true, delay: success }
}
