use super::model::Foreign;
use super::{Mapping, attributes};
use crate::*;
use concord_base::ObjectId;
use concord_mapping::shipped::GROUPWISE;
use std::collections::BTreeSet;

pub(super) struct Run {
    pub(super) mapping: Mapping,
    pub(super) policy: ExportPolicy,
    pub(super) scope: Scope,
}

impl Run {
    pub(super) fn new() -> Self {
        let policy = ExportPolicy {
            connector: "groupwise".into(),
            guard: Guard::default(),
            containers: vec![ExportContainer { id: None, trust: 20 }],
            kinds: BTreeSet::from([RecipientKind::Mailbox, RecipientKind::List]),
            relay: Relay::Nobody,
            required: vec!["address".parse().unwrap()],
            identity: vec!["address".parse().unwrap()],
            places: Some(Places {
                attributes: vec!["address".parse().unwrap()],
                separator: '.',
                parts: 2,
                ours: BTreeSet::from(["EXCHANGE".to_owned()]),
            }),
            ownership: Ownership::Everything,
        };
        Self { mapping: Mapping::export(&GROUPWISE, "", ""), policy, scope: Scope::Full }
    }

    pub(super) fn plan_from(
        &self,
        recipients: &[Recipient],
        present: &Present,
        foreign: &Foreign,
    ) -> Plan {
        let export = Export {
            recipients,
            scope: &self.scope,
            present,
            links: &foreign.links,
            rules: &self.mapping.rules,
            filters: &self.mapping.filters,
            parameters: &self.mapping.parameters,
            policy: &self.policy,
        };
        export.plan()
    }

    pub(super) fn plan(&self, recipients: &[Recipient], foreign: &Foreign) -> Plan {
        self.plan_from(recipients, &foreign.present(), foreign)
    }

    /// Plans, carries out, and holds the plan to its promise.
    pub(super) fn run(&self, recipients: &[Recipient], foreign: &mut Foreign) -> Plan {
        let plan = self.plan(recipients, foreign);
        assert_eq!(foreign.apply(&plan), 0);
        let again = self.plan(recipients, foreign);
        assert!(again.is_empty(), "planned again:\n{again}");
        plan
    }
}

pub(super) fn recipient(id: u64, name: &str) -> Recipient {
    let address = format!("GWISE:EXCHANGE.US.{name}");
    Recipient {
        id: ObjectId(id),
        kind: RecipientKind::Mailbox,
        container: None,
        hidden: false,
        trust: 20,
        origin: None,
        attributes: attributes(&[
            ("displayname", name),
            ("mailnickname", name),
            ("proxyaddresses", &address),
        ]),
    }
}

/// Counts of additions, modifications and deletions.
fn counts(plan: &Plan) -> (usize, usize, usize) {
    (plan.additions.len(), plan.modifications.len(), plan.deletions.len())
}

#[test]
fn recipients_are_added_changed_and_deleted() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let mut all = vec![recipient(1, "jane"), recipient(2, "bob")];
    let plan = run.run(&all, &mut foreign);
    assert_eq!(counts(&plan), (2, 0, 0));
    all[0].attributes.insert("title".into(), vec!["clerk".into()]);
    all.pop();
    let plan = run.run(&all, &mut foreign);
    assert_eq!(
        plan.to_string(),
        "export to groupwise: 0 to add, 1 to modify, 1 to delete, 0 unchanged\n\
         ~ jane (entry 001)\n    title: clerk\n- entry 002: it is in the directory no more\n"
    );
}

/// Q179996: hiding did not delete. Q241086: showing again modified what was not
/// there, and the cycle stopped.
#[test]
fn who_is_hidden_is_deleted_and_who_is_shown_again_is_added() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let mut all = vec![recipient(1, "jane"), recipient(2, "bob")];
    run.run(&all, &mut foreign);
    all[0].hidden = true;
    let plan = run.run(&all, &mut foreign);
    assert_eq!(plan.deletions[0].reason, Reason::Hidden);
    assert_eq!(plan.deletions[0].subject.id, Some(ObjectId(1)));
    all[0].hidden = false;
    all[0].attributes.insert("title".into(), vec!["clerk".into()]);
    assert_eq!(counts(&run.run(&all, &mut foreign)), (1, 0, 0));
}

/// Q152935, Q198789, Q183589, Q192911, Q261210.
#[test]
fn who_is_not_meant_is_left_out_with_the_reason() {
    let mut run = Run::new();
    let one = |change: fn(&mut Recipient)| {
        let mut recipient = recipient(1, "x");
        change(&mut recipient);
        recipient
    };
    let reason = |run: &Run, recipient: Recipient| {
        let plan = run.plan(&[recipient], &Foreign::default());
        plan.skipped.first().map(|skipped| skipped.reason.clone())
    };
    let trusted = one(|r| r.trust = 100);
    assert_eq!(reason(&run, trusted), Some(Reason::Trust { trust: 100, container: 20 }));
    let elsewhere = one(|r| r.container = Some(ObjectId(9)));
    assert_eq!(reason(&run, elsewhere), Some(Reason::Container));
    let contact = one(|r| r.kind = RecipientKind::Contact);
    assert_eq!(reason(&run, contact.clone()), Some(Reason::Kind));
    let without = one(|r| drop(r.attributes.remove("proxyaddresses")));
    let attribute = "address".parse().unwrap();
    assert_eq!(reason(&run, without), Some(Reason::Missing { attribute }));
    let own = one(|r| r.origin = Some("groupwise".into()));
    let snads = one(|r| r.origin = Some("snads".into()));
    let not_relayed = Reason::NotRelayed { origin: "snads".into() };
    assert_eq!(reason(&run, snads.clone()), Some(not_relayed.clone()));
    run.policy.kinds.insert(RecipientKind::Contact);
    assert_eq!(reason(&run, contact), None);
    assert_eq!(reason(&run, snads.clone()), Some(not_relayed.clone()));
    run.policy.relay = Relay::Only(BTreeSet::from(["notes".to_owned()]));
    assert_eq!(reason(&run, snads.clone()), Some(not_relayed));
    run.policy.relay = Relay::Everybody;
    assert_eq!(reason(&run, snads), None);
    assert_eq!(reason(&run, own), Some(Reason::OwnExport));
    run.mapping = Mapping::export(&GROUPWISE, "", "no-x = displayname, NE, X");
    let filtered = Reason::Filtered { filter: "no-x".into() };
    assert_eq!(reason(&run, one(|_| ())), Some(filtered));
}

/// Q235497, T53: an address in a real domain made the domain ours.
#[test]
fn what_lies_in_a_foreign_domain_is_neither_written_nor_deleted() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let theirs = foreign.put(None, attributes(&[("address", "CORP.PO.boss")]));
    let mut odd = recipient(1, "odd");
    odd.attributes.insert("proxyaddresses".into(), vec!["GWISE:CORP.PO.odd".into()]);
    let plan = run.run(&[odd, recipient(2, "jane")], &mut foreign);
    assert_eq!(counts(&plan), (1, 0, 0));
    assert_eq!(plan.skipped[0].reason, Reason::ElsewhereOwned { place: "CORP.PO".into() });
    assert_eq!(plan.elsewhere, 1);
    assert!(foreign.entries.contains_key(&theirs));
}

/// Q174697: adds became updates of vanished documents.
#[test]
fn a_foreign_directory_that_was_replaced_by_an_empty_one_is_filled_again() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let all = vec![recipient(1, "jane"), recipient(2, "bob")];
    run.run(&all, &mut foreign);
    foreign.entries.clear();
    let plan = run.run(&all, &mut foreign);
    assert_eq!(counts(&plan), (2, 0, 0));
    assert!(plan.replaced && plan.to_string().contains("it was replaced"));
}

/// Q274786: the entry was not written, and the next full reload deleted it.
#[test]
fn an_entry_that_the_foreign_side_refuses_is_never_deleted() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let mut all = vec![recipient(1, "jane"), recipient(2, "bob")];
    run.run(&all, &mut foreign);
    foreign.lacks = Some("title");
    all[0].attributes.insert("title".into(), vec!["clerk".into()]);
    for _ in 0..2 {
        let plan = run.plan(&all, &foreign);
        assert_eq!(counts(&plan), (0, 1, 0));
        assert_eq!(foreign.apply(&plan), 1);
        assert_eq!(foreign.entries.len(), 2);
    }
    // A rule that gives what cannot be written is as harmless.
    let mut run = run;
    run.mapping = Mapping::export(&GROUPWISE, "GWADDR = LEFT(GWISEADDR, 99999)", "");
    let plan = run.plan(&all, &foreign);
    assert_eq!((plan.failed.len(), counts(&plan)), (2, (0, 0, 0)));
}

#[test]
fn an_export_of_nobody_deletes_nobody() {
    let (mut run, mut foreign) = (Run::new(), Foreign::default());
    let all: Vec<Recipient> = (0..50).map(|n| recipient(n, &format!("r{n}"))).collect();
    run.run(&all, &mut foreign);
    run.policy.containers.clear();
    let plan = run.plan(&all, &foreign);
    assert!(plan.is_empty());
    let why = plan.withheld.unwrap().why;
    assert_eq!(why, Withheld::TooMany { deletions: 50, owned: 50, share: 10 });
}

#[test]
fn a_listing_that_was_cut_off_neither_deletes_nor_adds_twice() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let mut all: Vec<Recipient> = (0..9).map(|n| recipient(n, &format!("r{n}"))).collect();
    run.run(&all, &mut foreign);
    let mut cut = foreign.present();
    cut.complete = false;
    cut.entries.truncate(4);
    all.remove(0);
    all.push(recipient(99, "new"));
    let plan = run.plan_from(&all, &cut, &foreign);
    assert_eq!(counts(&plan), (1, 0, 0));
    assert_eq!(plan.withheld.unwrap().why, Withheld::Incomplete);
    let unlisted = plan.skipped.iter().filter(|s| s.reason == Reason::Unlisted).count();
    assert_eq!(unlisted, 5);
}

#[test]
fn a_renamed_recipient_keeps_its_entry_where_marks_are_kept() {
    let (run, mut foreign) = (Run::new(), Foreign { marks: true, ..Foreign::default() });
    run.run(&[recipient(1, "jane")], &mut foreign);
    foreign.links.clear();
    let plan = run.run(&[recipient(1, "janet")], &mut foreign);
    assert_eq!(counts(&plan), (0, 1, 0));
    // Without marks and links it is another entry.
    let mut foreign = Foreign::default();
    run.run(&[recipient(1, "jane")], &mut foreign);
    foreign.links.clear();
    assert_eq!(counts(&run.run(&[recipient(1, "janet")], &mut foreign)), (1, 0, 1));
}

#[test]
fn only_known_entries_are_deleted_where_others_may_make_some() {
    let (mut run, mut foreign) = (Run::new(), Foreign::default());
    run.policy.ownership = Ownership::Marked;
    run.run(&[recipient(1, "jane")], &mut foreign);
    let by_hand = foreign.put(None, attributes(&[("address", "EXCHANGE.US.hand")]));
    let mut hidden = recipient(2, "hand");
    hidden.hidden = true;
    let plan = run.run(&[hidden], &mut foreign);
    assert_eq!(counts(&plan), (0, 0, 1));
    assert!(foreign.entries.contains_key(&by_hand));
}

#[test]
fn two_recipients_of_one_identity_are_not_exported_as_one() {
    let (run, mut foreign) = (Run::new(), Foreign::default());
    let plan = run.run(&[recipient(1, "jane"), recipient(2, "JANE")], &mut foreign);
    assert_eq!(plan.additions.len(), 1);
    assert_eq!(plan.failed[0].failure, Failure::SameIdentity { other: ObjectId(1) });
}

/// Q300458: a change of trust costs what changed, not a full export.
#[test]
fn changes_alone_are_exported_when_only_they_are_given() {
    let (mut run, mut foreign) = (Run::new(), Foreign::default());
    let all = vec![recipient(1, "jane"), recipient(2, "bob"), recipient(3, "amy")];
    run.run(&all, &mut foreign);
    run.scope = Scope::Changed { gone: vec![ObjectId(3), ObjectId(77)] };
    let mut jane = all[0].clone();
    jane.trust = 100;
    let plan = run.run(&[jane, recipient(4, "new")], &mut foreign);
    assert_eq!(counts(&plan), (1, 0, 2));
    assert_eq!(foreign.entries.len(), 2);
}
