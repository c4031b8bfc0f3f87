//! Files in `ATT_OUT` that no header names: what is left of messages that the
//! gateway lost (a file without octets is one reason: Q234388, Q235501).

use super::item::content_of;
use super::submit::Letter;
use crate::gateway::{GatewayError, Listed};
use crate::link::Link;
use bytes::Bytes;
use concord_connector::Submitted;
use concord_groupwise_api::{Reading, layout, read};
use concord_smtp::{ForwardPath, MailCommand, Notify, RcptCommand};
use mail_builder::MessageBuilder;
use std::collections::HashSet;

/// Orphans told of in one message.
const MAX_FILES: usize = 20;
/// Octets of orphans in one message; a larger one is only named.
const MAX_OCTETS: u64 = 10 << 20;

/// A file's name, and its octets if they fit.
type Orphan = (String, Option<Vec<u8>>);

impl Link {
    /// Tells the postmaster of orphans that are old enough, and puts them aside.
    pub(super) async fn look_for_orphans(&self) -> Result<(), GatewayError> {
        let files = self.gateway.blocking(|gateway| gateway.list(layout::ATT_OUT)).await?;
        let old: Vec<Listed> =
            files.into_iter().filter(|file| self.age(file) >= self.settings.orphan_after).collect();
        if old.is_empty() {
            return Ok(());
        }
        let Some(named) = self.named().await? else { return Ok(()) };
        let page = self.settings.characters.page;
        let orphans: Vec<Listed> = old
            .into_iter()
            .filter(|file| {
                let by_page = page.decode(file.raw.as_encoded_bytes()).to_lowercase();
                !named.contains(&file.name.to_lowercase()) && !named.contains(&by_page)
            })
            .take(MAX_FILES)
            .collect();
        if orphans.is_empty() {
            return Ok(());
        }
        self.tell_postmaster(orphans).await
    }

    /// Names that headers name; `None` while a header is not whole, since it may
    /// name any.
    async fn named(&self) -> Result<Option<HashSet<String>>, GatewayError> {
        let characters = self.settings.characters;
        self.gateway
            .blocking(move |gateway| {
                let mut named = HashSet::new();
                for file in gateway.list(layout::API_OUT)? {
                    let Some(octets) = gateway.header(layout::API_OUT, &file)? else { continue };
                    match read(&octets, characters) {
                        Reading::Complete(header) => {
                            let names = content_of(&header.message);
                            named.extend(names.into_iter().map(|name| name.to_lowercase()));
                        }
                        Reading::NotReady(_) | Reading::Bad(_) => return Ok(None),
                    }
                }
                Ok(Some(named))
            })
            .await
    }

    async fn tell_postmaster(&self, orphans: Vec<Listed>) -> Result<(), GatewayError> {
        let contents = self.contents(orphans.clone()).await?;
        let names: Vec<String> = orphans.iter().map(|file| file.name.clone()).collect();
        let names = names.join(", ");
        let first = orphans.first().map(|file| file.modified);
        let octets = self.lost(&names, &format!("{names}{first:?}"), contents);
        let who = match self.submit(to_postmaster(octets)).await {
            Submitted::Taken { .. } => "the postmaster has them",
            // Nobody here is the postmaster; then the notice has to do.
            Submitted::Refused(_) => {
                "nobody here is the postmaster; they lie in concord-quarantine"
            }
            Submitted::Later(_) | Submitted::Broken(_) => return Ok(()),
        };
        let notice = format!("the gateway left files without a message in ATT_OUT: {names}; {who}");
        self.notice("groupwise.orphans", &notice).await;
        self.gateway
            .blocking(move |gateway| {
                for file in &orphans {
                    let reason = "no header named it";
                    gateway.quarantine(layout::ATT_OUT, file, &[], reason)?;
                }
                Ok(())
            })
            .await
    }

    /// The octets of orphans, as far as they fit into one message.
    async fn contents(&self, files: Vec<Listed>) -> Result<Vec<Orphan>, GatewayError> {
        self.gateway
            .blocking(move |gateway| {
                let mut left = MAX_OCTETS;
                let mut contents = Vec::with_capacity(files.len());
                for file in files {
                    let path = gateway.root().join(layout::ATT_OUT).join(&file.raw);
                    let octets = (file.size <= left).then(|| std::fs::read(&path).ok()).flatten();
                    left = left.saturating_sub(octets.as_ref().map_or(0, |_| file.size));
                    contents.push((file.name, octets));
                }
                Ok(contents)
            })
            .await
    }

    /// The message about orphans; `mark` tells it from others.
    fn lost(&self, names: &str, mark: &str, contents: Vec<Orphan>) -> Vec<u8> {
        let page = self.settings.characters.page;
        let mut text = format!(
            "The GroupWise gateway of connector {} left files in ATT_OUT without a message. It \
             does so if it cannot write the message, for instance because a file of it has no \
             octets (its log says 'Error processing message attachments'). Whom it was for is \
             not known. The files are attached, and lie in concord-quarantine.\r\n\r\n\
             Files: {names}\r\n",
            self.name
        );
        for (name, octets) in &contents {
            if let Some(octets) = octets.as_ref().filter(|_| name.to_lowercase().ends_with(".bdy"))
            {
                text.push_str(&format!("\r\n{name}:\r\n{}\r\n", page.decode(octets)));
            }
        }
        let id = format!("gw-orphans.{}@{}", super::status::digest_of(mark), self.host);
        let mut message = MessageBuilder::new()
            .message_id(id)
            .date(self.clock.now().seconds())
            .from(format!("postmaster@{}", self.host))
            .to(format!("postmaster@{}", self.host))
            .subject(format!("GroupWise lost a message: {names}"))
            .text_body(text);
        for (name, octets) in contents {
            if let Some(octets) = octets {
                message = message.attachment("application/octet-stream", name, octets);
            }
        }
        // Writing to memory does not fail.
        message.write_to_vec().unwrap_or_default()
    }
}

fn to_postmaster(octets: Vec<u8>) -> Letter {
    let never = Notify { success: false, failure: false, delay: false };
    Letter {
        mail: MailCommand { size: u64::try_from(octets.len()).ok(), ..MailCommand::new(None) },
        rcpts: vec![RcptCommand {
            to: ForwardPath::Postmaster,
            utf8: false,
            notify: Some(never),
            orcpt: None,
        }],
        octets: Bytes::from(octets),
        ident: String::new(),
    }
}
