use super::{entry, parameters};
use crate::shipped::{GROUPWISE, IMPORT_NEEDS, NOTES, Shipped};
use crate::{Attribute, Needs, Notice, RuleSet, RuleTable, SchemaTable, Table, differences};

fn import(shipped: &Shipped) -> RuleSet {
    let tables = shipped.tables().unwrap();
    RuleSet::activate(&tables.import, &tables.theirs, &tables.ours, IMPORT_NEEDS).unwrap()
}

fn export(shipped: &Shipped) -> RuleSet {
    let tables = shipped.tables().unwrap();
    RuleSet::activate(&tables.export, &tables.ours, &tables.theirs, shipped.export_needs).unwrap()
}

#[test]
fn every_shipped_table_is_in_force_without_a_warning() {
    for shipped in [NOTES, GROUPWISE] {
        assert_eq!(import(&shipped).warnings(), []);
        assert_eq!(export(&shipped).warnings(), []);
    }
}

/// Q180517, Q201315: the rules that Notes' connector came with.
#[test]
fn a_notes_person_without_short_name_has_address_name_and_alias() {
    let person = entry(&[
        ("fullname", "Denise Graham/Sales/Acme Corp"),
        ("fullname", "Denise Graham"),
        ("fullname", "Graham"),
        ("maildomain", "Acme-HQ"),
        ("location", "Toronto"),
    ]);
    let mapped = import(&NOTES).apply(&person, &parameters());
    assert_eq!(mapped.get("TA"), "NOTES:Denise Graham/Sales/Acme Corp@Acme-HQ");
    assert_eq!(mapped.get("FULLNAME"), "Denise Graham");
    assert_eq!(mapped.get("ALIAS"), "Denise Graham/Sales/Acme Corp");
    assert_eq!(mapped.get("OFFICE"), "Toronto");
    assert_eq!(mapped.notices, []);
}

/// Q201315, Q195523.
#[test]
fn a_group_gets_an_alias_and_the_first_of_several_short_names_counts() {
    let long = "Everybody in the offices of Toronto, Montreal, Vancouver and Halifax";
    let group = entry(&[("fullname", long), ("maildomain", "HQ")]);
    let alias = import(&NOTES).apply(&group, &parameters()).get("ALIAS").to_owned();
    assert_eq!(alias, long[..64]);
    let person = entry(&[("fullname", "A"), ("shortname", "first"), ("shortname", "zweiter")]);
    assert_eq!(import(&NOTES).apply(&person, &parameters()).get("ALIAS"), "first");
}

#[test]
fn our_recipients_become_notes_people() {
    let recipient = entry(&[
        ("proxyaddresses", "SMTP:jane@example.test"),
        ("proxyaddresses", "NOTES:Jane Doe/HQ/Acme@EXCHANGE"),
        ("proxyaddresses", "notes:old@EXCHANGE"),
        ("mailnickname", "jane"),
        ("displayname", "Jane Doe"),
    ]);
    let mapped = export(&NOTES).apply(&recipient, &parameters());
    assert_eq!(mapped.get("FULLNAME"), "Jane Doe/HQ/Acme");
    assert_eq!(mapped.get("MAILDOMAIN"), "EXCHANGE");
    assert_eq!(mapped.get("LASTNAME"), "Jane Doe");
    assert_eq!(mapped.get("SHORTNAME"), "jane");
}

/// Q231687, Q201547: the display name falls back to the object.
#[test]
fn a_groupwise_user_without_names_is_shown_by_its_object() {
    let mut user =
        vec![("domain", "CORP"), ("post-office", "PO1"), ("object", "jdoe"), ("phone", "7148")];
    let mapped = import(&GROUPWISE).apply(&entry(&user), &parameters());
    assert_eq!(mapped.get("TA"), "GWISE:CORP.PO1.jdoe");
    assert_eq!(mapped.get("FULLNAME"), "jdoe");
    assert_eq!(mapped.get("PHONE"), "7148");
    user.extend([("first-name", "Jane"), ("last-name", "Doe")]);
    let mapped = import(&GROUPWISE).apply(&entry(&user), &parameters());
    assert_eq!(mapped.get("FULLNAME"), "Jane Doe");
}

/// Q240874: the rule that bridges two GroupWise systems.
#[test]
fn the_address_in_the_own_domain_is_exported_when_bridging() {
    let tables = GROUPWISE.tables().unwrap();
    let local = RuleTable::parse(
        r#"GWADDR = ISEQUAL(STRIP(GWISEADDR,".","L","R"),"EXCHANGE",GWISEADDR,GWISEADDR2)"#,
    )
    .unwrap();
    let rules = local.over(&tables.export);
    let needs = GROUPWISE.export_needs;
    let rules = RuleSet::activate(&rules, &tables.ours, &tables.theirs, needs).unwrap();
    let bridged = entry(&[
        ("proxyaddresses", "GWISE:CORP.PO1.jdoe"),
        ("proxyaddresses", "gwise:EXCHANGE.US.jdoe"),
    ]);
    assert_eq!(rules.apply(&bridged, &parameters()).get("GWADDR"), "EXCHANGE.US.jdoe");
    let own = entry(&[("proxyaddresses", "GWISE:exchange.us.amy")]);
    assert_eq!(rules.apply(&own, &parameters()).get("GWADDR"), "exchange.us.amy");
}

/// T50, Q266269, Q235483, Q240910: lines, tabs, comments and long tags.
#[test]
fn a_schema_of_200_lines_with_tabs_and_comments_reads() {
    let mut text = "\u{feff}; a comment\r\n".to_owned();
    for n in 0..200 {
        text.push_str(&format!("A-LONG-TAG-NUMBER-{n}\t64\t  Attribute{n}\tNULL ; why\r\n\r\n"));
    }
    let schema = SchemaTable::parse(&text).unwrap();
    assert_eq!(schema.lines().count(), 200);
    let line = schema.get("a-long-tag-number-199").unwrap();
    assert_eq!((line.length, line.attribute.to_string().as_str()), (64, "attribute199"));
    assert_eq!(line.more, ["NULL"]);
    assert_eq!(line.line, 400);
}

#[test]
fn mistakes_of_a_schema_are_all_told_at_once() {
    let text = "A 64 a\n$ 64 b\n123 4 c\nB x b\nC 0 c\nD\nE 5\na 3 d\nF 5 Proxy(X:)\nG 5 a,b\n";
    let told = SchemaTable::parse(text).unwrap_err();
    let places: Vec<(usize, usize)> = told.list().iter().map(|p| (p.line, p.column)).collect();
    let expected = [(2, 1), (3, 1), (4, 3), (5, 3), (6, 2), (7, 4), (8, 0), (9, 5), (10, 5)];
    assert_eq!(places, expected, "{told}");
    assert!(told.to_string().contains("line 6, column 2: expected 'TAG LENGTH ATTRIBUTE', but"));
    assert!(told.to_string().contains("line 8: A was already given in line 1"));
}

/// Q196585.
#[test]
fn names_of_the_original_are_understood() {
    let read = |text: &str| text.parse::<Attribute>().unwrap();
    assert_eq!(read("Given-Name"), Attribute::Named("givenname".into()));
    assert_eq!(read("Proxy-Addresses(NOTES:)"), Attribute::Primary("NOTES".into()));
    assert_eq!(read("Secondary-Proxy-Addresses(smtp:)"), Attribute::Secondary("SMTP".into()));
    assert_eq!(read("$$UNID"), Attribute::Named("$$unid".into()));
    for text in ["", "a b", "x(", "Proxy-Addresses(:)", "Proxy-Addresses(SMTP)"] {
        assert!(text.parse::<Attribute>().is_err(), "{text}");
    }
}

/// Q181421, Q191286: the original crashed at 252 and at 512 octets.
#[test]
fn long_values_are_cut_to_the_schema_with_a_notice() {
    for characters in [253, 513, 5_000] {
        let name = "ü".repeat(characters);
        let mapped = import(&NOTES).apply(&entry(&[("fullname", &name)]), &parameters());
        assert_eq!(mapped.get("FULLNAME"), "ü".repeat(128));
        let cut =
            |tag: &str, length, characters| Notice::Cut { tag: tag.into(), length, characters };
        assert!(mapped.notices.contains(&cut("FULLNAME", 220, characters)));
        assert!(mapped.notices.contains(&cut("FULLNAME", 128, 220)));
    }
}

/// Q195510: one undefined tag stopped synchronisation and mail.
#[test]
fn old_rules_stay_in_force_when_new_ones_are_refused() {
    let tables = NOTES.tables().unwrap();
    let mut active = import(&NOTES);
    let before = active.clone();
    let new = RuleTable::parse("FULLNAME = FULLNAMES\nSHOE = COMPANY\nTA = \"\"").unwrap();
    let told = match RuleSet::activate(&new, &tables.theirs, &tables.ours, IMPORT_NEEDS) {
        Ok(new) => {
            active = new;
            String::new()
        }
        Err(problems) => problems.to_string(),
    };
    assert_eq!(active, before);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 4, "{told}");
    assert!(lines[0].contains("no rule for ALIAS"));
    assert!(lines[1].contains("line 1, column 12: the source schema has no tag FULLNAMES"));
    assert!(lines[2].contains("line 2, column 1: the target schema has no tag SHOE"));
    assert!(lines[3].contains("line 3, column 1: the rule gives TA nothing but blanks"));
}

/// Q196585: LEFT of an empty first name is a blank, and became part of an
/// address.
#[test]
fn no_address_with_a_blank_is_made_of_an_empty_name() {
    let ours = SchemaTable::parse(
        "FIRSTNAME 64 givenname\nLASTNAME 64 sn\nSMTPADDR 99 Secondary-Proxy-Addresses(smtp:)",
    )
    .unwrap();
    let activate = |rule: &str| {
        let table = RuleTable::parse(rule).unwrap();
        RuleSet::activate(&table, &ours, &ours, Needs::default()).unwrap()
    };
    let trap = activate(r#"SMTPADDR = Left(FirstName,"1") "." LastName "@x""#);
    assert_eq!(
        trap.warnings()[0].to_string(),
        "line 1, column 12: LEFT fills up with blanks where its text is shorter, and SMTPADDR is \
         an address; put TRIM around it"
    );
    let nameless = entry(&[("sn", "Doe")]);
    let mapped = trap.apply(&nameless, &parameters());
    assert_eq!(mapped.values, []);
    assert_eq!(mapped.refused, [Attribute::Secondary("SMTP".into())]);
    let value = " .Doe@x".to_owned();
    let blank = Notice::BlankInAddress { tag: "SMTPADDR".into(), line: 1, value };
    assert_eq!(mapped.notices, [blank]);
    let named = entry(&[("givenname", "Jane"), ("sn", "Doe")]);
    assert_eq!(trap.apply(&named, &parameters()).get("SMTPADDR"), "J.Doe@x");
    let mended = activate(r#"SMTPADDR = AND(TRIM(Left(FirstName,"1")),".") LastName "@x""#);
    assert_eq!(mended.warnings(), []);
    let inside = activate(r#"SMTPADDR = TRIM(LastName LEFT(FirstName,1) "@x")"#);
    assert_eq!(inside.warnings().len(), 1);
    assert_eq!(mended.apply(&nameless, &parameters()).get("SMTPADDR"), "Doe@x");
}

#[test]
fn a_result_without_bound_is_refused_for_its_attribute_only() {
    let schema = SchemaTable::parse("A 64 a\nX 64 x\nY 64 y").unwrap();
    let table = RuleTable::parse("X = LEFT(A,99999999)\nY = A").unwrap();
    let rules = RuleSet::activate(&table, &schema, &schema, Needs::default()).unwrap();
    let mapped = rules.apply(&entry(&[("a", "1")]), &parameters());
    assert_eq!(mapped.get("Y"), "1");
    assert_eq!(mapped.refused, [Attribute::Named("x".into())]);
    assert_eq!(mapped.notices, [Notice::TooLong { tag: "X".into(), line: 1 }]);
}

#[test]
fn two_rules_for_one_attribute_are_refused() {
    let schema = SchemaTable::parse("A 64 same\nB 64 Same").unwrap();
    let table = RuleTable::parse("A = A\nB = A").unwrap();
    let told = RuleSet::activate(&table, &schema, &schema, Needs::default()).unwrap_err();
    assert_eq!(
        told.to_string(),
        "line 2, column 1: same is already written by the rule in line 1; remove one of the two"
    );
}

/// Q195697: an update wrote over customised tables.
#[test]
fn local_rules_are_kept_over_new_defaults_and_the_difference_is_shown() {
    let shipped = RuleTable::parse("A = B\nB = B\nC = LEFT(A,3)\nD = A").unwrap();
    let local =
        RuleTable::parse("; ours\na = B \"x\"\nc = left( a , \"3\" ) ; same\nD =\nE = A").unwrap();
    let told: Vec<String> = differences(&local, &shipped).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["- A = B\n+ A = B \"x\"", "  B = B", "- D = A\n+ D =", "+ E = A"]);
    let schema = SchemaTable::parse("A 9 a\nB 9 b\nC 9 c\nD 9 d\nE 9 e").unwrap();
    let rules = local.over(&shipped);
    let rules = RuleSet::activate(&rules, &schema, &schema, Needs::default()).unwrap();
    let mapped = rules.apply(&entry(&[("a", "1"), ("b", "2")]), &parameters());
    let values: Vec<(&str, &str)> =
        mapped.values.iter().map(|v| (v.tag.as_str(), v.text.as_str())).collect();
    assert_eq!(values, [("A", "2x"), ("B", "2"), ("C", "1  "), ("E", "1")]);
}

#[test]
fn local_attributes_are_kept_over_new_defaults() {
    let shipped = SchemaTable::parse("A 9 a\nB 9 b").unwrap();
    let local = SchemaTable::parse("a 20 a\nC 9 c").unwrap();
    let whole = local.over(&shipped);
    assert_eq!(whole.get("A").unwrap().length, 20);
    assert!(whole.get("B").is_some() && whole.get("C").is_some());
    let tags: Vec<String> = differences(&local, &shipped).into_iter().map(|d| d.tag).collect();
    assert_eq!(tags, ["A", "B", "C"]);
}

#[test]
fn an_address_is_set_beside_the_others() {
    let mut person = entry(&[
        ("proxyaddresses", "notes:old"),
        ("proxyaddresses", "SMTP:a@x"),
        ("proxyaddresses", "smtp:b@x"),
    ]);
    let set = |attribute: &str, person: &mut crate::Attributes, values: &[&str]| {
        let attribute: Attribute = attribute.parse().unwrap();
        let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        attribute.put(person, &values);
        assert_eq!(attribute.of(person), values);
    };
    set("Proxy-Addresses(SMTP:)", &mut person, &["c@x"]);
    set("Secondary-Proxy-Addresses(smtp:)", &mut person, &["d@x", "e@x"]);
    set("Proxy-Addresses(NOTES:)", &mut person, &["new"]);
    let all = &person["proxyaddresses"];
    assert_eq!(*all, ["NOTES:new", "SMTP:c@x", "notes:old", "smtp:d@x", "smtp:e@x"]);
    set("Surname", &mut person, &["Doe"]);
    set("sn", &mut person, &[]);
    assert!(!person.contains_key("sn"));
}
