//! Senders' addresses that become other ones when mail leaves: `[rewriting]`.
//!
//! In a header only the octets of the address change: names, comments, order
//! and folding stay. RFC 5322 section 3.4.1 (addr-spec); the obsolete form with
//! spaces around the `@` is left alone.

use concord_address::{Domain, SmtpAddress};
use concord_mail_policy::Rewriting;
use std::borrow::Cow;
use std::collections::HashMap;

/// Fields that say who sends (RFC 5322 sections 3.6.2 and 3.6.6, RFC 8098).
const FIELDS: [&str; 9] = [
    "From",
    "Sender",
    "Reply-To",
    "Resent-From",
    "Resent-Sender",
    "Resent-Reply-To",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "Errors-To",
];

/// What becomes of senders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rewriter {
    canonical: HashMap<String, SmtpAddress>,
    masquerade: HashMap<String, Domain>,
}

impl Rewriter {
    /// `None` if nothing is to be changed. The policy has checked its values.
    pub(super) fn of(rewriting: &Rewriting) -> Option<Self> {
        let canonical = rewriting.canonical.iter().filter_map(|(from, to)| {
            let from: SmtpAddress = from.parse().ok()?;
            Some((from.key(), to.parse().ok()?))
        });
        let masquerade = rewriting.masquerade.iter().filter_map(|(from, to)| {
            let from: Domain = from.parse().ok()?;
            Some((from.to_string(), to.parse().ok()?))
        });
        let (canonical, masquerade) = (canonical.collect(), masquerade.collect());
        let rewriter = Self { canonical, masquerade };
        (rewriter != Self::default()).then_some(rewriter)
    }

    /// The address that stands for this one; an address has the first word, its
    /// domain the second.
    pub(super) fn address(&self, address: &SmtpAddress) -> Option<SmtpAddress> {
        if let Some(other) = self.canonical.get(&address.key()) {
            return Some(other.clone());
        }
        let domain = self.masquerade.get(&address.domain().to_string())?;
        let whole = address.to_string();
        let (local, _) = whole.rsplit_once('@')?;
        format!("{local}@{domain}").parse().ok()
    }

    /// A header with its senders replaced.
    pub(super) fn header<'a>(&self, header: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out: Option<Vec<u8>> = None;
        let mut done = 0;
        for field in fields(header) {
            let Some(text) = header.get(field.clone()) else { continue };
            if !says_sender(text) {
                continue;
            }
            for (span, address) in addresses(text) {
                let Some(other) = self.address(&address) else { continue };
                let at = field.start.saturating_add(span.start);
                let out = out.get_or_insert_with(|| Vec::with_capacity(header.len()));
                out.extend_from_slice(header.get(done..at).unwrap_or_default());
                out.extend_from_slice(other.to_string().as_bytes());
                done = field.start.saturating_add(span.end);
            }
        }
        match out {
            Some(mut out) => {
                out.extend_from_slice(header.get(done..).unwrap_or_default());
                Cow::Owned(out)
            }
            None => Cow::Borrowed(header),
        }
    }
}

type Span = std::ops::Range<usize>;

/// The fields of a header, with their continuation lines.
fn fields(header: &[u8]) -> Vec<Span> {
    let (mut found, mut start) = (Vec::new(), 0);
    for end in memchr::memchr_iter(b'\n', header).map(|at| at.saturating_add(1)) {
        let continues = header.get(end).is_some_and(|next| matches!(next, b' ' | b'\t'));
        if !continues {
            found.push(start..end);
            start = end;
        }
    }
    found.push(start..header.len());
    found
}

fn says_sender(field: &[u8]) -> bool {
    let name = field.split(|octet| *octet == b':').next().unwrap_or_default();
    let name = name.trim_ascii_end();
    FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Where a scan of a field's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Plain,
    /// From the opening quote on.
    Quotes(usize),
    /// So deep.
    Comment(usize),
}

/// The addresses of a field, in order.
fn addresses(field: &[u8]) -> Vec<(Span, SmtpAddress)> {
    let mut found = Vec::new();
    let mut inside = Inside::Plain;
    // Where the word before the present octet begins; the local part, if an @ is
    // next.
    let mut word = 0;
    let mut at = memchr::memchr(b':', field).map_or(field.len(), |colon| colon.saturating_add(1));
    word = word.max(at);
    while let Some(octet) = field.get(at).copied() {
        let next = at.saturating_add(1);
        match (inside, octet) {
            (Inside::Quotes(_) | Inside::Comment(_), b'\\') => {
                at = at.saturating_add(2);
                continue;
            }
            (Inside::Quotes(start), b'"') => {
                inside = Inside::Plain;
                word = start;
            }
            (Inside::Quotes(_), _) => {}
            (Inside::Comment(depth), b')') => {
                inside = if depth > 1 { Inside::Comment(depth - 1) } else { Inside::Plain };
                word = next;
            }
            (Inside::Comment(depth), b'(') => inside = Inside::Comment(depth.saturating_add(1)),
            (Inside::Comment(_), _) => {}
            (Inside::Plain, b'"') => inside = Inside::Quotes(at),
            (Inside::Plain, b'(') => inside = Inside::Comment(1),
            (Inside::Plain, b'@') => {
                let end = domain_end(field, next);
                let text = field.get(word..end).and_then(|text| std::str::from_utf8(text).ok());
                if let Some(address) = text.and_then(|text| text.parse().ok()) {
                    found.push((word..end, address));
                }
                word = end;
                at = end.max(next);
                continue;
            }
            (Inside::Plain, octet) if is_atom(octet) => {}
            (Inside::Plain, _) => word = next,
        }
        at = next;
    }
    found
}

/// What may stand in a dot-atom (RFC 5322 section 3.2.3, RFC 6532).
fn is_atom(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet >= 0x80 || b".!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

fn domain_end(field: &[u8], start: usize) -> usize {
    let rest = field.get(start..).unwrap_or_default();
    let length = match rest.first() {
        Some(b'[') => memchr::memchr(b']', rest).map_or(0, |end| end.saturating_add(1)),
        _ => rest
            .iter()
            .position(|octet| {
                !(octet.is_ascii_alphanumeric() || *octet >= 0x80 || b".-_".contains(octet))
            })
            .unwrap_or(rest.len()),
    };
    start.saturating_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_mail_policy::Policy;

    fn rewriter() -> Rewriter {
        let policy = Policy::parse(
            "[rewriting]\nmasquerade = { 'host.example.org' = 'example.org' }\ncanonical = { \
             'root@host.example.org' = 'admin@example.org', 'Ü@x.test' = 'u@x.test' }\n",
        );
        Rewriter::of(&policy.unwrap().rewriting).unwrap()
    }

    #[test]
    fn only_addresses_of_senders_change() {
        for (before, after) in [
            ("From: a@host.example.org\r\n", "From: a@example.org\r\n"),
            ("from : Root <ROOT@Host.Example.Org>\r\n", "from : Root <admin@example.org>\r\n"),
            (
                "From: \"a@host.example.org\" (b@host.example.org)\r\n\t<c@host.example.org>,\r\n \
                 \"d e\"@host.example.org, x@other.test\r\n",
                "From: \"a@host.example.org\" (b@host.example.org)\r\n\t<c@example.org>,\r\n \
                 \"d e\"@example.org, x@other.test\r\n",
            ),
            ("Reply-To: g: a@host.example.org;\r\n", "Reply-To: g: a@example.org;\r\n"),
            (
                "Sender: =?utf-8?q?=40host?= <a@host.example.org>",
                "Sender: =?utf-8?q?=40host?= <a@example.org>",
            ),
            ("To: a@host.example.org\r\n", "To: a@host.example.org\r\n"),
            ("Subject: From: a@host.example.org\r\n", "Subject: From: a@host.example.org\r\n"),
            ("From: a@sub.host.example.org\r\n", "From: a@sub.host.example.org\r\n"),
            ("From: (\\) a@host.example.org\r\n", "From: (\\) a@host.example.org\r\n"),
            ("From: ü@x.test\r\n", "From: u@x.test\r\n"),
            ("From: a@host.example.org.other.test", "From: a@host.example.org.other.test"),
            (
                "From: a@@host.example.org, @host.example.org",
                "From: a@@host.example.org, @host.example.org",
            ),
        ] {
            let header = format!("X: 1\r\n{before}Date: now\r\n\r\n");
            let rewritten = rewriter().header(header.as_bytes()).into_owned();
            let expected = format!("X: 1\r\n{after}Date: now\r\n\r\n");
            assert_eq!(String::from_utf8(rewritten).unwrap(), expected);
        }
    }

    #[test]
    fn what_nobody_wants_to_change_is_not_looked_at() {
        assert_eq!(Rewriter::of(&Rewriting::default()), None);
        let header = b"From: a@other.test\r\n\r\n";
        assert!(matches!(rewriter().header(header), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_it_and_nothing_else_changes(text in "[a@\"()\\\\<>,. :\\r\\n\\[\\]ü]{0,60}") {
            let header = format!("From: {text}\r\nTo: a@host.example.org\r\n\r\n");
            let same = rewriter().header(header.as_bytes()).into_owned();
            proptest::prop_assert_eq!(same, header.as_bytes());
        }
    }
}
