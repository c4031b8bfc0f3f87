//! `cargo xtask peers`: mail servers that cannot be installed beside each
//! other are unpacked into the build directory, and 500 messages exchanged with
//! each both ways.

use crate::packages;
use crate::workspace::{build_concord, cargo, must, program, target};
use clap::Args;
use concord_testkit::{Result, trouble};
use std::path::Path;

#[derive(Args)]
pub struct Options {
    /// Only unpack what is missing.
    #[arg(long)]
    fetch: bool,
    /// Messages each way with each peer.
    #[arg(long, default_value_t = 500)]
    messages: u32,
}

/// What Exim of Debian 12 needs beside what every machine has.
const EXIM_LIBRARIES: &[&str] =
    &["libdb5.3", "libgnutls-dane0", "libidn12", "libnsl2", "libpcre2-8-0"];

/// Debian 12's OpenSMTPD cannot serve STARTTLS: it is of before OpenSSL 3
/// (OpenSMTPD issues 1171 and 1239). Debian 11 has the same version with the
/// library that it was made for.
const OPENSMTPD: &[&str] = &["opensmtpd", "libssl1.1"];
const OLDER: &str = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                     http://deb.debian.org/debian bullseye main\n";

/// Unpacks, and runs the exchange.
pub fn run(options: &Options) -> Result<()> {
    packages::install(packages::FOR_TESTS)?;
    fetch()?;
    if options.fetch {
        return Ok(());
    }
    build_concord(false)?;
    let tests = ["nextest", "run", "-p", "concord-tests", "--test-threads=1"];
    must(
        cargo()
            .args(tests)
            .args(["-E", "test(exchange_messages_under_dane)"])
            .env("CONCORD_EXCHANGE", options.messages.to_string()),
    )
}

/// Unpacks what is not there.
pub fn fetch() -> Result<()> {
    let peers = target().join("peers");
    let exim = peers.join("exim");
    if !exim.join("usr/sbin/exim4").is_file() {
        println!("unpacking exim4-daemon-light");
        packages::install_libraries(EXIM_LIBRARIES)?;
        unpack(&exim, &["exim4-daemon-light"], &[])?;
    }
    let opensmtpd = peers.join("opensmtpd");
    if !opensmtpd.join("usr/sbin/smtpd").is_file() {
        println!("unpacking opensmtpd of Debian 11");
        let scratch = tempfile::tempdir()?;
        let options = older(scratch.path())?;
        must(program("apt-get").args(&options).args(["update", "-q"]))?;
        unpack(&opensmtpd, OPENSMTPD, &options)?;
    }
    Ok(())
}

/// A view of Debian 11 that leaves the machine's own lists alone.
fn older(scratch: &Path) -> Result<Vec<String>> {
    for directory in ["lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(scratch.join(directory))?;
    }
    std::fs::write(scratch.join("sources.list"), OLDER)?;
    let at = scratch.display();
    Ok([
        format!("Dir::Etc::sourcelist={at}/sources.list"),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::lists={at}/lists"),
        format!("Dir::Cache={at}/cache"),
        "Acquire::Check-Valid-Until=false".to_owned(),
    ]
    .into_iter()
    .flat_map(|option| ["-o".to_owned(), option])
    .collect())
}

fn unpack(to: &Path, names: &[&str], options: &[String]) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    must(program("apt-get").current_dir(scratch.path()).args(options).arg("download").args(names))?;
    let draft = to.with_extension("draft");
    let _ = std::fs::remove_dir_all(&draft);
    std::fs::create_dir_all(&draft)?;
    let mut count = 0;
    for entry in std::fs::read_dir(scratch.path())? {
        let file = entry?.path();
        if file.extension().is_some_and(|e| e == "deb") {
            must(program("dpkg").arg("-x").arg(&file).arg(&draft))?;
            count += 1;
        }
    }
    if count < names.len() {
        return Err(trouble(format!("apt-get downloaded {count} of {}", names.join(" "))));
    }
    std::fs::rename(&draft, to)?;
    Ok(())
}
