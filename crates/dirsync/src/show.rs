//! Plans as text for people.

use crate::plan::{Change, Direction, Entry, Failure, Plan, Reason, Remark, Subject};
use std::fmt;

/// Values longer than this are shown by their beginning.
const SHOWN: usize = 120;

/// A value that comes from elsewhere, on one line and without what would steer a
/// terminal.
fn shown(value: &str) -> String {
    let mut out: String = value
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        out.push_str("...");
    }
    out
}

fn values(values: &[String]) -> String {
    if values.is_empty() {
        return "(none)".to_owned();
    }
    let all: Vec<String> = values.iter().map(|value| shown(value)).collect();
    all.join("; ")
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.name))?;
        match (&self.key, &self.id) {
            (Some(key), _) if key.0 != self.name => write!(f, " ({})", shown(&key.0)),
            (None, Some(id)) => write!(f, " (object {id})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.attribute, values(&self.before), values(&self.after))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => f.write_str("its system does not allow it to be taken"),
            Self::NotStated => f.write_str("its system does not say that it may be taken"),
            Self::OwnExport => f.write_str("it is an export of this directory"),
            Self::Missing { attribute } => write!(f, "it has no {attribute}"),
            Self::Filtered { filter } => write!(f, "the filter {} excludes it", shown(filter)),
            Self::Kind => f.write_str("entries of its kind are not asked for"),
            Self::Twice => f.write_str("the listing has another entry with its key"),
            Self::Hidden => f.write_str("it is hidden"),
            Self::Container => f.write_str("it lies in no export container"),
            Self::Trust { trust, container } => {
                write!(f, "its trust {trust} is higher than its container's {container}")
            }
            Self::NotRelayed { origin } => {
                write!(f, "the connector {} brought it here", shown(origin))
            }
            Self::ElsewhereOwned { place } => write!(f, "{} is no place of ours", shown(place)),
            Self::Unlisted => f.write_str("the listing of the foreign side ended before it"),
            Self::Gone => f.write_str("it is in the directory no more"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAddress { given, cause } => {
                write!(f, "the rules give it the address '{}': {}", shown(given), shown(cause))
            }
            Self::Refused { attribute } => {
                write!(f, "the rules give it a {attribute} that cannot be written")
            }
            Self::NoFreeName { name } => {
                write!(f, "'{}' and a thousand names like it are taken", shown(name))
            }
            Self::SameIdentity { other } => {
                write!(f, "object {other} is exported under the same identity")
            }
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapped(notice) => f.write_str(&shown(&notice.to_string())),
            Self::AddressLeftOut { attribute, given, cause } => {
                write!(f, "{attribute} is left out, '{}': {}", shown(given), shown(cause))
            }
        }
    }
}

fn entries(f: &mut fmt::Formatter<'_>, sign: &str, entries: &[Entry]) -> fmt::Result {
    for entry in entries {
        writeln!(f, "{sign} {}", entry.subject)?;
        for change in &entry.changes {
            if change.before.is_empty() {
                writeln!(f, "    {}: {}", change.attribute, values(&change.after))?;
            } else {
                writeln!(f, "    {change}")?;
            }
        }
    }
    Ok(())
}

impl fmt::Display for Plan {
    /// One line for an entry, with its attributes under it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary(f)?;
        entries(f, "+", &self.additions)?;
        entries(f, "=", &self.adoptions)?;
        entries(f, "~", &self.modifications)?;
        for deletion in &self.deletions {
            writeln!(f, "- {}: {}", deletion.subject, deletion.reason)?;
        }
        for failed in &self.failed {
            writeln!(f, "! {}: {}", failed.subject, failed.failure)?;
        }
        for skipped in &self.skipped {
            writeln!(f, ". {}: {}", skipped.subject, skipped.reason)?;
        }
        for noticed in &self.notices {
            writeln!(f, ". {}: {}", noticed.subject, noticed.remark)?;
        }
        self.collided(f)?;
        if let Some(withheld) = &self.withheld {
            let count = withheld.deletions.len();
            writeln!(f, "deletions withheld: {count}; {}", withheld.why)?;
            for deletion in &withheld.deletions {
                writeln!(f, "  - {}: {}", deletion.subject, deletion.reason)?;
            }
        }
        Ok(())
    }
}

impl Plan {
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Import => "import from",
            Direction::Export => "export to",
        };
        write!(f, "{direction} {}: {} to add, ", self.connector, self.additions.len())?;
        if !self.adoptions.is_empty() {
            write!(f, "{} to adopt, ", self.adoptions.len())?;
        }
        let (modified, deleted) = (self.modifications.len(), self.deletions.len());
        write!(f, "{modified} to modify, {deleted} to delete, {} unchanged", self.unchanged)?;
        for (count, what) in [
            (self.skipped.len(), "left out"),
            (self.failed.len(), "failed"),
            (self.collisions.len(), "with a taken address"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        writeln!(f)?;
        if self.replaced {
            let told = "the foreign directory has none of the entries that it had";
            writeln!(f, "{told}: it was replaced, and everything is added anew")?;
        }
        Ok(())
    }

    /// One warning for all that are new (Q238447: one event for each, each time).
    fn collided(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.collisions.iter().filter(|collision| !collision.known).count();
        if new == 0 {
            return Ok(());
        }
        let can = self.collisions.iter().filter(|c| c.adoptable && !c.known).count();
        writeln!(f, "addresses that others hold: {new}, of which {can} could be adopted:")?;
        for collision in self.collisions.iter().filter(|collision| !collision.known) {
            let address = shown(&collision.address);
            writeln!(f, "  {} and {}: {address}", collision.subject, collision.holder)?;
        }
        Ok(())
    }
}
