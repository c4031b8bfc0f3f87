//! What the rules want an imported recipient to be.

use crate::plan::{Failure, Remark};
use concord_address::TypedAddress;
use concord_mapping::{Attribute, Mapped, MappedValue};

/// Octets of an object's name and of a display name in this directory.
const MAX_NAME: usize = 64;
const MAX_DISPLAY_NAME: usize = 256;
/// A name that is taken gets a number, up to this one.
const MAX_NUMBER: u32 = 1_000;
/// Tags of the original's tables for what the engine keeps itself: the key of an
/// entry, and a counter of changes.
const KEPT_ELSEWHERE: [&str; 2] = ["dn", "usncreated"];

pub(crate) const NAME: &str = "mailnickname";
pub(crate) const DISPLAY: &str = "displayname";
const TARGET: &str = "targetaddress";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Without the object's name.
    pub(crate) values: Vec<(Attribute, Vec<String>)>,
    targeted: bool,
    /// The object's name, if the rules give one.
    pub(crate) name: String,
    pub(crate) display: String,
}

/// A text on one line, at most so many octets, without blanks at its ends.
fn fit(text: &str, octets: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    line.get(..line.floor_char_boundary(octets)).unwrap_or_default().trim_end().to_owned()
}

impl Wanted {
    /// What is wanted, and remarks on it. `key` is the name of last resort
    /// (Q201547: a recipient without display name was counted, and not there).
    pub(crate) fn new(mapped: &Mapped, key: &str) -> Result<(Self, Vec<Remark>), Failure> {
        let mut remarks: Vec<Remark> = mapped.notices.iter().cloned().map(Remark::Mapped).collect();
        if let Some(attribute) = mapped.refused.iter().find(|a| a.to_string() == TARGET) {
            return Err(Failure::Refused { attribute: attribute.clone() });
        }
        let mut wanted =
            Self { values: vec![], targeted: false, name: String::new(), display: String::new() };
        for value in &mapped.values {
            if let Some(remark) = wanted.take(value)? {
                remarks.push(remark);
            }
        }
        if !wanted.targeted {
            let cause = "there is none".to_owned();
            return Err(Failure::BadAddress { given: String::new(), cause });
        }
        let or = |first: &str, second: &str, most: usize| {
            let found = [first, second, key].into_iter().map(|text| fit(text, most));
            found.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
        };
        let display = or(&wanted.display, &wanted.name, MAX_DISPLAY_NAME);
        let name = or(&wanted.name, &wanted.display, MAX_NAME);
        wanted.values.push((Attribute::Named(DISPLAY.to_owned()), vec![display.clone()]));
        wanted.values.sort();
        Ok((Self { name, display, ..wanted }, remarks))
    }

    fn take(&mut self, value: &MappedValue) -> Result<Option<Remark>, Failure> {
        let MappedValue { attribute, text, .. } = value;
        match attribute {
            Attribute::Named(name) if KEPT_ELSEWHERE.contains(&name.as_str()) => {}
            Attribute::Named(name) if name == NAME => self.name.clone_from(text),
            Attribute::Named(name) if name == DISPLAY => self.display.clone_from(text),
            Attribute::Named(name) if name == TARGET => {
                let target: TypedAddress =
                    text.parse().map_err(|e: concord_address::ParseTypedAddressError| {
                        Failure::BadAddress { given: text.clone(), cause: e.cause }
                    })?;
                self.values.push((attribute.clone(), vec![target.to_string()]));
                self.targeted = true;
            }
            Attribute::Named(_) => {
                let values = if text.is_empty() { vec![] } else { vec![text.clone()] };
                self.values.push((attribute.clone(), values));
            }
            // No address is no wish: the recipient has one from a generator.
            Attribute::Primary(_) | Attribute::Secondary(_) if text.is_empty() => {}
            Attribute::Primary(kind) | Attribute::Secondary(kind) => {
                let address: Result<TypedAddress, _> = format!("{kind}:{text}").parse();
                match address {
                    Ok(address) => {
                        self.values.push((attribute.clone(), vec![address.value().to_owned()]));
                    }
                    Err(error) => {
                        return Ok(Some(Remark::AddressLeftOut {
                            attribute: attribute.clone(),
                            given: text.clone(),
                            cause: error.cause,
                        }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether a name is the wanted one with a number.
    pub(crate) fn is_numbered(&self, name: &str) -> bool {
        let number = name.rsplit_once('-').and_then(|(_, number)| number.parse::<u32>().ok());
        number.is_some_and(|number| self.numbered(number) == name)
    }

    fn numbered(&self, number: u32) -> String {
        let end = format!("-{number}");
        fit(&self.name, MAX_NAME.saturating_sub(end.len())) + &end
    }

    /// Names for the object, the wanted one first; with a number it keeps the one
    /// that it has.
    pub(crate) fn names<'a>(&'a self, now: Option<&'a str>) -> impl Iterator<Item = String> + 'a {
        let kept = now.filter(|name| self.is_numbered(name)).map(str::to_owned);
        let numbered = (2..=MAX_NUMBER).map(|number| self.numbered(number));
        std::iter::once(self.name.clone()).chain(kept).chain(numbered)
    }
}
