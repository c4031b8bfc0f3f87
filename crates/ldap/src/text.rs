//! Comparing values as the matching rules of RFC 4517 section 4 say, prepared
//! after RFC 4518: compatibility forms, letters in one case, spaces that do not
//! count taken out.

use unicode_normalization::UnicodeNormalization as _;

/// How values of an attribute are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// caseIgnoreMatch, and caseIgnoreIA5Match, which differs in nothing here.
    CaseIgnore,
    /// caseExactMatch
    CaseExact,
    /// telephoneNumberMatch: spaces and hyphens do not count.
    Telephone,
    /// integerMatch
    Integer,
    /// booleanMatch
    Boolean,
    /// generalizedTimeMatch
    Time,
    /// distinguishedNameMatch
    Dn,
    /// uuidMatch (RFC 4530)
    Uuid,
    /// objectIdentifierMatch
    Oid,
    /// octetStringMatch of what nobody may compare.
    Secret,
}

/// A value as it is compared.
pub(crate) fn normalise(rule: Rule, value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    normalise_into(rule, value, &mut out);
    out
}

/// The same, in place of what `out` had.
pub(crate) fn normalise_into(rule: Rule, value: &str, out: &mut String) {
    out.clear();
    match rule {
        Rule::Telephone => {
            out.extend(value.chars().filter(|c| !matches!(c, ' ' | '-')).map(lower_ascii));
        }
        Rule::CaseExact if value.is_ascii() => collapse(value.chars(), out),
        Rule::CaseExact => collapse(mapped(value).nfkc(), out),
        Rule::Time => out.push_str(value),
        _ if value.is_ascii() => collapse(value.chars().map(lower_ascii), out),
        _ => collapse(mapped(value).nfkc().flat_map(char::to_lowercase).nfkc(), out),
    }
}

fn lower_ascii(c: char) -> char {
    c.to_ascii_lowercase()
}

/// Characters that are mapped to nothing (RFC 4518 section 2.2), which happens
/// before forms are composed.
fn mapped(value: &str) -> impl Iterator<Item = char> {
    value.chars().filter(|c| !is_nothing(*c))
}

fn is_nothing(c: char) -> bool {
    let white = matches!(c, '\t' | '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}');
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}')
        || c.is_control() && !white
}

/// Runs of spaces become one, those at the ends go (RFC 4518 section 2.6.1);
/// characters that are mapped to nothing go.
fn collapse(chars: impl Iterator<Item = char>, out: &mut String) {
    let mut space = false;
    for c in chars {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                space = !out.is_empty();
            }
            c if is_nothing(c) => {}
            c => {
                if std::mem::take(&mut space) {
                    out.push(' ');
                }
                out.push(c);
            }
        }
    }
}

/// Whether a value is the prepared one.
pub(crate) fn equals(rule: Rule, prepared: &str, value: &str, scratch: &mut String) -> bool {
    // most values are plain words, which differ in the case of their letters only
    if value.len() == prepared.len()
        && !matches!(rule, Rule::CaseExact)
        && value.eq_ignore_ascii_case(prepared)
        && value.is_ascii()
    {
        return true;
    }
    if value.is_ascii() && value.len() < prepared.len() {
        return false;
    }
    normalise_into(rule, value, scratch);
    scratch == prepared
}

/// What sounds alike for approxMatch: letters and digits of the prepared value,
/// vowels and doubled letters left out. RFC 4511 leaves it to the server.
pub(crate) fn sound(value: &str) -> String {
    let prepared = normalise(Rule::CaseIgnore, value);
    let mut out = String::new();
    let mut last = ' ';
    for c in prepared.nfd().filter(|c| c.is_alphanumeric()) {
        if c != last && (out.is_empty() || !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h')) {
            out.push(c);
        }
        last = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_prepared_as_rfc_4518_says() {
        for (rule, value, prepared) in [
            (Rule::CaseIgnore, "  Jane   DOE ", "jane doe"),
            (Rule::CaseIgnore, "Ａ\u{AD}ﬁ", "afi"),
            (Rule::CaseIgnore, "ÄÖ", "äö"),
            (Rule::CaseExact, " a  B", "a B"),
            (Rule::Telephone, "+49 (0) 30-1234", "+49(0)301234"),
        ] {
            assert_eq!(normalise(rule, value), prepared);
            assert!(equals(rule, prepared, value, &mut String::new()), "{value}");
        }
        assert!(!equals(Rule::CaseExact, "a b", "A b", &mut String::new()));
    }

    #[test]
    fn names_that_sound_alike_have_one_sound() {
        assert_eq!(sound("Meyer"), sound("Maier"));
        assert_eq!(sound("Phillip"), sound("Philip"));
        assert_ne!(sound("Meyer"), sound("Weber"));
    }
}
