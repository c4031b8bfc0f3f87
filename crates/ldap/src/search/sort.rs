//! Sorting (RFC 2891).

use super::scan::{Ended, Scan, Source};
use crate::ber::{self, ENUMERATED, OCTETS, SEQUENCE};
use crate::catalogue::{Catalogue, Slot};
use crate::client::Client;
use crate::config::{MAX_SORT_KEYS, MAX_SORTED};
use crate::frame::Control;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::session::{AnswerControl, Running};
use crate::text::{Rule, normalise};
use concord_directory::Access;
use std::cmp::Ordering;
use tokio::time::Instant;

pub(crate) const OID: &str = "1.2.840.113556.1.4.473";
const ANSWER: &str = "1.2.840.113556.1.4.474";

/// What entries are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub attr: Attr,
    pub reverse: bool,
}

/// The keys of a request. An attribute that nobody knows is an error if sorting
/// is critical, else nothing is sorted.
pub(crate) fn read(control: &Control) -> Outcome<Option<Vec<Key>>> {
    let bad = || Refusal::new(Code::ProtocolError, "the sort control cannot be read");
    let value = control.value.as_deref().ok_or_else(bad)?;
    let (list, _) = ber::read(value).filter(|(e, _)| e.tag == SEQUENCE).ok_or_else(bad)?;
    let elements = ber::elements(list.content).ok_or_else(bad)?;
    if elements.is_empty() || elements.len() > MAX_SORT_KEYS {
        return Err(bad());
    }
    let mut keys = Vec::new();
    for element in elements {
        let parts = ber::elements(element.content).ok_or_else(bad)?;
        let name = parts.first().filter(|part| part.tag == OCTETS).ok_or_else(bad)?;
        let name = String::from_utf8_lossy(name.content);
        let reverse = parts.iter().any(|part| part.tag == 0x81 && part.content != [0]);
        match Attr::from_name(&name) {
            Some(attr) if attr.rule() != Rule::Secret => keys.push(Key { attr, reverse }),
            _ if control.critical => {
                return Err(Refusal::new(
                    Code::UnavailableCriticalExtension,
                    format!("entries cannot be sorted by '{name}'"),
                ));
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(keys))
}

/// The control of an answer.
pub(crate) fn control(code: Code) -> AnswerControl {
    super::control(ANSWER, |writer| writer.number(ENUMERATED, code as i64))
}

/// A value as it is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sortable {
    Number(i128),
    Text(String),
    /// RFC 2891 section 2: what has no value is largest.
    Missing,
}

/// Finds everything, and puts it into its order.
pub(crate) async fn sort(
    client: &Client,
    scan: &mut Scan,
    keys: &[Key],
    deadline: Instant,
    running: &Running,
) -> Outcome<()> {
    let found = scan.collect(client, MAX_SORTED, deadline, running).await;
    let slots = found.map_err(|ended| match ended {
        Ended::Time => Refusal::new(Code::TimeLimitExceeded, "the search took too long"),
        Ended::Anew => Refusal::new(Code::Busy, "the directory was put back, search again"),
        _ => Refusal::new(
            Code::AdminLimitExceeded,
            format!("more than {MAX_SORTED} entries are not sorted"),
        ),
    })?;
    let catalogue = client.server.follower.read();
    let mut sortable: Vec<(Vec<Sortable>, Slot)> = slots
        .into_iter()
        .map(|slot| (values(&catalogue, client.access(), slot, keys), slot))
        .collect();
    sortable.sort_by(|(a, _), (b, _)| compare(a, b, keys));
    let slots = sortable.into_iter().map(|(_, slot)| slot).collect();
    scan.source = Source::Sorted { slots, next: 0 };
    Ok(())
}

fn compare(a: &[Sortable], b: &[Sortable], keys: &[Key]) -> Ordering {
    for ((a, b), key) in a.iter().zip(b).zip(keys) {
        let order = if key.reverse { b.cmp(a) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn values(catalogue: &Catalogue, access: &Access, slot: Slot, keys: &[Key]) -> Vec<Sortable> {
    keys.iter()
        .map(|key| {
            let mut least = Sortable::Missing;
            let Some(entry) = catalogue.get(slot) else { return least };
            if !catalogue.sees_attribute(access, entry, key.attr) {
                return least;
            }
            // of several values the first in order counts (RFC 2891 section 2)
            catalogue.each_value(access, slot, entry, key.attr, |value| {
                let value = match key.attr.rule() {
                    Rule::Integer => value.parse().map_or(Sortable::Missing, Sortable::Number),
                    rule => Sortable::Text(normalise(rule, value)),
                };
                if value < least {
                    least = value;
                }
                true
            });
            least
        })
        .collect()
}

/// Where a value would stand among sorted entries, by their first key.
pub(crate) fn place(client: &Client, slots: &[Slot], key: Key, value: &str) -> usize {
    let catalogue = client.server.follower.read();
    let value = match key.attr.rule() {
        Rule::Integer => value.parse().map_or(Sortable::Missing, Sortable::Number),
        rule => Sortable::Text(normalise(rule, value)),
    };
    slots.partition_point(|slot| {
        let of = values(&catalogue, client.access(), *slot, &[key]);
        compare(&of, std::slice::from_ref(&value), &[key]) == Ordering::Less
    })
}
