//! Add (RFC 4511 section 4.7).

use super::edit::{self, Edit, Password};
use super::modify::{attribute, own_domains};
use super::{password, refused, store, syntax, unwilling, violation};
use crate::catalogue::{Catalogue, Slot};
use crate::client::Client;
use crate::dn::{self, Rdn};
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::text::{Rule, normalise};
use concord_address::{AddressType, SmtpAddress, TypedAddress};
use concord_base::{ObjectId, Timestamp};
use concord_directory::{
    Contact, Details, DirectoryAct, DirectoryError, DistributionList, Kind, Mailbox, NewObject,
    Object, Proxy, PublicFolder, Resource, Role, Stamp, Subject,
};
use ldap3_proto::proto::{LdapAddRequest, LdapModifyType, LdapPartialAttribute};
use std::collections::HashSet;

/// Others may take a generated address at the same moment; the next one is tried.
const MAX_TRIES: usize = 20;

/// Classes and what they make; the first that an entry has decides. Classes of
/// other servers are among them, so that their LDIF files load.
const CLASSES: &[(&str, Option<Kind>)] = &[
    ("concordmailbox", Some(Kind::Mailbox)),
    ("concordcontact", Some(Kind::Contact)),
    ("concorddistributionlist", Some(Kind::List)),
    ("concordpublicfolder", Some(Kind::PublicFolder)),
    ("concordresource", Some(Kind::Resource)),
    ("concordrole", Some(Kind::Role)),
    ("concorddomain", Some(Kind::Domain)),
    ("concordcontainer", Some(Kind::Container)),
    ("container", Some(Kind::Container)),
    ("organizationalunit", Some(Kind::Container)),
    ("groupofnames", Some(Kind::List)),
    // a person with a targetAddress is a contact, any other a mailbox
    ("inetorgperson", None),
    ("organizationalperson", None),
    ("person", None),
];

/// What is to be added, and where.
struct Wanted {
    object: Object,
    edit: Edit,
}

/// Adds an entry in one act.
pub(crate) async fn add(client: &mut Client, asked: &LdapAddRequest) -> Outcome<()> {
    client.refresh().await?;
    client.must_be_somebody()?;
    let Wanted { mut object, edit } = {
        let catalogue = client.server.follower.read();
        wanted(client, &catalogue, asked)?
    };
    aim(&mut object, &edit)?;
    store::store(&mut object, &Edit::default(), &edit)?;
    if needs_address(&object) {
        object.proxies.insert(0, default_address(client, &object.name).await?);
    }
    own_domains(client, &object, &[]).await?;
    if let Some(secret) = edit.password {
        let Password::Set(text) = secret else {
            return Err(violation("userPassword without a value"));
        };
        if !client.may_send_passwords() {
            return Err(Refusal::new(
                Code::ConfidentialityRequired,
                "passwords are taken over TLS only, use STARTTLS or ldaps",
            ));
        }
        let made = password::hash(client, text).await?;
        let Details::Mailbox(mailbox) = &mut object.details else {
            return Err(violation("only mailboxes have passwords"));
        };
        mailbox.credentials = Some(made);
    }
    object.check()?;
    let writer = std::sync::Arc::clone(&client.server.writer);
    let _turn = writer.add().await;
    commit(client, object.into()).await
}

/// With the addresses that generators make. One that somebody else took in the
/// same moment is made again.
async fn commit(client: &Client, new: NewObject) -> Outcome<()> {
    let directory = &client.server.directory;
    let stamps = match new.details.kind() {
        Kind::Mailbox => Stamp::all(&**directory).await?,
        _ => Vec::new(),
    };
    let mut taken = HashSet::new();
    for _ in 0..MAX_TRIES {
        let mut stamped = new.clone();
        let names = stamped.names();
        let done =
            Stamp::add(&**directory, &stamps, &names, &mut stamped.proxies, &mut taken).await;
        for cause in done.causes {
            tracing::warn!(mailbox = new.name, cause, "no address was generated");
        }
        match directory.change(DirectoryAct::Add(stamped)).await {
            Ok(_) => return Ok(()),
            Err(DirectoryError::AddressTaken { .. }) if done.added > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::new(Code::Busy, "no address could be generated, try again"))
}

fn wanted(client: &Client, catalogue: &Catalogue, asked: &LdapAddRequest) -> Outcome<Wanted> {
    let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{}' is not a DN", asked.dn));
    let rdns = dn::parse(&asked.dn).ok_or_else(bad)?;
    let Some((rdn, above)) = rdns.split_first() else {
        return Err(Refusal::new(Code::NamingViolation, "the root is there already"));
    };
    one_name(rdn)?;
    let parent = catalogue.find(above).map_err(|near| Refusal {
        code: Code::NoSuchObject,
        message: "there is nothing at the place where the entry is to be".to_owned(),
        matched: catalogue.dn(near),
    })?;
    let kind = kind(&asked.attributes)?;
    let container = fitting_place(catalogue, parent, kind)?;
    let subject = Subject {
        id: ObjectId(0),
        kind,
        container,
        hidden: false,
        owned: false,
        hides_members: false,
    };
    // a container in a container is a change of the one that it is put into
    let over = match (kind, container) {
        (Kind::Container, Some(outer)) => Subject { id: outer, ..subject },
        _ => subject,
    };
    if !client.access().changes(&over, &catalogue.tree) {
        return Err(refused(format!("you may not add a {kind} here")));
    }
    // said to those only who may know it: it may be a hidden one
    if catalogue.child(parent, rdn).is_some() {
        return Err(Refusal::new(Code::EntryAlreadyExists, "there is such an entry already"));
    }
    let find = |name: &str, value: &[u8]| edit::id(client, catalogue, name, value);
    let mut wanted = wanted_at(rdn, kind, &asked.attributes, &find)?;
    wanted.object.policy.container = container;
    Ok(wanted)
}

/// The entry by itself: its name, its kind, its attributes.
fn wanted_at(
    rdn: &Rdn,
    kind: Kind,
    attributes: &[LdapPartialAttribute],
    find: &dyn Fn(&str, &[u8]) -> Outcome<u64>,
) -> Outcome<Wanted> {
    let new = NewObject::new(rdn.value.clone(), details(kind)?);
    let object = Object::from_new(ObjectId(0), new, Timestamp(0));
    let mut edit = Edit::default();
    for given in attributes {
        let attr = attribute(&given.atype, kind)?;
        if attr == Attr::ObjectClass {
            continue;
        }
        // what follows from another attribute (o from company) may be said along
        let mut values = given.vals.clone();
        if let Some(said) = edit.texts.get(&attr).filter(|_| !attr.definition().many) {
            let key = |text: &str| normalise(attr.rule(), text);
            values.retain(|value| {
                let text = std::str::from_utf8(value).unwrap_or_default();
                !said.iter().any(|has| key(has) == key(text))
            });
            if values.is_empty() {
                continue;
            }
        }
        edit.apply(find, &LdapModifyType::Add, attr, &values)?;
    }
    name_it(&mut edit, &object)?;
    Ok(Wanted { object, edit })
}

/// What can be known of an entry without the other ones: the object that it would
/// become among these mail domains, or why it cannot.
pub(crate) fn alone(
    rdn: &Rdn,
    attributes: &[LdapPartialAttribute],
    domains: &[String],
    find: &dyn Fn(&str, &[u8]) -> Outcome<u64>,
) -> Outcome<Object> {
    let Wanted { mut object, edit } = wanted_at(rdn, kind(attributes)?, attributes, find)?;
    aim(&mut object, &edit)?;
    store::store(&mut object, &Edit::default(), &edit)?;
    if needs_address(&object) {
        object.proxies.insert(0, address_in(domains, &object.name)?);
    }
    object.check()?;
    Ok(object)
}

/// Refuses names that nothing here can have.
pub(crate) fn one_name(rdn: &Rdn) -> Outcome<()> {
    if !rdn.many && matches!(Attr::from_name(&rdn.attribute), Some(Attr::Cn | Attr::Uid)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::NamingViolation,
        "entries are named cn=NAME (or uid=NAME), by one attribute",
    ))
}

/// The name's attributes are there, whether the client sent them or not.
fn name_it(edit: &mut Edit, object: &Object) -> Outcome<()> {
    let key = normalise(Rule::CaseIgnore, &object.name);
    if let Some(uid) = edit.first(Attr::Uid)
        && normalise(Rule::CaseIgnore, uid) != key
    {
        return Err(Refusal::new(
            Code::NamingViolation,
            format!("uid is the entry's name; add it as uid={uid},... with cn as its display name"),
        ));
    }
    edit.texts.remove(&Attr::Uid);
    let names = edit.texts.entry(Attr::Cn).or_default();
    if !names.iter().any(|name| normalise(Rule::CaseIgnore, name) == key) {
        names.push(object.name.clone());
    }
    Ok(())
}

/// The kind that an entry's classes say.
pub(crate) fn kind(attributes: &[LdapPartialAttribute]) -> Outcome<Kind> {
    let violation = |message: &str| Refusal::new(Code::ObjectClassViolation, message);
    let has = |name: &str| attributes.iter().any(|a| a.atype.eq_ignore_ascii_case(name));
    let classes = attributes
        .iter()
        .filter(|given| Attr::from_name(&given.atype) == Some(Attr::ObjectClass))
        .flat_map(|given| &given.vals);
    let classes: Vec<String> =
        classes.map(|value| String::from_utf8_lossy(value).trim().to_ascii_lowercase()).collect();
    for (name, kind) in CLASSES {
        if !classes.iter().any(|class| class == name) {
            continue;
        }
        return Ok(kind.unwrap_or(if has("targetAddress") {
            Kind::Contact
        } else {
            Kind::Mailbox
        }));
    }
    Err(violation("objectClass says nothing that can be added here; try inetOrgPerson"))
}

fn details(kind: Kind) -> Outcome<Details> {
    Ok(match kind {
        Kind::Mailbox => Details::Mailbox(Mailbox::default()),
        Kind::Contact => {
            // replaced by what the entry says ([`aim`]), or the add is refused
            let nowhere = TypedAddress::new(&AddressType::smtp(), "nobody@invalid.invalid")
                .map_err(|e| syntax(e.to_string()))?;
            Details::Contact(Contact { target: nowhere })
        }
        Kind::List => Details::List(DistributionList::default()),
        Kind::PublicFolder => Details::PublicFolder(PublicFolder::default()),
        Kind::Resource => Details::Resource(Resource::default()),
        Kind::Container => Details::Container,
        Kind::Role => Details::Role(Role::default()),
        Kind::Domain => Details::Domain,
        kind => return Err(unwilling(format!("a {kind} is not added over LDAP"))),
    })
}

/// The container that a place is, if a kind may stand there.
fn fitting_place(catalogue: &Catalogue, parent: Slot, kind: Kind) -> Outcome<Option<ObjectId>> {
    let place = match kind {
        Kind::Role => "Roles",
        Kind::Domain => "Domains",
        _ => {
            return catalogue.as_container(parent).ok_or_else(|| {
                Refusal::new(
                    Code::NamingViolation,
                    format!("a {kind} stands below cn=Recipients or a container there"),
                )
            });
        }
    };
    if catalogue.place(place) == Some(parent) {
        return Ok(None);
    }
    let message = format!("a {kind} stands below cn={place},cn=Configuration");
    Err(Refusal::new(Code::NamingViolation, message))
}

/// A contact without a targetAddress is reached by its mail.
fn aim(object: &mut Object, edit: &Edit) -> Outcome<()> {
    let Details::Contact(contact) = &mut object.details else { return Ok(()) };
    if edit.first(Attr::TargetAddress).is_some() {
        return Ok(());
    }
    let Some(mail) = edit.first(Attr::Mail) else {
        return Err(Refusal::new(
            Code::ObjectClassViolation,
            "a contact has a targetAddress, or mail",
        ));
    };
    let address: SmtpAddress = mail.parse().map_err(|e| syntax(format!("mail: {e}")))?;
    contact.target = address.into();
    Ok(())
}

fn needs_address(object: &Object) -> bool {
    let kind = object.kind();
    (kind.has_folders() || kind == Kind::List) && object.primary_smtp().is_none()
}

/// The name in the only mail domain, as for the admin API.
async fn default_address(client: &Client, name: &str) -> Outcome<Proxy> {
    let domains = client.server.directory.list(Kind::Domain).await?;
    let domains: Vec<String> = domains.iter().map(|domain| domain.name.clone()).collect();
    address_in(&domains, name)
}

fn address_in(domains: &[String], name: &str) -> Outcome<Proxy> {
    let [only] = domains else {
        return Err(violation("give mail: there is not one mail domain from which it follows"));
    };
    let address: SmtpAddress = format!("{name}@{only}")
        .parse()
        .map_err(|e| violation(format!("give mail: none can be made of the name: {e}")))?;
    Ok(Proxy { address: address.into(), primary: true })
}
