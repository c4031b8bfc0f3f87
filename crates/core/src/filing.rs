//! Rules of mailboxes, asked of a message when it is taken: what they say stands in
//! the record of the message, so that applying it again files it the same.
//!
//! Every address that rules or the message name goes through [`meaning`], as the
//! recipients did: what is asked is who somebody is, not how his address is written,
//! whatever way the message came (Q259616, Q195583).

use crate::submission::{Submission as Shared, meaning};
use concord_address::TypedAddress;
use concord_base::MailboxId;
use concord_directory::{DirectoryError, Object, Resolution, Routes};
use concord_rules::{Facts, Identity, People, Reader, Rule, Verdict, addresses, judge};
use concord_store::{FolderName, MAX_READ, StoreError, SystemFlags};
use concord_transport::{Destination, Filing, QueuedMessage, RoutedRecipient};
use std::collections::HashMap;
use std::sync::Arc;

/// Rules that a record names for tracking, the first ones; a message to a large list
/// has a name for each of its members.
const MAX_NAMED: usize = 8;

/// The mailboxes that a message goes to and that have rules.
pub(crate) type Ruled = HashMap<MailboxId, Arc<Object>>;

/// A recipient's rules; none for whoever is no mailbox.
pub(crate) fn rules_of(object: &Object) -> &[Rule] {
    object.mailbox().map(|mailbox| mailbox.rules.as_slice()).unwrap_or_default()
}

/// Which of the recipients of a message have rules.
pub(crate) async fn ruled(
    shared: &Shared,
    routed: &[RoutedRecipient],
) -> Result<Ruled, DirectoryError> {
    let mut ruled = Ruled::new();
    for recipient in routed {
        let Destination::Mailbox(mailbox) = recipient.destination else { continue };
        if let Some(object) = shared.directory.object(mailbox.into()).await?
            && !rules_of(&object).is_empty()
        {
            ruled.insert(mailbox, object);
        }
    }
    Ok(ruled)
}

/// Says of every copy for a mailbox with rules where it lies there.
pub(crate) async fn file(
    shared: &Shared,
    routed: &mut [RoutedRecipient],
    ruled: &Ruled,
    facts: &Facts,
) -> Result<(), DirectoryError> {
    if ruled.is_empty() {
        return Ok(());
    }
    let routes = shared.routing.routes().await?;
    // What has been asked for one mailbox is known for the next.
    let mut people: Option<People> = None;
    let mut filed: HashMap<MailboxId, Option<Filing>> = HashMap::new();
    for recipient in routed {
        let Destination::Mailbox(mailbox) = recipient.destination else { continue };
        let Some(object) = ruled.get(&mailbox) else { continue };
        if let Some(filing) = filed.get(&mailbox) {
            recipient.filing.clone_from(filing);
            continue;
        }
        let verdict = one(shared, &routes, object, facts, &mut people).await?;
        recipient.filing = filing(object, verdict);
        filed.insert(mailbox, recipient.filing.clone());
        // A large list's members with rules are no reason for others to wait.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// The same for a message that the server itself made, and has in one piece.
pub(crate) async fn file_own(
    shared: &Shared,
    routed: &mut [RoutedRecipient],
    message: &[u8],
) -> Result<(), DirectoryError> {
    let ruled = ruled(shared, routed).await?;
    if ruled.is_empty() {
        return Ok(());
    }
    file(shared, routed, &ruled, &Facts::of(message)).await
}

/// Where a message lies in a mailbox that gets it now, after it has waited in the
/// queue.
pub(crate) async fn of_waiting(
    shared: &Shared,
    object: &Arc<Object>,
    message: &QueuedMessage,
) -> Result<Option<Filing>, DirectoryError> {
    if rules_of(object).is_empty() {
        return Ok(None);
    }
    let facts = match read(shared, message).await {
        Ok(facts) => facts,
        Err(error) => {
            tracing::warn!(%error, mailbox = object.name, "rules cannot be asked: the message \
                 cannot be read; it goes into the inbox");
            return Ok(None);
        }
    };
    let verdict = judged(shared, object, &facts).await?;
    Ok(filing(object, verdict))
}

async fn read(shared: &Shared, message: &QueuedMessage) -> Result<Facts, StoreError> {
    let mut reader = Reader::new();
    let mut at = u64::from(message.return_path_octets);
    while at < message.octets {
        let piece = shared.store.read(message.message, at..at.saturating_add(MAX_READ)).await?;
        if piece.is_empty() {
            break;
        }
        reader.feed(&piece);
        at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
    }
    Ok(reader.finish())
}

/// What a mailbox's rules say of a message.
pub(crate) async fn judged(
    shared: &Shared,
    object: &Object,
    facts: &Facts,
) -> Result<Verdict, DirectoryError> {
    let routes = shared.routing.routes().await?;
    one(shared, &routes, object, facts, &mut None).await
}

async fn one(
    shared: &Shared,
    routes: &Routes,
    object: &Object,
    facts: &Facts,
    people: &mut Option<People>,
) -> Result<Verdict, DirectoryError> {
    let me = Identity::Object(object.id);
    let people = people.get_or_insert_with(|| People::new(me.clone()));
    people.set_me(me);
    let rules = rules_of(object);
    for address in addresses(rules, facts) {
        if !people.knows(address) {
            let who = who(shared, routes, address).await?;
            people.insert(address, who);
        }
    }
    Ok(judge(rules, facts, people))
}

async fn who(
    shared: &Shared,
    routes: &Routes,
    address: &TypedAddress,
) -> Result<Identity, DirectoryError> {
    Ok(match meaning(shared, routes, address).await? {
        Resolution::Recipient(object) => Identity::Object(object.id),
        // Taken out of the Internet address that it came in.
        Resolution::Carried(address) | Resolution::Elsewhere(address) => {
            Identity::Address(address.key())
        }
        Resolution::Unknown => Identity::Address(address.key()),
    })
}

/// As the record has it; none if no rule fired.
fn filing(object: &Object, verdict: Verdict) -> Option<Filing> {
    let filing = verdict.filing;
    if filing.rules.is_empty() {
        return None;
    }
    let folder = filing.folder.and_then(|path| {
        let name = path.parse::<FolderName>();
        if let Err(error) = &name {
            tracing::warn!(%error, mailbox = object.name, "a rule's folder cannot be used");
        }
        name.ok()
    });
    let mut flags = SystemFlags::default();
    for (flag, set) in [(SystemFlags::SEEN, filing.read), (SystemFlags::FLAGGED, filing.flagged)] {
        if set {
            flags = flags.union(flag);
        }
    }
    let rules = filing.rules.into_iter().take(MAX_NAMED).collect();
    Some(Filing { folder: folder.filter(|name| !name.is_inbox()), flags, rules })
}
