//! Letters on their way to the core.

use super::bring::Arrival;
use super::letter::Letter;
use crate::shared::Shared;
use bytes::Bytes;
use concord_connector::{Submission, Submitted};

impl Shared {
    /// Hands a letter to the core. One that it may have or not can be tried
    /// again, because its key tells.
    pub(super) async fn submit(&self, arrival: &Arrival, letter: &Letter) -> Submitted {
        let octets = Bytes::from([self.trace(arrival, letter), letter.octets.clone()].concat());
        let submission = Submission {
            forward: letter.forward(arrival),
            mail: letter.mail(&octets),
            rcpts: letter.rcpts(),
            octets,
        };
        self.submissions.hand_over(&submission).await
    }
}
