//! The manual's examples are policies.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_mail_policy::Policy;
use std::path::Path;

/// What stands in fenced blocks of TOML.
fn examples(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_example_on_mail_from_outside_parses() {
    for page in ["mail-authentication.md", "filters.md"] {
        let examples = examples(page);
        assert!(examples.len() >= 4, "{page}");
        for example in examples {
            if let Err(error) = Policy::parse(&example) {
                panic!("{page}: {error}\n{example}");
            }
        }
    }
}
