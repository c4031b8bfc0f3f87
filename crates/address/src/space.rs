//! Address spaces: which addresses a connector carries, and at what cost.

use crate::domain::Domain;
use crate::smtp::SmtpAddress;
use crate::typed::{AddressType, MAX_VALUE, TypedAddress};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Cost if nothing is said; the original's.
const USUAL_COST: u8 = 1;

/// A set of addresses, with the cost of sending them this way.
///
/// Patterns of type `SMTP` are `*`, `domain`, `*.domain` (everything below it,
/// not itself) and `user@domain`; of every other type a text in which each `*`
/// stands for any characters. Case does not matter. One with a scope is only for
/// senders in that container.
///
/// One that is read back and has no pattern of its type stays what it is and
/// fits nothing ([`AddressSpace::problem`]): a space that this release does not
/// understand must not take the connector's other ones with it (Q182798).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Unchecked")]
pub struct AddressSpace {
    #[serde(rename = "type")]
    kind: AddressType,
    pattern: String,
    cost: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip)]
    problem: Option<String>,
}

/// As it is written down, before the pattern was looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[serde(rename = "type")]
    kind: AddressType,
    pattern: String,
    #[serde(default = "usual_cost")]
    cost: u8,
    #[serde(default)]
    scope: Option<String>,
}

fn usual_cost() -> u8 {
    USUAL_COST
}

/// How closely a pattern fits; the greatest decides the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Specificity {
    /// `*`
    Everything,
    /// A pattern with `*` in it, by the characters beside it: longer is closer.
    Part(usize),
    /// A whole domain.
    Domain,
    /// One address.
    Address,
}

/// The text is not an address space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an address space: {cause}")]
pub struct ParseAddressSpaceError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit.
    pub cause: String,
}

impl AddressSpace {
    /// An address space; the pattern is kept in lower case, domains as DNS
    /// writes them.
    ///
    /// # Errors
    /// The pattern is not one of the type's.
    pub fn new(kind: AddressType, pattern: &str, cost: u8) -> Result<Self, ParseAddressSpaceError> {
        let pattern = pattern.trim();
        let fail = |cause: String| ParseAddressSpaceError {
            text: format!("{kind}:{pattern}").chars().take(120).collect(),
            cause,
        };
        if pattern.is_empty() {
            return Err(fail("its pattern is empty; write '*' for every address".into()));
        }
        if pattern.len() > MAX_VALUE {
            return Err(fail("its pattern is longer than 1024 octets".into()));
        }
        if pattern.chars().any(char::is_control) {
            return Err(fail("its pattern has control characters".into()));
        }
        let pattern = if kind.is_smtp() {
            smtp_pattern(pattern).map_err(fail)?
        } else {
            pattern.to_lowercase()
        };
        Ok(Self { kind, pattern, cost, scope: None, problem: None })
    }

    /// The same, for senders in a container of this name only; none is for all.
    pub fn within(self, scope: Option<String>) -> Self {
        Self { scope, ..self }
    }

    /// The container whose senders it is for.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Why it fits nothing, if that is because of its pattern.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The type of the addresses.
    pub fn kind(&self) -> &AddressType {
        &self.kind
    }

    /// The pattern in its normal form.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Of two ways that fit equally well the cheaper one is taken.
    pub fn cost(&self) -> u8 {
        self.cost
    }

    /// Whether it is every address of its type.
    pub fn is_everything(&self) -> bool {
        self.pattern.bytes().all(|c| c == b'*')
    }

    /// Whether the address is in it, and how closely it fits.
    pub fn matches(&self, address: &TypedAddress) -> Option<Specificity> {
        if self.kind != *address.kind() || self.problem.is_some() {
            return None;
        }
        if self.is_everything() {
            return Some(Specificity::Everything);
        }
        if self.kind.is_smtp() {
            return self.matches_smtp(&address.smtp()?);
        }
        let value = address.value().to_lowercase();
        if !self.pattern.contains('*') {
            return (self.pattern == value).then_some(Specificity::Address);
        }
        let literal = self.pattern.chars().filter(|c| *c != '*').count();
        glob(&self.pattern, &value).then_some(Specificity::Part(literal))
    }

    fn matches_smtp(&self, address: &SmtpAddress) -> Option<Specificity> {
        if self.pattern.contains('@') {
            return (self.pattern == address.key()).then_some(Specificity::Address);
        }
        let domain = address.domain().to_string();
        if let Some(below) = self.pattern.strip_prefix('*') {
            let inside = domain.len() > below.len() && domain.ends_with(below);
            return inside.then_some(Specificity::Part(below.len()));
        }
        (self.pattern == domain).then_some(Specificity::Domain)
    }
}

/// A pattern of Internet addresses in its normal form.
fn smtp_pattern(pattern: &str) -> Result<String, String> {
    const FORMS: &str = "write '*', 'example.org', '*.example.org' or 'user@example.org'";
    if pattern == "*" {
        return Ok(pattern.to_owned());
    }
    if pattern.contains('@') {
        let address: SmtpAddress = pattern
            .parse()
            .map_err(|e: crate::ParseSmtpAddressError| format!("{}; {FORMS}", e.cause))?;
        if address.local_part().contains('*') {
            return Err(format!("there is no '*' before the '@'; {FORMS}"));
        }
        return Ok(address.key());
    }
    let (prefix, name) = match pattern.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", pattern),
    };
    if name.contains('*') {
        return Err(format!("a '*' stands alone or before the first '.'; {FORMS}"));
    }
    let domain: Domain =
        name.parse().map_err(|e: crate::ParseDomainError| format!("{}; {FORMS}", e.cause))?;
    if !prefix.is_empty() && domain.name().is_none() {
        return Err(format!("nothing is below an IP address; {FORMS}"));
    }
    Ok(format!("{prefix}{domain}"))
}

/// Whether `text` fits a pattern in which each `*` is any characters. Goes back
/// to the last star only, so it takes at most length times length steps.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(wanted) if wanted == c => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = last_star else { return false };
                last_star = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}

impl From<Unchecked> for AddressSpace {
    fn from(raw: Unchecked) -> Self {
        match Self::new(raw.kind.clone(), &raw.pattern, raw.cost) {
            Ok(space) => space.within(raw.scope),
            Err(error) => Self {
                kind: raw.kind,
                pattern: raw.pattern,
                cost: raw.cost,
                scope: raw.scope,
                problem: Some(error.cause),
            },
        }
    }
}

impl FromStr for AddressSpace {
    type Err = ParseAddressSpaceError;

    /// Reads `TYPE:pattern`, with the usual cost; a text without a type is of
    /// Internet addresses.
    fn from_str(text: &str) -> Result<Self, ParseAddressSpaceError> {
        let (kind, pattern) = text.split_once(':').unwrap_or(("SMTP", text));
        let kind =
            kind.parse().map_err(|e: crate::ParseAddressTypeError| ParseAddressSpaceError {
                text: text.chars().take(120).collect(),
                cause: format!("{e}; write TYPE:pattern, as in 'SMTP:*.example.org'"),
            })?;
        Self::new(kind, pattern, USUAL_COST)
    }
}

impl fmt::Display for AddressSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(space: &str, address: &str) -> Option<Specificity> {
        space.parse::<AddressSpace>().unwrap().matches(&address.parse().unwrap())
    }

    #[test]
    fn the_closer_pattern_is_the_greater() {
        let order = [
            "SMTP:*",
            "SMTP:*.test",
            "SMTP:*.example.test",
            "SMTP:mail.example.test",
            "SMTP:jane@mail.example.test",
        ]
        .map(|space| fits(space, "Jane@MAIL.example.test").unwrap());
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
    }

    #[test]
    fn patterns_fit_what_they_say() {
        assert_eq!(fits("*.example.test", "a@example.test"), None);
        assert_eq!(fits("*.example.test", "a@badexample.test"), None);
        assert_eq!(fits("EXAMPLE.test", "a@sub.example.test"), None);
        assert_eq!(fits("bücher.example", "a@xn--bcher-kva.example"), Some(Specificity::Domain));
        assert_eq!(fits("SMTP:*", "HOOK:x"), None);
        assert_eq!(fits("NOTES:*/Acme", "NOTES:Jane Doe/Sales/ACME"), Some(Specificity::Part(5)));
        assert_eq!(fits("NOTES:*/Acme@*", "NOTES:Jane Doe/Acme"), None);
        assert_eq!(fits("HOOK:Orders", "HOOK:orders"), Some(Specificity::Address));
        assert_eq!(fits("HOOK:*", "HOOK:orders"), Some(Specificity::Everything));
        assert_eq!(fits("HOOK:a*b*c", "HOOK:a-b-b-c"), Some(Specificity::Part(3)));
    }

    /// Q182798: one mistake took all routes of a connector away.
    #[test]
    fn a_space_that_is_read_back_with_a_mistake_fits_nothing_and_keeps_its_words() {
        let json = r#"[{"type":"SMTP","pattern":"a b"},{"type":"SMTP","pattern":"b.test"}]"#;
        let spaces: Vec<AddressSpace> = serde_json::from_str(json).unwrap();
        assert!(spaces[0].problem().is_some() && spaces[1].problem().is_none());
        assert_eq!(spaces[0].matches(&"x@b.test".parse().unwrap()), None);
        assert!(spaces[1].matches(&"x@b.test".parse().unwrap()).is_some());
        assert!(serde_json::to_string(&spaces).unwrap().contains("a b"));
    }

    /// T100: Q229961, Q152471.
    #[test]
    fn exact_beats_wildcard_beats_everything_and_more_literals_beat_fewer() {
        let spaces =
            ["GWISE:*", "GWISE:DOM*", "GWISE:DOM.PO.*", "GWISE:*.jane", "GWISE:DOM.PO.jane"];
        let mut fits: Vec<_> =
            spaces.iter().map(|s| (fits(s, "GWISE:dom.po.JANE").unwrap(), *s)).collect();
        fits.sort();
        let order: Vec<&str> = fits.iter().map(|(_, s)| *s).collect();
        assert_eq!(
            order,
            ["GWISE:*", "GWISE:DOM*", "GWISE:*.jane", "GWISE:DOM.PO.*", "GWISE:DOM.PO.jane"]
        );
    }

    #[test]
    fn what_is_no_address_space_is_refused() {
        for text in [
            "",
            "SMTP:",
            "SMTP:**",
            "SMTP:*example.test",
            "SMTP:a.*.test",
            "SMTP:*@example.test",
            "SMTP:*.[192.0.2.1]",
            "SMTP:a b",
            "SMTP:a@",
            "A B:x",
            "HOOK:",
            "HOOK:a\nb",
            "TOOLONGANAMEFORATYPE:x",
        ] {
            let error = text.parse::<AddressSpace>().unwrap_err().to_string();
            assert!(error.contains("is not an address space: "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn matching_never_panics(
            space in "(SMTP|HOOK|):?[a-z*.@é\\[\\]]{0,20}",
            address in "(SMTP|HOOK|):?[a-z*.@é\\[\\]]{0,20}",
        ) {
            if let (Ok(space), Ok(address)) =
                (space.parse::<AddressSpace>(), address.parse::<TypedAddress>())
            {
                let fit = space.matches(&address);
                if space.is_everything() {
                    prop_assert_eq!(fit.is_some(), space.kind() == address.kind());
                }
                prop_assert_eq!(space.to_string().parse::<AddressSpace>(), Ok(space));
            }
        }

        #[test]
        fn a_glob_fits_what_it_was_made_of(parts in prop::collection::vec("[ab]{0,4}", 1..6)) {
            let stars = glob(&parts.join("*"), &parts.join("ab"));
            prop_assert!(stars);
            let whole = parts.concat();
            let behind_star = glob(&format!("*{whole}"), &whole);
            prop_assert!(behind_star);
        }
    }
}
