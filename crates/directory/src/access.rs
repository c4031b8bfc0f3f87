//! Who may see and change what of the directory. Pure rules, the same for every
//! way in: LDAP, the admin API, the command line.
//!
//! ```text
//! who              sees                                    changes
//! anonymous        what address books need, if allowed     nothing
//! mailbox          recipients that are not hidden; its     some attributes of its own, its
//!                  own object; members of its lists        password, members of lists it owns
//! role View        everything in its scope                 nothing more
//! role Recipients  everything in its scope                 recipients in its scope
//! role Full        everything in its scope                 containers in its scope; with the
//!                                                          whole organisation as scope, roles
//!                                                          and domains too
//! local            everything                              everything
//! ```
//!
//! Whoever holds a right must not be a way to it for others: mailboxes that have
//! a role and lists that give one ([`Access::is_guarded`]) are changed only by
//! those who have the whole organisation in full.

use crate::{Directory, DirectoryError, Kind, MAX_LIST_DEPTH, Object, Right, Scope, Tree};
use concord_base::ObjectId;
use std::collections::BTreeSet;

/// Attributes of its own that a mailbox may change: what concerns nobody but the
/// one who is to be reached, and decides nothing.
pub const SELF_WRITABLE: &[&str] = &[
    "telephoneNumber",
    "mobile",
    "facsimileTelephoneNumber",
    "homePhone",
    "pager",
    "street",
    "l",
    "st",
    "postalCode",
    "c",
    "physicalDeliveryOfficeName",
    "preferredLanguage",
    "labeledURI",
];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody has said who it is.
    Anonymous,
    /// The owner of a mailbox, with its password.
    Mailbox(ObjectId),
    /// An administrator of the machine, by a socket that nobody else reaches.
    Local,
}

/// What the rules must know of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub id: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// The container that it is in.
    pub container: Option<ObjectId>,
    /// Whether address books leave it out.
    pub hidden: bool,
    /// Whether who asks is one of its owners.
    pub owned: bool,
    /// Whether only its owners see its members.
    pub hides_members: bool,
}

impl Subject {
    /// An object as somebody sees it.
    pub fn of(object: &Object, access: &Access) -> Self {
        Self {
            id: object.id,
            kind: object.kind(),
            container: object.policy.container,
            hidden: object.policy.hidden,
            owned: object.owners().iter().any(|owner| access.is(*owner)),
            hides_members: object.list().is_some_and(|list| list.hide_members),
        }
    }
}

/// Groups of attributes by who sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Whoever sees the object.
    Everybody,
    /// Whoever has logged in and sees the object.
    Users,
    /// As users, but for lists that hide their members.
    Members,
    /// Administrators: what mail is refused, forwarded, limited.
    Administrators,
    /// Nobody.
    Nobody,
}

/// What somebody may do, as the directory was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    who: Who,
    everywhere: Option<Right>,
    places: Vec<(ObjectId, Right)>,
    guarded: BTreeSet<ObjectId>,
}

impl Access {
    /// Nobody's.
    pub fn anonymous() -> Self {
        Self { who: Who::Anonymous, everywhere: None, places: Vec::new(), guarded: BTreeSet::new() }
    }

    /// What the roles of the directory give.
    ///
    /// # Errors
    /// The directory could not be read.
    pub async fn read(directory: &dyn Directory, who: Who) -> Result<Self, DirectoryError> {
        let mut access = Self { who, ..Self::anonymous() };
        if who == Who::Local {
            access.everywhere = Some(Right::Full);
        }
        if who == Who::Anonymous {
            return Ok(access);
        }
        for object in directory.list(Kind::Role).await? {
            let crate::Details::Role(role) = &object.details else { continue };
            let members = everybody_of(directory, &role.members).await?;
            let mine = matches!(who, Who::Mailbox(id) if members.contains(&id));
            access.guarded.extend(members);
            if mine {
                access.grant(role.right, &role.scope);
            }
        }
        Ok(access)
    }

    fn grant(&mut self, right: Right, scope: &Scope) {
        match scope {
            Scope::Organisation => self.everywhere = self.everywhere.max(Some(right)),
            Scope::Containers(ids) => self.places.extend(ids.iter().map(|id| (*id, right))),
        }
    }

    /// Who it is.
    pub fn who(&self) -> Who {
        self.who
    }

    /// Whether it is this mailbox.
    pub fn is(&self, id: ObjectId) -> bool {
        self.who == Who::Mailbox(id)
    }

    /// Whether it has a right anywhere.
    pub fn is_administrator(&self) -> bool {
        self.everywhere.is_some() || !self.places.is_empty()
    }

    /// Its right in a place for recipients (none is the site's Recipients).
    pub fn right_in(&self, container: Option<ObjectId>, tree: &Tree) -> Option<Right> {
        let places = self.places.iter().filter(|(place, _)| tree.is_within(container, *place));
        places.map(|(_, right)| *right).max().max(self.everywhere)
    }

    /// Its right over what is in no container: configuration, roles, domains.
    pub fn right_everywhere(&self) -> Option<Right> {
        self.everywhere
    }

    /// Whether it has a role, or gives one to its members.
    pub fn is_guarded(&self, id: ObjectId) -> bool {
        self.guarded.contains(&id)
    }

    fn right_over(&self, subject: &Subject, tree: &Tree) -> Option<Right> {
        match subject.kind {
            Kind::Container => self.right_in(Some(subject.id), tree),
            kind if kind.is_recipient() => self.right_in(subject.container, tree),
            _ => self.everywhere,
        }
    }

    /// Whether it administers an object: sees all of it.
    pub fn administers(&self, subject: &Subject, tree: &Tree) -> bool {
        self.right_over(subject, tree).is_some()
    }

    /// Whether it sees that there is such an object.
    pub fn sees(&self, subject: &Subject, tree: &Tree) -> bool {
        match subject.kind {
            Kind::Organisation | Kind::Site | Kind::Container => true,
            kind if kind.is_recipient() => {
                !subject.hidden
                    || subject.owned
                    || self.is(subject.id)
                    || self.administers(subject, tree)
            }
            _ => self.everywhere.is_some(),
        }
    }

    /// Whether it sees attributes of a group at an object that it sees.
    pub fn sees_attribute(&self, audience: Audience, subject: &Subject, tree: &Tree) -> bool {
        match audience {
            Audience::Everybody => true,
            Audience::Users => self.who != Who::Anonymous,
            Audience::Members => {
                self.who != Who::Anonymous
                    && (!subject.hides_members || subject.owned || self.administers(subject, tree))
            }
            Audience::Administrators => self.administers(subject, tree),
            Audience::Nobody => false,
        }
    }

    /// Whether it may add, change, move and remove an object. For an object that
    /// is to be moved or added, ask for the place as it will be, too.
    pub fn changes(&self, subject: &Subject, tree: &Tree) -> bool {
        if self.is_guarded(subject.id) && self.everywhere < Some(Right::Full) {
            return false;
        }
        let needed = if subject.kind.is_recipient() { Right::Recipients } else { Right::Full };
        self.right_over(subject, tree) >= Some(needed)
    }

    /// Whether it may change one attribute of an object, although not all.
    pub fn changes_attribute(&self, attribute: &str, subject: &Subject) -> bool {
        if self.is(subject.id) {
            return SELF_WRITABLE.iter().any(|own| own.eq_ignore_ascii_case(attribute));
        }
        attribute.eq_ignore_ascii_case("member")
            && subject.kind == Kind::List
            && subject.owned
            && !self.is_guarded(subject.id)
    }

    /// Whether it may set an object's password.
    pub fn sets_password(&self, subject: &Subject, tree: &Tree) -> bool {
        subject.kind == Kind::Mailbox && (self.is(subject.id) || self.changes(subject, tree))
    }
}

/// Members, and members of lists among them; the lists as well.
async fn everybody_of(
    directory: &dyn Directory,
    members: &[ObjectId],
) -> Result<BTreeSet<ObjectId>, DirectoryError> {
    let mut seen: BTreeSet<ObjectId> = members.iter().copied().collect();
    let mut next: Vec<ObjectId> = members.to_vec();
    for _ in 0..=MAX_LIST_DEPTH {
        let mut found = Vec::new();
        for id in next {
            let Some(object) = directory.object(id).await? else { continue };
            let Some(list) = object.list() else { continue };
            found.extend(list.members.iter().copied().filter(|member| seen.insert(*member)));
        }
        if found.is_empty() {
            break;
        }
        next = found;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALES: ObjectId = ObjectId(10);
    const EMEA: ObjectId = ObjectId(11);
    const JANE: ObjectId = ObjectId(1);

    fn tree() -> Tree {
        let mut tree = Tree::new("Acme", "HQ");
        tree.set_container(SALES, Some(("Sales".into(), None)));
        tree.set_container(EMEA, Some(("EMEA".into(), Some(SALES))));
        tree
    }

    fn somebody(right: Right, scope: &Scope) -> Access {
        let mut access = Access { who: Who::Mailbox(JANE), ..Access::anonymous() };
        access.grant(right, scope);
        access
    }

    fn mailbox(id: u64, container: Option<ObjectId>) -> Subject {
        Subject {
            id: ObjectId(id),
            kind: Kind::Mailbox,
            container,
            hidden: false,
            owned: false,
            hides_members: false,
        }
    }

    #[test]
    fn a_role_counts_in_its_containers_and_below_them() {
        let access = somebody(Right::Recipients, &Scope::Containers(vec![SALES]));
        assert!(access.changes(&mailbox(2, Some(EMEA)), &tree()));
        assert!(!access.changes(&mailbox(2, None), &tree()));
        let container = Subject { kind: Kind::Container, ..mailbox(11, Some(SALES)) };
        assert!(!access.changes(&container, &tree()));
        let full = somebody(Right::Full, &Scope::Containers(vec![SALES]));
        assert!(full.changes(&container, &tree()));
        let role = Subject { kind: Kind::Role, ..mailbox(30, None) };
        assert!(!full.changes(&role, &tree()) && !full.sees(&role, &tree()));
        assert!(somebody(Right::Full, &Scope::Organisation).changes(&role, &tree()));
    }

    #[test]
    fn hidden_recipients_and_memberships_are_for_administrators_and_owners() {
        let hidden = Subject { hidden: true, hides_members: true, ..mailbox(2, Some(EMEA)) };
        let user = Access { who: Who::Mailbox(JANE), ..Access::anonymous() };
        assert!(!user.sees(&hidden, &tree()));
        let seen = Subject { hidden: false, ..hidden };
        assert!(!user.sees_attribute(Audience::Members, &seen, &tree()));
        let owned = Subject { owned: true, ..hidden };
        assert!(user.sees(&owned, &tree()));
        assert!(user.sees_attribute(Audience::Members, &owned, &tree()));
        let view = somebody(Right::View, &Scope::Organisation);
        assert!(view.sees(&hidden, &tree()));
        assert!(view.sees_attribute(Audience::Members, &hidden, &tree()));
        assert!(!view.changes(&hidden, &tree()));
    }

    #[test]
    fn owners_change_members_and_people_their_own_telephones() {
        let user = Access { who: Who::Mailbox(JANE), ..Access::anonymous() };
        let own = mailbox(JANE.0, None);
        assert!(user.changes_attribute("MOBILE", &own));
        assert!(!user.changes_attribute("proxyAddresses", &own));
        assert!(user.sets_password(&own, &tree()));
        let list = Subject { kind: Kind::List, owned: true, ..mailbox(5, None) };
        assert!(user.changes_attribute("member", &list));
        assert!(!user.changes_attribute("owner", &list));
        assert!(!user.changes_attribute("member", &Subject { owned: false, ..list }));
    }

    #[test]
    fn what_gives_a_right_is_changed_by_those_who_have_all() {
        let guarded = |mut access: Access| {
            access.guarded.insert(ObjectId(5));
            access
        };
        let recipients = guarded(somebody(Right::Recipients, &Scope::Organisation));
        let administrator = mailbox(5, None);
        assert!(!recipients.sets_password(&administrator, &tree()));
        let list = Subject { kind: Kind::List, owned: true, ..administrator };
        assert!(!recipients.changes(&list, &tree()));
        assert!(!recipients.changes_attribute("member", &list));
        assert!(guarded(somebody(Right::Full, &Scope::Organisation)).changes(&list, &tree()));
    }
}
