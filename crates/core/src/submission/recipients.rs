//! Who gets a message: resolving and routing recipients.

use super::meaning::meaning;
use super::returned::returned;
use super::serve::Submission as Shared;
use super::size;
use crate::dead_end;
use crate::filing::{self, Ruled};
use crate::routing::{Table, destination};
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::Fault as _;
use concord_directory::{
    Directory, DirectoryError, Kind, Object, Reached, Refusal, ReportTo, Resolution, Routes,
    Sender, Situation, accepts, expand,
};
use concord_smtp::{ForwardPath, RcptCommand, Reply};
use concord_store::Store;
use concord_transport::{Destination, Notify, ReversePath, RoutedRecipient};
use std::sync::Arc;

/// Who sends, and what is known of the message before it is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct From {
    /// The recipient of this directory who sends.
    pub object: Option<Arc<Object>>,
    /// See [`Sender::proven`].
    pub proven: bool,
    /// Whether the reverse-path is `<>`: then nobody gets reports.
    pub null: bool,
    /// Octets, as MAIL said.
    pub octets: Option<u64>,
    /// May send to other systems.
    pub may_relay: bool,
}

impl From {
    fn sender(&self) -> Sender {
        Sender { object: self.object.as_ref().map(|object| object.id), proven: self.proven }
    }
}

/// A recipient that RCPT was said 250 for.
struct Taken {
    given: TypedAddress,
    original: Option<String>,
    notify: Notify,
    resolution: Resolution,
}

/// Everybody whom a message goes to.
#[derive(Default)]
pub(crate) struct Routed {
    pub copies: Vec<RoutedRecipient>,
    /// Those of them that have rules.
    pub ruled: Ruled,
}

/// The recipients of one transaction.
#[derive(Default)]
pub(crate) struct Recipients(Vec<Taken>);

fn refuse(code: u16, status: (u8, u16, u16), text: String) -> Reply {
    Reply::new(code, status, text)
}

fn refused(given: &TypedAddress, refusal: Refusal) -> Reply {
    let status = refusal.status();
    let code = if matches!(refusal, Refusal::TooLarge { .. }) { 552 } else { 550 };
    let text = format!("<{}> {refusal}", given.value());
    refuse(code, (status.class, status.subject, status.detail), text)
}

/// What a message's recipients are routed by.
struct Way<'a> {
    shared: &'a Shared,
    table: Arc<Table>,
    situation: Situation,
    from: &'a From,
    octets: u64,
}

impl Recipients {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the message can come to a mailbox with rules. Members of lists, and
    /// those to whom mail is forwarded, may have some.
    pub fn may_be_ruled(&self) -> bool {
        self.0.iter().any(|taken| match &taken.resolution {
            Resolution::Recipient(object) => {
                object.kind() == Kind::List
                    || object.policy.forward.is_some()
                    || !filing::rules_of(object).is_empty()
            }
            _ => false,
        })
    }

    /// Judges one RCPT.
    pub async fn add(&mut self, rcpt: &RcptCommand, from: &From, shared: &Shared) -> Reply {
        match self.judge(rcpt, from, shared).await {
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
        from: &From,
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
        let resolution = match returned(shared, &routes, &given, from.null).await? {
            Some(resolution) => resolution,
            None => meaning(shared, &routes, &given).await.map_err(fault)?,
        };
        match &resolution {
            Resolution::Unknown => {
                let text = format!("<{}> nobody here has this address", given.value());
                return Err(refuse(550, (5, 1, 1), text));
            }
            Resolution::Elsewhere(_) if !from.may_relay => {
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
                size::to_outside(shared, elsewhere, from.octets)?;
            }
            Resolution::Recipient(object) => {
                check_recipient(object, &given, &routes, &*shared.store).await?;
                check_restrictions(object, &given, from, directory).await?;
            }
        }
        let notify = rcpt.notify.map_or_else(Notify::default, |n| Notify {
            success: n.success,
            failure: n.failure,
            delay: n.delay,
        });
        Ok(Taken { given, original: rcpt.orcpt.clone(), notify, resolution })
    }

    /// Lists expanded and everybody routed, for a message of so many octets; each
    /// mailbox and address once.
    ///
    /// # Errors
    /// The reply to the message.
    pub async fn route(&self, shared: &Shared, from: &From, octets: u64) -> Result<Routed, Reply> {
        let fault = |error: DirectoryError| Reply::from_fault(&error);
        let table = shared.routing.table().await.map_err(fault)?;
        let situation = shared.routing.situation(&table, from.object.as_deref());
        let way = Way { shared, table, situation, from, octets };
        let mut all = Routed::default();
        for taken in &self.0 {
            taken.route(&way, &mut all).await.map_err(fault)?;
        }
        let routed = &mut all.copies;
        // Each copy once, whatever addresses and lists led to it.
        let mut seen = std::collections::HashSet::new();
        routed.retain(|r| match &r.destination {
            Destination::Mailbox(_) => seen.insert((r.address.key(), r.given.key())),
            Destination::Connector { .. } => seen.insert((r.address.key(), String::new())),
        });
        size::limit_copies(shared, routed, octets)?;
        Ok(all)
    }
}

impl Taken {
    async fn route(&self, way: &Way<'_>, routed: &mut Routed) -> Result<(), DirectoryError> {
        match &self.resolution {
            Resolution::Unknown => Ok(()),
            Resolution::Elsewhere(address) | Resolution::Carried(address) => {
                let to = destination(&way.table.routes, address, &way.situation);
                routed.copies.push(self.routed(address.clone(), to, None));
                Ok(())
            }
            Resolution::Recipient(object) => self.route_object(object, way, routed).await,
        }
    }

    async fn route_object(
        &self,
        object: &Arc<Object>,
        way: &Way<'_>,
        routed: &mut Routed,
    ) -> Result<(), DirectoryError> {
        let directory = &*way.shared.directory;
        let (sender, octets) = (way.from.sender(), Some(way.octets));
        if let Some(refusal) = accepts(directory, object, sender, octets).await? {
            let reports_to = reports_to(directory, Some(object), way.from).await?;
            let to = Some(dead_end::refused(refusal));
            routed.copies.push(self.routed(self.given.clone(), to, reports_to));
            return Ok(());
        }
        for reached in expand(directory, Arc::clone(object)).await? {
            let reports_to = reports_to(directory, reached.reporting.as_ref(), way.from).await?;
            let refusal = match reached.direct {
                true => None,
                false => accepts(directory, &reached.object, sender, octets).await?,
            };
            let Some((address, to)) = self.copy(&reached, way) else { continue };
            if !filing::rules_of(&reached.object).is_empty() {
                routed.ruled.insert(reached.object.id.into(), Arc::clone(&reached.object));
            }
            let to = refusal.map_or(to, |refusal| Some(dead_end::refused(refusal)));
            routed.copies.push(self.routed(address, to, reports_to));
        }
        Ok(())
    }

    /// Where a recipient's copy goes; none for what takes no mail.
    fn copy(
        &self,
        reached: &Reached,
        way: &Way<'_>,
    ) -> Option<(TypedAddress, Option<Destination>)> {
        let object = &reached.object;
        if object.kind().has_folders() {
            let address = object.primary_smtp().map_or_else(|| self.given.clone(), Into::into);
            return Some((address, Some(Destination::Mailbox(object.id.into()))));
        }
        let target = object.target()?;
        Some((target.clone(), destination(&way.table.routes, target, &way.situation)))
    }

    fn routed(
        &self,
        address: TypedAddress,
        to: Option<Destination>,
        reports_to: Option<ReversePath>,
    ) -> RoutedRecipient {
        RoutedRecipient {
            address,
            given: self.given.clone(),
            original: self.original.clone(),
            notify: self.notify,
            destination: to.unwrap_or_else(|| dead_end::of(dead_end::UNROUTABLE)),
            reports_to,
            filing: None,
        }
    }
}

/// Who gets reports of what goes through a list; none if the sender does.
async fn reports_to(
    directory: &dyn Directory,
    list: Option<&Arc<Object>>,
    from: &From,
) -> Result<Option<ReversePath>, DirectoryError> {
    let Some(list) = list.and_then(|object| object.list()) else { return Ok(None) };
    if from.null || list.report_to == ReportTo::Sender {
        return Ok(None);
    }
    if list.report_to == ReportTo::Owner {
        for owner in &list.owners {
            let owner = directory.object(*owner).await?;
            if let Some(address) = owner.and_then(|owner| owner.primary_smtp()) {
                return Ok(Some(ReversePath(Some(address))));
            }
        }
    }
    Ok(Some(ReversePath(None)))
}

/// Refuses at once what the recipient does not take, unless somebody else than
/// the sender is to hear of it.
async fn check_restrictions(
    object: &Arc<Object>,
    given: &TypedAddress,
    from: &From,
    directory: &dyn Directory,
) -> Result<(), Reply> {
    let fault = |error: DirectoryError| Reply::from_fault(&error);
    let told_elsewhere = object.list().is_some_and(|list| list.report_to != ReportTo::Sender);
    if !told_elsewhere {
        let refusal = accepts(directory, object, from.sender(), from.octets).await;
        if let Some(refusal) = refusal.map_err(fault)? {
            return Err(refused(given, refusal));
        }
    }
    if object.kind() == Kind::List {
        let members = expand(directory, Arc::clone(object)).await.map_err(fault)?;
        if members.is_empty() {
            let text = format!("<{}> the list has no members", given.value());
            return Err(refuse(550, (5, 2, 4), text));
        }
    }
    Ok(())
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
    if let Some(target) = object.target() {
        if routes.route(target).is_none() {
            let text = format!("<{}> no connector carries {target}", given.value());
            return Err(refuse(550, (5, 4, 4), text));
        }
        return Ok(());
    }
    match object.quota() {
        Some(_) => {
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
        None => Ok(()),
    }
}
