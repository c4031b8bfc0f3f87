//! Addresses of VM users.

use concord_address::{Form, TypedAddress};
use std::fmt;
use std::str::FromStr;

/// Characters of a node's or user's name (Q166643, Q232318).
pub const MAX_NAME: usize = 8;

/// The type of these addresses in the directory.
const KIND: &str = "PROFS";

/// Why a text is no address of a VM user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseHostAddressError {
    /// A name is empty. RSCS takes the user id SYSTEM for no user at all, so
    /// that what arrives for it has an empty name (Q221565).
    #[error("the node or user of {0:?} is empty")]
    Empty(String),
    /// A name has more than [`MAX_NAME`] characters.
    #[error("a name in {0:?} has more than 8 characters")]
    TooLong(String),
    /// A character that no node or user has.
    #[error("{character:?} in {text:?} is in no name of a node or user")]
    Character {
        /// The text.
        text: String,
        /// The character.
        character: char,
    },
    /// None of the forms.
    #[error("{0:?} is neither NODE(USER) nor NODE.USER nor USER AT NODE")]
    Form(String),
}

/// A user of a node: each name of 1 to 8 characters, in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostAddress {
    node: String,
    user: String,
}

impl HostAddress {
    /// A user of a node. Small letters become capitals, as on the host.
    ///
    /// # Errors
    /// A name that no host has.
    pub fn new(node: &str, user: &str) -> Result<Self, ParseHostAddressError> {
        Ok(Self { node: name(node)?, user: name(user)? })
    }

    /// The node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The user's id.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The address as the directory has it.
    pub fn typed(&self) -> Option<TypedAddress> {
        format!("{KIND}:{}.{}", self.node, self.user).parse().ok()
    }

    /// The VM user of an address in the directory; none if it is of another type
    /// or does not fit.
    pub fn from_typed(address: &TypedAddress) -> Option<Self> {
        match Form::read(address.kind().as_str(), address.value())?.ok()? {
            Form::Profs { node, user } => Self::new(&node, &user).ok(),
            _ => None,
        }
    }
}

/// One name in capitals, if it can be one.
fn name(text: &str) -> Result<String, ParseHostAddressError> {
    let text = text.trim();
    let shown = || text.chars().take(40).collect::<String>();
    if text.is_empty() {
        return Err(ParseHostAddressError::Empty(shown()));
    }
    if text.chars().nth(MAX_NAME).is_some() {
        return Err(ParseHostAddressError::TooLong(shown()));
    }
    let upper = text.to_ascii_uppercase();
    match upper.chars().find(|character| !is_name_character(*character)) {
        Some(character) => Err(ParseHostAddressError::Character { text: shown(), character }),
        None => Ok(upper),
    }
}

/// Characters of node and user names: those of CMS names, and others that nodes
/// with other rules are known by. None that separates names in text.
fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '$' | '#' | '@' | '+' | '-' | '_' | '&' | '!' | '%' | '*' | '=')
}

impl fmt::Display for HostAddress {
    /// `NODE(USER)`, as hosts and their administrators write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.node, self.user)
    }
}

impl FromStr for HostAddress {
    type Err = ParseHostAddressError;

    /// Reads every form that hosts and their users write:
    ///
    /// - `NODE(USER)` and `PROFS:NODE(USER)`, also in brackets, a one-off address
    ///   (Q166643);
    /// - `NODE.USER`, the directory's;
    /// - `USER AT NODE`, of CMS;
    /// - `USER --NODE` or `USER -NODE`, of PROFS (Q97084, Q115457).
    fn from_str(text: &str) -> Result<Self, ParseHostAddressError> {
        let shown = || ParseHostAddressError::Form(text.trim().chars().take(40).collect());
        let mut rest = text.trim();
        if let Some(inner) = rest.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            rest = inner.trim();
        }
        if let Some((kind, value)) = rest.split_once(':') {
            if !kind.trim().eq_ignore_ascii_case(KIND) {
                return Err(shown());
            }
            rest = value.trim();
        }
        if let Some((node, user)) = rest.split_once('(') {
            return Self::new(node, user.strip_suffix(')').ok_or_else(shown)?);
        }
        let words: Vec<&str> = rest.split_ascii_whitespace().take(4).collect();
        match words.as_slice() {
            [user, at, node] if at.eq_ignore_ascii_case("at") => Self::new(node, user),
            [user, dashes, node] if matches!(*dashes, "-" | "--") => Self::new(node, user),
            [user, node] if node.starts_with('-') => {
                let bare = node.strip_prefix("--").or_else(|| node.strip_prefix('-'));
                Self::new(bare.unwrap_or_default(), user)
            }
            [word] => match word.split_once('.') {
                Some((node, user)) => Self::new(node, user),
                None => Err(shown()),
            },
            _ => Err(shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_address::{AddressType, GeneratorRule, Names};
    use std::collections::BTreeSet;

    #[test]
    fn an_address_is_read_in_every_form_that_hosts_write() {
        let address = HostAddress::new("PROFS30", "ADMIN").unwrap();
        for form in [
            "PROFS30(ADMIN)",
            "profs30(admin)",
            "PROFS:PROFS30(ADMIN)",
            "[PROFS:PROFS30(ADMIN)]",
            "PROFS30.ADMIN",
            "ADMIN at PROFS30",
            "ADMIN   AT   PROFS30",
            "ADMIN   --PROFS30",
            "ADMIN  -PROFS30",
            "ADMIN -- PROFS30",
        ] {
            assert_eq!(form.parse(), Ok(address.clone()), "{form}");
        }
        assert_eq!(address.to_string(), "PROFS30(ADMIN)");
        assert_eq!(HostAddress::from_typed(&address.typed().unwrap()), Some(address));
    }

    #[test]
    fn what_no_host_has_is_refused_with_its_reason() {
        use ParseHostAddressError as E;
        assert!(matches!("NODE()".parse::<HostAddress>(), Err(E::Empty(_))));
        assert!(matches!("TOOLONGNODE(U)".parse::<HostAddress>(), Err(E::TooLong(_))));
        assert!(matches!("NO/DE(U)".parse::<HostAddress>(), Err(E::Character { .. })));
        for form in ["", ":", "SNADS:A(B)", "A", "A B C D", "A(B", ":x"] {
            assert!(form.parse::<HostAddress>().is_err(), "{form}");
        }
    }

    /// Q176871: the generator gave up after twenty.
    #[test]
    fn twenty_five_equal_aliases_become_twenty_five_addresses() {
        let rule: GeneratorRule = "EXCH.%m".parse().unwrap();
        let kind: AddressType = KIND.parse().unwrap();
        let names = Names { alias: "jonathansmith".into(), ..Names::default() };
        let mut made = BTreeSet::new();
        for number in 1..=25 {
            let value = rule.variant(&kind, &names, number).unwrap();
            let typed = TypedAddress::new(&kind, &value).unwrap();
            made.insert(HostAddress::from_typed(&typed).unwrap());
        }
        assert_eq!(made.len(), 25);
        assert!(made.iter().all(|address| address.user().len() <= MAX_NAME));
    }
}
