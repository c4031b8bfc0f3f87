use super::*;
use std::io::Write;
use tar::{Builder, EntryType, Header};

fn header(name: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    // Not set_path, which refuses what is tried here.
    let field = &mut header.as_gnu_mut().unwrap().name;
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, data) in entries {
        builder.append(&header(name, *kind, data.len() as u64), *data).unwrap();
    }
    builder.into_inner().unwrap()
}

fn read(octets: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let mut reader = Reader::new(octets);
    let mut found = Vec::new();
    while let Some(entry) = reader.next()? {
        let data = reader.whole("a file", 1 << 20)?;
        let place = usize::try_from(entry.offset).unwrap();
        assert_eq!(octets[place..place + data.len()], data, "the offset is right");
        found.push((entry.path, data));
    }
    Ok(found)
}

#[test]
fn files_come_out_as_they_went_in() {
    let octets = archive(&[
        ("./", EntryType::Directory, b""),
        ("./a", EntryType::Regular, b"1"),
        ("d/", EntryType::Directory, b""),
        ("d/b", EntryType::Regular, &[7; 1024]),
        ("empty", EntryType::Regular, b""),
    ]);
    let found = read(&octets).unwrap();
    let expected = [
        ("a".to_owned(), vec![b'1']),
        ("d/b".to_owned(), vec![7; 1024]),
        ("empty".to_owned(), vec![]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_read_is_passed_over() {
    let octets = archive(&[
        ("a", EntryType::Regular, &[1; 700]),
        ("b", EntryType::Regular, &[2; 512]),
        ("c", EntryType::Regular, b"3"),
    ]);
    let mut reader = Reader::new(octets.as_slice());
    let mut names = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        names.push(entry.path);
        reader.read(&mut [0; 10]).unwrap();
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn long_names_of_stock_tars_are_read() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let mut gnu = Builder::new(Vec::new());
    let mut head = Header::new_gnu();
    head.set_size(1);
    gnu.append_data(&mut head, &long, &b"1"[..]).unwrap();
    assert_eq!(read(&gnu.into_inner().unwrap()).unwrap()[0].0, long);

    let record = format!("{} path={long}\n", long.len() + 6 + 4);
    let pax = archive(&[
        ("x", EntryType::XGlobalHeader, b"20 comment=from git\n"),
        ("x", EntryType::XHeader, record.as_bytes()),
        ("x", EntryType::Regular, b"1"),
        ("y", EntryType::Regular, b"2"),
    ]);
    let found = read(&pax).unwrap();
    assert_eq!((found[0].0.as_str(), found[1].0.as_str()), (long.as_str(), "y"));
}

#[test]
fn links_devices_and_paths_that_lead_out_are_refused() {
    for (name, kind) in [
        ("a", EntryType::Symlink),
        ("a", EntryType::Link),
        ("a", EntryType::GNULongLink),
        ("a", EntryType::Char),
        ("a", EntryType::Block),
        ("a", EntryType::Fifo),
        ("a", EntryType::GNUSparse),
        ("a", EntryType::Continuous),
        ("../a", EntryType::Regular),
        ("/a", EntryType::Regular),
        ("a/../../b", EntryType::Regular),
        ("../", EntryType::Directory),
        ("a/", EntryType::Regular),
        ("./", EntryType::Regular),
    ] {
        let read = read(&archive(&[(name, kind, b"")]));
        assert!(matches!(read, Err(ArchiveError::Unsafe(..))), "{name} {kind:?}: {read:?}");
    }
    // The same by way of the extensions.
    let gnu = archive(&[
        ("x", EntryType::GNULongName, b"../../etc/passwd\0"),
        ("x", EntryType::Regular, b""),
    ]);
    assert!(matches!(read(&gnu), Err(ArchiveError::Unsafe(..))));
    let pax =
        archive(&[("x", EntryType::XHeader, b"13 path=../a\n"), ("x", EntryType::Regular, b"")]);
    assert!(matches!(read(&pax), Err(ArchiveError::Unsafe(..))));
}

#[test]
fn malformed_extensions_are_refused() {
    for record in [
        "",
        "1 a=b\n",
        "999 a=b\n",
        "6 a=b",
        "x a=b\n",
        "4 ab\n",
        "12 size=123\n",
        "14 linkpath=a\n",
    ] {
        let pax = archive(&[
            ("x", EntryType::XHeader, record.as_bytes()),
            ("x", EntryType::Regular, b""),
        ]);
        let expected = record.is_empty();
        assert_eq!(read(&pax).is_ok(), expected, "{record:?}");
    }
    let global = archive(&[("x", EntryType::XGlobalHeader, b"10 path=a\n")]);
    assert!(matches!(read(&global), Err(ArchiveError::Broken(_))));
    let nothing = archive(&[("x", EntryType::GNULongName, b"a\0")]);
    assert!(matches!(read(&nothing), Err(ArchiveError::Broken(_))));
    let mut claim = header("x", EntryType::GNULongName, u64::from(u32::MAX)).as_bytes().to_vec();
    claim.extend([b'a'; 4096]);
    assert!(matches!(read(&claim), Err(ArchiveError::TooLarge(..))));
}

#[test]
fn an_archive_that_was_cut_anywhere_is_truncated() {
    let whole = archive(&[("a", EntryType::Regular, b"1"), ("b", EntryType::Regular, b"2")]);
    assert!(read(&whole).is_ok());
    for length in 0..whole.len() {
        let cut = read(&whole[..length]);
        assert!(matches!(cut, Err(ArchiveError::Truncated)), "{length}: {cut:?}");
    }
}

#[test]
fn nothing_may_follow_the_end_mark() {
    let mut octets = archive(&[("a", EntryType::Regular, b"1")]);
    octets.extend([0; 10_240]);
    assert!(read(&octets).is_ok());
    octets.push(1);
    assert!(matches!(read(&octets), Err(ArchiveError::Broken(_))));
    octets.pop();
    octets.extend(vec![0; 1 << 20]);
    assert!(matches!(read(&octets), Err(ArchiveError::TooLarge(..))));
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn nothing_may_follow_the_compressed_data() {
    let octets = gzip(&archive(&[("a", EntryType::Regular, b"1")]));
    let end = |octets: &[u8]| {
        let mut reader = compressed(octets);
        while reader.next()?.is_some() {}
        nothing_follows(reader)
    };
    end(&octets).unwrap();
    for more in [&b"\0"[..], &octets] {
        let longer = [octets.as_slice(), more].concat();
        assert!(matches!(end(&longer), Err(ArchiveError::Broken(_))));
    }
    for length in 0..octets.len() {
        assert!(end(&octets[..length]).is_err(), "{length}");
    }
}

#[test]
fn the_writer_leaves_no_trace_of_the_machine() {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("x");
    std::fs::write(&file, "content").unwrap();
    let once = || {
        let mut writer = Writer::new(Vec::new(), Path::new("out"));
        writer.octets("a", b"1").unwrap();
        writer.file(&format!("{}/x", "d".repeat(110)), &file, 7, true).unwrap();
        writer.finish().unwrap()
    };
    let octets = once();
    assert_eq!(octets, once());
    assert_eq!(read(&octets).unwrap()[1].1, b"content");
    let header = Header::from_byte_slice(&octets[1024..1536]);
    assert_eq!((header.mode().unwrap(), header.uid().unwrap()), (0o755, 0));
    assert_eq!((header.mtime().unwrap(), header.gid().unwrap()), (0, 0));
}
