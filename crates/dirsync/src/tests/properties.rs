use super::attributes;
use super::export::recipient;
use super::model::{Foreign, Model};
use super::{export, import};
use crate::*;
use concord_base::ObjectId;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Few keys, addresses and names, so that they meet.
fn foreign_entry() -> impl Strategy<Value = ForeignEntry> {
    let kind = prop_oneof![
        4 => Just(EntryKind::Person), 1 => Just(EntryKind::Group), 1 => Just(EntryKind::Resource)
    ];
    let consent = prop_oneof![6 => Just(Consent::Given), 1 => Just(Consent::Refused)];
    ("[a-h]", "[a-fA-F ]{0,1}", "[A-B]?", "[x-z]{0,2}", kind, consent, "(|a@x|b@x|@)").prop_map(
        |(key, object, domain, title, kind, consent, alias)| {
            let pairs = [
                ("domain", domain.as_str()),
                ("post-office", "PO"),
                ("object", &object),
                ("title", &title),
                ("smtp-alias", &alias),
            ];
            let pairs: Vec<(&str, &str)> = pairs.into_iter().filter(|p| !p.1.is_empty()).collect();
            let entry = ForeignEntry::person(&key, attributes(&pairs));
            ForeignEntry { kind, consent, ..entry }
        },
    )
}

fn entries() -> impl Strategy<Value = Vec<ForeignEntry>> {
    prop::collection::vec(foreign_entry(), 0..10)
}

fn approved() -> import::Run {
    let mut run = import::Run::new();
    run.policy.guard.approval = Approval::Given;
    run.policy.resources = Resources::Filtered;
    run
}

/// A directory with a mailbox, another connector's contact, and one by hand.
fn populated() -> Model {
    let mut model = Model::default();
    let named = |name: &str, more: &[(&str, &str)]| {
        let mut pairs = vec![("mailnickname", name), ("displayname", name)];
        pairs.extend_from_slice(more);
        attributes(&pairs)
    };
    let mailbox = named("a", &[("proxyaddresses", "SMTP:a@x")]);
    model.add(RecipientKind::Mailbox, None, mailbox);
    let notes = named("b", &[("targetaddress", "GWISE:A.PO.b")]);
    model.add(RecipientKind::Contact, Some(("notes", "b")), notes);
    model.add(RecipientKind::Contact, None, named("q", &[("targetaddress", "GWISE:A.PO.c")]));
    model
}

fn recipients() -> impl Strategy<Value = Vec<Recipient>> {
    let one = ("[a-e]", any::<bool>(), "[x-z]{0,2}", prop_oneof![3 => Just(20_u8), 1 => Just(100)]);
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let numbered = all.into_iter().zip(1..);
        let make = |((name, hidden, title, trust), id): ((String, bool, String, u8), u64)| {
            let mut recipient = Recipient { hidden, trust, ..recipient(id, &name) };
            recipient.attributes.insert("title".into(), vec![title]);
            recipient
        };
        numbered.map(make).collect()
    })
}

proptest! {
    /// A plan that was carried out leaves nothing to plan; no address and no name
    /// is given twice; nothing is touched that the connector did not make.
    #[test]
    fn imports_come_to_rest(first in entries(), second in entries(), adopt in any::<bool>()) {
        let mut run = approved();
        if adopt {
            run.policy.adoption = Adoption::SameTarget;
        }
        let mut model = populated();
        let before = model.objects.clone();
        for listing in [Listing::full(first), Listing::full(second), Listing::full(vec![])] {
            // One run may free what another entry waits for; without a collision
            // there is nothing left at once.
            for round in 0..8 {
                let plan = run.plan(&listing, &model);
                model.apply(&plan);
                let again = run.plan(&listing, &model);
                if again.is_empty() {
                    break;
                }
                prop_assert!(!plan.collisions.is_empty() && round < 7, "{}\n{}", plan, again);
            }
        }
        for (id, object) in &before {
            if !adopt || *id != ObjectId(3) {
                prop_assert_eq!(&model.objects[id], object);
            }
        }
    }

    /// Q222186.
    #[test]
    fn the_order_of_a_listing_does_not_matter(first in entries(), mut second in entries(), turn in 0_usize..10) {
        let run = approved();
        let mut model = populated();
        model.apply(&run.plan(&Listing::full(first), &model));
        let plan = run.plan(&Listing::full(second.clone()), &model);
        let turn = turn.min(second.len());
        second.rotate_left(turn);
        let turned = run.plan(&Listing::full(second.clone()), &model);
        prop_assert_eq!(&turned, &plan);
        second.reverse();
        prop_assert_eq!(&run.plan(&Listing::full(second), &model), &plan);
    }

    #[test]
    fn a_listing_without_its_end_deletes_nobody(all in entries(), kept in 0_usize..10) {
        let run = approved();
        let mut model = populated();
        model.apply(&run.plan(&Listing::full(all.clone()), &model));
        let mut cut = Listing { complete: false, ..Listing::full(all) };
        cut.entries.truncate(kept);
        prop_assert_eq!(run.plan(&cut, &model).deletions, vec![]);
    }

    #[test]
    fn exports_come_to_rest(
        first in recipients(), second in recipients(), marks in any::<bool>(), lost in any::<bool>(),
    ) {
        let mut run = export::Run::new();
        run.policy.guard.approval = Approval::Given;
        let mut foreign = Foreign { marks, ..Foreign::default() };
        for all in [first, second] {
            let plan = run.plan(&all, &foreign);
            foreign.apply(&plan);
            if lost {
                foreign.links.clear();
            }
            let again = run.plan(&all, &foreign);
            prop_assert!(again.is_empty(), "{}", again);
            let reversed: Vec<Recipient> = all.iter().rev().cloned().collect();
            prop_assert_eq!(run.plan(&reversed, &foreign), again);
            // Nobody is there twice, and everybody who takes part is there.
            let there: Vec<String> =
                foreign.entries.values().map(|e| e.attributes["address"][0].clone()).collect();
            let different: BTreeSet<&String> = there.iter().collect();
            prop_assert_eq!(different.len(), there.len());
            for shown in all.iter().filter(|r| !r.hidden && r.trust <= 20) {
                let address = format!("EXCHANGE.US.{}", shown.attributes["mailnickname"][0]);
                prop_assert!(there.contains(&address), "{} is missing", address);
            }
        }
    }

    #[test]
    fn dumps_read_back_as_they_were_written(all in entries(), complete in any::<bool>(), text in "(Load|Updates)\n[AUD @:\\\\nr\n\\PC]{0,60}") {
        let listing = Listing { complete, ..Listing::full(all) };
        prop_assert_eq!(dump::read(&dump::write(&listing)), Ok(listing));
        crate::fuzz(text.as_bytes());
    }
}
