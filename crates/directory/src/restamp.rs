//! Giving recipients other addresses when the rule of a generator changes.

use crate::{Details, Directory, DirectoryError, Kind, Object, Proxy, Stamp};
use concord_address::{GeneratorRule, Names, ParseGeneratorRuleError, TypedAddress};
use std::collections::HashSet;

/// A generator whose rule changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The generator as it is.
    pub old: Stamp,
    /// The generator as it will be.
    pub new: Stamp,
}

/// What a changed rule means for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restamp {
    /// Its primary address is one that the new rule makes.
    Kept,
    /// Its primary address is none that the old rule makes: somebody gave it.
    ByHand,
    /// It has no address of the type, and gets none.
    Without,
    /// It had no address of the type.
    Added(TypedAddress),
    /// The new address is primary; the old one stays beside it.
    Moved {
        /// What was primary.
        old: TypedAddress,
        /// What is.
        new: TypedAddress,
    },
}

impl RuleChange {
    /// Another rule for a generator.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`]: the rule is none, or none for this type.
    pub fn of(generator: &Object, rule: &str) -> Result<Self, DirectoryError> {
        let mut changed = generator.clone();
        if let Details::Generator(generator) = &mut changed.details {
            rule.clone_into(&mut generator.rule);
        }
        changed.check()?;
        Ok(Self { old: stamp(generator)?, new: stamp(&changed)? })
    }

    /// Changes a recipient's addresses as the new rule wants them. `taken` has the
    /// keys of addresses that are given out but not in the directory yet.
    ///
    /// An address that the old rule makes of the recipient's names, with whatever
    /// number, counts as generated; others are left alone. A contact gets no
    /// address that it lacks, nor another one of its own system.
    ///
    /// # Errors
    /// Why the new rule makes none; nothing is changed then.
    pub async fn apply(
        &self,
        directory: &dyn Directory,
        object: &mut Object,
        taken: &mut HashSet<String>,
    ) -> Result<Restamp, String> {
        let names = object.names();
        let kind = &self.new.kind;
        let contact = object.kind() == Kind::Contact;
        let Some(old) = object.primary(kind).cloned() else {
            if contact {
                return Ok(Restamp::Without);
            }
            let new = self.new.free_for(Some(object.id), directory, &names, taken).await?;
            give(object, &new, taken);
            return Ok(Restamp::Added(new));
        };
        if self.new.rule.number_of(&names, &old).is_some() {
            return Ok(Restamp::Kept);
        }
        let own_system = contact && object.target().is_some_and(|target| target.kind() == kind);
        if own_system || self.old.rule.number_of(&names, &old).is_none() {
            return Ok(Restamp::ByHand);
        }
        let new = match self.had(object, &names) {
            Some(had) => had,
            None => self.new.free_for(Some(object.id), directory, &names, taken).await?,
        };
        give(object, &new, taken);
        Ok(Restamp::Moved { old, new })
    }

    /// The address by the new rule that it got when that was in force before.
    fn had(&self, object: &Object, names: &Names) -> Option<TypedAddress> {
        let addresses = object.proxies.iter().map(|proxy| &proxy.address);
        let mut of_type = addresses.filter(|address| *address.kind() == self.new.kind);
        of_type.find(|address| self.new.rule.number_of(names, address).is_some()).cloned()
    }
}

fn stamp(generator: &Object) -> Result<Stamp, DirectoryError> {
    let invalid = |cause: String| DirectoryError::Invalid { name: generator.name.clone(), cause };
    let rule = generator.generator().map(|generator| generator.rule.as_str()).unwrap_or_default();
    let rule: GeneratorRule =
        rule.parse().map_err(|error: ParseGeneratorRuleError| invalid(error.to_string()))?;
    let kind = generator.name.parse();
    let kind =
        kind.map_err(|error: concord_address::ParseAddressTypeError| invalid(error.to_string()))?;
    Ok(Stamp { kind, rule })
}

/// Makes an address primary in its type.
fn give(object: &mut Object, new: &TypedAddress, taken: &mut HashSet<String>) {
    let key = new.key();
    for proxy in object.proxies.iter_mut().filter(|proxy| proxy.address.kind() == new.kind()) {
        proxy.primary = false;
    }
    object.proxies.retain(|proxy| proxy.address.key() != key);
    object.proxies.push(Proxy { address: new.clone(), primary: true });
    taken.insert(key);
}
