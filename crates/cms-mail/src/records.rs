//! Records: what hosts have instead of lines.

/// Octet strings one behind another, in one piece of memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// No records.
    pub const fn new() -> Self {
        Self { octets: Vec::new(), ends: Vec::new() }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &[u8]) {
        self.octets.extend_from_slice(record);
        self.ends.push(self.octets.len());
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Octets of all of them.
    pub const fn octets(&self) -> usize {
        self.octets.len()
    }

    /// The record of a number from 0.
    pub fn get(&self, number: usize) -> Option<&[u8]> {
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.octets.get(start..*self.ends.get(number)?)
    }

    /// Every record.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        (0..self.len()).map(|number| self.get(number).unwrap_or_default())
    }

    /// The longest record's octets; 0 if there are none.
    pub fn longest(&self) -> usize {
        self.iter().map(<[u8]>::len).max().unwrap_or_default()
    }

    /// All octets without any bounds of records, as a PC's file has them.
    pub fn joined(&self) -> &[u8] {
        &self.octets
    }
}

impl<R: AsRef<[u8]>> FromIterator<R> for Records {
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Self {
        let mut all = Self::new();
        for record in records {
            all.push(record.as_ref());
        }
        all
    }
}

impl<R: AsRef<[u8]>> Extend<R> for Records {
    fn extend<I: IntoIterator<Item = R>>(&mut self, records: I) {
        for record in records {
            self.push(record.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_their_bounds_even_when_they_are_empty() {
        let records: Records = ["ab", "", "c"].into_iter().collect();
        assert_eq!(records.iter().collect::<Vec<_>>(), [b"ab".as_slice(), b"", b"c"]);
        assert_eq!((records.len(), records.octets(), records.longest()), (3, 3, 2));
        assert_eq!(records.get(3), None);
        assert_eq!(records.joined(), b"abc");
    }
}
