//! Packages of ours are checked by stock tools, and packages of stock tools
//! are opened by us.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

use concord_bundle::{PublicKey, keygen, open, pack};
use std::path::{Path, PathBuf};
use std::process::Command;

fn there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    if !there {
        println!("{program} is not installed; this part was left out");
    }
    there
}

fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{program} {arguments:?}: {text}{done:?}");
    text
}

fn files(top: &Path) -> PathBuf {
    let files = top.join("files");
    let deep = files.join("a directory").join("d".repeat(90));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(files.join("connector.toml"), "[connector]\n").unwrap();
    std::fs::write(files.join("run"), "#!/bin/sh\n").unwrap();
    std::fs::write(deep.join("a long name of a file"), "text").unwrap();
    files
}

#[test]
fn stock_tools_check_what_we_pack() {
    let top = tempfile::tempdir().unwrap();
    let (secret, public) = (top.path().join("key"), top.path().join("key.pub"));
    keygen(&secret, &public, None).unwrap();
    let packed = pack(&files(top.path()), &secret, None, &top.path().join("x.ccp")).unwrap();
    let to = top.path().join("to");
    std::fs::create_dir(&to).unwrap();
    run(&to, "tar", &["-xzf", "../x.ccp"]);
    let told = run(&to, "sha256sum", &["--strict", "-c", "SHA256SUMS"]);
    assert_eq!(told.lines().filter(|line| line.ends_with(": OK")).count(), packed.files);
    if there("minisign") {
        run(&to, "minisign", &["-V", "-p", "../key.pub", "-m", "SHA256SUMS"]);
        run(&to, "minisign", &["-V", "-P", &packed.public_key, "-m", "SHA256SUMS"]);
    }
}

#[test]
fn we_open_what_stock_tools_pack() {
    let top = tempfile::tempdir().unwrap();
    let files = files(top.path());
    let (secret, public) = (top.path().join("key"), top.path().join("key.pub"));
    let minisign = there("minisign");
    let key = if minisign {
        // -W: without a password.
        run(top.path(), "minisign", &["-G", "-W", "-p", "key.pub", "-s", "key"]);
        PublicKey::from_file(&public).unwrap()
    } else {
        keygen(&secret, &public, None).unwrap()
    };
    let list = "find . -type f ! -name 'SHA256SUMS*' -print0 | LC_ALL=C sort -z \
                | xargs -0 sha256sum > SHA256SUMS";
    run(&files, "sh", &["-c", list]);
    if minisign {
        let named = format!("public-key:{key}");
        run(&files, "minisign", &["-S", "-s", "../key", "-m", "SHA256SUMS", "-t", &named]);
    } else {
        // The signature alone is ours then.
        pack(&files, &secret, None, &top.path().join("ours.ccp")).unwrap();
        run(&files, "tar", &["-xzf", "../ours.ccp", "SHA256SUMS", "SHA256SUMS.minisig"]);
    }
    for format in ["gnu", "pax", "ustar"] {
        let format = format!("--format={format}");
        run(&files, "tar", &[&format, "-czf", "../theirs.ccp", "."]);
        let theirs = top.path().join("theirs.ccp");
        let opened = open(&theirs, std::slice::from_ref(&key)).unwrap();
        assert_eq!(opened.files.len(), 3, "{format}");
        let to = top.path().join("to");
        opened.unpack(&to).unwrap();
        std::fs::remove_dir_all(&to).unwrap();
        let told = open(&theirs, &[]).unwrap_err().to_string();
        assert!(told.contains(&key.to_string()), "{told}");
    }
}

#[test]
fn openssl_reads_the_keys_of_releases() {
    if !there("openssl") {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let now = concord_base::Timestamp::from_seconds(1_800_000_000);
    concord_bundle::make_keys(&top.path().join("keys"), now).unwrap();
    let text =
        run(&top.path().join("keys"), "openssl", &["pkey", "-in", "root-1.pem", "-noout", "-text"]);
    assert!(text.contains("ED25519"), "{text}");
}
