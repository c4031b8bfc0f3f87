//! Each way in which a bundle can be wrong, by its own code.

use super::make::{Sealing, seal};
use super::*;
use crate::archive::{Reader, Writer};
use concord_base::Fault;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BUILT: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A distributor and a server in one directory with a space in its name.
struct House {
    _top: TempDir,
    top: PathBuf,
}

impl House {
    fn new() -> Self {
        let holder = tempfile::tempdir().unwrap();
        let top = holder.path().join("a house");
        std::fs::create_dir_all(top.join("files/share")).unwrap();
        std::fs::create_dir(top.join("scratch")).unwrap();
        std::fs::write(top.join("files/concord"), "program").unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(top.join("files/concord"), mode).unwrap();
        std::fs::write(top.join("files/share/concord.1"), "manual").unwrap();
        make_keys(&top.join("keys"), BUILT).unwrap();
        Self { _top: holder, top }
    }

    fn options(&self, version: &str) -> MakeOptions {
        MakeOptions {
            files: self.top.join("files"),
            facts: ReleaseFacts {
                version: version.to_owned(),
                platform: platform(),
                schemas: Schemas { index: 3, registry: 1, contract: 1 },
                components: vec!["internet-mail".to_owned(), "core".to_owned()],
            },
            built: BUILT,
            keys: self.top.join("keys"),
            expires_days: 30,
            metadata_version: None,
            out: self.top.join("out"),
        }
    }

    fn make(&self, version: &str, metadata_version: u64) -> PathBuf {
        let metadata_version = Some(metadata_version);
        make(&MakeOptions { metadata_version, ..self.options(version) }).unwrap()
    }

    fn trust(&self) -> Trust {
        let root = trust_root_of(&self.top.join("keys")).unwrap();
        Trust { root, seen: self.top.join("seen") }
    }

    fn verify(&self, bundle: &Path) -> Result<Verified> {
        verify(bundle, &self.trust(), BUILT, &self.top.join("scratch"))
    }

    fn code(&self, bundle: &Path) -> &'static str {
        self.verify(bundle).unwrap_err().code()
    }

    /// Signs targets that `make` would not make.
    fn sealed(&self, json: &[u8], tar: &[u8]) -> PathBuf {
        let work = tempfile::tempdir_in(&self.top).unwrap();
        std::fs::create_dir(work.path().join("targets")).unwrap();
        std::fs::write(work.path().join("targets/release.json"), json).unwrap();
        std::fs::write(work.path().join("targets/release.tar.gz"), tar).unwrap();
        let (keys, to) = (self.top.join("keys"), self.top.join("sealed"));
        let sealing = Sealing { keys: &keys, built: BUILT, expires_days: 1, version: 1 };
        seal(work.path(), &sealing, &to).unwrap();
        to
    }
}

type Entries = Vec<(String, Vec<u8>)>;

fn entries(bundle: &Path) -> Entries {
    let octets = std::fs::read(bundle).unwrap();
    let mut reader = Reader::new(octets.as_slice());
    let mut found = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        found.push((entry.path, reader.whole("a file", 1 << 30).unwrap()));
    }
    found
}

/// Writes a bundle beside another, with changed parts.
fn changed(bundle: &Path, change: impl FnOnce(&mut Entries)) -> PathBuf {
    let mut all = entries(bundle);
    change(&mut all);
    let place = bundle.with_extension("changed");
    let mut writer = Writer::new(Vec::new(), &place);
    for (name, octets) in &all {
        writer.octets(name, octets).unwrap();
    }
    std::fs::write(&place, writer.finish().unwrap()).unwrap();
    place
}

fn part<'a>(entries: &'a mut Entries, name: &str) -> &'a mut Vec<u8> {
    &mut entries.iter_mut().find(|(path, _)| path == name).unwrap().1
}

#[test]
fn a_bundle_is_made_checked_and_unpacked() {
    let house = House::new();
    let bundle = make(&house.options("1.2.3")).unwrap();
    let name = format!("concord-1.2.3-{}.bundle", platform());
    assert_eq!(bundle.file_name().unwrap().to_str().unwrap(), name);
    let left: Vec<_> = std::fs::read_dir(house.top.join("out")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the bundle stays");

    let verified = house.verify(&bundle).unwrap();
    assert_eq!(verified.manifest.components, ["core", "internet-mail"]);
    assert_eq!(verified.manifest.built, BUILT.0);
    assert_eq!(verified.expires(), BUILT + 30 * DAY);
    assert_eq!(verified.metadata_version(), 1_800_000_000);
    assert_eq!((verified.root_version(), verified.unpacked_size()), (1, 13));
    let to = house.top.join("unpacked");
    verified.unpack(&to).unwrap();
    assert_eq!(std::fs::read_to_string(to.join("concord")).unwrap(), "program");
    let mode = |name| std::fs::metadata(to.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("concord"), 0o755);
    assert_eq!((mode("share"), mode("share/concord.1")), (0o755, 0o644));
    assert_eq!(verified.unpack(&to).unwrap_err().code(), "bundle.io", "never over another");
    drop(verified);
    let scratch = std::fs::read_dir(house.top.join("scratch")).unwrap();
    assert_eq!(scratch.count(), 0, "scratch is empty again");
    assert!(!house.top.join("seen").exists(), "checking changes nothing");
}

#[test]
fn checking_works_within_a_runtime() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { house.verify(&bundle).unwrap() });
}

#[test]
fn a_bundle_of_a_stranger_is_refused() {
    let (house, stranger) = (House::new(), House::new());
    assert_eq!(house.code(&stranger.make("1.0.0", 1)), "bundle.signature");
    // Metadata of ours over a change of theirs.
    let ours = house.make("1.0.0", 1);
    let forged = changed(&ours, |all| {
        let text = String::from_utf8(part(all, "metadata/timestamp.json").clone()).unwrap();
        let later = text.replacen("\"version\": 1", "\"version\": 2", 1);
        assert_ne!(text, later);
        *part(all, "metadata/timestamp.json") = later.into_bytes();
    });
    assert_eq!(house.code(&forged), "bundle.signature");
}

#[test]
fn an_unusable_root_is_named() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let mut trust = house.trust();
    trust.root = b"{}".to_vec();
    let refused = verify(&bundle, &trust, BUILT, &house.top.join("scratch")).unwrap_err();
    assert_eq!(refused.code(), "bundle.trust-root");
}

#[test]
fn a_bundle_that_was_good_once_is_refused() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let at = |now| verify(&bundle, &house.trust(), now, &house.top.join("scratch"));
    at(BUILT + 29 * DAY).unwrap();
    assert_eq!(at(BUILT + 30 * DAY).unwrap_err().code(), "bundle.expired");
}

#[test]
fn older_metadata_is_refused_once_newer_was_accepted_and_not_before() {
    let house = House::new();
    let (old, new) = (house.make("1.0.0", 1), house.make("1.1.0", 2));
    house.verify(&new).unwrap();
    let verified = house.verify(&old).unwrap();
    house.trust().accept(&verified).unwrap();
    let verified = house.verify(&new).unwrap();
    house.trust().accept(&verified).unwrap();
    assert_eq!(house.code(&old), "bundle.rollback");
    // The same one again is no older one.
    house.verify(&new).unwrap();
}

#[test]
fn damaged_memory_is_named_and_not_taken_for_none() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    house.trust().accept(&house.verify(&bundle).unwrap()).unwrap();
    for name in ["timestamp.json", "snapshot.json", "root.json"] {
        let place = house.top.join("seen").join(name);
        let good = std::fs::read(&place).unwrap();
        std::fs::write(&place, &good[..good.len() / 2]).unwrap();
        assert_eq!(house.code(&bundle), "bundle.seen");
        std::fs::write(&place, good).unwrap();
    }
    std::fs::remove_file(house.top.join("seen/root.json")).unwrap();
    assert_eq!(house.code(&bundle), "bundle.seen");
}

#[test]
fn parts_of_different_bundles_are_refused() {
    let house = House::new();
    let (one, two) = (house.make("1.0.0", 1), house.make("1.1.0", 2));
    for name in ["metadata/snapshot.json", "metadata/targets.json"] {
        let other = part(&mut entries(&two), name).clone();
        let mixed = changed(&one, |all| *part(all, name) = other);
        assert_eq!(house.code(&mixed), "bundle.mix-and-match", "{name}");
    }
    let renamed = changed(&one, |all| part(all, "metadata/root.json").push(b' '));
    assert_eq!(house.code(&renamed), "bundle.mix-and-match");
}

#[test]
fn a_changed_target_is_refused() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    for name in ["targets/release.json", "targets/release.tar.gz"] {
        let longer = changed(&bundle, |all| part(all, name).push(b' '));
        assert_eq!(house.code(&longer), "bundle.target-changed");
        let other = changed(&bundle, |all| part(all, name)[5] ^= 1);
        assert_eq!(house.code(&other), "bundle.target-changed");
    }
}

#[test]
fn what_is_no_bundle_or_no_whole_one_is_refused() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let whole = std::fs::read(&bundle).unwrap();
    let place = house.top.join("cut");
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        std::fs::write(&place, &whole[..length]).unwrap();
        assert_eq!(house.code(&place), "bundle.truncated", "{length}");
    }
    std::fs::write(&place, "#!/bin/sh\n".repeat(200)).unwrap();
    assert_eq!(house.code(&place), "bundle.not-a-bundle");
    assert_eq!(house.code(&house.top), "bundle.not-a-bundle");
    assert_eq!(house.code(&house.top.join("nothing")), "bundle.io");
    for name in entries(&bundle).into_iter().map(|(name, _)| name) {
        let lacks = changed(&bundle, |all| all.retain(|(path, _)| *path != name));
        let expected = if name.ends_with("1.root.json") {
            "bundle.mix-and-match"
        } else {
            "bundle.missing-entry"
        };
        assert_eq!(house.code(&lacks), expected, "{name}");
        let twice = changed(&bundle, |all| {
            let again = part(all, &name).clone();
            all.push((name.clone(), again));
        });
        assert_eq!(house.code(&twice), "bundle.not-a-bundle", "{name}");
    }
    for name in ["README", "metadata/x.json", "metadata/0.root.json", "metadata/65.root.json"] {
        let more = changed(&bundle, |all| all.push((name.to_owned(), Vec::new())));
        assert_eq!(house.code(&more), "bundle.not-a-bundle", "{name}");
    }
}

#[test]
fn bounds_hold_before_anything_is_believed() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let large = changed(&bundle, |all| part(all, "metadata/targets.json").resize(300_000, b' '));
    assert_eq!(house.code(&large), "bundle.too-large");
    let file = std::fs::File::create(house.top.join("huge")).unwrap();
    file.set_len(crate::bounds::MAX_BUNDLE + 1).unwrap();
    assert_eq!(house.code(&house.top.join("huge")), "bundle.too-large");
}

#[test]
fn a_release_for_another_platform_is_refused() {
    let house = House::new();
    let mut options = house.options("1.0.0");
    options.facts.platform = "vax-vms".to_owned();
    assert_eq!(house.code(&make(&options).unwrap()), "bundle.wrong-platform");
}

#[test]
fn a_signed_manifest_must_be_readable_and_keep_its_rules() {
    let house = House::new();
    assert_eq!(house.code(&house.sealed(b"nonsense", b"")), "bundle.manifest");
    let json = part(&mut entries(&house.make("1.0.0", 1)), "targets/release.json").clone();
    let text = String::from_utf8(json);
    let escape = text.unwrap().replace("share/concord.1", "../concord.1");
    assert_eq!(house.code(&house.sealed(escape.as_bytes(), b"")), "bundle.manifest");
}

#[test]
fn what_is_unpacked_is_what_the_manifest_names() {
    let house = House::new();
    let bundle = house.make("1.0.0", 1);
    let json = part(&mut entries(&bundle), "targets/release.json").clone();
    let to = house.top.join("unpacked");
    let unpack = |files: &[(&str, &str)]| {
        let mut writer = Writer::new(Vec::new(), Path::new("tar"));
        for (name, text) in files {
            writer.octets(name, text.as_bytes()).unwrap();
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &writer.finish().unwrap()).unwrap();
        let sealed = house.sealed(&json, &gzip.finish().unwrap());
        let done = house.verify(&sealed).unwrap().unpack(&to);
        assert_eq!(to.exists(), done.is_ok(), "all or nothing");
        done.map_err(|e| e.code())
    };
    let (program, manual) = (("concord", "program"), ("share/concord.1", "manual"));
    assert_eq!(unpack(&[program]), Err("bundle.file-missing"));
    assert_eq!(unpack(&[program, manual, ("x", "")]), Err("bundle.file-extra"));
    assert_eq!(unpack(&[program, ("share/concord.1", "manuel")]), Err("bundle.file-changed"));
    assert_eq!(unpack(&[program, ("share/concord.1", "manuals")]), Err("bundle.file-changed"));
    assert_eq!(unpack(&[program, program, manual]), Err("bundle.not-a-bundle"));
    assert_eq!(unpack(&[manual, program]), Ok(()));
}

#[test]
fn a_new_root_is_trusted_by_way_of_the_old_one() {
    let house = House::new();
    let (old, keys, next) = (house.top.join("old"), house.top.join("keys"), house.top.join("next"));
    let first = house.trust();
    let before = house.make("1.0.0", 1);
    rotate_root(&keys, &next, BUILT).unwrap();
    let late = house.make("1.0.1", 50);
    std::fs::rename(&keys, &old).unwrap();
    std::fs::rename(&next, &keys).unwrap();
    let (ten, eleven) = (house.make("1.1.0", 10), house.make("1.2.0", 11));
    let at = |bundle: &Path| verify(bundle, &first, BUILT, &house.top.join("scratch"));

    assert_eq!(house.verify(&ten).unwrap().root_version(), 2, "with the new root");
    assert_eq!(at(&ten).unwrap().root_version(), 2, "with the old root");
    first.accept(&at(&before).unwrap()).unwrap();
    first.accept(&at(&eleven).unwrap()).unwrap();
    // The rollback is noticed although the old root names other keys.
    assert_eq!(at(&ten).unwrap_err().code(), "bundle.rollback");
    // What the old keys sign from now on is nothing, however new it says it is.
    assert_eq!(at(&late).unwrap_err().code(), "bundle.signature");
    // The administrator may begin anew with another root.
    let other = House::new();
    let trust = Trust { root: other.trust().root, seen: first.seen.clone() };
    let theirs = other.make("1.0.0", 1);
    verify(&theirs, &trust, BUILT, &house.top.join("scratch")).unwrap();
}

#[test]
fn a_new_root_needs_two_keys_of_the_old_one() {
    let house = House::new();
    let keys = house.top.join("keys");
    std::fs::remove_file(keys.join("root-2.pem")).unwrap();
    rotate_root(&keys, &house.top.join("two"), BUILT).unwrap();
    std::fs::remove_file(keys.join("root-1.pem")).unwrap();
    let refused = rotate_root(&keys, &house.top.join("one"), BUILT).unwrap_err();
    assert_eq!(refused.code(), "bundle.key");
    assert!(!house.top.join("one/root.json").exists());
    // Bundles need none of them.
    std::fs::remove_file(keys.join("root-3.pem")).unwrap();
    house.verify(&house.make("1.0.0", 1)).unwrap();
}

#[test]
fn keys_are_for_their_owner_only_and_never_overwritten() {
    let house = House::new();
    let keys = house.top.join("keys");
    for entry in std::fs::read_dir(&keys).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let secret = path.extension().unwrap() == "pem";
        assert_eq!(mode, if secret { 0o600 } else { 0o644 }, "{}", path.display());
    }
    assert_eq!(keys.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(make_keys(&keys, BUILT).unwrap_err().code(), "bundle.key");
}

#[test]
fn a_bundle_that_no_client_would_take_is_not_made() {
    let house = House::new();
    let good = house.options("1.0.0");
    let code = |options: &MakeOptions| make(options).unwrap_err().code();
    assert_eq!(code(&MakeOptions { expires_days: 0, ..good.clone() }), "bundle.invalid");
    assert_eq!(code(&MakeOptions { metadata_version: Some(0), ..good.clone() }), "bundle.invalid");
    for inside in [house.top.join("files"), house.top.join("files/new/keys")] {
        assert_eq!(code(&MakeOptions { keys: inside.clone(), ..good.clone() }), "bundle.invalid");
        assert_eq!(code(&MakeOptions { out: inside, ..good.clone() }), "bundle.invalid");
    }
    let mut nameless = good.clone();
    nameless.facts.version = "tomorrow".to_owned();
    assert_eq!(code(&nameless), "bundle.invalid");
    std::os::unix::fs::symlink("concord", house.top.join("files/link")).unwrap();
    assert_eq!(code(&good), "bundle.unsafe-entry");
    let left = std::fs::read_dir(house.top.join("out")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing stays");
}
