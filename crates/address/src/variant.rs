//! Generated values that are addresses of their type, and nobody else's.

use crate::{AddressType, GenerateError, GeneratorRule, Names, TypedAddress};

/// Octets of a local part (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Characters of the user in a PROFS or SNADS address.
const MAX_USER: usize = 8;
/// Digits of a number that is looked for: any of so many is a `u32`.
const MAX_DIGITS: usize = 9;

impl GeneratorRule {
    /// The value for a recipient as an address of a type has it. `number` is 1 for
    /// the value itself; further ones have it where it belongs in the type: before
    /// the `@` of an Internet address, behind the name of a Notes one, at the end
    /// of others. The value is shortened where the type is short, so that any
    /// number fits (Q176871: after twenty there were none).
    ///
    /// An Internet address has no doubled or outer dots (Q230331, Q258704, Q258705).
    /// Where the names of the user's part are all empty, as a list's given name
    /// is, the alias stands for them, in a Notes address the display name
    /// (Q286650: such had no name but the number).
    ///
    /// # Errors
    /// [`GenerateError`]
    pub fn variant(
        &self,
        kind: &AddressType,
        names: &Names,
        number: u32,
    ) -> Result<String, GenerateError> {
        let value = self.generate(names)?;
        let number = if number > 1 { number.to_string() } else { String::new() };
        Ok(match kind.as_str() {
            "SMTP" => internet(&value, &names.alias, &number),
            "NOTES" => notes(&value, names, &number),
            "GWISE" if value.ends_with('.') => {
                let alias: String = names.alias.chars().filter(|c| *c != '.').collect();
                format!("{value}{alias}{number}")
            }
            "PROFS" | "SNADS" => host(&value, &names.alias, &number),
            _ => format!("{value}{number}"),
        })
    }

    /// The number under which [`variant`](Self::variant) gives a recipient this
    /// address; none if the rule does not give it under any.
    pub fn number_of(&self, names: &Names, address: &TypedAddress) -> Option<u32> {
        let (kind, key) = (address.kind(), address.key());
        std::iter::once(1).chain(numbers(address.value())).find(|number| {
            let value = self.variant(kind, names, *number);
            let made = value.ok().and_then(|value| TypedAddress::new(kind, &value).ok());
            made.is_some_and(|made| made.key() == key)
        })
    }
}

/// Every number from 2 on at the end of a run of digits: what stands before it
/// may end in digits itself.
fn numbers(value: &str) -> impl Iterator<Item = u32> {
    value.split(|c: char| !c.is_ascii_digit()).flat_map(|digits| {
        (1..=digits.len().min(MAX_DIGITS)).filter_map(|count| {
            let number = digits.get(digits.len().saturating_sub(count)..)?;
            let number = Some(number).filter(|number| !number.starts_with('0'))?;
            number.parse().ok().filter(|number| *number > 1)
        })
    })
}

fn internet(value: &str, alias: &str, number: &str) -> String {
    let (local, domain) = match value.rsplit_once('@') {
        Some((local, domain)) => (tidy(local), Some(domain)),
        None => (tidy(value), None),
    };
    let local = if local.is_empty() { tidy(alias) } else { local };
    let local = cut(&local, MAX_LOCAL_PART.saturating_sub(number.len()));
    let local = local.trim_end_matches('.');
    match domain {
        Some(domain) => format!("{local}{number}@{domain}"),
        None => format!("{local}{number}"),
    }
}

/// Without blanks, and with single dots inside only.
fn tidy(local: &str) -> String {
    let plain: String = local.chars().filter(|c| !c.is_whitespace()).collect();
    let parts: Vec<&str> = plain.split('.').filter(|part| !part.is_empty()).collect();
    parts.join(".")
}

fn notes(value: &str, names: &Names, number: &str) -> String {
    let end = value.find(['/', '@']).unwrap_or(value.len());
    let (name, rest) = value.split_at(end);
    if !name.trim().is_empty() {
        return format!("{name}{number}{rest}");
    }
    let shown = names.display_name.replace(['/', '@'], " ");
    let words: Vec<&str> = shown.split_whitespace().collect();
    let name = if words.is_empty() { names.alias.clone() } else { words.join(" ") };
    format!("{name}{number}{rest}")
}

/// `NODE.USER` or `NODE(USER)`.
fn host(value: &str, alias: &str, number: &str) -> String {
    let (node, user, end) = match value.strip_suffix(')').and_then(|v| v.rsplit_once('(')) {
        Some((node, user)) => (format!("{node}("), user, ")"),
        None => match value.rsplit_once('.') {
            Some((node, user)) => (format!("{node}."), user, ""),
            None => (String::new(), value, ""),
        },
    };
    let most = MAX_USER.saturating_sub(number.len());
    let user = if user.trim().is_empty() { alias } else { user };
    // What divides a node from its user is in no user.
    let user = user.chars().filter(|c| !c.is_whitespace() && !".()".contains(*c));
    let user: String = user.take(most).collect();
    format!("{node}{user}{number}{end}")
}

fn cut(text: &str, octets: usize) -> &str {
    text.get(..text.floor_char_boundary(octets)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn names(given: &str, surname: &str) -> Names {
        Names {
            alias: "jdoe".into(),
            given_name: Some(given.into()),
            surname: Some(surname.into()),
            initials: Some(String::new()),
            ..Names::default()
        }
    }

    fn of(rule: &str, kind: &str, names: &Names, number: u32) -> String {
        let rule: GeneratorRule = rule.parse().unwrap();
        rule.variant(&kind.parse().unwrap(), names, number).unwrap()
    }

    /// Q230331, Q258704, Q258705.
    #[test]
    fn what_a_name_lacks_leaves_no_dots_in_internet_addresses() {
        for (rule, given, surname, expected) in [
            ("%g.%1i.%s@x.test", "john", "doe", "john.doe@x.test"),
            ("%s.%g@x.test", "", "doe", "doe@x.test"),
            ("%s.%g@x.test", "", "", "jdoe@x.test"),
            ("%g.%s@x.test", "Mary Ann", "van Doe", "MaryAnn.vanDoe@x.test"),
        ] {
            assert_eq!(of(rule, "SMTP", &names(given, surname), 1), expected, "{rule}");
        }
    }

    #[test]
    fn numbers_stand_where_the_type_has_room_for_them() {
        let jane = names("Jane", "Doe");
        for (kind, rule, expected) in [
            ("SMTP", "%g.%s@x.test", "Jane.Doe12@x.test"),
            ("NOTES", "%g %s/First/Acme@EXCHANGE", "Jane Doe12/First/Acme@EXCHANGE"),
            ("NOTES", "%g %s@EXCHANGE", "Jane Doe12@EXCHANGE"),
            ("GWISE", "EXCHANGE.FIRST.%m", "EXCHANGE.FIRST.jdoe12"),
            ("PROFS", "VM1.%g%s", "VM1.JaneDo12"),
            ("SNADS", "SITE(%g%s)", "SITE(JaneDo12)"),
        ] {
            assert_eq!(of(rule, kind, &jane, 12), expected);
        }
    }

    /// Q286650.
    #[test]
    fn a_list_without_a_given_name_is_named_by_what_it_has() {
        let list =
            Names { alias: "staff.all".into(), display_name: "Staff".into(), ..Names::default() };
        for (kind, rule, first, second) in [
            (
                "NOTES",
                "%g/First/Acme@EXCHANGE",
                "Staff/First/Acme@EXCHANGE",
                "Staff2/First/Acme@EXCHANGE",
            ),
            ("NOTES", "%1g@EXCHANGE", "Staff@EXCHANGE", "Staff2@EXCHANGE"),
            ("GWISE", "EXCHANGE.FIRST.%g", "EXCHANGE.FIRST.staffall", "EXCHANGE.FIRST.staffall2"),
            ("PROFS", "VM1.%g", "VM1.staffall", "VM1.staffal2"),
            ("SNADS", "VM1(%g)", "VM1(staffall)", "VM1(staffal2)"),
            ("SMTP", "%g@x.test", "staff.all@x.test", "staff.all2@x.test"),
        ] {
            assert_eq!(of(rule, kind, &list, 1), first, "{rule}");
            assert_eq!(of(rule, kind, &list, 2), second, "{rule}");
        }
        let slashed = Names { display_name: "Sales / EMEA@HQ".into(), ..list };
        let rule = "%3g/Acme@EXCHANGE";
        let slashed = Names { given_name: Some(String::new()), ..slashed };
        assert_eq!(of(rule, "NOTES", &slashed, 1), "Sales EMEA HQ/Acme@EXCHANGE");
    }

    /// Q146455, Q152953, Q176871.
    #[test]
    fn thirty_of_one_name_have_thirty_addresses_that_read() {
        let same = names("Maximilian", "Mustermann");
        for (kind, rule) in [
            ("PROFS", "VM1.%g"),
            ("SNADS", "SITE.%s"),
            ("SMTP", "%g.%s@x.test"),
            ("NOTES", "%g %s/Acme@EXCHANGE"),
            ("GWISE", "EXCHANGE.FIRST.%g%s"),
        ] {
            let all: HashSet<String> = (1..=30)
                .map(|number| {
                    let value = of(rule, kind, &same, number);
                    let address = TypedAddress::new(&kind.parse().unwrap(), &value).unwrap();
                    assert!(kind == "SMTP" || address.form().is_some(), "{address}");
                    address.key()
                })
                .collect();
            assert_eq!(all.len(), 30, "{kind}");
        }
    }

    #[test]
    fn an_address_tells_the_number_that_it_was_made_with() {
        let jane = names("Jane", "Doe 21");
        for (kind, rule, value, number) in [
            ("SMTP", "%g.%s@x1.test", "jane.doe21@x1.test", Some(1)),
            ("SMTP", "%g.%s@x1.test", "Jane.Doe213@x1.test", Some(3)),
            ("SMTP", "%g.%s@x1.test", "Jane.Doe2103@x1.test", None),
            ("SMTP", "%g.%s@x1.test", "Jane.Doe211@x1.test", None),
            ("SMTP", "%g.%s@x1.test", "Jane.Doe21@y.test", None),
            ("NOTES", "%g/Acme@EXCHANGE", "Jane12/Acme@EXCHANGE", Some(12)),
            ("NOTES", "%g/Acme@EXCHANGE", "Janet/Acme@EXCHANGE", None),
            ("PROFS", "VM1.%g%s", "VM1.JANEDO30", Some(30)),
            ("GWISE", "EXCHANGE.FIRST.%m", "EXCHANGE.FIRST.jdoe10000", Some(10_000)),
        ] {
            let rule: GeneratorRule = rule.parse().unwrap();
            let address = TypedAddress::new(&kind.parse().unwrap(), value).unwrap();
            assert_eq!(rule.number_of(&jane, &address), number, "{address}");
        }
    }

    proptest! {
        #[test]
        fn every_variant_is_known_again(
            given in "[A-Za-z0-9 é]{0,12}", surname in "[a-z0-9]{1,12}", number in 1u32..10_001,
            which in 0usize..4,
        ) {
            let (kind, rule) = [
                ("SMTP", "%g.%s@x2.test"), ("NOTES", "%g %s/A1/Acme@EXCHANGE"),
                ("PROFS", "VM1(%g%s)"), ("HOOK", "%m%s"),
            ][which];
            let (rule, names) = (rule.parse::<GeneratorRule>().unwrap(), names(&given, &surname));
            let kind = kind.parse().unwrap();
            let value = rule.variant(&kind, &names, number).unwrap();
            if let Ok(address) = TypedAddress::new(&kind, &value) {
                let found = rule.number_of(&names, &address).unwrap();
                prop_assert_eq!(rule.variant(&kind, &names, found).unwrap(), value);
            }
        }

        #[test]
        fn no_name_gives_an_internet_address_with_dots_at_its_ends(
            given in ".{0,80}", surname in ".{0,80}", number in 1u32..20_000,
        ) {
            let rule: GeneratorRule = "%g.%s@x.test".parse().unwrap();
            let kind = AddressType::smtp();
            if let Ok(value) = rule.variant(&kind, &names(&given, &surname), number) {
                let (local, _) = value.rsplit_once('@').unwrap();
                prop_assert!(!local.starts_with('.') && !local.ends_with('.'));
                prop_assert!(!local.contains("..") && local.len() <= MAX_LOCAL_PART);
            }
        }
    }
}
