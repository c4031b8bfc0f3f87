//! What the fuzzer and the property tests feed.

use crate::catalogue::Catalogue;
use crate::config::MAX_REQUEST;
use crate::filter::{self, Evaluation};
use crate::{dn, frame, ldif, text, write};
use concord_directory::{Access, Details, DistributionList, Kind, Mailbox, NewObject, Object};
use ldap3_proto::proto::LdapOp;
use std::sync::LazyLock;

/// A few entries to hold filters against.
static ENTRIES: LazyLock<Catalogue> = LazyLock::new(|| {
    let list = DistributionList { hide_members: true, ..DistributionList::default() };
    let objects = [
        ("Acme", Details::Organisation),
        ("HQ", Details::Site),
        ("jane", Details::Mailbox(Mailbox::default())),
        ("club", Details::List(list)),
    ];
    let objects = objects.into_iter().zip(1..).map(|((name, details), id)| {
        let mut new = NewObject::new(name, details);
        if new.details.kind() == Kind::Mailbox {
            new.display_name = "Jane Doe".to_owned();
            let _ = new.attributes.set("telephoneNumber", vec!["+49 30 1234".to_owned()]);
        }
        Object::from_new(concord_base::ObjectId(id), new, concord_base::Timestamp(0))
    });
    Catalogue::of(objects)
});

/// Feeds arbitrary octets to everything here that reads what a client sent: as a
/// message with the filter in it, as LDIF, and as a DN, an address, a text.
pub(crate) fn run(data: &[u8]) {
    if let Ok(Some(length)) = frame::length(data, MAX_REQUEST)
        && let Some(message) = data.get(..length)
        && let Ok(request) = frame::open(message)
    {
        operation(request.decode());
    }
    ldif::fuzz(data);
    let Ok(value) = std::str::from_utf8(data) else { return };
    if let Some(rdns) = dn::parse(value) {
        let _ = ENTRIES.find(&rdns);
        for rdn in &rdns {
            let escaped = format!("cn={}", concord_directory::escape_rdn(&rdn.value));
            let again = dn::parse(&escaped);
            let same = again.and_then(|rdns| rdns.into_iter().next()).map(|rdn| rdn.value);
            assert_eq!(same.as_ref(), Some(&rdn.value), "a name reads back as it was written");
        }
    }
    for rule in [text::Rule::CaseIgnore, text::Rule::CaseExact, text::Rule::Telephone] {
        let prepared = text::normalise(rule, value);
        let equal = text::equals(rule, &prepared, value, &mut String::new());
        assert!(equal, "a value equals itself");
    }
    write::fuzz(value);
}

fn operation(operation: Option<LdapOp>) {
    let Some(LdapOp::SearchRequest(asked)) = operation else { return };
    let catalogue = &*ENTRIES;
    let Some(filter) = filter::compile(catalogue, &asked.filter) else { return };
    let access = Access::anonymous();
    let mut evaluation = Evaluation::new(catalogue, &access);
    let candidates = filter.candidates(catalogue);
    for slot in catalogue.everything() {
        let Some(entry) = catalogue.get(slot) else { continue };
        let matches = evaluation.matches(&filter, slot, entry) == Some(true);
        let candidate = candidates.as_ref().is_none_or(|slots| slots.contains(slot));
        assert!(candidate || !matches, "an entry that matches is a candidate");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_that_arrives_makes_it_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
            run(&data);
        }

        // a search whose octets were changed here and there
        #[test]
        fn no_damaged_search_makes_it_panic(
            changes in prop::collection::vec((0_usize..60, any::<u8>()), 0..6),
        ) {
            let mut search = [
                &[0x30, 56, 2, 1, 2, 0x63, 51, 4, 6][..], b"o=Acme",
                &[10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0, 0xA0, 26],
                &[0x87, 2], b"cn", &[0xA2, 20, 0xA4, 18, 4, 4], b"mail", &[0x30, 10],
                &[0x80, 2], b"ja", &[0x82, 4], b"test", &[0x30, 0],
            ].concat();
            for (place, octet) in changes {
                if let Some(at) = search.get_mut(place) {
                    *at = octet;
                }
            }
            run(&search);
        }

        // letters of every script: preparing is idempotent, names read back
        #[test]
        fn texts_of_every_script_are_read(value in "\\PC{0,40}") {
            run(value.as_bytes());
        }
    }
}
