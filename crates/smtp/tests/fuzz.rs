//! The fuzz entry on input that looks like the protocol.

use proptest::prelude::*;

/// Words that lead deep into the parsers.
const WORDS: &[&str] = &[
    "MAIL FROM:<",
    "RCPT TO:<",
    "a@example.test",
    "jürgen@bücher.test",
    ">",
    "\"",
    "\\",
    "@x:",
    " ",
    "SIZE=",
    "BODY=8BITMIME",
    "SMTPUTF8",
    "RET=FULL",
    "ENVID=",
    "AUTH=<>",
    "NOTIFY=",
    "NEVER",
    "SUCCESS,DELAY",
    "ORCPT=rfc822;",
    "+2B",
    "+",
    "=",
    "BDAT ",
    "LAST",
    "123",
    "EHLO ",
    "AUTH PLAIN ",
    "XFORWARD ",
    "ADDR=",
    "IPV6:",
    "[UNAVAILABLE]",
    "\r\n",
    "\n",
    "\r",
    ".",
    "..",
    "250-",
    "250 ",
    "550 5.1.1 ",
    "2.1.5",
    "remote-mta: dns; ",
    "; no-dsn",
    "\0",
    "\u{ff}",
    "[192.0.2.1]",
    "postmaster",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_input_breaks_a_promise(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..14),
        noise in proptest::collection::vec(any::<u8>(), 0..4), at in 0usize..200,
    ) {
        let mut data = words.concat().into_bytes();
        let at = at.min(data.len());
        data.splice(at..at, noise);
        concord_smtp::fuzz(&data);
    }

    #[test]
    fn envelopes_of_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..8)) {
        for head in ["MAIL FROM:<a@example.test> ", "RCPT TO:<", "MAIL FROM:<", "RCPT TO:<a@b.test> "] {
            concord_smtp::fuzz(format!("{head}{}", words.concat()).as_bytes());
        }
    }
}
