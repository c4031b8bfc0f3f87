//! From a line and what is there to what is to be done.

use super::cell::Cell;
use super::columns::Column;
use super::read::{Line, LineError, Mode};
use crate::wire::{ForwardPatch, ObjectView, Patch};
use concord_base::ByteSize;

/// What a line comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// The object is added: the patch of an empty one, and its password.
    Add {
        /// What it gets.
        patch: Box<Patch>,
        /// A mailbox's password.
        password: Option<String>,
    },
    /// The object is changed.
    Change {
        /// How.
        patch: Box<Patch>,
        /// The same for people, a line each.
        told: Vec<String>,
        /// A mailbox's new password.
        password: Option<String>,
    },
    /// The object is removed.
    Remove,
    /// It is as the line says already.
    Nothing,
}

/// What a line comes to, given what is there now (as it is when it is shown
/// alone).
///
/// # Errors
/// Everything that is wrong.
pub fn plan(line: &Line, there: Option<&ObjectView>) -> Result<Planned, LineError> {
    let fail = |causes: Vec<String>| LineError { number: line.number, causes };
    let one = |cause: String| Err(fail(vec![cause]));
    let name = &line.name;
    match (line.mode, there) {
        (Mode::Create, Some(_)) => {
            return one(format!("there is a {} '{name}' already", line.kind));
        }
        (Mode::Modify | Mode::Delete, None) => {
            return one(format!("there is no {} '{name}'", line.kind));
        }
        (Mode::Delete, Some(_)) => return Ok(Planned::Remove),
        _ => {}
    }
    let empty = ObjectView::default();
    let mut building = Building { before: there.unwrap_or(&empty), ..Building::default() };
    for (column, cell) in &line.cells {
        building.cell(*column, cell);
    }
    building.forward(line);
    if !building.mistakes.is_empty() {
        return Err(fail(building.mistakes));
    }
    let Building { mut patch, told, password, .. } = building;
    if there.is_none() {
        patch.name = Some(name.clone());
        return Ok(Planned::Add { patch: Box::new(patch), password });
    }
    if patch == Patch::default() && password.is_none() {
        return Ok(Planned::Nothing);
    }
    Ok(Planned::Change { patch: Box::new(patch), told, password })
}

/// A patch that grows cell by cell.
struct Building<'a> {
    before: &'a ObjectView,
    patch: Patch,
    told: Vec<String>,
    password: Option<String>,
    mistakes: Vec<String>,
}

impl Default for Building<'_> {
    fn default() -> Self {
        static EMPTY: std::sync::LazyLock<ObjectView> =
            std::sync::LazyLock::new(ObjectView::default);
        Self {
            before: &EMPTY,
            patch: Patch::default(),
            told: Vec::new(),
            password: None,
            mistakes: Vec::new(),
        }
    }
}

impl Building<'_> {
    fn tell(&mut self, what: &str, before: &str, after: &str) {
        self.told.push(format!("{what}: '{before}' -> '{after}'"));
    }

    fn cell(&mut self, column: Column, cell: &Cell) {
        match column {
            Column::NewName => self.patch.name = cell.single().map(str::to_owned),
            Column::DisplayName => {
                let wanted = cell.single().unwrap_or_default();
                if wanted != self.before.display_name {
                    self.tell("display name", &self.before.display_name.clone(), wanted);
                    self.patch.display_name = Some(wanted.to_owned());
                }
            }
            Column::Container => self.container(cell),
            Column::Addresses => self.addresses(cell),
            Column::Target => self.target(cell),
            Column::Members => self.members(cell),
            Column::Hidden => {
                if let Some(flag) = self.flag("Hide From Address Book", cell, self.before.hidden) {
                    self.patch.hidden = Some(flag);
                }
            }
            Column::AuthenticatedOnly => {
                let before = self.before.authenticated_only;
                if let Some(flag) = self.flag("Authenticated Only", cell, before) {
                    self.patch.authenticated_only = Some(flag);
                }
            }
            Column::Trust => self.trust(cell),
            Column::ReceiveLimit => {
                self.patch.receive_limit =
                    self.size("Receive Limit", cell, self.before.receive_limit);
            }
            Column::SendLimit => {
                self.patch.send_limit = self.size("Send Limit", cell, self.before.send_limit);
            }
            Column::Quota => self.patch.quota = self.size("Quota", cell, self.before.quota),
            Column::Owners => {
                self.patch.owners = self.names("owners", cell, &self.before.owners.clone());
            }
            Column::AcceptFrom => {
                let before = self.before.accept_from.clone();
                self.patch.accept_from = self.names("accept from", cell, &before);
            }
            Column::RejectFrom => {
                let before = self.before.reject_from.clone();
                self.patch.reject_from = self.names("reject from", cell, &before);
            }
            Column::Delegates => {
                let before = self.before.delegates.clone();
                self.patch.delegates = self.names("delegates", cell, &before);
            }
            Column::Password => self.password = cell.single().map(str::to_owned),
            Column::Attribute(name) => self.attribute(name, cell),
            // Both are one thing: see `forward`.
            Column::ForwardTo | Column::KeepCopy => {}
            Column::Class | Column::Mode | Column::Name => {}
        }
    }

    fn container(&mut self, cell: &Cell) {
        let wanted = cell.single().map(str::to_owned);
        let before = self.before.container.as_deref().and_then(|path| path.rsplit('/').next());
        let before = before.map(str::to_owned);
        if wanted != before {
            let text = |name: &Option<String>| name.clone().unwrap_or_else(|| "Recipients".into());
            self.tell("container", &text(&before), &text(&wanted));
            self.patch.container = Some(wanted);
        }
    }

    /// Addresses of the cell are added; one whose type is in upper case becomes
    /// primary; `~del<...>` takes one away. The others stay.
    fn addresses(&mut self, cell: &Cell) {
        let Cell::Values { set, gone } = cell else {
            return self.mistakes.push("addresses cannot all be deleted; name each".to_owned());
        };
        let key = |text: &str| text.to_lowercase();
        for text in set {
            let kind = text.split_once(':').map_or("SMTP", |(kind, _)| kind);
            let primary = !kind.chars().any(|c| c.is_ascii_lowercase());
            let there = self.before.addresses.iter().find(|a| key(&a.address) == key(text));
            let typed = format!(
                "{}:{}",
                kind.to_ascii_uppercase(),
                text.split_once(':').map_or(text.as_str(), |(_, value)| value)
            );
            match there {
                Some(address) if address.primary || !primary => {}
                _ if primary => {
                    self.tell("primary address", "", &typed);
                    self.patch.primary_addresses.push(typed);
                }
                _ => {
                    self.tell("address", "", &typed);
                    self.patch.add_addresses.push(typed);
                }
            }
        }
        for text in gone {
            if self.before.addresses.iter().any(|a| key(&a.address) == key(text)) {
                self.tell("address", text, "");
                self.patch.remove_addresses.push(text.clone());
            }
        }
    }

    fn target(&mut self, cell: &Cell) {
        let Some(wanted) = cell.single() else {
            return self.mistakes.push("a contact's Target Address cannot be deleted".to_owned());
        };
        let before = self.before.target.clone().unwrap_or_default();
        let same = [wanted.to_owned(), format!("SMTP:{wanted}")].contains(&before);
        if !same {
            self.tell("target", &before, wanted);
            self.patch.target = Some(wanted.to_owned());
        }
    }

    /// Members of the cell are added, `~del<...>` takes one away; `~DEL` all.
    fn members(&mut self, cell: &Cell) {
        let before: Vec<String> =
            self.before.members.iter().flatten().map(|member| member.name.clone()).collect();
        let is_there = |name: &String| before.iter().any(|b| b.eq_ignore_ascii_case(name));
        let (add, remove): (Vec<String>, Vec<String>) = match cell {
            Cell::Clear => (Vec::new(), before.clone()),
            Cell::Values { set, gone } => (
                set.iter().filter(|name| !is_there(name)).cloned().collect(),
                gone.iter().filter(|name| is_there(name)).cloned().collect(),
            ),
        };
        for name in &add {
            self.tell("member", "", name);
        }
        for name in &remove {
            self.tell("member", name, "");
        }
        self.patch.add_members = add;
        self.patch.remove_members = remove;
    }

    fn flag(&mut self, what: &str, cell: &Cell, before: bool) -> Option<bool> {
        let word = cell.single().unwrap_or("no").to_ascii_lowercase();
        let wanted = match word.as_str() {
            "1" | "yes" | "true" => true,
            "0" | "no" | "false" => false,
            _ => {
                self.mistakes.push(format!("{what} '{word}' is not yes or no"));
                return None;
            }
        };
        (wanted != before).then(|| {
            self.tell(what, &before.to_string(), &wanted.to_string());
            wanted
        })
    }

    fn trust(&mut self, cell: &Cell) {
        let text = cell.single().unwrap_or_default();
        match text.parse::<u8>() {
            Ok(trust) if trust <= 100 => {
                if Some(trust) != self.before.trust {
                    let before = self.before.trust.map(|n| n.to_string()).unwrap_or_default();
                    self.tell("trust", &before, text);
                    self.patch.trust = Some(trust);
                }
            }
            _ => self.mistakes.push(format!("Trust Level '{text}' is not 0 to 100")),
        }
    }

    fn size(&mut self, what: &str, cell: &Cell, before: Option<u64>) -> Option<Option<u64>> {
        let wanted = match cell.single() {
            None => None,
            // A number alone is octets.
            Some(text) => match text.parse::<u64>().map(ByteSize).or_else(|_| text.parse()) {
                Ok(size) => Some(size.0),
                Err(_) => {
                    self.mistakes.push(format!("{what} '{text}' is not a size such as 10 MiB"));
                    return None;
                }
            },
        };
        (wanted != before).then(|| {
            let text = |n: Option<u64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
            self.tell(what, &text(before), &text(wanted));
            wanted
        })
    }

    fn names(&mut self, what: &str, cell: &Cell, before: &[String]) -> Option<Vec<String>> {
        let wanted = cell.apply(before);
        let sorted = |names: &[String]| {
            let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            names.sort();
            names
        };
        (sorted(&wanted) != sorted(before)).then(|| {
            self.tell(what, &before.join(", "), &wanted.join(", "));
            wanted
        })
    }

    fn attribute(&mut self, name: &'static str, cell: &Cell) {
        let before = self.before.attributes.get(name).cloned().unwrap_or_default();
        let wanted = cell.apply(&before);
        if wanted != before {
            self.tell(name, &before.join(", "), &wanted.join(", "));
            self.patch.attributes.insert(name.to_owned(), wanted);
        }
    }

    fn forward(&mut self, line: &Line) {
        let (to, keep) = (line.cells.get(&Column::ForwardTo), line.cells.get(&Column::KeepCopy));
        let before = self.before.forward.clone();
        let Some(to) = to else {
            if keep.is_some() {
                self.mistakes.push("Keep Copy needs Forward To".to_owned());
            }
            return;
        };
        let was_kept = before.as_ref().is_some_and(|forward| forward.keep);
        let changed = match keep {
            Some(cell) => self.flag("Keep Copy", cell, was_kept),
            None => None,
        };
        let keep = changed.unwrap_or(was_kept);
        let wanted = to.single().map(|to| ForwardPatch { to: to.to_owned(), keep });
        let same = match (&before, &wanted) {
            (Some(before), Some(wanted)) => {
                before.to.eq_ignore_ascii_case(&wanted.to) && before.keep == wanted.keep
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            let text = before.map(|forward| forward.to).unwrap_or_default();
            let to = wanted.as_ref().map(|forward| forward.to.clone()).unwrap_or_default();
            self.tell("forward to", &text, &to);
            self.patch.forward = Some(wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, write};
    use super::*;
    use crate::wire::{Address, Member};

    fn jane() -> ObjectView {
        ObjectView {
            kind: "mailbox".into(),
            name: "jane".into(),
            display_name: "Jane".into(),
            addresses: vec![
                Address { address: "SMTP:jane@a.test".into(), primary: true },
                Address { address: "SMTP:j@a.test".into(), primary: false },
            ],
            attributes: [
                ("title".to_owned(), vec!["Head".to_owned()]),
                ("mobile".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
            ]
            .into(),
            trust: Some(20),
            quota: Some(1024),
            container: Some("Sales/EMEA".into()),
            ..ObjectView::default()
        }
    }

    fn one(text: &str, there: Option<&ObjectView>) -> Result<Planned, LineError> {
        let (lines, mistakes) = read(text).unwrap();
        assert_eq!(mistakes, []);
        plan(&lines[0], there)
    }

    #[test]
    fn a_table_that_was_written_changes_nothing() {
        let list = ObjectView {
            kind: "list".into(),
            name: "staff".into(),
            members: Some(vec![Member { kind: "mailbox".into(), name: "jane".into() }]),
            owners: vec!["boss".into()],
            ..ObjectView::default()
        };
        let all = [jane(), list];
        let (lines, mistakes) = read(&write(&all)).unwrap();
        assert_eq!(mistakes, []);
        for (line, object) in lines.iter().zip(&all) {
            assert_eq!(plan(line, Some(object)), Ok(Planned::Nothing), "{line:?}");
        }
    }

    /// T97: Q184536.
    #[test]
    fn one_value_of_several_goes_and_the_others_stay() {
        let head = "Obj-Class,Directory Name,mobile,title,E-mail Addresses\n";
        let text = format!("{head}mailbox,jane,~del<1>%3,~DEL,~del<smtp:j@a.test>\n");
        let Ok(Planned::Change { patch, told, .. }) = one(&text, Some(&jane())) else { panic!() };
        assert_eq!(patch.attributes["mobile"], ["2", "3"]);
        assert_eq!(patch.attributes["title"], Vec::<String>::new());
        assert_eq!(patch.remove_addresses, ["smtp:j@a.test"]);
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn modes_hold_and_mistakes_are_told_together() {
        let head = "Obj-Class,Mode,Directory Name,Trust Level,Quota,Hide From Address Book\n";
        let bad = one(&format!("{head}mailbox,,jane,101,much,perhaps\n"), Some(&jane()));
        assert_eq!(bad.unwrap_err().causes.len(), 3);
        assert!(one(&format!("{head}mailbox,create,jane,,,\n"), Some(&jane())).is_err());
        assert!(one(&format!("{head}mailbox,modify,jane,,,\n"), None).is_err());
        assert!(one(&format!("{head}mailbox,delete,jane,,,\n"), None).is_err());
        let gone = one(&format!("{head}mailbox,delete,jane,,,\n"), Some(&jane()));
        assert_eq!(gone, Ok(Planned::Remove));
        let Ok(Planned::Add { patch, .. }) = one(&format!("{head}mailbox,,jane,5,2 KiB,1\n"), None)
        else {
            panic!()
        };
        assert_eq!(
            (patch.trust, patch.quota, patch.hidden),
            (Some(5), Some(Some(2048)), Some(true))
        );
    }
}
