use super::import::{Run, user};
use super::model::Model;
use crate::dump::{DumpCause, read, write};
use crate::*;

/// Q300458: absent entries are deleted by a load, and stay with updates.
#[test]
fn a_load_deletes_who_is_absent_and_updates_do_not() {
    for (head, left) in [("Load", 1), ("Updates", 2)] {
        let (run, mut model) = (Run::new(), Model::default());
        run.run(&Listing::full(vec![user("a", &[]), user("b", &[])]), &mut model);
        let text = format!(
            "{head}\r\nA a\r\n domain: CORP\r\n Post-Office: PO\r\n object: a\r\n\
             \x20title: Clerk\r\nEnd\r\n"
        );
        run.run(&read(&text).unwrap(), &mut model);
        assert_eq!(model.objects.len(), left, "{head}");
        assert_eq!(model.named("a")["title"], ["Clerk"]);
        // Cut off, it deletes nobody.
        let cut = read(text.trim_end().strip_suffix("End").unwrap()).unwrap();
        assert!(!cut.complete);
        assert_eq!(run.plan(&Listing { entries: vec![], ..cut }, &model).deletions, []);
    }
}

#[test]
fn a_listing_reads_back_as_it_was_written() {
    let mut room = user("a\\b\nc", &[("description", "two\r\nlines: and\\more"), ("title", "")]);
    room.kind = EntryKind::Resource;
    room.consent = Consent::Unstated;
    room.exported_by_us = true;
    for kind in [ListingKind::Full, ListingKind::Updates] {
        let entries = vec![room.clone(), user("b", &[("smtp-alias", "x"), ("smtp-alias", "y")])];
        let gone = vec![ForeignKey("d e".into())];
        let listing = Listing { kind, gone, ..Listing::full(entries) };
        assert_eq!(read(&write(&listing)), Ok(listing));
    }
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (text, line, cause) in [
        ("", 1, DumpCause::NoHead),
        ("load\n", 1, DumpCause::NoHead),
        ("Load\nX a\n", 2, DumpCause::Unknown),
        ("Load\nA\n", 2, DumpCause::NoKey),
        ("Load\n a: b\n", 2, DumpCause::Stray),
        ("Load\nA a\nD b\n a: b\n", 4, DumpCause::Stray),
        ("Load\nA a\n a b\n", 3, DumpCause::NoColon),
        ("Load\nA a\n : b\n", 3, DumpCause::NoColon),
        ("Load\nA a\n \r@\r: b\n", 3, DumpCause::NoColon),
        ("Load\nA a\n @kind house\n", 3, DumpCause::BadFact),
        ("Load\nA a\n b: \\x\n", 3, DumpCause::BadEscape),
        ("Load\nEnd\n\nA a\n", 4, DumpCause::BehindEnd),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!((error.line, error.cause), (line, cause), "{text}");
    }
    let long = format!("Load\nA {}\n", "x".repeat(70_000));
    assert_eq!(read(&long).unwrap_err().cause, DumpCause::TooLong);
}
