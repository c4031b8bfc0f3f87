//! Messages for the core.

use crate::link::Link;
use bytes::Bytes;
use concord_connector::{Submission, Submitted};
use concord_smtp::{MailCommand, RcptCommand, Xforward};

/// Characters of an id that the core is told in XFORWARD.
const MAX_IDENT: usize = 100;

/// A message for the core.
#[derive(Debug)]
pub(super) struct Letter {
    pub mail: MailCommand,
    pub rcpts: Vec<RcptCommand>,
    pub octets: Bytes,
    /// The sender's system's id of it.
    pub ident: String,
}

impl Link {
    /// Hands a message to the core.
    pub(super) async fn submit(&self, letter: Letter) -> Submitted {
        let forward = Xforward {
            helo: Some(self.settings.gateway_domain.clone()).filter(|name| !name.is_empty()),
            proto: Some("GROUPWISE".to_owned()),
            ident: Some(letter.ident.chars().take(MAX_IDENT).collect::<String>())
                .filter(|ident| !ident.is_empty()),
            source: Some("REMOTE".to_owned()),
            ..Xforward::default()
        };
        let Letter { mail, rcpts, octets, .. } = letter;
        self.submissions.hand_over(&Submission { forward, mail, rcpts, octets }).await
    }
}
