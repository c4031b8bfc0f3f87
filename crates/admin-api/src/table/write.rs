//! From objects to text.

use super::cell::join;
use super::columns::{Column, NAMED};
use crate::wire::ObjectView;
use concord_directory::{ATTRIBUTES, attribute_type};

/// The table of these objects, as they are when they are shown alone. Passwords
/// are in no table. Reading it back changes nothing.
pub fn write(objects: &[ObjectView]) -> String {
    let plain = |column: &Column| !matches!(column, Column::Password | Column::NewName);
    let named: Vec<(Column, &str)> =
        NAMED.iter().filter(|(column, _)| plain(column)).copied().collect();
    let attributes: Vec<&str> = ATTRIBUTES
        .iter()
        .map(|attribute| attribute.name)
        .filter(|name| objects.iter().any(|object| object.attributes.contains_key(*name)))
        .collect();
    let mut table = csv::Writer::from_writer(Vec::new());
    let head = named.iter().map(|(_, name)| *name).chain(attributes.iter().copied());
    // Writing into memory fails for records of unequal length only.
    let _ = table.write_record(head);
    for object in objects {
        let cells = named.iter().map(|(column, _)| cell(object, *column));
        let values = attributes.iter().map(|name| attribute(object, name));
        let _ = table.write_record(cells.chain(values));
    }
    let octets = table.into_inner().unwrap_or_default();
    String::from_utf8(octets).unwrap_or_default()
}

fn attribute(object: &ObjectView, name: &str) -> String {
    let values = object.attributes.get(name).map(Vec::as_slice).unwrap_or_default();
    match values {
        [one] if !attribute_type(name).is_some_and(|known| known.many) => one.clone(),
        values => join(values.iter().map(String::as_str)),
    }
}

fn cell(object: &ObjectView, column: Column) -> String {
    let names = |names: &[String]| join(names.iter().map(String::as_str));
    let yes = |flag: bool| if flag { "yes".to_owned() } else { String::new() };
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    match column {
        Column::Class => object.kind.clone(),
        Column::Mode => "Update".to_owned(),
        Column::Name => object.name.clone(),
        Column::DisplayName => object.display_name.clone(),
        // The name of the container alone is unique.
        Column::Container => {
            let path = object.container.as_deref().unwrap_or_default();
            path.rsplit('/').next().unwrap_or_default().to_owned()
        }
        Column::Addresses => addresses(object),
        Column::Target => object.target.clone().unwrap_or_default(),
        Column::Members => join(object.members.iter().flatten().map(|member| member.name.as_str())),
        Column::Owners => names(&object.owners),
        Column::Hidden => yes(object.hidden),
        Column::Trust => object.trust.map(|n| n.to_string()).unwrap_or_default(),
        Column::ReceiveLimit => number(object.receive_limit),
        Column::SendLimit => number(object.send_limit),
        Column::Quota => number(object.quota),
        Column::AuthenticatedOnly => yes(object.authenticated_only),
        Column::AcceptFrom => names(&object.accept_from),
        Column::RejectFrom => names(&object.reject_from),
        Column::Delegates => names(&object.delegates),
        Column::ForwardTo => object.forward.as_ref().map(|f| f.to.clone()).unwrap_or_default(),
        Column::KeepCopy => yes(object.forward.as_ref().is_some_and(|forward| forward.keep)),
        Column::NewName | Column::Password | Column::Attribute(_) => String::new(),
    }
}

/// Types of primary addresses in upper case, of others in lower case, as the
/// original wrote them.
fn addresses(object: &ObjectView) -> String {
    let written: Vec<String> = object
        .addresses
        .iter()
        .map(|address| match address.address.split_once(':') {
            Some((kind, value)) if !address.primary => {
                format!("{}:{value}", kind.to_ascii_lowercase())
            }
            _ => address.address.clone(),
        })
        .collect();
    join(written.iter().map(String::as_str))
}
