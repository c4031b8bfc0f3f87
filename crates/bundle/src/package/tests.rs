//! Each way in which a package can be wrong, by its own code.

use super::*;
use crate::archive::{self, Writer};
use crate::error::Result;
use concord_base::Fault;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Publisher {
    top: TempDir,
    key: PublicKey,
}

impl Publisher {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let key = keygen(&top.path().join("key"), &top.path().join("key.pub"), None).unwrap();
        let files = top.path().join("files");
        std::fs::create_dir_all(files.join("lib")).unwrap();
        std::fs::write(files.join("connector.toml"), "[connector]\n").unwrap();
        std::fs::write(files.join("webhook.py"), "#!/usr/bin/python3\n").unwrap();
        std::fs::write(files.join("lib/data.json"), "{}").unwrap();
        let mode = PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(files.join("lib/data.json"), mode).unwrap();
        Self { top, key }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn pack(&self) -> PathBuf {
        pack(&self.at("files"), &self.at("key"), None, &self.at("x.ccp")).unwrap().path
    }

    fn open(&self, package: &Path) -> Result<OpenedPackage> {
        open(package, std::slice::from_ref(&self.key))
    }

    fn code(&self, package: &Path) -> &'static str {
        self.open(package).unwrap_err().code()
    }
}

type Entries = Vec<(String, Vec<u8>)>;

fn entries(package: &Path) -> Entries {
    let octets = std::fs::read(package).unwrap();
    let mut reader = archive::compressed(octets.as_slice());
    let mut found = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        found.push((entry.path, reader.whole("a file", 1 << 30).unwrap()));
    }
    found
}

fn changed(package: &Path, change: impl FnOnce(&mut Entries)) -> PathBuf {
    let mut all = entries(package);
    change(&mut all);
    let place = package.with_extension("changed");
    let file = std::fs::File::create(&place).unwrap();
    let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut writer = Writer::new(gzip, &place);
    for (name, octets) in &all {
        writer.octets(name, octets).unwrap();
    }
    writer.finish().unwrap().finish().unwrap();
    place
}

fn part<'a>(entries: &'a mut Entries, name: &str) -> &'a mut Vec<u8> {
    &mut entries.iter_mut().find(|(path, _)| path == name).unwrap().1
}

#[test]
fn a_package_is_made_opened_and_unpacked() {
    let publisher = Publisher::new();
    let packed =
        pack(&publisher.at("files"), &publisher.at("key"), None, &publisher.at("x.ccp")).unwrap();
    assert_eq!((packed.files, packed.public_key.as_str()), (3, publisher.key.to_string().as_str()));
    assert_eq!(packed.size, packed.path.metadata().unwrap().len());
    assert_eq!(packed.public_key_file(), std::fs::read_to_string(publisher.at("key.pub")).unwrap());
    let names: Vec<_> = entries(&packed.path).into_iter().map(|(name, _)| name).collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);

    let opened = publisher.open(&packed.path).unwrap();
    assert_eq!(opened.connector_toml, "[connector]\n");
    assert_eq!(opened.key_id, publisher.key.key_id());
    assert_eq!(opened.sums_sha256, packed.sums_sha256);
    let files: Vec<_> = opened.files.iter().map(|f| (f.path.as_str(), f.executable)).collect();
    let expected = [("connector.toml", false), ("lib/data.json", false), ("webhook.py", true)];
    assert_eq!(files, expected, "content decides what can be run");
    assert_eq!(opened.unpacked_size(), 12 + 2 + 19);

    let to = publisher.at("unpacked");
    opened.unpack(&to).unwrap();
    assert_eq!(std::fs::read_to_string(to.join("lib/data.json")).unwrap(), "{}");
    let mode = |name| std::fs::metadata(to.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("webhook.py"), mode("lib/data.json"), mode("lib")), (0o755, 0o644, 0o755));
    assert!(!to.join("SHA256SUMS").exists());
    assert_eq!(opened.unpack(&to).unwrap_err().code(), "bundle.io", "never over another");
}

#[test]
fn the_same_files_give_the_same_list_and_archive() {
    let publisher = Publisher::new();
    let without_signature = || {
        let mut all = entries(&publisher.pack());
        all.retain(|(name, _)| name != SIGNATURE);
        all
    };
    let once = without_signature();
    // Lists of an earlier run, times and modes do not matter.
    std::fs::write(publisher.at("files/SHA256SUMS"), "old").unwrap();
    std::fs::write(publisher.at("files/SHA256SUMS.minisig"), "old").unwrap();
    let mode = PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(publisher.at("files/webhook.py"), mode).unwrap();
    assert_eq!(once, without_signature());
}

#[test]
fn a_package_of_a_stranger_is_refused_and_the_whole_key_is_shown() {
    let (publisher, stranger) = (Publisher::new(), Publisher::new());
    let package = stranger.pack();
    let refused = publisher.open(&package).unwrap_err();
    assert_eq!(refused.code(), "bundle.unknown-key");
    let text = refused.to_string();
    assert!(text.contains(&stranger.key.to_string()) && text.contains(stranger.key.key_id()));
    open(&package, &[publisher.key.clone(), stranger.key.clone()]).unwrap();
    // The key that a signature names is shown only if it fits.
    let name = |all: &mut Entries, key: &PublicKey| {
        let signature = part(all, SIGNATURE);
        let text = String::from_utf8(signature.clone()).unwrap();
        *signature = text.replace(&stranger.key.to_string(), &key.to_string()).into_bytes();
    };
    let lies = changed(&package, |all| name(all, &publisher.key));
    let refused = open(&lies, &[]).unwrap_err();
    assert_eq!(refused.code(), "bundle.unknown-key");
    assert!(!refused.to_string().contains(&publisher.key.to_string()));
}

#[test]
fn a_signature_that_does_not_fit_is_refused() {
    let publisher = Publisher::new();
    let package = publisher.pack();
    let unsigned = changed(&package, |all| all.retain(|(name, _)| name != SIGNATURE));
    assert_eq!(publisher.code(&unsigned), "bundle.unsigned");
    let other = changed(&package, |all| {
        let sums = part(all, SUMS);
        let text = String::from_utf8(sums.clone()).unwrap();
        *sums = text.replace("webhook.py", "webhook.pl").into_bytes();
    });
    assert_eq!(publisher.code(&other), "bundle.bad-signature");
    for bad in ["", "nonsense", "untrusted comment: x\nRUQ=\ntrusted comment: y\nAAAA\n"] {
        let bad = changed(&package, |all| *part(all, SIGNATURE) = bad.as_bytes().to_vec());
        assert_eq!(publisher.code(&bad), "bundle.bad-signature");
    }
    // A second half that is too short, which some readers do not expect.
    let short = changed(&package, |all| {
        let signature = part(all, SIGNATURE);
        let text = String::from_utf8(signature.clone()).unwrap();
        let lines: Vec<&str> = text.lines().take(3).collect();
        *signature = format!("{}\nAAAA\n", lines.join("\n")).into_bytes();
    });
    assert_eq!(publisher.code(&short), "bundle.bad-signature");
}

#[test]
fn missing_further_and_changed_files_are_refused() {
    let publisher = Publisher::new();
    let package = publisher.pack();
    let lacks = changed(&package, |all| all.retain(|(name, _)| name != "webhook.py"));
    assert_eq!(publisher.code(&lacks), "bundle.file-missing");
    let more = changed(&package, |all| all.push(("more".to_owned(), vec![])));
    assert_eq!(publisher.code(&more), "bundle.file-extra");
    for name in ["webhook.py", "connector.toml"] {
        let other = changed(&package, |all| part(all, name)[3] ^= 1);
        assert_eq!(publisher.code(&other), "bundle.file-changed");
    }
    let twice = changed(&package, |all| all.push(("webhook.py".to_owned(), vec![])));
    assert_eq!(publisher.code(&twice), "bundle.not-a-package");
    let no_list = changed(&package, |all| all.retain(|(name, _)| name != SUMS));
    assert_eq!(publisher.code(&no_list), "bundle.not-a-package");
}

#[test]
fn what_is_no_package_or_no_whole_one_is_refused() {
    let publisher = Publisher::new();
    let package = publisher.pack();
    let whole = std::fs::read(&package).unwrap();
    let place = publisher.at("cut");
    for length in (0..whole.len()).step_by(7) {
        std::fs::write(&place, &whole[..length]).unwrap();
        assert_eq!(publisher.code(&place), "bundle.truncated", "{length}");
    }
    std::fs::write(&place, "no package").unwrap();
    assert_eq!(publisher.code(&place), "bundle.not-a-package");
    assert_eq!(publisher.code(publisher.top.path()), "bundle.not-a-package");
    assert_eq!(publisher.code(&publisher.at("nothing")), "bundle.io");
}

#[test]
fn what_would_be_refused_is_not_packed() {
    let publisher = Publisher::new();
    let files = publisher.at("files");
    let code = || {
        let packed = pack(&files, &publisher.at("key"), None, &publisher.at("x.ccp"));
        assert!(!publisher.at("x.ccp").exists(), "nothing is left");
        packed.unwrap_err().code()
    };
    for inside in [files.join("x.ccp"), files.join("lib/../x.ccp")] {
        let packed = pack(&files, &publisher.at("key"), None, &inside);
        assert_eq!(packed.unwrap_err().code(), "bundle.invalid");
    }
    let place = files.join("more");
    std::os::unix::fs::symlink("webhook.py", &place).unwrap();
    assert_eq!(code(), "bundle.unsafe-entry");
    std::fs::remove_file(&place).unwrap();
    let large = std::fs::File::create(&place).unwrap();
    large.set_len(crate::bounds::MAX_PACKAGE_FILE + 1).unwrap();
    assert_eq!(code(), "bundle.too-large");
    std::fs::remove_file(&place).unwrap();
    std::fs::write(files.join("back\\slash"), "").unwrap();
    assert_eq!(code(), "bundle.unsafe-entry");
    std::fs::remove_file(files.join("back\\slash")).unwrap();
    std::fs::create_dir(&place).unwrap();
    for number in 0..2_000 {
        std::fs::write(place.join(number.to_string()), "").unwrap();
    }
    assert_eq!(code(), "bundle.too-large");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::remove_file(files.join("connector.toml")).unwrap();
    assert_eq!(code(), "bundle.invalid");
}

#[test]
fn keys_are_read_and_refused_for_a_reason() {
    let publisher = Publisher::new();
    let secret = publisher.at("key");
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(PublicKey::from_file(&publisher.at("key.pub")).unwrap(), publisher.key);
    assert_eq!(PublicKey::parse(&publisher.key.to_string()).unwrap(), publisher.key);
    let again = keygen(&secret, &publisher.at("other.pub"), None).unwrap_err();
    assert_eq!(again.code(), "bundle.key");
    for bad in ["", "RWQ", "untrusted comment: x", "nonsense nonsense"] {
        assert!(PublicKey::parse(bad).is_err(), "{bad:?}");
    }
    let both = format!("{}\n{}", publisher.key, publisher.key);
    assert!(PublicKey::parse(&both).is_err());
    let not_secret = keys::secret(&publisher.at("key.pub"), None).map(|_| ()).unwrap_err();
    assert_eq!(not_secret.code(), "bundle.key");
}

#[test]
fn an_encrypted_key_needs_its_password_and_nobody_is_asked() {
    let publisher = Publisher::new();
    let (secret, public) = (publisher.at("locked"), publisher.at("locked.pub"));
    let key = keygen(&secret, &public, Some("a password")).unwrap();
    let none = keys::secret(&secret, None).map(|_| ()).unwrap_err();
    assert!(none.to_string().contains("it is encrypted"), "{none}");
    let wrong = keys::secret(&secret, Some("another")).map(|_| ()).unwrap_err();
    assert_eq!(wrong.code(), "bundle.key");
    let (_, found) = keys::secret(&secret, Some("a password")).unwrap();
    assert_eq!(found, key);
}
