//! What both directions share.

use crate::book::Book;
use crate::gateway::{Gateway, GatewayError};
use crate::settings::GroupWiseSettings;
use concord_address::Domain;
use concord_base::Clock;
use concord_connector::{CoreApi, CoreSession, Say, Submissions, SubmitError};
use concord_groupwise_api::model::Message;
use concord_groupwise_api::{Moment, write};
use concord_smtp::{Notify, Reply};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::Semaphore;

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
    /// Octets of messages that may be converted at once, in units of
    /// [`MEMORY_UNIT`].
    pub memory: Arc<Semaphore>,
    /// What `concord service status` shows.
    pub say: Say,
}

/// Memory is given out in pieces of so many octets.
pub const MEMORY_UNIT: u64 = 1 << 20;
/// Pieces that conversions may hold at once; a message takes four times its
/// size, for its parts, its files and what is made of them.
pub const MEMORY_UNITS: u32 = 512;

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

    /// Memory for a message of so many octets.
    pub async fn room(&self, octets: u64) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let units = octets.saturating_mul(4).div_ceil(MEMORY_UNIT);
        let units = u32::try_from(units).unwrap_or(MEMORY_UNITS).clamp(1, MEMORY_UNITS);
        Arc::clone(&self.memory).acquire_many_owned(units).await.ok()
    }

    /// A session to the core that has not been idle.
    ///
    /// # Errors
    /// [`SubmitError`]
    pub async fn session(&self) -> Result<(CoreSession, bool), SubmitError> {
        self.submissions.get().await
    }
}

/// NOTIFY for reports on failure, and on success if it was asked for.
pub const fn notify(success: bool) -> Notify {
    Notify { success, failure: true, delay: success }
}

/// The words of a reply on one line.
pub fn words(reply: &Reply) -> String {
    let status = reply.status_or_generic();
    format!("{} {status} {}", reply.code, reply.text.replace('\n', " "))
}
