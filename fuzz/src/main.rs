//! One libFuzzer executable for everything that Concord parses itself.
//!
//! `FUZZ_TARGET` names the parser. `cargo xtask fuzz` builds this with the
//! coverage instrumentation that libFuzzer steers by (stable compiler flags)
//! and runs every target for a time. A panic, an overflow or a hang is a
//! failure; libFuzzer writes the input that caused it to `fuzz/artifacts`.

#![no_main]

use concord_address::{SmtpAddress, TypedAddress};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::path::Path;
use std::sync::OnceLock;

type Parser = fn(&[u8]);

/// What can be fuzzed. `cargo xtask fuzz` has the same names.
const TARGETS: &[(&str, Parser)] = &[
    ("address", address),
    ("bundle", concord_bundle::fuzz),
    ("imap", concord_imap::fuzz),
    ("message", concord_message::fuzz),
    ("message-log", concord_message_log::fuzz),
    ("pop3", concord_pop3::fuzz),
    ("sasl", concord_sasl::fuzz),
    ("settings", settings),
    ("smtp", concord_smtp::fuzz),
];

fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<SmtpAddress>() {
        let again = address.to_string().parse::<SmtpAddress>();
        assert_eq!(again.as_ref(), Ok(&address), "an address reads back as it was written");
    }
    if let Ok(address) = text.parse::<TypedAddress>() {
        let again = address.to_string().parse::<TypedAddress>();
        assert_eq!(again.as_ref(), Ok(&address), "a typed address reads back as it was written");
    }
}

fn settings(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = concord_settings::parse(text, Path::new("concord.toml"));
    }
}

fn chosen() -> Parser {
    static CHOSEN: OnceLock<Parser> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(target, _)| *target == name);
        found.map(|(_, parser)| *parser).unwrap_or_else(|| {
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            panic!("FUZZ_TARGET is '{name}'; set it to one of {}", names.join(", "))
        })
    })
}

fuzz_target!(|data: &[u8]| -> Corpus {
    chosen()(data);
    Corpus::Keep
});
