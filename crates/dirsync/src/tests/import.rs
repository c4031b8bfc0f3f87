use super::model::Model;
use super::{Mapping, attributes};
use crate::*;
use concord_mapping::shipped::{GROUPWISE, NOTES};
use std::collections::BTreeSet;

pub(super) fn policy() -> ImportPolicy {
    ImportPolicy {
        connector: "groupwise".into(),
        guard: Guard::default(),
        required: ["domain", "post-office", "object"].map(|a| a.parse().unwrap()).to_vec(),
        resources: Resources::Always,
        adoption: Adoption::Never,
        own_exports: None,
    }
}

/// An import with the shipped rules of GroupWise.
pub(super) struct Run {
    pub(super) mapping: Mapping,
    pub(super) policy: ImportPolicy,
    pub(super) known: BTreeSet<ForeignKey>,
}

impl Run {
    pub(super) fn new() -> Self {
        let mapping = Mapping::import(&GROUPWISE, "", "");
        Self { mapping, policy: policy(), known: BTreeSet::new() }
    }

    pub(super) fn plan(&self, listing: &Listing, model: &Model) -> Plan {
        let owned = model.owned();
        let import = Import {
            listing,
            rules: &self.mapping.rules,
            filters: &self.mapping.filters,
            parameters: &self.mapping.parameters,
            policy: &self.policy,
            owned: &owned,
            known_collisions: &self.known,
        };
        import.plan(model)
    }

    /// Plans, carries out, and holds the plan to its promise.
    pub(super) fn run(&self, listing: &Listing, model: &mut Model) -> Plan {
        let plan = self.plan(listing, model);
        model.apply(&plan);
        let again = self.plan(listing, model);
        assert!(again.is_empty(), "planned again:\n{again}");
        plan
    }
}

pub(super) fn user(object: &str, more: &[(&str, &str)]) -> ForeignEntry {
    let mut pairs = vec![("domain", "CORP"), ("post-office", "PO"), ("object", object)];
    pairs.extend_from_slice(more);
    ForeignEntry::person(object, attributes(&pairs))
}

fn users(count: usize) -> Vec<ForeignEntry> {
    (0..count).map(|n| user(&format!("user{n:05}"), &[("phone", "1")])).collect()
}

#[test]
fn entries_are_added_changed_and_deleted() {
    let (run, mut model) = (Run::new(), Model::default());
    let jane = user("jane", &[("first-name", "Jane"), ("last-name", "Doe"), ("title", "Clerk")]);
    let plan = run.run(&Listing::full(vec![jane, user("bob", &[])]), &mut model);
    assert_eq!(plan.additions.len(), 2);
    assert_eq!(model.named("jane")["targetaddress"], ["GWISE:CORP.PO.jane"]);
    assert_eq!(model.named("bob")["displayname"], ["bob"]);
    let jane = user("jane", &[("first-name", "Jane"), ("last-name", "Roe"), ("phone", "7\x1b[2J")]);
    let plan = run.run(&Listing::full(vec![jane, user("amy", &[])]), &mut model);
    assert_eq!(
        plan.to_string(),
        "import from groupwise: 1 to add, 1 to modify, 1 to delete, 0 unchanged\n\
         + amy\n    displayname: amy\n    mailnickname: amy\n    targetaddress: GWISE:CORP.PO.amy\n\
         ~ Jane Roe (jane)\n    displayname: Jane Doe -> Jane Roe\n    sn: Doe -> Roe\n    \
         telephonenumber: 7\\u{1b}[2J\n    title: Clerk -> (none)\n\
         - bob: it is in the directory no more\n"
    );
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    assert!(!model.named("jane").contains_key("title"));
}

/// Q193535: case, further text, and the filling of an empty field were not seen.
#[test]
fn every_change_of_a_value_is_seen() {
    let (run, mut model) = (Run::new(), Model::default());
    let mut titles = vec!["", "clerk", "Clerk", "Clerk II", "Clerk"];
    for title in titles.drain(..) {
        let entry = if title.is_empty() { user("x", &[]) } else { user("x", &[("title", title)]) };
        let plan = run.run(&Listing::full(vec![entry]), &mut model);
        assert_eq!(plan.additions.len() + plan.modifications.len(), 1, "{title}");
        let now = model.named("x").get("title").map(|values| values[0].as_str());
        assert_eq!(now.unwrap_or_default(), title);
    }
}

/// Q184623.
#[test]
fn who_may_not_be_taken_is_left_out_with_the_reason() {
    let (run, mut model) = (Run::new(), Model::default());
    let consents = [("a", Consent::Given), ("b", Consent::Refused), ("c", Consent::Unstated)];
    let entries = consents.map(|(key, consent)| ForeignEntry { consent, ..user(key, &[]) });
    let plan = run.run(&Listing::full(entries.to_vec()), &mut model);
    assert_eq!(plan.additions.len(), 1);
    let reasons: Vec<&Reason> = plan.skipped.iter().map(|skipped| &skipped.reason).collect();
    assert_eq!(reasons, [&Reason::NotAllowed, &Reason::NotStated]);
    // Consent withdrawn is as good as gone.
    let refused = ForeignEntry { consent: Consent::Refused, ..user("a", &[]) };
    let plan = run.run(&Listing::full(vec![refused]), &mut model);
    assert_eq!(plan.deletions[0].reason, Reason::NotAllowed);
}

/// Q250450, Q251049: every entry was written in every cycle. Q249878: a new rule
/// is applied to entries that are there.
#[test]
fn nothing_is_written_for_an_attribute_without_a_rule() {
    let (mut run, mut model) = (Run::new(), Model::default());
    let mut listing = Listing::full(users(2_000));
    run.run(&listing, &mut model);
    for (n, entry) in listing.entries.iter_mut().enumerate() {
        entry.attributes.insert("description".into(), vec![format!("changed {n}")]);
    }
    let plan = run.plan(&listing, &model);
    assert!(plan.is_empty());
    assert_eq!(plan.unchanged, 2_000);
    run.mapping = Mapping::import(&GROUPWISE, "OFFICE = DESCRIPTION", "");
    assert_eq!(run.run(&listing, &mut model).modifications.len(), 2_000);
}

/// Q222186.
#[test]
fn a_source_that_lost_its_entries_deletes_nobody() {
    let (mut run, mut model) = (Run::new(), Model::default());
    let all = users(500);
    run.run(&Listing::full(all.clone()), &mut model);
    let nothing = run.plan(&Listing::full(vec![]), &model);
    assert!(nothing.is_empty());
    let withheld = nothing.withheld.clone().unwrap();
    assert_eq!((withheld.why, withheld.deletions.len()), (Withheld::Empty { owned: 500 }, 500));
    assert!(nothing.to_string().contains("deletions withheld: 500; the listing is empty"));
    let few = Listing::full(all[..50].to_vec());
    let why = run.plan(&few, &model).withheld.unwrap().why;
    assert_eq!(why, Withheld::TooMany { deletions: 450, owned: 500, share: 10 });
    let short = Listing { announced: Some(500), ..Listing::full(all[..499].to_vec()) };
    let why = run.plan(&short, &model).withheld.unwrap().why;
    assert_eq!(why, Withheld::Short { announced: 500, listed: 499 });
    let cut = Listing { complete: false, ..Listing::full(all[..499].to_vec()) };
    assert_eq!(run.plan(&cut, &model).withheld.unwrap().why, Withheld::Incomplete);
    // What is new is taken all the same.
    let cut = Listing { complete: false, ..Listing::full(vec![user("new", &[])]) };
    assert_eq!(run.plan(&cut, &model).additions.len(), 1);
    run.policy.guard.approval = Approval::Given;
    assert_eq!(run.run(&few, &mut model).deletions.len(), 450);
}

/// Q238447, Q238992: an event for each entry in each run, and no way out.
#[test]
fn a_contact_made_by_hand_is_told_of_once_and_can_be_adopted() {
    let (mut run, mut model) = (Run::new(), Model::default());
    let hand = attributes(&[
        ("mailnickname", "Doe"),
        ("displayname", "Jane by hand"),
        ("targetaddress", "GWISE:corp.po.JANE"),
    ]);
    let id = model.add(RecipientKind::Contact, None, hand.clone());
    let listing = Listing::full(vec![user("jane", &[("last-name", "Doe")]), user("bob", &[])]);
    let plan = run.run(&listing, &mut model);
    assert_eq!(plan.additions.len(), 1);
    let [collision] = plan.collisions.as_slice() else { panic!("{plan}") };
    assert_eq!(
        (collision.holder.id, collision.adoptable, collision.known),
        (Some(id), true, false)
    );
    assert!(plan.to_string().ends_with(
        "addresses that others hold: 1, of which 1 could be adopted:\n  Doe (jane) and Jane by \
         hand (object 1): GWISE:CORP.PO.jane\n"
    ));
    assert_eq!(model.objects[&id].attributes, hand);
    run.known = plan.collisions.iter().filter_map(|c| c.subject.key.clone()).collect();
    let silent = run.plan(&listing, &model);
    assert!(silent.collisions[0].known && !silent.to_string().contains("could be adopted"));
    run.policy.adoption = Adoption::SameTarget;
    let plan = run.run(&listing, &mut model);
    assert_eq!((plan.adoptions.len(), plan.collisions.len()), (1, 0));
    assert_eq!(model.objects[&id].attributes["displayname"], ["Doe"]);
    assert_eq!(model.objects[&id].attributes["mailnickname"], ["jane"]);
    let empty = Listing::full(vec![user("bob", &[])]);
    assert_eq!(run.run(&empty, &mut model).deletions.len(), 1, "it is the connector's now");
}

#[test]
fn nobody_takes_an_address_from_a_mailbox_or_from_another_entry() {
    let (mut run, mut model) = (Run::new(), Model::default());
    run.policy.adoption = Adoption::SameTarget;
    let amy = attributes(&[
        ("mailnickname", "amy"),
        ("displayname", "Amy"),
        ("proxyaddresses", "SMTP:amy@example.test"),
    ]);
    model.add(RecipientKind::Mailbox, None, amy);
    let same = |key: &str| ForeignEntry::person(key, user("same", &[]).attributes);
    let alias = user("amy2", &[("smtp-alias", "AMY@example.test")]);
    let plan = run.run(&Listing::full(vec![same("k2"), alias, same("k1")]), &mut model);
    assert_eq!(plan.additions.len(), 1);
    assert_eq!(plan.additions[0].subject.key, Some(ForeignKey("k1".into())));
    let holders: Vec<(&str, bool)> =
        plan.collisions.iter().map(|c| (c.holder.name.as_str(), c.adoptable)).collect();
    assert_eq!(holders, [("Amy", false), ("k1", false)]);
}

/// Q247182: a full reload deleted what another connector had made.
#[test]
fn what_another_connector_made_is_not_touched() {
    let (run, mut model) = (Run::new(), Model::default());
    let theirs = attributes(&[
        ("mailnickname", "jane"),
        ("displayname", "Jane"),
        ("targetaddress", "NOTES:Jane/Acme@HQ"),
    ]);
    let id = model.add(RecipientKind::Contact, Some(("notes", "jane")), theirs.clone());
    let plan = run.run(&Listing::full(vec![user("jane", &[])]), &mut model);
    assert_eq!((plan.additions.len(), plan.deletions.len()), (1, 0));
    assert_eq!(model.objects[&id].attributes, theirs);
    assert_eq!(model.named("jane-2")["targetaddress"], ["GWISE:CORP.PO.jane"]);
}

/// Q241213.
#[test]
fn own_exports_are_not_imported_again() {
    let (mut run, mut model) = (Run::new(), Model::default());
    run.policy.own_exports = Some(Places {
        attributes: ["domain", "post-office"].map(|a| a.parse().unwrap()).to_vec(),
        separator: '.',
        parts: 2,
        ours: BTreeSet::from(["Exchange".to_owned()]),
    });
    let place = [("domain", "EXCHANGE"), ("post-office", "US"), ("object", "jane")];
    let placed = ForeignEntry::person("a", attributes(&place));
    let marked = ForeignEntry { exported_by_us: true, ..user("b", &[]) };
    let plan = run.run(&Listing::full(vec![placed, marked]), &mut model);
    assert_eq!(plan.skipped.len(), 2);
    assert!(plan.is_empty() && plan.skipped.iter().all(|s| s.reason == Reason::OwnExport));
}

/// Q179057, Q199171, Q274786: one bad document stopped the run, or its entry was
/// deleted by the next one.
#[test]
fn an_entry_that_cannot_be_planned_stays_and_the_others_go_on() {
    let (run, mut model) = (Run::new(), Model::default());
    run.run(&Listing::full(vec![user("a", &[]), user("b", &[]), user("c", &[])]), &mut model);
    let mut bad = user("a", &[]);
    bad.attributes.insert("object".into(), vec!["bad\u{7}".into()]);
    let mut blank = user("b", &[]);
    blank.attributes.insert("domain".into(), vec![" ".into()]);
    let plan = run.run(&Listing::full(vec![bad, blank, user("c", &[("phone", "1")])]), &mut model);
    assert!(matches!(plan.failed[0].failure, Failure::BadAddress { .. }));
    let attribute = "domain".parse().unwrap();
    assert_eq!(plan.skipped[0].reason, Reason::Missing { attribute });
    assert_eq!((plan.modifications.len(), plan.deletions.len()), (1, 0));
    assert_eq!(model.objects.len(), 3);
}

/// Q249112: the filter did not apply to resources.
#[test]
fn resources_take_part_as_the_policy_says() {
    let room = ForeignEntry { kind: EntryKind::Resource, ..user("room", &[("title", "x")]) };
    let listing = Listing::full(vec![room, user("jane", &[("title", "x")])]);
    for (resources, expected) in
        [(Resources::Never, 0), (Resources::Always, 1), (Resources::Filtered, 0)]
    {
        let mut run = Run::new();
        run.mapping = Mapping::import(&GROUPWISE, "", "no-x = title, NE, x");
        run.policy.resources = resources;
        let plan = run.run(&listing, &mut Model::default());
        assert_eq!(plan.additions.len(), expected, "{resources:?}");
    }
}

#[test]
fn two_of_one_name_are_told_apart_for_good() {
    let (run, mut model) = (Run::new(), Model::default());
    let same = |key: &str, domain: &str| {
        let pairs = [("domain", domain), ("post-office", "PO"), ("object", "jdoe")];
        ForeignEntry::person(key, attributes(&pairs))
    };
    run.run(&Listing::full(vec![same("k2", "B"), same("k3", "C")]), &mut model);
    assert_eq!(model.named("jdoe-2")["targetaddress"], ["GWISE:C.PO.jdoe"]);
    // A new one that sorts before them takes nobody's name.
    let all = vec![same("k1", "A"), same("k2", "B"), same("k3", "C")];
    let plan = run.run(&Listing::full(all.clone()), &mut model);
    assert_eq!((plan.additions.len(), plan.modifications.len()), (1, 0));
    assert_eq!(model.named("jdoe-3")["targetaddress"], ["GWISE:A.PO.jdoe"]);
}

#[test]
fn two_can_swap_their_addresses_and_names() {
    let (run, mut model) = (Run::new(), Model::default());
    let entry = |key: &str, object: &str| ForeignEntry::person(key, user(object, &[]).attributes);
    run.run(&Listing::full(vec![entry("1", "jane"), entry("2", "bob")]), &mut model);
    let plan = run.run(&Listing::full(vec![entry("1", "bob"), entry("2", "jane")]), &mut model);
    assert_eq!((plan.modifications.len(), plan.collisions.len()), (2, 0));
    // And one can take the address of who goes.
    let plan = run.run(&Listing::full(vec![entry("1", "jane")]), &mut model);
    assert_eq!((plan.modifications.len(), plan.deletions.len()), (1, 1));
}

/// Q300458.
#[test]
fn an_update_deletes_only_whom_it_names() {
    let (run, mut model) = (Run::new(), Model::default());
    run.run(&Listing::full(vec![user("a", &[]), user("b", &[]), user("c", &[])]), &mut model);
    let updates = Listing {
        kind: ListingKind::Updates,
        gone: vec![ForeignKey("b".into()), ForeignKey("unknown".into())],
        ..Listing::full(vec![user("a", &[("phone", "1")])])
    };
    let plan = run.run(&updates, &mut model);
    assert_eq!((plan.modifications.len(), plan.deletions.len(), plan.skipped.len()), (1, 1, 0));
    assert_eq!(model.objects.len(), 2);
    // Of the updates that were announced, some did not come.
    let short = Listing { announced: Some(4), ..updates };
    model.apply(&run.plan(&Listing::full(vec![user("b", &[])]), &model));
    let why = run.plan(&short, &model).withheld.unwrap().why;
    assert_eq!(why, Withheld::Short { announced: 4, listed: 3 });
}

#[test]
fn updates_that_name_nearly_everybody_are_not_believed() {
    let (run, mut model) = (Run::new(), Model::default());
    let all = users(100);
    let gone = all[..20].iter().map(|entry| entry.key.clone()).collect();
    run.run(&Listing::full(all), &mut model);
    let updates = Listing { kind: ListingKind::Updates, gone, ..Listing::full(vec![]) };
    let plan = run.plan(&updates, &model);
    let why = Withheld::TooMany { deletions: 20, owned: 100, share: 10 };
    assert_eq!((plan.withheld.unwrap().why, plan.deletions.len()), (why, 0));
}

/// Q183275, Q238992: a Notes address book.
#[test]
fn a_notes_book_becomes_contacts() {
    let mut run = Run::new();
    run.mapping = Mapping::import(&NOTES, "", "hq = MailDomain, EQ, HQ");
    run.policy.required = ["fullname", "maildomain"].map(|a| a.parse().unwrap()).to_vec();
    let person = |key: &str, domain: &str| {
        let pairs =
            [("fullname", "Jane Doe/Sales/Acme"), ("fullname", "Jane"), ("maildomain", domain)];
        ForeignEntry::person(key, attributes(&pairs))
    };
    let mut model = Model::default();
    let listing = Listing::full(vec![person("1", "HQ"), person("2", "East"), person("3", "")]);
    let plan = run.run(&listing, &mut model);
    assert_eq!((plan.additions.len(), plan.skipped.len()), (1, 2));
    let jane = model.named("jane doe/sales/acme");
    assert_eq!(jane["targetaddress"], ["NOTES:Jane Doe/Sales/Acme@HQ"]);
    assert_eq!(jane["displayname"], ["Jane Doe"]);
}
