//! Files for the directory user.

use super::bring::{Arrival, Brought};
use crate::shared::Shared;
use crate::sync::{ListingError, listing_came};
use concord_base::Fault as _;
use concord_cms_mail::Arrived;
use concord_smtp::Reply;
use std::sync::Arc;

impl Shared {
    /// A host's directory, if it is one and comes from whom it may. A file that comes
    /// again changes nothing, so it needs no journal.
    pub(super) async fn directory(
        self: &Arc<Self>,
        arrival: &Arrival,
        arrived: &Arrived,
    ) -> Brought {
        match listing_came(self, &arrival.file, arrived).await {
            Ok(_) => Ok("directory"),
            Err(error @ ListingError::Stranger(_)) => {
                let reply = Reply::new(550, (5, 7, 1), error.to_string());
                self.refuse_all(arrival, &reply).await
            }
            Err(ListingError::Core(error)) => Err(error.to_string()),
            Err(error) => {
                self.notice(error.code(), &error.to_string()).await;
                self.put_aside(arrival, &error.to_string()).await
            }
        }
    }
}
