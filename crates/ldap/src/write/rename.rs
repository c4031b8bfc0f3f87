//! Modify DN (RFC 4511 section 4.9): another name, another container.

use super::{changeable, current, locate, refused, unwilling};
use crate::client::Client;
use crate::dn;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::text::{Rule, normalise};
use concord_base::ObjectId;
use concord_directory::{DirectoryAct, Kind, Object, Subject};
use ldap3_proto::proto::LdapModifyDNRequest;
use std::sync::Arc;

/// Where an entry goes.
struct Goal {
    id: ObjectId,
    name: String,
    /// The new container, if it moves.
    container: Option<Option<ObjectId>>,
}

/// Renames an entry, moves it, or both, in one act.
pub(crate) async fn rename(client: &mut Client, asked: &LdapModifyDNRequest) -> Outcome<()> {
    client.refresh().await?;
    client.must_be_somebody()?;
    let goal = goal(client, asked)?;
    let writer = Arc::clone(&client.server.writer);
    let _turn = writer.whole().await;
    let mut object = Object::clone(&*current(client, goal.id).await?);
    let same = normalise(Rule::CaseIgnore, &object.name) == normalise(Rule::CaseIgnore, &goal.name);
    if !asked.deleteoldrdn && !same {
        return Err(unwilling(
            "the old name cannot stay as a second one; ask for deleteoldrdn (ldapmodrdn -r)",
        ));
    }
    object.name = goal.name;
    if let Some(container) = goal.container {
        object.policy.container = container;
    }
    client.server.directory.change(DirectoryAct::Set(object)).await?;
    Ok(())
}

fn goal(client: &Client, asked: &LdapModifyDNRequest) -> Outcome<Goal> {
    let catalogue = client.server.follower.read();
    let place = locate(client, &catalogue, &asked.dn)?;
    changeable(place.kind)?;
    if place.kind == Kind::Domain {
        return Err(unwilling("a mail domain is not renamed; add another one"));
    }
    let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{}' is not one name", asked.newrdn));
    let rdns = dn::parse(&asked.newrdn).ok_or_else(bad)?;
    let [rdn] = rdns.as_slice() else { return Err(bad()) };
    if rdn.many || !matches!(Attr::from_name(&rdn.attribute), Some(Attr::Cn | Attr::Uid)) {
        return Err(Refusal::new(Code::NamingViolation, "entries are named cn=NAME"));
    }
    if !client.access().changes(&place.subject, &catalogue.tree) {
        return Err(refused("you may not rename or move this entry"));
    }
    let mut parent = catalogue.get(place.slot).map_or(crate::catalogue::ROOT, |e| e.parent);
    let mut container = None;
    if let Some(superior) = &asked.new_superior {
        parent = client.find(&catalogue, superior)?;
        let goal = catalogue.as_container(parent);
        let moves = place.kind.is_recipient() || place.kind == Kind::Container;
        let Some(goal) = goal.filter(|_| moves) else {
            return Err(Refusal::new(Code::NamingViolation, "it cannot stand there"));
        };
        let there = Subject { container: goal, ..place.subject };
        let over = match (place.kind, goal) {
            (Kind::Container, Some(outer)) => Subject { id: outer, ..there },
            _ => there,
        };
        if !client.access().changes(&over, &catalogue.tree) {
            return Err(refused("you may not put entries there"));
        }
        container = Some(goal);
    }
    if catalogue.child(parent, rdn).is_some_and(|slot| slot != place.slot) {
        return Err(Refusal::new(Code::EntryAlreadyExists, "there is an entry of that name"));
    }
    Ok(Goal { id: place.id, name: rdn.value.clone(), container })
}
