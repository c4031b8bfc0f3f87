//! The tree of parts, found in one pass over the message.

use super::header::fields;
use super::params::ContentType;
use std::ops::Range;

/// Multiparts and messages within each other. What is deeper is one opaque
/// part: real mail has ten levels, and clients recurse.
pub(crate) const MAX_NESTING: usize = 100;
/// Parts of one message; a digest of a year's list traffic has fewer.
pub(crate) const MAX_PARTS: usize = 2_000;
/// RFC 2046 section 5.1.1: a boundary has at most 70 characters; mail programs
/// exceed it.
const MAX_BOUNDARY: usize = 256;

/// What a part holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Anything that is not taken apart.
    Leaf,
    /// multipart/*, at least one part.
    Multipart(Vec<Part>),
    /// message/rfc822.
    Message(Box<Part>),
}

/// A message or a part of one; ranges are octets of the whole message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// With the empty line that ends it.
    pub header: Range<usize>,
    /// Without the line end that belongs to the boundary behind it.
    pub body: Range<usize>,
    pub content_type: ContentType,
    pub content: Content,
}

impl Part {
    /// For fuzzing: every range lies in the message and in its parent.
    pub(crate) fn check(&self, len: usize) {
        assert!(self.header.start <= self.header.end && self.header.end <= self.body.start);
        assert!(self.body.start <= self.body.end && self.body.end <= len);
        match &self.content {
            Content::Leaf => {}
            Content::Multipart(children) => {
                assert!(!children.is_empty());
                children.iter().for_each(|child| child.check(self.body.end));
            }
            Content::Message(inner) => inner.check(self.body.end),
        }
    }
}

/// Why a part ended.
#[derive(Clone, Copy)]
enum Stop {
    /// The message is over.
    End,
    /// A boundary line of the `level`th open multipart.
    Boundary {
        level: usize,
        closing: bool,
        /// Where its line begins.
        line: usize,
        /// Where the next line begins.
        after: usize,
    },
}

struct Scanner<'a> {
    data: &'a [u8],
    /// Boundaries of the open multiparts, outermost first.
    open: Vec<Vec<u8>>,
    parts: usize,
}

/// The structure of a message.
pub(crate) fn parse(data: &[u8]) -> Part {
    let mut scanner = Scanner { data, open: Vec::new(), parts: 0 };
    scanner.part(0, 0, &ContentType::new("text", "plain")).0
}

impl Scanner<'_> {
    /// The part at `start`. `depth` is bounded by [`MAX_NESTING`], so the
    /// recursion is.
    fn part(&mut self, start: usize, depth: usize, default: &ContentType) -> (Part, Stop) {
        self.parts += 1;
        let (header_end, early) = self.header(start);
        let header = start..header_end;
        let text = self.data.get(header.clone()).unwrap_or_default();
        let mut content_type = fields(text)
            .find(|field| field.name.eq_ignore_ascii_case(b"content-type"))
            .and_then(|field| ContentType::parse(field.value))
            .unwrap_or_else(|| default.clone());
        let body = header_end;
        let compound = content_type.is("multipart", "*") || content_type.is("message", "rfc822");
        if compound && (depth >= MAX_NESTING || self.parts >= MAX_PARTS) {
            content_type = ContentType::new("application", "octet-stream");
        }
        let (content, stop) = if let Some(stop) = early {
            (self.leaf(&mut content_type, body), stop)
        } else if content_type.is("message", "rfc822") {
            let (inner, stop) = self.part(body, depth + 1, &ContentType::new("text", "plain"));
            (Content::Message(Box::new(inner)), stop)
        } else if content_type.is("multipart", "*") {
            self.multipart(&mut content_type, body, depth)
        } else {
            (Content::Leaf, self.next_boundary(body, self.open.len()))
        };
        let end = match stop {
            Stop::End => self.data.len(),
            Stop::Boundary { line, .. } => self.before_line(line),
        };
        // an empty part at its parent's end begins behind the line end that the
        // boundary owns
        let inner = match &content {
            Content::Leaf => body,
            Content::Multipart(children) => children.last().map_or(body, |c| c.body.end),
            Content::Message(inner) => inner.body.end,
        };
        let body = body..end.max(body).max(inner);
        (Part { header, body, content_type, content }, stop)
    }

    /// What a part is whose body ended before it began.
    fn leaf(&self, content_type: &mut ContentType, at: usize) -> Content {
        if content_type.is("multipart", "*") {
            return Content::Multipart(vec![empty_part(at)]);
        }
        if content_type.is("message", "rfc822") {
            return Content::Message(Box::new(empty_part(at)));
        }
        Content::Leaf
    }

    fn multipart(
        &mut self,
        content_type: &mut ContentType,
        body: usize,
        depth: usize,
    ) -> (Content, Stop) {
        let boundary = content_type.param("boundary").map(<[u8]>::trim_ascii_end);
        let Some(boundary) = boundary.filter(|b| !b.is_empty() && b.len() <= MAX_BOUNDARY) else {
            // without a boundary it cannot be taken apart (RFC 2046 section 5.1.1)
            *content_type = ContentType::new("text", "plain");
            return (Content::Leaf, self.next_boundary(body, self.open.len()));
        };
        let mine = self.open.len();
        self.open.push(boundary.to_vec());
        // RFC 2046 section 5.1.5
        let default = if content_type.is("multipart", "digest") {
            ContentType::new("message", "rfc822")
        } else {
            ContentType::new("text", "plain")
        };
        let mut children = Vec::new();
        let mut stop = self.next_boundary(body, self.open.len());
        loop {
            match stop {
                Stop::Boundary { level, closing: false, after, .. } if level == mine => {
                    if self.parts >= MAX_PARTS {
                        stop = self.next_boundary(after, self.open.len());
                        continue;
                    }
                    let (child, next) = self.part(after, depth + 1, &default);
                    children.push(child);
                    stop = next;
                }
                Stop::Boundary { level, closing: true, after, .. } if level == mine => {
                    self.open.truncate(mine);
                    // the epilogue
                    stop = self.next_boundary(after, mine);
                    break;
                }
                _ => break,
            }
        }
        self.open.truncate(mine);
        if children.is_empty() {
            // BODYSTRUCTURE has no form for a multipart without parts
            children.push(empty_part(body));
        }
        (Content::Multipart(children), stop)
    }

    /// Where the header that begins at `start` ends, and the boundary that cut
    /// it short, if one did.
    fn header(&self, start: usize) -> (usize, Option<Stop>) {
        let mut at = start;
        while let Some(rest) = self.data.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with(b"\r\n") {
                return (at + 2, None);
            }
            if rest.starts_with(b"\n") {
                return (at + 1, None);
            }
            if rest.starts_with(b"--")
                && let Some(stop) = self.boundary_at(at, self.open.len())
            {
                return (at, Some(stop));
            }
            at += memchr::memchr(b'\n', rest).map_or(rest.len(), |line| line + 1);
        }
        (self.data.len(), None)
    }

    /// The next line from `at` on that is one of the outermost `levels`
    /// boundaries. `at` is the beginning of a line.
    fn next_boundary(&self, at: usize, levels: usize) -> Stop {
        if levels == 0 {
            return Stop::End;
        }
        if let Some(stop) = self.boundary_at(at, levels) {
            return stop;
        }
        let rest = self.data.get(at..).unwrap_or_default();
        for found in memchr::memmem::find_iter(rest, b"\n--") {
            if let Some(stop) = self.boundary_at(at + found + 1, levels) {
                return stop;
            }
        }
        Stop::End
    }

    /// The boundary whose line begins at `line`. The innermost wins; a longer
    /// boundary that begins with a shorter one is told apart by what follows.
    fn boundary_at(&self, line: usize, levels: usize) -> Option<Stop> {
        let text = self.data.get(line..)?.strip_prefix(b"--")?;
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let after = (line + 2 + end + 1).min(self.data.len());
        let text = text.get(..end)?.trim_ascii_end();
        let open = self.open.iter().take(levels).enumerate().rev();
        for (level, boundary) in open {
            let closing = match text.strip_prefix(boundary.as_slice()) {
                Some(b"") => false,
                Some(b"--") => true,
                _ => continue,
            };
            return Some(Stop::Boundary { level, closing, line, after });
        }
        None
    }

    /// The octet at which the line end before `line` begins.
    fn before_line(&self, line: usize) -> usize {
        let before = self.data.get(..line).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        before.strip_suffix(b"\r").unwrap_or(before).len()
    }
}

fn empty_part(at: usize) -> Part {
    Part {
        header: at..at,
        body: at..at,
        content_type: ContentType::new("text", "plain"),
        content: Content::Leaf,
    }
}
