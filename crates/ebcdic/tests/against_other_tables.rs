//! Every octet of every page as the machine's `iconv` and ICU's `uconv` have it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_ebcdic::{CodePage, Substitution};
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

/// Where glibc's tables are not IBM's: ICU, which has IBM's, says otherwise, and
/// glibc's own pages with the euro agree with ICU.
const GLIBC_DIFFERS: &[(u16, u8, char)] = &[
    (278, 0x71, 'É'),
    (278, 0xE0, '\\'),
    (285, 0xA1, '\u{203E}'),
    (871, 0x4A, 'þ'),
    (871, 0xC0, 'Þ'),
];

/// All 256 octets as another program reads them; none if it or the page is
/// not there.
fn read_by(program: &str, page: &str) -> Option<Vec<char>> {
    let started = Command::new(program)
        .args(["-f", page, "-t", "UTF-8"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        Err(e) => panic!("cannot start {program}: {e}"),
    };
    let all: Vec<u8> = (0..=255).collect();
    // It may end before it has read, where it does not know the page.
    let _ = child.stdin.take().unwrap().write_all(&all);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.chars().collect()).filter(|c: &Vec<char>| c.len() == 256)
}

#[test]
fn every_octet_is_the_character_that_iconv_reads() {
    let mut compared = 0;
    for page in CodePage::ALL {
        let Some(theirs) = read_by("iconv", &format!("IBM{page}")) else {
            eprintln!("skipped: iconv of this machine does not have IBM{page}");
            continue;
        };
        compared += 1;
        for octet in 0..=255_u8 {
            let odd = GLIBC_DIFFERS.iter().find(|(n, o, _)| (*n, *o) == (page.number(), octet));
            let (ours, theirs) = (page.character(octet), theirs[usize::from(octet)]);
            match odd {
                // musl and others may have IBM's.
                Some((_, _, glibc)) => assert!(theirs == *glibc || theirs == ours),
                None => assert_eq!(ours, theirs, "X'{octet:02X}' in {page}"),
            }
        }
    }
    eprintln!("{compared} of {} pages compared with iconv", CodePage::ALL.len());
}

#[test]
fn every_octet_is_the_character_that_icu_reads() {
    for page in CodePage::ALL {
        let Some(theirs) = read_by("uconv", &format!("ibm-{}", page.number())) else {
            eprintln!("skipped: no uconv on this machine, or it does not have {page}");
            continue;
        };
        let ours: Vec<char> = (0..=255).map(|octet| page.character(octet)).collect();
        assert_eq!(ours, theirs, "{page}");
    }
}

#[test]
fn every_octet_comes_back_and_every_character_has_one_octet() {
    let all: Vec<u8> = (0..=255).collect();
    for page in CodePage::ALL {
        let text = page.decode(&all);
        let said = page.encode(&text, Substitution::Refuse).unwrap();
        assert_eq!(said.octets, all, "{page}");
        assert!(said.unsaid.is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_written_and_what_is_written_is_read(text in ".{0,200}") {
        for page in CodePage::ALL {
            let said = page.encode(&text, Substitution::Transliterate).unwrap();
            let read = page.decode(&said.octets);
            let again = page.encode(&read, Substitution::Refuse).unwrap();
            proptest::prop_assert_eq!(&again.octets, &said.octets);
            if said.unsaid.is_empty() {
                proptest::prop_assert_eq!(&read, &text);
            }
        }
    }
}
