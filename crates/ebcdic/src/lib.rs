//! EBCDIC code pages of IBM hosts, both ways.
//!
//! - [`CodePage`]: 037, 273, 277, 278, 280, 284, 285, 297, 500, 871, 1047, and
//!   1140 to 1149, which are the first ten with the euro.
//! - [`Substitution`]: what stands for a character that a page does not have.
//! - [`Encoded`] and [`Unsaid`]: the octets, and what could not be said.
//!
//! What is not here: 924, pages of other alphabets, double-octet pages, and line
//! ends, since hosts keep text in records.
//!
//! Invariants: no I/O, no clock, no panic on any input. Every octet of every
//! page is a character, and back the same octet.
//!
//! Sources: the tables are ICU's (`ibm-37_P100-1995` and its like), which are
//! IBM's own; see `tables.py`. That 1148 is 500 with the euro: Q196615.

mod error;
mod page;
mod substitution;
mod tables;

pub use error::EbcdicError;
pub use page::CodePage;
pub use substitution::{Encoded, MAX_LISTED, Substitution, Unsaid, UnsaidCharacter};

/// The example in the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Reads `data` in every page, and writes it as text; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for page in CodePage::ALL {
        let read = page.decode(data);
        let again = page.encode(&read, Substitution::Refuse);
        assert_eq!(again.map(|said| said.octets).as_deref(), Ok(data), "octets come back");
        for policy in [Substitution::Question, Substitution::Transliterate] {
            if let Ok(said) = page.encode(&text, policy) {
                // No character has a longer spelling than U+FDFA in NFKD, 18.
                assert!(said.octets.len() <= text.chars().count() * 18, "bounded");
                assert!(said.unsaid.characters.len() <= MAX_LISTED);
            }
        }
    }
}
