//! The directory's recipients as entries of a file.

use super::{Attribute, Entry};
use crate::caller::{Caller, CallerError, Filter};
use crate::dn::{self, Rdn};
use crate::schema::{Attr, Class};
use crate::text::Rule;
use concord_directory::Kind;
use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};
use tokio::io::{AsyncRead, AsyncWrite};

/// The kinds in the order in which they are written: what others stand in first,
/// what names others last.
const ORDER: [Kind; 6] =
    [Kind::Container, Kind::Mailbox, Kind::Contact, Kind::PublicFolder, Kind::Resource, Kind::List];

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds {
    /// Kinds of recipients, and containers; none is all of them, with the places
    /// that they stand in.
    pub kinds: Vec<Kind>,
    /// Whether what directory synchronisation keeps is left out.
    pub own: bool,
}

/// Names of a DN of the site's Recipients: its own, the site's, the organisation's.
const PLACE_DEPTH: usize = 3;

impl Kinds {
    /// Kinds by their names; what is no name of one here is left out.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>, own: bool) -> Self {
        let kind = |name: &'a str| ORDER.into_iter().find(|kind| kind.as_str() == name);
        Self { kinds: names.into_iter().filter_map(kind).collect(), own }
    }
}

/// The entries that are wanted. Passwords are not in them, nor what the server
/// alone writes, nor what follows from other attributes: they can be added again.
/// The `entryUUID` is a comment.
pub async fn export<S: AsyncRead + AsyncWrite + Unpin>(
    caller: &mut Caller<S>,
    wanted: &Kinds,
) -> Result<Vec<Entry>, CallerError> {
    let base = caller.base().await?;
    let uuid = Attr::EntryUuid.definition().name();
    let found = caller.search(&base, &filter(wanted), &["*", uuid]).await?;
    let mut sorted: Vec<(Place, Entry)> = Vec::with_capacity(found.len());
    for entry in found {
        let rdns = dn::parse(&entry.dn).unwrap_or_default();
        let is_place = rdns.len() <= PLACE_DEPTH;
        if of_configuration(&rdns) || is_place && !wanted.kinds.is_empty() {
            continue;
        }
        let rank = if is_place { 0 } else { rank(&entry) };
        // containers by their depth, the others by their names
        let depth = if rank <= 1 { rdns.len() } else { 0 };
        sorted.push(((rank, depth, dn::key(&rdns)), written(entry)));
    }
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(sorted.into_iter().map(|(_, entry)| entry).collect())
}

/// Where an entry stands in the file: its kind, its depth, its name.
type Place = (usize, usize, String);

/// The class by which entries of a kind are found.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Mailbox | Kind::Contact => Class::of(Some(kind)).last().copied().unwrap_or_default(),
        _ => Class::structural(Some(kind)),
    }
}

fn filter(wanted: &Kinds) -> Filter {
    let kinds = if wanted.kinds.is_empty() { &ORDER[..] } else { &wanted.kinds };
    let mut classes: Vec<&str> = kinds.iter().map(|kind| class(*kind)).collect();
    if wanted.kinds.is_empty() {
        classes.extend([Kind::Organisation, Kind::Site].map(class));
    }
    let is = |class: &str| Filter::Equality("objectClass".to_owned(), class.to_owned());
    let any = Filter::Or(classes.into_iter().map(is).collect());
    if !wanted.own {
        return any;
    }
    let origin = Attr::OriginConnector.definition().name().to_owned();
    Filter::And(vec![any, Filter::Not(Box::new(Filter::Present(origin)))])
}

/// The configuration's containers have the class of others.
fn of_configuration(rdns: &[Rdn]) -> bool {
    let at = rdns.len().checked_sub(PLACE_DEPTH).and_then(|at| rdns.get(at));
    at.is_some_and(|rdn| rdn.key() == "configuration")
}

fn rank(entry: &LdapSearchResultEntry) -> usize {
    let has = |kind: &Kind| {
        let of = |a: &&LdapPartialAttribute| Attr::from_name(&a.atype) == Some(Attr::ObjectClass);
        let mut values = entry.attributes.iter().filter(of).flat_map(|a| &a.vals);
        values.any(|value| value == class(*kind).as_bytes())
    };
    ORDER.iter().position(has).map_or(ORDER.len(), |place| place + 1)
}

fn written(entry: LdapSearchResultEntry) -> Entry {
    let (mut comment, mut attributes) = (None, Vec::new());
    // a recipient has ou because it has a department; a site has it by itself
    let has = |attr: Attr| entry.attributes.iter().any(|a| Attr::from_name(&a.atype) == Some(attr));
    let derived = [
        (Attr::O, Attr::Company),
        (Attr::Ou, Attr::Department),
        (Attr::Co, Attr::C),
        (Attr::MailNickname, Attr::Uid),
    ];
    let derived: Vec<Attr> =
        derived.into_iter().filter(|(_, of)| has(*of)).map(|(attr, _)| attr).collect();
    for LdapPartialAttribute { atype: name, vals: mut values } in entry.attributes {
        let Some(attr) = Attr::from_name(&name) else { continue };
        if attr.rule() == Rule::Dn {
            // the server answers them by the age of what they name
            values.sort_unstable();
        }
        if attr == Attr::EntryUuid {
            let value = values.first().map(|value| String::from_utf8_lossy(value).into_owned());
            comment = value.map(|value| format!("{name}: {value}"));
        } else if attr.definition().writable && !derived.contains(&attr) {
            attributes.push(Attribute { name, values });
        }
    }
    Entry { dn: entry.dn, comment, attributes }
}
