//! Who gets a message: resolving and routing recipients.

use super::serve::Submission as Shared;
use crate::routing::destination;
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::Fault as _;
use concord_directory::{
    Details, Directory, DirectoryError, Kind, Object, Resolution, Routes, expand, resolve,
};
use concord_smtp::{ForwardPath, RcptCommand, Reply};
use concord_store::Store;
use concord_transport::{Destination, Notify, RoutedRecipient};
use std::sync::Arc;

/// A recipient that RCPT was said 250 for.
struct Taken {
    given: TypedAddress,
    original: Option<String>,
    notify: Notify,
    resolution: Resolution,
}

/// The recipients of one transaction.
#[derive(Default)]
pub(crate) struct Recipients(Vec<Taken>);

fn refuse(code: u16, status: (u8, u16, u16), text: String) -> Reply {
    Reply::new(code, status, text)
}

impl Recipients {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Judges one RCPT.
    pub async fn add(&mut self, rcpt: &RcptCommand, may_relay: bool, shared: &Shared) -> Reply {
        match self.judge(rcpt, may_relay, shared).await {
            Ok(taken) => {
                self.0.push(taken);
                Reply::new(250, (2, 1, 5), "recipient ok")
            }
            Err(reply) => reply,
        }
    }

    async fn judge(
        &self,
        rcpt: &RcptCommand,
        may_relay: bool,
        shared: &Shared,
    ) -> Result<Taken, Reply> {
        let fault = |error: DirectoryError| Reply::from_fault(&error);
        let (directory, routes) =
            (&*shared.directory, shared.routing.routes().await.map_err(fault)?);
        let address = match &rcpt.to {
            ForwardPath::Mailbox(address) => address.clone(),
            ForwardPath::Postmaster => postmaster(directory).await?,
        };
        let given = TypedAddress::from(address);
        let resolution = resolve(directory, &routes, &given).await.map_err(fault)?;
        match &resolution {
            Resolution::Unknown => {
                let text = format!("<{}> nobody here has this address", given.value());
                return Err(refuse(550, (5, 1, 1), text));
            }
            Resolution::Elsewhere(_) if !may_relay => {
                let text = format!(
                    "<{}> relaying denied: not a domain of ours, and you are not logged in",
                    given.value()
                );
                return Err(refuse(550, (5, 7, 1), text));
            }
            Resolution::Elsewhere(elsewhere) | Resolution::Carried(elsewhere) => {
                if routes.route(elsewhere).is_none() {
                    let text = format!("<{}> no connector carries it", given.value());
                    return Err(refuse(550, (5, 4, 4), text));
                }
            }
            Resolution::Recipient(object) => {
                check_recipient(object, &given, &routes, &*shared.store).await?;
                if object.kind() == Kind::List {
                    let members = expand(directory, Arc::clone(object)).await.map_err(fault)?;
                    if members.is_empty() {
                        let text = format!("<{}> the list has no members", given.value());
                        return Err(refuse(550, (5, 2, 4), text));
                    }
                }
            }
        }
        let notify = rcpt.notify.map_or_else(Notify::default, |n| Notify {
            success: n.success,
            failure: n.failure,
            delay: n.delay,
        });
        Ok(Taken { given, original: rcpt.orcpt.clone(), notify, resolution })
    }

    /// Lists expanded and everybody routed; each mailbox and address once.
    ///
    /// # Errors
    /// The reply to the message.
    pub async fn route(&self, shared: &Shared) -> Result<Vec<RoutedRecipient>, Reply> {
        let fault = |error: DirectoryError| Reply::from_fault(&error);
        let routes = shared.routing.routes().await.map_err(fault)?;
        let mut routed = Vec::with_capacity(self.0.len());
        for taken in &self.0 {
            match &taken.resolution {
                Resolution::Unknown => {}
                Resolution::Elsewhere(address) | Resolution::Carried(address) => {
                    routed.extend(taken.routed(address.clone(), destination(&routes, address)));
                }
                Resolution::Recipient(object) => {
                    let all =
                        expand(&*shared.directory, Arc::clone(object)).await.map_err(fault)?;
                    routed.extend(all.iter().filter_map(|object| taken.to_object(object, &routes)));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        routed.retain(|r| seen.insert((r.address.key(), r.given.key())));
        Ok(routed)
    }
}

impl Taken {
    fn routed(&self, address: TypedAddress, to: Option<Destination>) -> Option<RoutedRecipient> {
        // Nobody can take it: the core reports it to the sender.
        let destination = to.unwrap_or_else(|| Destination::Connector {
            connector: "core".to_owned(),
            group: "unroutable".to_owned(),
        });
        Some(RoutedRecipient {
            address,
            given: self.given.clone(),
            original: self.original.clone(),
            notify: self.notify,
            destination,
        })
    }

    fn to_object(&self, object: &Object, routes: &Routes) -> Option<RoutedRecipient> {
        match &object.details {
            Details::Mailbox(_) => {
                let address = object.primary_smtp().map_or_else(|| self.given.clone(), Into::into);
                self.routed(address, Some(Destination::Mailbox(object.id.into())))
            }
            Details::Contact(contact) => {
                self.routed(contact.target.clone(), destination(routes, &contact.target))
            }
            _ => None,
        }
    }
}

/// Whom `<postmaster>` means: the postmaster of the first of our domains.
async fn postmaster(directory: &dyn Directory) -> Result<SmtpAddress, Reply> {
    let domains = directory.list(Kind::Domain).await.map_err(|error| Reply::from_fault(&error))?;
    domains
        .first()
        .and_then(|domain| format!("postmaster@{}", domain.name).parse().ok())
        .ok_or_else(|| refuse(450, (4, 3, 5), "this server has no domain yet".into()))
}

async fn check_recipient(
    object: &Object,
    given: &TypedAddress,
    routes: &Routes,
    store: &dyn Store,
) -> Result<(), Reply> {
    match &object.details {
        Details::Mailbox(mailbox) if mailbox.quota.is_some() => {
            let quota = store.quota(object.id.into()).await.map_err(|error| {
                let status = error.enhanced_status();
                refuse(451, (status.class, status.subject, status.detail), error.to_string())
            })?;
            if quota.limit.is_some_and(|limit| quota.used >= limit) {
                let text = format!("<{}> the mailbox is full", given.value());
                return Err(refuse(452, (4, 2, 2), text));
            }
            Ok(())
        }
        Details::Contact(contact) if routes.route(&contact.target).is_none() => {
            let text = format!("<{}> no connector carries {}", given.value(), contact.target);
            Err(refuse(550, (5, 4, 4), text))
        }
        _ => Ok(()),
    }
}
