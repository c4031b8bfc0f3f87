use super::*;
use crate::{Identity, addresses};
use concord_address::TypedAddress;
use concord_base::ObjectId;
use proptest::prelude::*;

const ME: ObjectId = ObjectId(7);
const BOSS: ObjectId = ObjectId(8);

/// A directory of two people with several addresses each.
fn people() -> People {
    let mut people = People::new(Identity::Object(ME));
    for (address, who) in [
        ("me@example.test", ME),
        ("My.Name@other.test", ME),
        ("me+tag@example.test", ME),
        ("IMCEANOTES-Me_Acme@example.test", ME),
        ("NOTES:Me/Acme", ME),
        ("boss@example.test", BOSS),
        ("NOTES:The Boss/Acme", BOSS),
    ] {
        people.insert(&address.parse::<TypedAddress>().unwrap(), Identity::Object(who));
    }
    people
}

fn facts(header: &str) -> Facts {
    Facts::of(format!("{header}\r\n\r\nbody").as_bytes())
}

fn rule(name: &str, when: &[&str], unless: &[&str]) -> Rule {
    let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Rule { when: read(when), unless: read(unless), move_to: Some(name.into()), ..Rule::new(name) }
}

fn asked(condition: &str, header: &str) -> Answer {
    answer(&condition.parse().unwrap(), &Asked::new(&facts(header), &people()))
}

/// T65: Q195583, Q259616.
#[test]
fn my_name_is_found_by_any_of_my_addresses() {
    for address in [
        "me@example.test",
        "ME@EXAMPLE.TEST",
        "my.name@other.test",
        "Me <me+tag@example.test>",
        "\"Doe, Me\" <IMCEANOTES-Me_Acme@example.test>",
    ] {
        let header = format!("To: boss@example.test\r\nCc: x@y.test, {address}");
        assert_eq!(asked("cc-me", &header), Answer::Yes, "{address}");
        assert_eq!(asked("to-me", &header), Answer::No, "{address}");
        assert_eq!(asked("not-named", &header), Answer::No, "{address}");
    }
    assert_eq!(asked("not-named", "To: boss@example.test"), Answer::Yes);
    assert_eq!(asked("not-named", "Subject: x"), Answer::Yes);
}

#[test]
fn people_are_the_same_whichever_address_stands_there() {
    assert_eq!(asked("from=NOTES:The Boss/Acme", "From: Boss@Example.test"), Answer::Yes);
    assert_eq!(asked("from=a@b.test|boss@example.test", "From: BOSS@example.test"), Answer::Yes);
    assert_eq!(asked("from=me@example.test", "From: boss@example.test"), Answer::No);
    assert_eq!(asked("from=@Example.test", "From: x@example.test"), Answer::Yes);
    assert_eq!(asked("from=@example.test", "From: x@sub.example.test"), Answer::No);
    let on_behalf = "From: boss@example.test\r\nSender: me@example.test";
    assert_eq!(asked("sender=me@example.test", on_behalf), Answer::Yes);
    assert_eq!(asked("sender=boss@example.test", on_behalf), Answer::No);
    assert_eq!(asked("from=stranger@x.test", "From: Stranger@X.test"), Answer::Yes);
}

#[test]
fn words_are_found_in_any_case_and_coding() {
    for (condition, header, yes) in [
        ("subject=budget|plan", "Subject: The BUDGET for May", true),
        ("subject=grüße", "Subject: =?utf-8?Q?Viele_GR=C3=9C=C3=9FE?=", true),
        (
            "subject=viele grüße",
            "Subject: =?utf-8?Q?Viele?=\r\n =?utf-8?Q?_gr=C3=BC=C3=9Fe?=",
            true,
        ),
        ("subject=one two", "Subject: one\r\n two", true),
        ("subject=budget", "Subject: plan\r\nX-Subject: budget", false),
        ("header:x-spam-flag=yes", "X-Spam-Flag: YES", true),
        ("header:x-spam-flag", "X-Spam-Flag: no", true),
        ("header:x-spam-flag", "X-Spam: no", false),
        ("importance=high", "Importance: high", true),
        ("importance=normal", "Subject: x", true),
        ("sensitivity=private|personal", "Sensitivity: Personal", true),
        ("sensitivity=private", "Sensitivity: Company-Confidential", false),
        ("report", "Content-Type: multipart/report; boundary=x", true),
        ("automatic", "Auto-Submitted: no", false),
        ("automatic", "Auto-Submitted: auto-generated", true),
        ("from-list", "Precedence: List", true),
        ("from-list", "Precedence: bulk", false),
        ("larger=10", "Subject: x", true),
        ("larger=100", "Subject: x", false),
    ] {
        let expected = if yes { Answer::Yes } else { Answer::No };
        assert_eq!(asked(condition, header), expected, "{condition} {header}");
    }
}

#[test]
fn what_cannot_be_read_fires_nothing() {
    let damaged = "To: boss@example.test\r\nCc: me@example.test\r\nno field at all";
    assert_eq!(asked("cc-me", damaged), Answer::Yes, "what is found is certain");
    for condition in ["to-me", "from=@x.test", "subject=x", "report", "importance=normal"] {
        assert_eq!(asked(condition, damaged), Answer::Unknown, "{condition}");
    }
    assert_eq!(asked("not-named", "To: <garbage"), Answer::Unknown);
    let unread = Rule {
        when: vec![],
        unless: vec![Condition::from("x=y".to_owned())],
        ..rule("r", &[], &[])
    };
    let whole = facts("Subject: x");
    assert_eq!(judge(&[unread], &whole, &people()).rules[0].outcome, Outcome::Unjudged);
    assert_eq!(asked("subject=café", "Subject: caf\u{fffd}"), Answer::Unknown);
    let outcome = |when: &[&str], unless: &[&str]| {
        one(&rule("r", when, unless), &Asked::new(&facts(damaged), &people()), false).outcome
    };
    assert_eq!(outcome(&["to-me"], &[]), Outcome::Unjudged);
    assert_eq!(outcome(&["cc-me"], &["subject=x"]), Outcome::Unjudged);
    assert_eq!(outcome(&["not-named", "to-me"], &[]), Outcome::Fails, "one certain no decides");
    assert_eq!(outcome(&["cc-me"], &[]), Outcome::Fires);
}

#[test]
fn rules_are_asked_in_order_until_one_stops() {
    let facts = facts("From: boss@example.test\r\nTo: me@example.test\r\nSubject: plan");
    let judge = |rules: &[Rule]| judge(rules, &facts, &people());
    let first = Rule { mark_read: true, ..rule("A", &["to-me"], &[]) };
    let second = Rule { flag: true, ..rule("B", &["subject=plan"], &[]) };
    let both = judge(&[first.clone(), second.clone()]);
    assert_eq!(
        both.filing,
        Filing {
            folder: Some("A".into()),
            read: true,
            flagged: true,
            rules: vec!["A".into(), "B".into()]
        }
    );
    let stops = Rule { stop: true, ..first.clone() };
    let one = judge(&[stops, second.clone()]);
    assert_eq!(one.rules[1].outcome, Outcome::NotReached);
    assert!(!one.filing.flagged);
    let disabled = Rule { enabled: false, stop: true, ..first };
    let other = judge(&[disabled, second]);
    assert_eq!(other.rules[0].outcome, Outcome::Disabled);
    assert_eq!(other.filing.folder.as_deref(), Some("B"));
    assert_eq!(judge(&[]).filing, Filing::default());
}

#[test]
fn all_any_and_exceptions() {
    let header = "From: boss@example.test\r\nTo: me@example.test";
    let fires = |matches: Match, when: &[&str], unless: &[&str]| {
        let rule = Rule { matches, ..rule("r", when, unless) };
        one(&rule, &Asked::new(&facts(header), &people()), false).outcome == Outcome::Fires
    };
    assert!(fires(Match::All, &["to-me", "from=boss@example.test"], &[]));
    assert!(!fires(Match::All, &["to-me", "cc-me"], &[]));
    assert!(fires(Match::Any, &["to-me", "cc-me"], &[]));
    assert!(!fires(Match::Any, &["report", "cc-me"], &[]));
    assert!(!fires(Match::All, &["to-me"], &["report", "from=boss@example.test"]));
    assert!(fires(Match::All, &[], &[]) && fires(Match::Any, &[], &["cc-me"]));
}

#[test]
fn only_addresses_that_are_asked_for_are_looked_up() {
    let facts = facts("From: a@x.test\r\nTo: b@x.test, B@x.test\r\nCc: c@x.test");
    let looked = |when: &[&str]| -> Vec<String> {
        let rules = [rule("r", when, &[])];
        addresses(&rules, &facts).into_iter().map(|a| a.value().to_owned()).collect()
    };
    assert!(looked(&["subject=x", "report"]).is_empty());
    assert_eq!(looked(&["cc-me"]), ["c@x.test"]);
    assert_eq!(looked(&["not-named"]).len(), 2);
    assert_eq!(looked(&["from=boss@example.test|@x.test"]), ["a@x.test", "boss@example.test"]);
    let disabled = [Rule { enabled: false, ..rule("r", &["cc-me"], &[]) }];
    assert!(addresses(&disabled, &facts).is_empty());
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![Just(Answer::No), Just(Answer::Unknown), Just(Answer::Yes)]
}

proptest! {
    /// Damage never makes a rule fire that would not, nor keeps one away that is
    /// certain.
    #[test]
    fn damage_only_takes_certainty_away(
        to in "(me|boss|x)@example\\.test", subject in "[a-z]{1,3}", which in 0usize..6,
    ) {
        let condition = ["to-me", "cc-me", "not-named", "subject=a", "from-list", "importance=normal"];
        let header = format!("To: {to}\r\nSubject: {subject}");
        let whole = asked(condition[which], &header);
        let damaged = asked(condition[which], &format!("{header}\r\ndamage"));
        prop_assert!(damaged == whole || damaged == Answer::Unknown);
        prop_assert!(whole != Answer::Unknown);
    }

    #[test]
    fn not_twice_is_nothing(a in answers(), b in answers()) {
        prop_assert_eq!(a.not().not(), a);
        prop_assert_eq!(a.min(b).not(), a.not().max(b.not()));
    }
}
