//! Reads fields one behind the other and knows where it is.

use crate::error::{WireCause, WireError};

#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    /// What is being read, for errors.
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8], what: &'static str) -> Self {
        Self { octets, at: 0, what }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.saturating_add(count);
        let Some(taken) = self.octets.get(self.at..end) else {
            return Err(WireCause::EndsEarly(self.what).at(self.octets.len()));
        };
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.take(N)?) {
            *to = *from;
        }
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }
}
