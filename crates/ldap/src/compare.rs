//! Compare (RFC 4511 section 4.10).

use crate::client::Client;
use crate::filter::{self, Evaluation, Filter};
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use ldap3_proto::proto::{LdapCompareRequest, LdapFilter};

/// Whether an entry has a value.
pub(crate) async fn compare(client: &mut Client, asked: &LdapCompareRequest) -> Outcome<Refusal> {
    client.refresh().await?;
    if !client.server.config.anonymous_read {
        client.must_be_somebody()?;
    }
    let catalogue = client.server.follower.read();
    let slot = client.find(&catalogue, &asked.dn)?;
    let Some(attr) = Attr::from_name(&asked.atype) else {
        let message = format!("there is no attribute '{}'", asked.atype);
        return Err(Refusal::new(Code::UndefinedAttributeType, message));
    };
    let Some(entry) = catalogue.get(slot) else {
        return Err(Refusal::new(Code::NoSuchObject, "there is no such entry"));
    };
    let missing = || {
        let message = format!("the entry has no {} that you may see", attr.definition().name());
        Err(Refusal::new(Code::NoSuchAttribute, message))
    };
    if !catalogue.sees_attribute(client.access(), entry, attr) {
        return missing();
    }
    let value = String::from_utf8_lossy(&asked.val).into_owned();
    let condition = LdapFilter::Equality(asked.atype.clone(), value);
    let compiled = filter::compile(&catalogue, &condition).unwrap_or(Filter::Undefined);
    let mut evaluation = Evaluation::new(&catalogue, client.access());
    match evaluation.matches(&compiled, slot, entry) {
        Some(true) => Ok(Refusal::new(Code::CompareTrue, "")),
        Some(false) => match evaluation.matches(&Filter::Present(attr), slot, entry) {
            Some(true) => Ok(Refusal::new(Code::CompareFalse, "")),
            _ => missing(),
        },
        None => Err(Refusal::new(Code::InappropriateMatching, "this value cannot be compared")),
    }
}
