//! Paged results (RFC 2696). The search stays with the connection; a cookie is a
//! random number that is good once, on that connection, for that request.

use super::scan::Scan;
use crate::ber::{self, INTEGER, OCTETS, SEQUENCE};
use crate::client::Client;
use crate::config::MAX_PAGED;
use crate::frame::Control;
use crate::result::{Code, Outcome, Refusal};
use crate::session::AnswerControl;
use ldap3_proto::proto::LdapSearchRequest;
use rand::RngCore as _;
use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

pub(crate) const OID: &str = "1.2.840.113556.1.4.319";

/// Searches of a connection that go on with the next page.
#[derive(Default)]
pub(crate) struct Pages(VecDeque<(u64, Scan)>);

/// The control of a request.
pub(crate) struct Paging {
    /// Entries of a page; none ends the search.
    pub size: usize,
    pub cookie: Vec<u8>,
}

pub(crate) fn read(control: &Control) -> Outcome<Paging> {
    let parse = || {
        let value = control.value.as_deref()?;
        let (sequence, _) = ber::read(value).filter(|(element, _)| element.tag == SEQUENCE)?;
        let (size, rest) = ber::read(sequence.content).filter(|(e, _)| e.tag == INTEGER)?;
        let (cookie, _) = ber::read(rest).filter(|(element, _)| element.tag == OCTETS)?;
        let size = usize::try_from(ber::integer(size.content)?).ok()?;
        Some(Paging { size, cookie: cookie.content.to_vec() })
    };
    parse().ok_or_else(|| {
        Refusal::new(Code::ProtocolError, "the control of paged results cannot be read")
    })
}

/// What must be the same on every page.
pub(crate) fn signature(asked: &LdapSearchRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&asked.base, &asked.scope, &asked.filter, &asked.attrs, asked.typesonly).hash(&mut hasher);
    hasher.finish()
}

/// The search that a cookie means.
pub(crate) fn go_on(
    client: &mut Client,
    paging: &Paging,
    asked: &LdapSearchRequest,
) -> Outcome<Scan> {
    let bad = || {
        Refusal::new(
            Code::UnwillingToPerform,
            "the cookie is not one of this connection and search; begin with the first page",
        )
    };
    let number = <[u8; 8]>::try_from(paging.cookie.as_slice()).map_err(|_| bad())?;
    let number = u64::from_be_bytes(number);
    let pages = &mut client.pages.0;
    let place = pages.iter().position(|(known, _)| *known == number).ok_or_else(bad)?;
    let (_, scan) = pages.remove(place).ok_or_else(bad)?;
    if scan.signature == signature(asked) { Ok(scan) } else { Err(bad()) }
}

/// Keeps the search for its next page, and makes the control of the answer. With
/// a size of none the client has had enough.
pub(crate) fn answer(
    client: &mut Client,
    paging: Paging,
    mut scan: Scan,
    sent: usize,
    more: bool,
) -> AnswerControl {
    let mut cookie = Vec::new();
    if more && paging.size > 0 {
        let number = rand::rng().next_u64();
        scan.sent += sent;
        let pages = &mut client.pages.0;
        if pages.len() >= MAX_PAGED {
            pages.pop_front();
        }
        pages.push_back((number, scan));
        cookie = number.to_be_bytes().to_vec();
    }
    super::control(OID, |writer| {
        // how many there are in all is not known before they were looked at
        writer.number(INTEGER, 0);
        writer.primitive(OCTETS, &cookie);
    })
}
