//! From edited attributes back to an object.

use super::edit::Edit;
use super::{syntax, violation};
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::text::{Rule, normalise};
use concord_address::{AddressType, SmtpAddress, TypedAddress};
use concord_base::{ByteSize, ObjectId};
use concord_directory::{
    Details, Forward, Object, Proxy, ReportTo, ResourceKind, Right, Scope, USUAL_TRUST,
};
use std::collections::{BTreeMap, BTreeSet};

/// Puts what differs between two edits into an object.
pub(crate) fn store(object: &mut Object, before: &Edit, after: &Edit) -> Outcome<()> {
    after.check_single()?;
    let attrs: BTreeSet<Attr> = differences(&before.texts, &after.texts);
    names(object, &attrs, after)?;
    addresses(object, &attrs, after)?;
    for attr in differences(&before.links, &after.links) {
        let ids = after.links.get(&attr).map_or(&[][..], Vec::as_slice);
        set_links(object, attr, ids.iter().map(|id| ObjectId(*id)).collect())?;
    }
    for attr in attrs {
        let values = after.texts.get(&attr).map_or(&[][..], Vec::as_slice);
        set_text(object, attr, values)?;
    }
    Ok(())
}

fn differences<T: PartialEq>(a: &BTreeMap<Attr, T>, b: &BTreeMap<Attr, T>) -> BTreeSet<Attr> {
    let keys = a.keys().chain(b.keys());
    keys.filter(|attr| a.get(attr) != b.get(attr)).copied().collect()
}

/// The names: `cn` has the name and the display name.
fn names(object: &mut Object, attrs: &BTreeSet<Attr>, after: &Edit) -> Outcome<()> {
    let on_rdn = || {
        Refusal::new(
            Code::NotAllowedOnRdn,
            "the name is part of the DN; rename the entry (modrdn) to change it",
        )
    };
    let named = |value: &str| {
        normalise(Rule::CaseIgnore, value) == normalise(Rule::CaseIgnore, &object.name)
    };
    if attrs.contains(&Attr::Uid) && !after.first(Attr::Uid).is_some_and(named) {
        return Err(on_rdn());
    }
    if attrs.contains(&Attr::Cn) {
        let values = after.texts.get(&Attr::Cn).map_or(&[][..], Vec::as_slice);
        if !values.iter().any(|value| named(value)) {
            return Err(on_rdn());
        }
        let mut others = values.iter().filter(|value| !named(value));
        let other = others.next();
        if others.next().is_some() {
            return Err(violation("cn has two values: the name and the display name"));
        }
        if object.kind().is_recipient() && !attrs.contains(&Attr::DisplayName) {
            object.display_name = other.cloned().unwrap_or_default();
        } else if !object.kind().is_recipient() && other.is_some() {
            return Err(violation("cn has one value here"));
        }
    }
    if attrs.contains(&Attr::DisplayName) {
        object.display_name = after.first(Attr::DisplayName).unwrap_or_default().to_owned();
    }
    Ok(())
}

/// `proxyAddresses` says all addresses; `mail` alone makes another one primary,
/// and the one before stays, so that mail for it still arrives (Q141271).
fn addresses(object: &mut Object, attrs: &BTreeSet<Attr>, after: &Edit) -> Outcome<()> {
    if attrs.contains(&Attr::TargetAddress) {
        let Details::Contact(contact) = &mut object.details else {
            return Err(foreign(Attr::TargetAddress));
        };
        let Some(target) = after.first(Attr::TargetAddress) else {
            return Err(violation("a contact has a targetAddress"));
        };
        contact.target = target.parse().map_err(|e| syntax(format!("targetAddress: {e}")))?;
    }
    if attrs.contains(&Attr::ProxyAddresses) {
        let values = after.texts.get(&Attr::ProxyAddresses).map_or(&[][..], Vec::as_slice);
        object.proxies = values.iter().map(|value| proxy(value)).collect::<Outcome<_>>()?;
        make_primaries(&mut object.proxies);
    }
    if !attrs.contains(&Attr::Mail) {
        return Ok(());
    }
    let Some(mail) = after.first(Attr::Mail) else {
        let gone = object.address_of(&AddressType::smtp()).is_none();
        return if gone {
            Ok(())
        } else {
            Err(violation("take the address out of proxyAddresses"))
        };
    };
    let address: SmtpAddress = mail.parse().map_err(|e| syntax(format!("mail: {e}")))?;
    let address = TypedAddress::from(address);
    let key = address.key();
    if object.address_of(&AddressType::smtp()).is_some_and(|has| has.key() == key) {
        return Ok(());
    }
    if attrs.contains(&Attr::ProxyAddresses)
        && object.proxies.iter().any(|p| p.primary && p.address.kind().is_smtp())
    {
        return Err(violation("mail is not the primary one of proxyAddresses (SMTP: in capitals)"));
    }
    for proxy in object.proxies.iter_mut().filter(|p| p.address.kind().is_smtp()) {
        proxy.primary = proxy.address.key() == key;
    }
    if !object.proxies.iter().any(|proxy| proxy.address.key() == key) {
        object.proxies.insert(0, Proxy { address, primary: true });
    }
    Ok(())
}

/// `SMTP:jane@example.org` is primary, `smtp:j@example.org` is not.
pub(crate) fn proxy(text: &str) -> Outcome<Proxy> {
    let bad = |cause: String| syntax(format!("proxyAddresses: {cause}"));
    let (kind, value) = text
        .split_once(':')
        .ok_or_else(|| bad(format!("'{text}' has no type; write SMTP:jane@example.org")))?;
    let known: AddressType =
        kind.to_uppercase().parse().map_err(|e| bad(format!("'{text}': {e}")))?;
    let address = TypedAddress::new(&known, value).map_err(|e| bad(e.to_string()))?;
    if address.kind().is_smtp() && address.smtp().is_none() {
        return Err(bad(format!("'{value}' is not an Internet address")));
    }
    Ok(Proxy { primary: kind == known.as_str(), address })
}

/// The first of a type is primary if none is said to be.
fn make_primaries(proxies: &mut [Proxy]) {
    let mut have: BTreeSet<String> = proxies
        .iter()
        .filter(|proxy| proxy.primary)
        .map(|proxy| proxy.address.kind().as_str().to_owned())
        .collect();
    for proxy in proxies {
        if have.insert(proxy.address.kind().as_str().to_owned()) {
            proxy.primary = true;
        }
    }
}

fn foreign(attr: Attr) -> Refusal {
    let name = attr.definition().name();
    Refusal::new(Code::ObjectClassViolation, format!("an entry of this class has no {name}"))
}

fn boolean(attr: Attr, values: &[String]) -> Outcome<bool> {
    match values.first().map(|value| value.to_ascii_uppercase()).as_deref() {
        None | Some("FALSE") => Ok(false),
        Some("TRUE") => Ok(true),
        Some(_) => Err(syntax(format!("{} is TRUE or FALSE", attr.definition().name()))),
    }
}

fn number<T: std::str::FromStr>(attr: Attr, values: &[String]) -> Outcome<Option<T>> {
    let parse = |value: &String| {
        value.parse().map_err(|_| {
            syntax(format!("{}: '{value}' is no number that fits", attr.definition().name()))
        })
    };
    values.first().map(parse).transpose()
}

fn word<T: Copy>(attr: Attr, values: &[String], known: &[(&str, T)], usual: T) -> Outcome<T> {
    let Some(value) = values.first() else { return Ok(usual) };
    let found = known.iter().find(|(word, _)| value.eq_ignore_ascii_case(word));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
        syntax(format!("{} is {}", attr.definition().name(), words.join(" or ")))
    })
}

fn set_text(object: &mut Object, attr: Attr, values: &[String]) -> Outcome<()> {
    let recipient = object.kind().is_recipient();
    match attr {
        // done above
        Attr::Cn
        | Attr::Uid
        | Attr::DisplayName
        | Attr::Mail
        | Attr::ProxyAddresses
        | Attr::TargetAddress
        | Attr::ObjectClass
            if recipient => {}
        Attr::Cn | Attr::ObjectClass => {}
        Attr::ReportTo | Attr::HideMembers => return set_list(object, attr, values),
        Attr::Capacity | Attr::ResourceKind => return set_resource(object, attr, values),
        Attr::Quota => return set_quota(object, number(attr, values)?.map(ByteSize)),
        Attr::LoginDisabled => {
            let Details::Mailbox(mailbox) = &mut object.details else { return Err(foreign(attr)) };
            mailbox.login_disabled = boolean(attr, values)?;
        }
        Attr::RoleRight => {
            let Details::Role(role) = &mut object.details else { return Err(foreign(attr)) };
            let known =
                [("view", Right::View), ("recipients", Right::Recipients), ("full", Right::Full)];
            role.right = word(attr, values, &known, Right::default())?;
        }
        _ if !recipient => return Err(foreign(attr)),
        Attr::Hidden => object.policy.hidden = boolean(attr, values)?,
        Attr::Trust => object.policy.trust = number(attr, values)?.unwrap_or(USUAL_TRUST),
        Attr::ReceiveLimit => {
            object.policy.receive_limit = number(attr, values)?.map(ByteSize);
        }
        Attr::SendLimit => object.policy.send_limit = number(attr, values)?.map(ByteSize),
        Attr::AuthenticatedOnly => object.policy.authenticated_only = boolean(attr, values)?,
        Attr::ForwardKeep => {
            let keep = boolean(attr, values)?;
            if let Some(forward) = &mut object.policy.forward {
                forward.keep = keep;
            }
        }
        _ => {
            let name = attr.of_object().ok_or_else(|| foreign(attr))?;
            object.attributes.set(name, values.to_vec()).map_err(violation)?;
        }
    }
    Ok(())
}

fn set_list(object: &mut Object, attr: Attr, values: &[String]) -> Outcome<()> {
    let Details::List(list) = &mut object.details else { return Err(foreign(attr)) };
    if attr == Attr::HideMembers {
        list.hide_members = boolean(attr, values)?;
        return Ok(());
    }
    let known =
        [("sender", ReportTo::Sender), ("owner", ReportTo::Owner), ("nobody", ReportTo::Nobody)];
    list.report_to = word(attr, values, &known, ReportTo::default())?;
    Ok(())
}

fn set_resource(object: &mut Object, attr: Attr, values: &[String]) -> Outcome<()> {
    let Details::Resource(resource) = &mut object.details else { return Err(foreign(attr)) };
    if attr == Attr::Capacity {
        resource.capacity = number(attr, values)?;
        return Ok(());
    }
    let known = [("room", ResourceKind::Room), ("equipment", ResourceKind::Equipment)];
    resource.resource = word(attr, values, &known, ResourceKind::default())?;
    Ok(())
}

fn set_quota(object: &mut Object, quota: Option<ByteSize>) -> Outcome<()> {
    match &mut object.details {
        Details::Mailbox(mailbox) => mailbox.quota = quota,
        Details::PublicFolder(folder) => folder.quota = quota,
        Details::Resource(resource) => resource.quota = quota,
        _ => return Err(foreign(Attr::Quota)),
    }
    Ok(())
}

fn set_links(object: &mut Object, attr: Attr, ids: Vec<ObjectId>) -> Outcome<()> {
    let recipient = object.kind().is_recipient();
    match (attr, &mut object.details) {
        (Attr::Member, Details::List(list)) => list.members = ids,
        (Attr::Member, Details::Role(role)) => role.members = ids,
        (Attr::Owner, Details::List(list)) => list.owners = ids,
        (Attr::Owner, Details::PublicFolder(folder)) => folder.owners = ids,
        (Attr::Owner, Details::Resource(resource)) => resource.owners = ids,
        (Attr::RoleScope, Details::Role(role)) => {
            role.scope = if ids.is_empty() { Scope::Organisation } else { Scope::Containers(ids) };
        }
        _ if !recipient => return Err(foreign(attr)),
        (Attr::AcceptFrom, _) => object.policy.accept_from = ids,
        (Attr::RejectFrom, _) => object.policy.reject_from = ids,
        (Attr::Delegate, _) => object.policy.delegates = ids,
        (Attr::ForwardTo, _) => {
            let keep = object.policy.forward.is_some_and(|forward| forward.keep);
            object.policy.forward = ids.first().map(|to| Forward { to: *to, keep });
        }
        _ => return Err(foreign(attr)),
    }
    Ok(())
}
