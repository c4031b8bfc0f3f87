//! One libFuzzer executable for everything that Concord parses itself.
//!
//! `FUZZ_TARGET` names the parser. `cargo xtask fuzz` builds this with the
//! coverage instrumentation that libFuzzer steers by (stable compiler flags)
//! and runs every target for a time. A panic, an overflow or a hang is a
//! failure; libFuzzer writes the input that caused it to `fuzz/artifacts`.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use std::sync::OnceLock;

type Parser = fn(&[u8]);

/// What can be fuzzed. `cargo xtask fuzz` has the same names.
const TARGETS: &[(&str, Parser)] = &[
    #[cfg(feature = "address")]
    ("address", address),
    #[cfg(feature = "bundle")]
    ("bundle", concord_bundle::fuzz),
    #[cfg(feature = "client-setup")]
    ("client-setup", concord_client_setup::fuzz),
    #[cfg(feature = "cms-mail")]
    ("cms-names", concord_cms_mail::fuzz_names),
    #[cfg(feature = "cms-mail")]
    ("cms-netdata", concord_cms_mail::fuzz_netdata),
    #[cfg(feature = "cms-mail")]
    ("cms-notes", concord_cms_mail::fuzz_notes),
    #[cfg(feature = "dirsync")]
    ("dirsync", concord_dirsync::fuzz),
    #[cfg(feature = "ebcdic")]
    ("ebcdic", concord_ebcdic::fuzz),
    #[cfg(feature = "groupwise")]
    ("groupwise", concord_groupwise::fuzz),
    #[cfg(feature = "groupwise-api")]
    ("groupwise-api", concord_groupwise_api::fuzz),
    #[cfg(feature = "imap")]
    ("imap", concord_imap::fuzz),
    #[cfg(feature = "mapping")]
    ("mapping", concord_mapping::fuzz),
    #[cfg(feature = "ldap")]
    ("ldap", concord_ldap::fuzz),
    #[cfg(feature = "message")]
    ("message", concord_message::fuzz),
    #[cfg(feature = "message-log")]
    ("message-log", concord_message_log::fuzz),
    #[cfg(feature = "milter")]
    ("milter", concord_milter::fuzz),
    #[cfg(feature = "nje")]
    ("nje", concord_nje::fuzz),
    #[cfg(feature = "nje")]
    ("nje-blocks", concord_nje::fuzz_blocks),
    #[cfg(feature = "pop3")]
    ("pop3", concord_pop3::fuzz),
    #[cfg(feature = "proxy-protocol")]
    ("proxy-protocol", concord_proxy_protocol::fuzz),
    #[cfg(feature = "reputation")]
    ("reputation", concord_reputation::fuzz),
    #[cfg(feature = "rules")]
    ("rules", concord_rules::fuzz),
    #[cfg(feature = "sasl")]
    ("sasl", concord_sasl::fuzz),
    #[cfg(feature = "settings")]
    ("settings", settings),
    #[cfg(feature = "smtp")]
    ("smtp", concord_smtp::fuzz),
    #[cfg(feature = "transport-security")]
    ("transport-security", concord_transport_security::fuzz),
];

#[cfg(feature = "address")]
fn address(data: &[u8]) {
    use concord_address::{SmtpAddress, TypedAddress};
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

#[cfg(feature = "settings")]
fn settings(data: &[u8]) {
    use std::path::Path;
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
