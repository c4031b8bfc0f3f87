//! What stands in a cell.

/// A cell that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// `~DEL`: take the value, or all of them, away.
    Clear,
    /// Values, and values that go.
    Values {
        /// In their order.
        set: Vec<String>,
        /// Those of `~del<...>`.
        gone: Vec<String>,
    },
}

const DELETE: &str = "~del";

/// What an octet sequence that begins with the mark says: `~DEL` alone, or one
/// value that goes.
fn deleted(item: &str) -> Option<&str> {
    let (mark, rest) = item.split_at_checked(DELETE.len())?;
    if !mark.eq_ignore_ascii_case(DELETE) {
        return None;
    }
    let rest = rest.trim();
    Some(rest.strip_prefix('<').and_then(|r| r.strip_suffix('>')).unwrap_or(rest))
}

impl Cell {
    /// Reads a cell; none if it is empty.
    pub fn read(text: &str, many: bool) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if deleted(text) == Some("") {
            return Some(Self::Clear);
        }
        let items = if many { split(text) } else { vec![text.to_owned()] };
        let (mut set, mut gone) = (Vec::new(), Vec::new());
        for item in items {
            match deleted(&item) {
                Some(value) => gone.push(value.to_owned()),
                None => set.push(item),
            }
        }
        Some(Self::Values { set, gone })
    }

    /// The one value of a cell that has one.
    pub fn single(&self) -> Option<&str> {
        match self {
            Self::Values { set, gone } if gone.is_empty() => set.first().map(String::as_str),
            _ => None,
        }
    }

    /// The values of an attribute that had `before`.
    pub fn apply(&self, before: &[String]) -> Vec<String> {
        match self {
            Self::Clear => Vec::new(),
            Self::Values { set, gone } if gone.is_empty() => set.clone(),
            Self::Values { set, gone } => {
                let same = |a: &String, b: &String| a.to_lowercase() == b.to_lowercase();
                let mut values: Vec<String> = before
                    .iter()
                    .filter(|value| !gone.iter().any(|g| same(g, value)))
                    .cloned()
                    .collect();
                for value in set {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                values
            }
        }
    }
}

/// Values parted by `%`; a backslash takes the next character as it is.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let kept = match c {
            '%' => {
                values.push(String::new());
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(last) = values.last_mut() {
            last.push(kept);
        }
    }
    values.into_iter().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect()
}

/// Values as one cell; a value alone in a cell for one is not escaped.
pub(super) fn join<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('%', "\\%");
    values.into_iter().map(escaped).collect::<Vec<_>>().join("%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_set_clear_and_take_one_value_away() {
        assert_eq!(Cell::read("  ", true), None);
        assert_eq!(Cell::read("~DEL", true), Some(Cell::Clear));
        let before = ["a".to_owned(), "B".to_owned()];
        let cell = Cell::read("~del<b>%c", true).unwrap();
        assert_eq!(cell.apply(&before), ["a", "c"]);
        assert_eq!(Cell::read("~dela", true).unwrap().apply(&before), ["B"]);
        assert_eq!(Cell::read("x%y", true).unwrap().apply(&before), ["x", "y"]);
        assert_eq!(Cell::read("100%", false).unwrap().single(), Some("100%"));
        assert_eq!(Cell::Clear.apply(&before), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(values in prop::collection::vec("[a-z%\\\\]{1,5}", 1..5)) {
            let cell = join(values.iter().map(String::as_str));
            let read = Cell::read(&cell, true).unwrap();
            prop_assert_eq!(read, Cell::Values { set: values, gone: vec![] });
        }
    }
}
