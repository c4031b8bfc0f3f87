//! Whatever is changed in a bundle or package: it is refused, or what comes
//! out is what was signed. Never a panic.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

use concord_base::Timestamp;
use concord_bundle::{MakeOptions, ReleaseFacts, Schemas, Trust};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BUILT: Timestamp = Timestamp::from_seconds(1_800_000_000);
const FLIPS: usize = 2_000;
const CUTS: usize = 2_000;

/// The same numbers in every run (Numerical Recipes' generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Path, mode and content of every file.
fn tree(top: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let mode = path.symlink_metadata().unwrap().permissions().mode();
                let name = path.strip_prefix(top).unwrap().to_owned();
                found.insert(name, (mode, std::fs::read(path).unwrap()));
            }
        }
    }
    found
}

/// Tries every change on a copy of `whole`. `unpack` gives whether the file was
/// accepted, having unpacked it into the directory then.
fn survive(work: &Path, whole: &[u8], unpack: impl Fn(&Path, &Path) -> bool) {
    let (place, to) = (work.join("copy"), work.join("to"));
    std::fs::write(&place, whole).unwrap();
    assert!(unpack(&place, &to), "unchanged, it is accepted");
    let signed = tree(&to);
    std::fs::remove_dir_all(&to).unwrap();
    let mut numbers = Numbers(7);
    let mut accepted = 0;
    for round in 0..FLIPS {
        let mut octets = whole.to_vec();
        let at = numbers.below(octets.len());
        octets[at] ^= u8::try_from(1 + numbers.below(255)).unwrap();
        std::fs::write(&place, octets).unwrap();
        if unpack(&place, &to) {
            accepted += 1;
            assert!(tree(&to) == signed, "round {round}, octet {at}: other files came out");
            std::fs::remove_dir_all(&to).unwrap();
        }
        assert!(!to.exists(), "what was refused leaves nothing");
    }
    println!("{accepted} of {FLIPS} changes did not matter");
    for _ in 0..CUTS {
        let length = numbers.below(whole.len());
        std::fs::write(&place, &whole[..length]).unwrap();
        assert!(!unpack(&place, &to), "cut to {length} of {}", whole.len());
        assert!(!to.exists());
    }
}

fn files(top: &TempDir) -> PathBuf {
    let files = top.path().join("files");
    std::fs::create_dir_all(files.join("share")).unwrap();
    std::fs::write(files.join("connector.toml"), "[connector]\nname = \"x\"\n").unwrap();
    std::fs::write(files.join("run"), "#!/bin/sh\nexec true\n").unwrap();
    std::fs::write(files.join("share/empty"), "").unwrap();
    std::fs::write(files.join("share/text"), "some text ".repeat(100)).unwrap();
    files
}

#[test]
fn a_changed_bundle_is_refused_or_comes_out_as_it_was_signed() {
    let top = tempfile::tempdir().unwrap();
    let keys = top.path().join("keys");
    concord_bundle::make_keys(&keys, BUILT).unwrap();
    let bundle = concord_bundle::make(&MakeOptions {
        files: files(&top),
        facts: ReleaseFacts {
            version: "1.0.0".to_owned(),
            platform: concord_bundle::platform(),
            schemas: Schemas { index: 1, registry: 1, contract: 1 },
            components: vec!["core".to_owned()],
        },
        built: BUILT,
        keys: keys.clone(),
        expires_days: 1,
        metadata_version: None,
        out: top.path().join("out"),
    });
    let whole = std::fs::read(bundle.unwrap()).unwrap();
    let root = concord_bundle::trust_root_of(&keys).unwrap();
    let trust = Trust { root, seen: top.path().join("seen") };
    survive(top.path(), &whole, |bundle, to| {
        match concord_bundle::verify(bundle, &trust, BUILT, top.path()) {
            Ok(verified) => verified.unpack(to).is_ok(),
            Err(_) => false,
        }
    });
}

#[test]
fn a_changed_package_is_refused_or_comes_out_as_it_was_signed() {
    let top = tempfile::tempdir().unwrap();
    let (secret, public) = (top.path().join("key"), top.path().join("key.pub"));
    let key = concord_bundle::keygen(&secret, &public, None).unwrap();
    let out = top.path().join("x.ccp");
    concord_bundle::pack(&files(&top), &secret, None, &out).unwrap();
    let whole = std::fs::read(out).unwrap();
    survive(top.path(), &whole, |package, to| {
        match concord_bundle::open(package, std::slice::from_ref(&key)) {
            Ok(opened) => opened.unpack(to).is_ok(),
            Err(_) => false,
        }
    });
}
