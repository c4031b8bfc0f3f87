//! An object as the values of attributes: what the catalogue keeps, and what
//! modifications are carried out on.

use crate::schema::Attr;
use concord_base::ByteSize;
use concord_directory::{
    Details, DistributionList, Object, Policy, Proxy, ReportTo, ResourceKind, Right, Role, Scope,
    USUAL_TRUST,
};

/// The attributes that an object has, before it has a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    /// Texts, by attribute; several values of one stand in their order.
    pub values: Vec<(Attr, String)>,
    /// Other objects, by attribute and id.
    pub links: Vec<(Attr, u64)>,
}

/// How a boolean is written (RFC 4517 section 3.3.3).
pub(crate) fn boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

impl Draft {
    fn text(&mut self, attr: Attr, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.values.push((attr, value));
        }
    }

    /// What is usual is not said.
    fn flag(&mut self, attr: Attr, value: bool) {
        if value {
            self.text(attr, boolean(true));
        }
    }

    fn size(&mut self, attr: Attr, value: Option<ByteSize>) {
        if let Some(ByteSize(octets)) = value {
            self.text(attr, octets.to_string());
        }
    }

    fn objects<'a>(
        &mut self,
        attr: Attr,
        ids: impl IntoIterator<Item = &'a concord_base::ObjectId>,
    ) {
        self.links.extend(ids.into_iter().map(|id| (attr, id.0)));
    }

    /// The attributes of an object.
    pub fn of(object: &Object) -> Self {
        let mut draft = Self::default();
        draft.text(name_attribute(object), object.name.as_str());
        if object.kind().is_recipient() {
            draft.recipient(object);
            draft.policy(&object.policy);
        }
        draft.details(object);
        draft.values.sort_by_key(|(attr, _)| *attr);
        draft.links.sort();
        draft
    }

    fn recipient(&mut self, object: &Object) {
        self.text(Attr::DisplayName, object.display_name.as_str());
        if let Some(address) = object.address_of(&concord_address::AddressType::smtp()) {
            self.text(Attr::Mail, address.value());
        }
        // primary ones first, as mail programs take the first
        for primary in [true, false] {
            for proxy in object.proxies.iter().filter(|proxy| proxy.primary == primary) {
                self.text(Attr::ProxyAddresses, proxy_text(proxy));
            }
        }
        for (name, values) in object.attributes.iter() {
            if let Some(attr) = Attr::from_name(name) {
                values.iter().for_each(|value| self.text(attr, value.as_str()));
            }
        }
        let person = matches!(object.details, Details::Mailbox(_) | Details::Contact(_));
        if person && object.attributes.first("sn").is_none() {
            // RFC 4519 section 3.12: a person has a surname
            self.text(Attr::Sn, surname(object));
        }
    }

    fn policy(&mut self, policy: &Policy) {
        self.flag(Attr::Hidden, policy.hidden);
        if policy.trust != USUAL_TRUST {
            self.text(Attr::Trust, policy.trust.to_string());
        }
        self.size(Attr::ReceiveLimit, policy.receive_limit);
        self.size(Attr::SendLimit, policy.send_limit);
        self.flag(Attr::AuthenticatedOnly, policy.authenticated_only);
        self.objects(Attr::AcceptFrom, &policy.accept_from);
        self.objects(Attr::RejectFrom, &policy.reject_from);
        self.objects(Attr::Delegate, &policy.delegates);
        if let Some(forward) = &policy.forward {
            self.objects(Attr::ForwardTo, [&forward.to]);
            self.flag(Attr::ForwardKeep, forward.keep);
        }
        if let Some(origin) = &policy.origin {
            self.text(Attr::OriginConnector, origin.connector.as_str());
        }
    }

    fn details(&mut self, object: &Object) {
        self.size(Attr::Quota, object.quota());
        self.objects(Attr::Owner, object.owners());
        match &object.details {
            Details::Mailbox(mailbox) => self.flag(Attr::LoginDisabled, mailbox.login_disabled),
            Details::Contact(contact) => {
                self.text(Attr::TargetAddress, contact.target.to_string());
            }
            Details::List(list) => self.list(list),
            Details::Resource(resource) => {
                self.text(Attr::ResourceKind, resource_kind(resource.resource));
                if let Some(capacity) = resource.capacity {
                    self.text(Attr::Capacity, capacity.to_string());
                }
            }
            Details::Role(role) => self.role(role),
            Details::Connector(connector) => {
                self.text(Attr::Component, connector.component.as_str());
                self.text(Attr::Enabled, boolean(connector.enabled));
                for space in &connector.address_spaces {
                    self.text(Attr::AddressSpace, space.to_string());
                }
            }
            Details::Generator(generator) => {
                self.text(Attr::Component, generator.component.as_str());
                self.text(Attr::GeneratorRule, generator.rule.as_str());
            }
            _ => {}
        }
    }

    fn list(&mut self, list: &DistributionList) {
        self.objects(Attr::Member, &list.members);
        self.flag(Attr::HideMembers, list.hide_members);
        if list.report_to != ReportTo::default() {
            self.text(Attr::ReportTo, report_to(list.report_to));
        }
    }

    fn role(&mut self, role: &Role) {
        self.objects(Attr::Member, &role.members);
        self.text(Attr::RoleRight, right(role.right));
        if let Scope::Containers(containers) = &role.scope {
            self.objects(Attr::RoleScope, containers);
        }
    }
}

/// The attribute that has an object's name.
fn name_attribute(object: &Object) -> Attr {
    match &object.details {
        Details::Organisation => Attr::O,
        Details::Site => Attr::Ou,
        _ if object.kind().is_recipient() => Attr::Uid,
        _ => Attr::Cn,
    }
}

/// `SMTP:a@b` for a primary address, `smtp:a@b` for another.
pub(crate) fn proxy_text(proxy: &Proxy) -> String {
    let kind = proxy.address.kind().as_str();
    let value = proxy.address.value();
    if proxy.primary {
        format!("{kind}:{value}")
    } else {
        format!("{}:{value}", kind.to_lowercase())
    }
}

pub(crate) fn report_to(value: ReportTo) -> &'static str {
    match value {
        ReportTo::Sender => "sender",
        ReportTo::Owner => "owner",
        ReportTo::Nobody => "nobody",
    }
}

pub(crate) fn right(value: Right) -> &'static str {
    match value {
        Right::View => "view",
        Right::Recipients => "recipients",
        Right::Full => "full",
    }
}

pub(crate) fn resource_kind(value: ResourceKind) -> &'static str {
    match value {
        ResourceKind::Room => "room",
        ResourceKind::Equipment => "equipment",
    }
}

/// As generators guess it: what stands before a comma, else the last word.
fn surname(object: &Object) -> &str {
    let display = object.display_name.as_str();
    let guessed = match display.split_once(',') {
        Some((surname, _)) => surname.trim(),
        None => display.split_whitespace().next_back().unwrap_or_default(),
    };
    if guessed.is_empty() { &object.name } else { guessed }
}
