use super::entry;
use crate::{Attribute, Attributes, FilterSet};

const KNOWN: [&str; 3] = ["MailDomain", "Surname", "proxy-addresses(SMTP:)"];

fn parse(text: &str) -> Result<FilterSet, String> {
    let known: Vec<Attribute> = KNOWN.iter().map(|name| name.parse().unwrap()).collect();
    FilterSet::parse(text, &known).map_err(|problems| problems.to_string())
}

fn passes(filters: &str, entry: &Attributes) -> bool {
    parse(filters).unwrap().excludes(entry).is_none()
}

/// Q241324, Q245223.
#[test]
fn all_filters_and_one_of_their_values_have_to_be_met() {
    let filters = "; comment\nfilter_domain = MailDomain, EQ, HQ | East\n\
                   filter_name = Surname, ne, Doe\n";
    assert!(passes(filters, &entry(&[("maildomain", "east"), ("sn", "Roe")])));
    assert!(!passes(filters, &entry(&[("maildomain", "East"), ("sn", "DOE")])));
    assert!(!passes(filters, &entry(&[("maildomain", "West"), ("sn", "Roe")])));
    let found = parse(filters).unwrap();
    assert_eq!(found.excludes(&entry(&[("maildomain", "West")])), Some("filter_domain"));
    assert!(passes("", &entry(&[])));
}

#[test]
fn several_values_can_all_be_excluded_and_empty_ones_be_met() {
    let neither = "x = MailDomain, NE, HQ & East";
    assert!(passes(neither, &entry(&[("maildomain", "West")])));
    assert!(!passes(neither, &entry(&[("maildomain", "East")])));
    assert!(passes(neither, &entry(&[])));
    assert!(passes("x = MailDomain, EQ, \"\"", &entry(&[])));
    assert!(!passes("x = MailDomain, NE, \"\"", &entry(&[])));
    assert!(passes("x = Surname, EQ, b", &entry(&[("sn", "a"), ("sn", "b")])));
}

/// Q249113: the original cut the value at the comma.
#[test]
fn a_value_with_commas_is_met_whole() {
    let ministry = entry(&[("maildomain", "Ministry of X, Trade and Tourism")]);
    assert!(passes("x = MailDomain, EQ, Ministry of X, Trade and Tourism", &ministry));
    assert!(passes("x = MailDomain, EQ, a | \"Ministry of X, Trade and Tourism\"", &ministry));
    assert!(!passes("x = MailDomain, EQ, Ministry of X", &ministry));
}

/// Q246385, T44: filters were held against octets of a code page.
#[test]
fn accented_letters_are_met_however_they_are_composed() {
    let composed = entry(&[("sn", "Müllermann")]);
    let decomposed = entry(&[("sn", "Mu\u{308}llermann")]);
    for person in [composed, decomposed] {
        assert!(passes("x = Surname, EQ, Müller*", &person));
        assert!(passes("x = Surname, EQ, MU\u{308}LLER*", &person));
        assert!(!passes("x = Surname, EQ, Muller*", &person));
    }
    assert!(passes("x = Surname, EQ, Å…", &entry(&[("sn", "å…")])));
}

#[test]
fn wildcards_stand_for_any_characters() {
    let doe = entry(&[("sn", "van der Doe, Jr.")]);
    for pattern in ["*", "van*", "*jr.", "*der*", "v*r*.", "van der Doe, Jr.*", "**"] {
        assert!(passes(&format!("x = Surname, EQ, {pattern}"), &doe), "{pattern}");
    }
    for pattern in ["van", "*der", "der*", "*x*", "van*van", "\"van*\"", "*jr.*jr."] {
        assert!(!passes(&format!("x = Surname, EQ, {pattern}"), &doe), "{pattern}");
    }
    assert!(passes("x = Surname, EQ, \"*\"", &entry(&[("sn", "*")])));
}

#[test]
fn addresses_can_be_filtered() {
    let person = entry(&[("proxyaddresses", "SMTP:jane@east.example")]);
    assert!(passes("x = Proxy-Addresses(SMTP:), EQ, *@east.example", &person));
}

/// The original let a filter over an unknown attribute pass everything; a book
/// named operators that never were (Q241324).
#[test]
fn mistakes_of_filters_are_all_told_at_once() {
    let text = "a = MailDomian, EQ, x\nb = Surname, CONTAINS, x\nc = Surname, EQ\n\
                d = Surname, EQ, a | b & c\ne = Surname, EQ, a || b\nf = Surname, EQ, \"a\n\
                g\n = Surname, EQ, x\nh = Surname, EQ,\ni = Sur name, EQ, x";
    let told = parse(text).unwrap_err();
    for expected in [
        "line 1, column 4: entries have no attribute MailDomian; did you mean maildomain?",
        "line 2, column 13: 'CONTAINS' is no operator; write EQ or NE",
        "line 3, column 13: expected EQ or NE, a comma, and a value, found EQ",
        "line 4, column 24: | and & cannot stand in one filter",
        "line 5, column 21: expected a value (write \"\" for an empty one), found |",
        "line 6, column 18: the text that begins here with \" has no end",
        "line 7, column 1: expected 'name = attribute, EQ, value', found g",
        "line 8, column 1: expected a name before =, found nothing",
        "line 9, column 17: expected a value",
        "line 10, column 4: 'Sur name' is no attribute",
    ] {
        assert!(told.contains(expected), "{told}\n\nexpected: {expected}");
    }
    assert_eq!(told.lines().count(), 10);
}

/// KB318696: ten values were the most.
#[test]
fn a_filter_takes_a_thousand_values_and_no_more() {
    let values = |n: usize| (0..n).map(|v| v.to_string()).collect::<Vec<_>>().join("|");
    assert!(passes(&format!("x = Surname, EQ, {}", values(1000)), &entry(&[("sn", "999")])));
    let told = parse(&format!("x = Surname, EQ, {}", values(1001))).unwrap_err();
    assert!(told.contains("more than 1000 values"));
}
