//! What mailboxes, contacts, lists and domains have in common.

use super::{admin, password, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{ObjectView, Patch};
use concord_controller::{Method, path_of};

/// A kind of object and where the API has it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `mailbox`
    pub name: &'static str,
    /// `/v1/mailboxes`
    pub path: &'static str,
}

/// Recipients with a mailbox.
pub const MAILBOX: Kind = Kind { name: "mailbox", path: "/v1/mailboxes" };
/// Recipients elsewhere.
pub const CONTACT: Kind = Kind { name: "contact", path: "/v1/contacts" };
/// Distribution lists.
pub const LIST: Kind = Kind { name: "list", path: "/v1/lists" };
/// Folders that many read.
pub const PUBLIC_FOLDER: Kind = Kind { name: "public-folder", path: "/v1/public-folders" };
/// Rooms and things.
pub const RESOURCE: Kind = Kind { name: "resource", path: "/v1/resources" };
/// Parts of the site's recipients.
pub const CONTAINER: Kind = Kind { name: "container", path: "/v1/containers" };
/// Who may change which containers.
pub const ROLE: Kind = Kind { name: "role", path: "/v1/roles" };
/// Mail domains.
pub const DOMAIN: Kind = Kind { name: "domain", path: "/v1/domains" };

/// Ways to other mail systems.
pub const CONNECTOR: Kind = Kind { name: "connector", path: "/v1/connectors" };
/// What gives mailboxes addresses of other mail systems.
pub const GENERATOR: Kind = Kind { name: "generator", path: "/v1/generators" };

/// Which object.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// Its name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
}

/// A new object's name, and its addresses, of which it has at least one.
#[derive(Debug, clap::Args)]
pub struct NewNames {
    /// Its name; a mailbox's is also a login name. An address names what is before its '@', and
    /// is given to it
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// What address books show [default: the name]
    #[arg(long)]
    pub display_name: Option<String>,
    /// An address, the first of each type is primary (may be given several times) [default: the
    /// name in the only mail domain]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Vec<String>,
}

impl NewNames {
    /// As what a new object is made of.
    pub fn patch(&self) -> Patch {
        let (name, addresses) = self.parted();
        Patch {
            name: Some(name),
            display_name: self.display_name.clone(),
            add_addresses: addresses,
            ..Patch::default()
        }
    }

    /// The name and the addresses. `jane@example.org` alone is a name and an
    /// address: who writes it means both.
    pub fn parted(&self) -> (String, Vec<String>) {
        match self.name.rsplit_once('@') {
            Some((name, domain))
                if self.address.is_empty() && !name.is_empty() && !domain.is_empty() =>
            {
                (name.to_owned(), vec![self.name.clone()])
            }
            _ => (self.name.clone(), self.address.clone()),
        }
    }
}

/// Removes an object.
#[derive(Debug, clap::Args)]
pub struct Remove {
    #[command(flatten)]
    which: Named,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Names and addresses, which every recipient has.
#[derive(Debug, clap::Args)]
pub struct Names {
    /// A new name
    #[arg(long = "name", id = "new-name", value_name = "NAME")]
    name: Option<String>,
    /// What address books show
    #[arg(long)]
    display_name: Option<String>,
    /// Add an address (may be given several times)
    #[arg(long, value_name = "ADDRESS")]
    add_address: Vec<String>,
    /// Take an address away (may be given several times)
    #[arg(long, value_name = "ADDRESS")]
    remove_address: Vec<String>,
    /// Make an address the primary one of its type, adding it if need be
    #[arg(long, value_name = "ADDRESS")]
    primary_address: Vec<String>,
}

impl Names {
    /// As a change.
    pub fn patch(self) -> Patch {
        Patch {
            name: self.name,
            display_name: self.display_name,
            add_addresses: self.add_address,
            remove_addresses: self.remove_address,
            primary_addresses: self.primary_address,
            ..Patch::default()
        }
    }
}

/// Adds an object and shows it.
pub fn add(kind: Kind, new: &impl serde::Serialize, context: &Context) -> Result<(), Failure> {
    let admin = context.admin()?;
    let added: ObjectView = context.block_on(admin.send(Method::POST, kind.path, new))?;
    done(&added, "added", context);
    Ok(())
}

/// Changes an object and shows it.
pub fn change(kind: Kind, name: &str, patch: &Patch, context: &Context) -> Result<(), Failure> {
    if *patch == Patch::default() {
        return Err(nothing(kind));
    }
    let admin = context.admin()?;
    let path = path_of(kind.path, name);
    let changed: ObjectView = context.block_on(admin.send(Method::PATCH, &path, patch))?;
    done(&changed, "changed", context);
    Ok(())
}

/// The failure of a change that changes nothing.
pub fn nothing(kind: Kind) -> Failure {
    Failure::usage(
        "cli.nothing-to-do",
        format!(
            "cannot change the {0}: nothing was said of how; see 'concord {0} set --help'",
            kind.name
        ),
    )
}

/// Shows one object.
pub fn show_one(kind: Kind, name: &str, context: &Context) -> Result<(), Failure> {
    let admin = context.admin()?;
    let object: ObjectView = context.block_on(admin.get(&path_of(kind.path, name), &[]))?;
    if context.json {
        print::json(&object);
    } else {
        show::facts(&facts(&object));
    }
    Ok(())
}

/// Lists all of a kind.
pub fn list(kind: Kind, context: &Context) -> Result<(), Failure> {
    let admin = context.admin()?;
    let objects: Vec<ObjectView> = context.block_on(admin::all(&admin, kind.path, &[]))?;
    if context.json {
        print::json(&objects);
        return Ok(());
    }
    if [DOMAIN.name, CONTAINER.name].contains(&kind.name) {
        let rows = objects.iter().map(|o| vec![o.name.clone(), show::time(&o.created)]).collect();
        show::table(&["NAME", "ADDED (UTC)"], rows, "there are none");
        return Ok(());
    }
    let last = match kind.name {
        "mailbox" => "LOGIN",
        "contact" => "MAIL GOES TO",
        "public-folder" => "QUOTA",
        "resource" => "KIND",
        "role" => "RIGHT",
        _ => "MEMBERS",
    };
    let rows = objects
        .iter()
        .map(|o| vec![o.name.clone(), o.display_name.clone(), primary(o), last_column(o)])
        .collect();
    show::table(&["NAME", "DISPLAY NAME", "ADDRESS", last], rows, "there are none");
    Ok(())
}

/// Removes an object; `warn` says what goes with it.
pub fn remove(
    kind: Kind,
    args: Remove,
    warn: Option<&str>,
    context: &Context,
) -> Result<(), Failure> {
    if let Some(warn) = warn {
        let what = format!("remove {} '{}' {warn}", kind.name, args.which.name);
        password::confirm(&what, args.yes)?;
    }
    let admin = context.admin()?;
    let path = path_of(kind.path, &args.which.name);
    let removed: ObjectView = context.block_on(admin.act(Method::DELETE, &path))?;
    done(&removed, "removed", context);
    Ok(())
}

/// Says what was done with an object.
pub fn done(object: &ObjectView, what: &str, context: &Context) {
    if context.json {
        return print::json(object);
    }
    let address = primary(object);
    match address.as_str() {
        "-" => print::line(format!("{} {}: {what}", object.kind, object.name)),
        address => print::line(format!("{} {} <{address}>: {what}", object.kind, object.name)),
    }
}

fn primary(object: &ObjectView) -> String {
    let smtp = |a: &&concord_admin_api::wire::Address| a.address.starts_with("SMTP:");
    let mut primaries = object.addresses.iter().filter(|a| a.primary);
    let first = primaries.clone().find(smtp).or_else(|| primaries.next());
    first.map_or_else(|| "-".to_owned(), |a| show::address(&a.address).to_owned())
}

fn last_column(object: &ObjectView) -> String {
    if let Some(target) = &object.target {
        return show::address(target).to_owned();
    }
    if let Some(count) = object.member_count {
        return count.to_string();
    }
    if let Some(word) = object.resource.as_ref().or(object.right.as_ref()) {
        return word.clone();
    }
    if let Some(quota) = object.quota.filter(|_| object.login_disabled.is_none()) {
        return show::size(quota);
    }
    match (object.login_disabled, object.password_set) {
        (Some(true), _) => "disabled".to_owned(),
        (_, Some(true)) => "yes".to_owned(),
        (_, Some(false)) => "no password".to_owned(),
        _ => "-".to_owned(),
    }
}

fn facts(object: &ObjectView) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("name", object.name.clone()),
        ("kind", object.kind.clone()),
        ("id", object.id.to_string()),
        ("display name", object.display_name.clone()),
    ];
    for address in &object.addresses {
        let primary = if address.primary { "  (primary)" } else { "" };
        out.push(("address", format!("{}{primary}", show::address(&address.address))));
    }
    if let Some(target) = &object.target {
        out.push(("mail goes to", show::address(target).to_owned()));
    }
    if object.login_disabled.is_some() {
        out.push(("login", last_column(object)));
        let quota = object.quota.map_or_else(|| "none".to_owned(), show::size);
        out.push(("quota", quota));
    }
    if let (Some(used), Some(messages)) = (object.used, object.messages) {
        out.push(("in use", format!("{} in {messages} messages", show::size(used))));
    }
    for member in object.members.iter().flatten() {
        out.push(("member", format!("{} ({})", member.name, member.kind)));
    }
    out.extend(policy_facts(object));
    out.push(("added (UTC)", show::time(&object.created)));
    out.push(("changed (UTC)", show::time(&object.changed)));
    out
}

/// What is not as it usually is.
fn policy_facts(object: &ObjectView) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let mut some = |name: &'static str, value: Option<String>| {
        out.extend(value.map(|value| (name, value)));
    };
    some("LDAP name", object.dn.clone());
    some("container", object.container.clone());
    for (name, values) in &object.attributes {
        for value in values {
            some("attribute", Some(format!("{name} = {value}")));
        }
    }
    some("hidden", object.hidden.then(|| "yes".to_owned()));
    some(
        "kept by",
        object.origin.as_ref().map(|o| format!("connector {} ({})", o.connector, o.key)),
    );
    some("resource", object.resource.clone());
    some("capacity", object.capacity.map(|n| n.to_string()));
    some("right", object.right.clone());
    some("scope", object.scope.as_ref().map(|scope| scope.join(", ")));
    some("largest message to it", object.receive_limit.map(show::size));
    some("largest message from it", object.send_limit.map(show::size));
    some("senders", object.authenticated_only.then(|| "only who has logged in".to_owned()));
    for (label, names) in [
        ("accepts mail from", &object.accept_from),
        ("rejects mail from", &object.reject_from),
        ("delegate", &object.delegates),
        ("owner", &object.owners),
    ] {
        for name in names {
            some(label, Some(name.clone()));
        }
    }
    some(
        "mail goes on to",
        object
            .forward
            .as_ref()
            .map(|f| format!("{}{}", f.to, if f.keep { ", with a copy kept" } else { "" })),
    );
    some("members", object.hide_members.then(|| "hidden".to_owned()));
    let reports = object.report_to.clone().filter(|word| word != "sender");
    some("reports go to", reports);
    out
}
