//! Differences that are known, each with who is right and why. The manual has
//! the same list in `mail-authentication.md`. What the peers do is as in
//! Debian's OpenDKIM 2.11, OpenDMARC 1.4.2 with libspf2 1.2.10, dkimpy 1.1.4
//! and authheaders 0.15.2.

/// A difference.
pub(super) struct Known {
    pub(super) peer: &'static str,
    /// What we say.
    pub(super) ours: &'static str,
    /// What the peer says.
    pub(super) theirs: &'static str,
    /// Names of messages; a star at the end stands for the rest.
    pub(super) names: &'static [&'static str],
    /// Who is right, by which section.
    #[allow(dead_code, reason = "for whoever reads it")]
    pub(super) reason: &'static str,
}

impl Known {
    pub(super) fn matches(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        })
    }
}

/// A part of the body is not covered by the signature.
const UNSIGNED_TAIL: &[&str] = &[
    "relaxed/relaxed, l= and text added",
    "relaxed/relaxed, l= of a part",
    "relaxed/simple, l= and text added",
    "relaxed/simple, l= of a part",
    "simple/relaxed, l= and text added",
    "simple/relaxed, l= of a part",
    "simple/simple, l= and text added",
    "simple/simple, l= of a part",
];
const UNSIGNED_TAIL_REASON: &str = "RFC 6376 section 8.2 leaves it to the verifier whether text \
    behind l= is believed; we do not";

/// Nothing of the body is covered.
const UNSIGNED_BODY: &[&str] =
    &["relaxed/relaxed, l=0", "relaxed/simple, l=0", "simple/relaxed, l=0", "simple/simple, l=0"];
const UNSIGNED_BODY_REASON: &str = "RFC 6376 section 8.2 as above; our library takes l=0 for no \
    l= at all, so our word is fail and not policy";

const SHA1_REASON: &str = "RFC 8301 section 3.1: rsa-sha1 must not be taken for valid; OpenDKIM \
    2.11 and dkimpy 1.1 still take it";

const ONE_AUTHOR_REASON: &str = "RFC 7489 section 6.6.1: such messages are usually refused; we \
    refuse them for want of one author, and look for no policy";

pub(super) const KNOWN: &[Known] = &[
    // OpenDKIM
    Known {
        peer: "opendkim",
        ours: "policy",
        theirs: "pass",
        names: UNSIGNED_TAIL,
        reason: UNSIGNED_TAIL_REASON,
    },
    Known {
        peer: "opendkim",
        ours: "fail",
        theirs: "pass",
        names: UNSIGNED_BODY,
        reason: UNSIGNED_BODY_REASON,
    },
    Known {
        peer: "opendkim",
        ours: "fail",
        theirs: "pass",
        names: &["rsa-sha1"],
        reason: SHA1_REASON,
    },
    Known {
        peer: "opendkim",
        ours: "pass",
        theirs: "ended a",
        names: &[
            "rsa-sha256 relaxed/relaxed, body: no last line end",
            "rsa-sha256 simple/relaxed, body: no last line end",
            "ed25519-sha256 relaxed/relaxed, body: no last line end",
            "signed by Concord, body: no last line end",
        ],
        reason: "RFC 6376 section 3.4.4: a missing CRLF at the end is added under relaxed \
            canonicalisation; libopendkim calls it a syntax error (`CRLF at end of body missing`)",
    },
    Known {
        peer: "opendkim",
        ours: "fail",
        theirs: "ended a",
        names: &[
            "signature with no version",
            "signature with no d",
            "signature with no s",
            "signature with no h",
        ],
        reason: "RFC 6376 section 6.1.1: a signature without a required tag fails by itself; \
            OpenDKIM gives no result for the message (`missing parameter(s) in signature data`)",
    },
    Known {
        peer: "opendkim",
        ours: "temperror",
        theirs: "ended a",
        names: &["key fails signed by rsa"],
        reason: "RFC 6376 section 6.1.2: a key that cannot be asked for is a temporary failure; \
            libopendkim takes libunbound's empty answer for a syntax error",
    },
    Known {
        peer: "opendkim",
        ours: "none",
        theirs: "fail",
        names: &["no From"],
        reason: "RFC 8601 section 2.7.1: there is no signature, so the word is none; OpenDKIM \
            judges the missing author instead",
    },
    // dkimpy
    Known {
        peer: "dkimpy",
        ours: "policy",
        theirs: "pass",
        names: UNSIGNED_TAIL,
        reason: UNSIGNED_TAIL_REASON,
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: UNSIGNED_BODY,
        reason: UNSIGNED_BODY_REASON,
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &[
            "relaxed/relaxed, l= beyond the end",
            "relaxed/simple, l= beyond the end",
            "simple/relaxed, l= beyond the end",
            "simple/simple, l= beyond the end",
        ],
        reason: "RFC 6376 section 3.5: l= must not be larger than the body; dkimpy cuts it off \
            silently, OpenDKIM agrees with us",
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &["rsa-sha1"],
        reason: SHA1_REASON,
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &["signature with From not signed"],
        reason: "RFC 6376 section 6.1.1: without From in h= it fails; dkimpy asks for it only \
            when it signs",
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &["signature with expired", "signature with expires before it was made"],
        reason: "RFC 6376 section 3.5: x= that is over may be held invalid, and must be greater \
            than t=; dkimpy allows clocks ten hours, and compares with t= only behind its own \
            exception",
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &["key exact, identity of a subdomain"],
        reason: "RFC 6376 section 3.6.1: t=s wants the domain of i= to be that of d=; dkimpy does \
            not look at t=s",
    },
    Known {
        peer: "dkimpy",
        ours: "fail",
        theirs: "pass",
        names: &["key sha1 signed by rsa"],
        reason: "RFC 6376 section 6.1.2: a key whose h= lacks the signature's hash is of no use; \
            dkimpy does not look at h= of keys",
    },
    Known {
        peer: "dkimpy",
        ours: "temperror",
        theirs: "fail",
        names: &["key fails signed by rsa"],
        reason: "RFC 6376 section 6.1.2: a key that cannot be asked for is a temporary failure; \
            dkimpy takes a failing name server for a missing key",
    },
    Known {
        peer: "dkimpy",
        ours: "pass",
        theirs: "fail",
        names: &["a second From added"],
        reason: "RFC 6376 section 5.4.2: a field that h= does not name once more is not signed, so \
            the signature holds; dkimpy counts every From as signed (section 8.15 allows it). We \
            refuse the message for its two authors",
    },
    // OpenDMARC's SPF
    Known {
        peer: "opendmarc_spf",
        ours: "fail",
        theirs: "pass",
        names: &["SPF twice-redirect"],
        reason: "RFC 7208 section 6: a second redirect is a permanent error; libspf2 takes one of \
            them",
    },
    Known {
        peer: "opendmarc_spf",
        ours: "fail",
        theirs: "pass",
        names: &["SPF void3"],
        reason: "RFC 7208 section 4.6.4: two look-ups without an answer are the most; libspf2 does \
            not count them, pyspf agrees with us",
    },
    Known {
        peer: "opendmarc_spf",
        ours: "pass",
        theirs: "fail",
        names: &["SPF macro-local"],
        reason: "RFC 7208 section 7.2: %{l} is the sender's local part; OpenDMARC gives libspf2 \
            only the domain, so it becomes postmaster",
    },
    Known {
        peer: "opendmarc_spf",
        ours: "tempfail",
        theirs: "fail",
        names: &["SPF servfail"],
        reason: "RFC 7208 section 4.4: a server's failure is a temporary error; libspf2 says \
            otherwise of the record itself",
    },
    Known {
        peer: "opendmarc_spf",
        ours: "pass",
        theirs: "ended a",
        names: &["two authors in one From", "no From"],
        reason: "SPF needs no author; OpenDMARC lets the message go before it asks",
    },
    // OpenDMARC
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "pass",
        names: &["From two.example, *"],
        reason: TWO_RECORDS_REASON,
    },
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "fail",
        names: &["From two.example, *"],
        reason: TWO_RECORDS_REASON,
    },
    Known {
        peer: "opendmarc",
        ours: "fail",
        theirs: "pass",
        names: &["From rej.example, DKIM of a domain of one letter"],
        reason: "RFC 7489 section 3.1.1: o.example and rej.example are different organisational \
            domains; opendmarc_get_tld takes example for the former, and everything below it is \
            aligned then",
    },
    Known {
        peer: "opendmarc",
        ours: "fail",
        theirs: "none",
        names: &["From odd.example, odd record"],
        reason: ODD_RECORD_REASON,
    },
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "fail",
        names: &["From late.example, odd record"],
        reason: "RFC 7489 section 6.6.3: a record that does not begin with v= is none; OpenDMARC \
            skips the space before it",
    },
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "permerror",
        names: &["From nop.example, odd record", "From broken.example, odd record"],
        reason: "RFC 7489 section 6.6.3: a record of another version, or without p= and rua=, \
            means no DMARC; OpenDMARC's word is that of section 11.2",
    },
    Known {
        peer: "opendmarc",
        ours: "temperror",
        theirs: "none",
        names: &["From down.example, odd record"],
        reason: DOWN_REASON,
    },
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "ended a",
        names: &["two authors in one From", "no From"],
        reason: ONE_AUTHOR_REASON,
    },
    Known {
        peer: "opendmarc",
        ours: "none",
        theirs: "pass",
        names: &["two From fields, both signed"],
        reason: ONE_AUTHOR_REASON,
    },
    // authheaders
    Known {
        peer: "authheaders",
        ours: "fail",
        theirs: "none",
        names: &["From odd.example, odd record"],
        reason: ODD_RECORD_REASON,
    },
    Known {
        peer: "authheaders",
        ours: "temperror",
        theirs: "none",
        names: &["From down.example, odd record"],
        reason: DOWN_REASON,
    },
    Known {
        peer: "authheaders",
        ours: "none",
        theirs: "pass",
        names: &["a second From added", "two From fields, both signed"],
        reason: ONE_AUTHOR_REASON,
    },
    Known {
        peer: "authheaders",
        ours: "none",
        theirs: "raises UnboundLocalError",
        names: &["no From"],
        reason: ONE_AUTHOR_REASON,
    },
    Known {
        peer: "authheaders",
        ours: "none",
        theirs: "raises IndexError",
        names: &["two authors in one From"],
        reason: ONE_AUTHOR_REASON,
    },
    Known {
        peer: "authheaders",
        ours: "pass",
        theirs: "raises IndexError",
        names: &["two From fields of one domain", "two authors of one domain"],
        reason: "RFC 7489 section 6.6.1: one domain, so one policy; authheaders cannot read two \
            addresses (`get_domain_part` of an empty text)",
    },
];

const TWO_RECORDS_REASON: &str = "RFC 7489 section 6.6.3: several records are none; OpenDMARC \
    takes the first that comes";
const ODD_RECORD_REASON: &str = "RFC 7489 section 6.4: white space may stand around the equals \
    sign of v; the peer wants v=DMARC1 as it stands";
const DOWN_REASON: &str = "RFC 7489 sections 6.6.3 and 11.2: a name server's failure is a \
    temporary error; the peer takes it for no record";
