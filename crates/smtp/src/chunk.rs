//! RFC 3030: BDAT.

/// One `BDAT size [LAST]` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Octets that follow the command line; at most
    /// [`crate::limits::MAX_BDAT`].
    pub size: u64,
    /// Whether the message ends with it.
    pub last: bool,
}

/// Counts the octets of one chunk as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkCount {
    left: u64,
    last: bool,
}

impl ChunkCount {
    /// Begins a chunk.
    pub const fn new(chunk: Chunk) -> Self {
        Self { left: chunk.size, last: chunk.last }
    }

    /// How many of `available` octets belong to the chunk; they are counted.
    pub fn take(&mut self, available: usize) -> usize {
        let now = usize::try_from(self.left).unwrap_or(usize::MAX).min(available);
        self.left = self.left.saturating_sub(u64::try_from(now).unwrap_or(u64::MAX));
        now
    }

    /// Octets that have not come yet.
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Whether the message ends with this chunk.
    pub const fn is_last(&self) -> bool {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_takes_its_octets_and_no_more() {
        let mut count = ChunkCount::new(Chunk { size: 10, last: true });
        assert_eq!([count.take(4), count.take(0), count.take(100), count.take(1)], [4, 0, 6, 0]);
        assert_eq!((count.left(), count.is_last()), (0, true));
    }
}
