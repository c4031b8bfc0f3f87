//! From what a client sent to a [`Filter`]. An attribute, a rule or a value that
//! nobody knows makes a condition undefined, not the search an error.

use super::{Filter, MAX_CONDITIONS, MAX_DEPTH, Order, Parts};
use crate::catalogue::Catalogue;
use crate::catalogue::value::is_made;
use crate::dn;
use crate::schema::{Attr, Class};
use crate::text::{Rule, normalise, sound};
use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

/// The filter, or `None` if it is deeper or larger than anything that is meant.
pub(crate) fn compile(catalogue: &Catalogue, filter: &LdapFilter) -> Option<Filter> {
    let mut left = MAX_CONDITIONS;
    one(catalogue, filter, MAX_DEPTH, &mut left)
}

fn one(
    catalogue: &Catalogue,
    filter: &LdapFilter,
    depth: usize,
    left: &mut usize,
) -> Option<Filter> {
    let depth = depth.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    let mut several = |filters: &[LdapFilter]| -> Option<Vec<Filter>> {
        filters.iter().map(|inner| one(catalogue, inner, depth, left)).collect()
    };
    Some(match filter {
        LdapFilter::And(filters) => Filter::And(several(filters)?),
        LdapFilter::Or(filters) => Filter::Or(several(filters)?),
        LdapFilter::Not(inner) => Filter::Not(Box::new(one(catalogue, inner, depth, left)?)),
        LdapFilter::Equality(name, value) => with(name, |attr| equal(catalogue, attr, value)),
        LdapFilter::Substring(name, parts) => with(name, |attr| substring(attr, parts)),
        LdapFilter::GreaterOrEqual(name, value) => {
            with(name, |attr| order(attr, value).map(|order| Filter::AtLeast(attr, order)))
        }
        LdapFilter::LessOrEqual(name, value) => {
            with(name, |attr| order(attr, value).map(|order| Filter::AtMost(attr, order)))
        }
        LdapFilter::Present(name) => with(name, |attr| Some(Filter::Present(attr))),
        LdapFilter::Approx(name, value) => with(name, |attr| match attr.rule() {
            Rule::CaseIgnore | Rule::CaseExact => Some(Filter::Sounds(attr, sound(value))),
            _ => equal(catalogue, attr, value),
        }),
        LdapFilter::Extensible(assertion) => extensible(catalogue, assertion),
    })
}

fn with(name: &str, make: impl FnOnce(Attr) -> Option<Filter>) -> Filter {
    Attr::from_name(name).and_then(make).unwrap_or(Filter::Undefined)
}

fn equal(catalogue: &Catalogue, attr: Attr, value: &str) -> Option<Filter> {
    if attr == Attr::ObjectClass {
        let class = Class::from_name(value.trim());
        return Some(class.map_or(Filter::False, |class| Filter::Class(class.name)));
    }
    let slot = |value| dn::parse(value).map(|rdns| catalogue.find(&rdns).ok());
    match attr.rule() {
        Rule::Dn if attr == Attr::EntryDn => Some(Filter::Is(slot(value)?)),
        Rule::Dn if is_made(attr) && attr != Attr::MemberOf => {
            Some(Filter::Equal(attr, normalise(Rule::CaseIgnore, value)))
        }
        Rule::Dn => {
            let found = slot(value)?.and_then(|slot| catalogue.get(slot)).map(|entry| entry.id);
            Some(Filter::Linked(attr, found))
        }
        Rule::Uuid => {
            let id = catalogue.id_of_uuid(value.trim());
            Some(Filter::Is(id.and_then(|id| catalogue.slot_of(id))))
        }
        Rule::Secret => None,
        Rule::Integer => {
            let number: i128 = value.trim().parse().ok()?;
            Some(Filter::Equal(attr, number.to_string()))
        }
        Rule::Boolean => {
            let value = value.trim().to_ascii_lowercase();
            matches!(value.as_str(), "true" | "false").then_some(Filter::Equal(attr, value))
        }
        Rule::Time => time(value).map(|at| Filter::Equal(attr, crate::catalogue::value::time(at))),
        rule => Some(Filter::Equal(attr, normalise(rule, value))),
    }
}

fn substring(attr: Attr, parts: &LdapSubstringFilter) -> Option<Filter> {
    let rule = attr.rule();
    if !matches!(rule, Rule::CaseIgnore | Rule::CaseExact | Rule::Telephone) {
        return None;
    }
    let whole = || std::iter::once(&parts.initial).chain(std::iter::once(&parts.final_)).flatten();
    if whole().chain(&parts.any).any(String::is_empty) || whole().chain(&parts.any).count() == 0 {
        // RFC 4511 section 4.5.1.7.2: one part at least, none of them empty
        return None;
    }
    let prepare = |text: &String| part(rule, text);
    Some(Filter::Parts(
        attr,
        Parts {
            initial: parts.initial.as_ref().map(|text| part(rule, text).trim_start().to_owned()),
            any: parts.any.iter().map(prepare).collect(),
            last: parts.final_.as_ref().map(|text| part(rule, text).trim_end().to_owned()),
        },
    ))
}

/// Spaces at a part's ends count, as one (RFC 4518 section 2.6.1).
fn part(rule: Rule, text: &str) -> String {
    let prepared = normalise(rule, text);
    if rule == Rule::Telephone {
        return prepared;
    }
    let space = |is: bool| if is { " " } else { "" };
    let (before, behind) = (text.starts_with(' '), text.ends_with(' '));
    if prepared.is_empty() {
        return space(before || behind).to_owned();
    }
    format!("{}{prepared}{}", space(before), space(behind))
}

fn order(attr: Attr, value: &str) -> Option<Order> {
    match attr.rule() {
        Rule::Integer => value.trim().parse().ok().map(Order::Number),
        Rule::Time => time(value).map(Order::Time),
        rule @ (Rule::CaseIgnore | Rule::CaseExact) => Some(Order::Text(normalise(rule, value))),
        _ => None,
    }
}

/// Generalized Time to milliseconds: minutes, seconds and fractions may be left
/// out, the zone may not (RFC 4517 section 3.3.13).
pub(super) fn time(value: &str) -> Option<i64> {
    let value = value.trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = value.split_at_checked(digits)?;
    let number = |range: std::ops::Range<usize>| whole.get(range)?.parse::<i16>().ok();
    let small = |range| number(range).and_then(|n| i8::try_from(n).ok());
    if !matches!(digits, 10 | 12 | 14) {
        return None;
    }
    let minute = if digits >= 12 { small(10..12)? } else { 0 };
    let second = if digits >= 14 { small(12..14)?.min(59) } else { 0 };
    let civil = jiff::civil::DateTime::new(
        number(0..4)?,
        small(4..6)?,
        small(6..8)?,
        small(8..10)?,
        minute,
        second,
        0,
    )
    .ok()?;
    let mut at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    let mut rest = rest;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match digits {
            10 => 3_600_000.0,
            12 => 60_000.0,
            _ => 1_000.0,
        };
        let share: f64 = format!("0.{}", fraction.get(..count.min(9))?).parse().ok()?;
        at += (share * unit).round() as i64;
        rest = fraction.get(count..)?;
    }
    if rest == "Z" {
        return Some(at);
    }
    let sign = match rest.as_bytes().first()? {
        b'+' => -1,
        b'-' => 1,
        _ => return None,
    };
    let zone = rest.get(1..)?;
    if !matches!(zone.len(), 2 | 4) || !zone.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = zone.get(..2)?.parse().ok()?;
    let minutes: i64 = zone.get(2..).filter(|m| !m.is_empty()).map_or(Ok(0), str::parse).ok()?;
    Some(at + sign * (hours * 60 + minutes) * 60_000)
}

/// RFC 4511 section 4.5.1.7.7
fn extensible(catalogue: &Catalogue, assertion: &LdapMatchingRuleAssertion) -> Filter {
    let attr = match &assertion.type_ {
        Some(name) => match Attr::from_name(name) {
            Some(attr) => Some(attr),
            None => return Filter::Undefined,
        },
        None => None,
    };
    let value = assertion.match_value.as_str();
    let rule = match assertion.matching_rule.as_deref() {
        None => attr.map(Attr::rule),
        Some(name) => match rule(name) {
            Some(rule) => Some(rule),
            None => return Filter::Undefined,
        },
    };
    // neither an attribute nor a rule is a protocol error, which the codec lets by
    let Some(rule) = rule else { return Filter::Undefined };
    if attr.is_none() || assertion.dn_attributes {
        let texts = matches!(rule, Rule::CaseIgnore | Rule::CaseExact);
        if !texts {
            return Filter::Undefined;
        }
        let prepared = normalise(Rule::CaseIgnore, value);
        return Filter::Anywhere {
            prepared,
            attr,
            in_dn: assertion.dn_attributes,
            in_values: true,
        };
    }
    match attr {
        Some(attr) if rule == attr.rule() => {
            equal(catalogue, attr, value).unwrap_or(Filter::Undefined)
        }
        Some(attr) => match (attr.rule(), rule) {
            (Rule::CaseIgnore | Rule::CaseExact, Rule::CaseIgnore | Rule::CaseExact) => {
                Filter::Exact(attr, rule, normalise(rule, value))
            }
            _ => Filter::Undefined,
        },
        None => Filter::Undefined,
    }
}

fn rule(name: &str) -> Option<Rule> {
    let known = crate::schema::MATCHING_RULES;
    let (oid, _, _) =
        known.iter().find(|(oid, known, _)| *oid == name || known.eq_ignore_ascii_case(name))?;
    Some(match *oid {
        "2.5.13.0" => Rule::Oid,
        "2.5.13.1" => Rule::Dn,
        "2.5.13.2" | "1.3.6.1.4.1.1466.109.114.2" => Rule::CaseIgnore,
        "2.5.13.5" => Rule::CaseExact,
        "2.5.13.13" => Rule::Boolean,
        "2.5.13.14" => Rule::Integer,
        "2.5.13.20" => Rule::Telephone,
        "2.5.13.27" => Rule::Time,
        "1.3.6.1.1.16.2" => Rule::Uuid,
        // ordering and substrings rules have no meaning here (RFC 4511: equality)
        _ => return None,
    })
}
