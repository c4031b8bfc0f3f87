use super::{entry, parameters, value_with};
use crate::{Needs, RuleSet, RuleTable, SchemaTable, Table};
use proptest::prelude::*;

/// Expressions over the tags A, B and C, with every function.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "\"[ a-zA-Z0-9;,./=@üß-]{0,12}\"",
        "'[ a-z\"]{0,6}'",
        "[0-9]{1,3}",
        "[abcABC]",
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (
                prop::sample::select(vec![
                    "UPPER", "lower", "Proper", "TRIM", "NAMEF", "NAMEM", "NAMEL", "CFGPARM"
                ]),
                inner.clone()
            )
                .prop_map(|(f, a)| format!("{f}({a})")),
            (
                prop::sample::select(vec![
                    "AND", "POS", "STRIP", "REPLACE", "Left", "RIGHT", "SUBSTR", "WORD"
                ]),
                inner,
                "[A-C]"
            )
                .prop_map(|(f, a, b)| format!("{f}({a},{b})")),
            many.prop_map(|all| format!("ISEQUAL(A,B,{} \"x\",X500(C,\"OU\"))", all.join(" "))),
        ]
    })
}

proptest! {
    /// Q249884: NAMEL cut the last character. 256 random names a run.
    #[test]
    fn no_part_of_a_name_loses_a_character(
        first in "[A-ZÄÖ][a-zü'-]{0,10}", middle in "[A-Z]?", last in "[A-ZÄÖ][a-zß'-]{0,15}",
    ) {
        let ahead = format!("{first} {middle} {last}");
        let behind = format!("{last}, {first} {middle}");
        for name in [&ahead, &behind] {
            prop_assert_eq!(value_with("NAMEF(A)", [name, "", ""]), &*first);
            prop_assert_eq!(value_with("NAMEL(A)", [name, "", ""]), &*last);
            let found = value_with("NAMEM(A)", [name, "", ""]);
            prop_assert_eq!(found.trim(), &*middle);
        }
    }

    /// Q181500: whatever the name and the style, there is no crash.
    #[test]
    fn no_name_is_too_odd(name in "\\PC{0,40}", style in "[0-3]?") {
        value_with("NAMEF(A,B) NAMEM(A,B) NAMEL(A,B)", [&name, &style, ""]);
    }

    #[test]
    fn left_and_right_have_the_length_asked_for(text in "\\PC{0,40}", length in 0_usize..60) {
        let n = length.to_string();
        for function in ["LEFT", "RIGHT"] {
            let found = value_with(&format!("{function}(A,B,\"#\")"), [&text, &n, ""]);
            prop_assert_eq!(found.chars().count(), length);
        }
        let both = value_with("LEFT(A,B) SUBSTR(A,C)", [&text, &n, &(length + 1).to_string()]);
        prop_assert!(both.starts_with(&text));
    }

    #[test]
    fn pos_says_where_the_text_stands(before in "[a-z]{0,10}", mark in "[A-Z]{1,3}", after in "\\PC{0,9}") {
        let text = format!("{before}{mark}{after}");
        let found = value_with("SUBSTR(A,POS(A,B))", [&text, &mark, ""]);
        prop_assert_eq!(found, format!("{mark}{after}"));
        prop_assert_eq!(value_with("STRIP(A,B,\"L\",\"R\")", [&text, &mark, ""]), before);
    }

    #[test]
    fn rules_read_back_as_they_are_written(expression in expression()) {
        if let Ok(table) = RuleTable::parse(&format!("X = {expression}")) {
            let written = table.canonical()["X"].clone();
            let again = RuleTable::parse(&written).unwrap();
            prop_assert_eq!(&again.canonical()["X"], &written);
        }
    }

    #[test]
    fn a_rule_gives_the_same_in_either_form(
        expression in expression(), a in "\\PC{0,20}", b in "[LRB0-9]{0,2}", c in "\\PC{0,20}",
    ) {
        let schema = SchemaTable::parse("A 50 a\nB 50 b\nC 50 c\nX 900 x").unwrap();
        let Ok(table) = RuleTable::parse(&format!("X = {expression}")) else { return Ok(()) };
        let again = RuleTable::parse(&table.canonical()["X"]).unwrap();
        let entry = entry(&[("a", &a), ("b", &b), ("c", &c)]);
        let apply = |table: &RuleTable| {
            let rules = RuleSet::activate(table, &schema, &schema, Needs::default()).unwrap();
            rules.apply(&entry, &parameters())
        };
        let mapped = apply(&table);
        prop_assert_eq!(&mapped.values, &apply(&again).values);
        prop_assert!(mapped.get("X").chars().count() <= 900);
    }

    #[test]
    fn nothing_that_is_read_panics(text in "[\\PC\n\t\u{c}]{0,300}") {
        crate::fuzz(text.as_bytes());
    }
}
