//! Pieces that are written in one system call without being copied together.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

#[derive(Debug, Default)]
pub(super) struct Gather {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Gather {
    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len = self.len.saturating_add(piece.len());
            self.pieces.push_back(piece);
        }
    }

    pub(super) fn push_front(&mut self, piece: Bytes) {
        self.len = self.len.saturating_add(piece.len());
        self.pieces.push_front(piece);
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl Buf for Gather {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map(Bytes::as_ref).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let mut used = 0;
        for (slot, piece) in dst.iter_mut().zip(&self.pieces) {
            *slot = IoSlice::new(piece);
            used += 1;
        }
        used
    }

    fn advance(&mut self, mut count: usize) {
        self.len = self.len.saturating_sub(count);
        while let Some(front) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count = count.saturating_sub(front.len());
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_out_in_order() {
        let mut gather = Gather::default();
        gather.push(Bytes::from_static(b"bc"));
        gather.push(Bytes::new());
        gather.push(Bytes::from_static(b"def"));
        gather.push_front(Bytes::from_static(b"a"));
        assert_eq!((gather.len(), gather.remaining()), (6, 6));
        gather.advance(2);
        assert_eq!((gather.chunk(), gather.len()), (&b"c"[..], 4));
        assert_eq!(gather.copy_to_bytes(4), &b"cdef"[..]);
        assert!(!gather.has_remaining());
    }
}
