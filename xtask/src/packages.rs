//! Debian packages that tests and benchmarks need.

use crate::workspace::{must, program};
use concord_testkit::{Result, run, tool, trouble};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Programs of the tests and the packages that bring them.
pub const FOR_TESTS: &[(&str, &str)] = &[
    ("postfix", "postfix"),
    ("mbsync", "isync"),
    ("swaks", "swaks libnet-ssleay-perl"),
    ("curl", "curl"),
    // the mechanisms of SASL are packages of their own
    ("ldapsearch", "ldap-utils libsasl2-modules python3-ldap3"),
    ("minisign", "minisign"),
    ("mutt", "mutt"),
    ("script", "bsdutils"),
    ("python3", "python3"),
    ("cc", "gcc"),
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("dpkg-deb", "dpkg"),
    // the peers of mail authentication
    ("opendkim", "opendkim"),
    ("opendmarc", "opendmarc publicsuffix"),
    (
        "dmarc-policy-find",
        "python3-authheaders python3-dkim python3-dnspython python3-milter python3-nacl \
         python3-spf",
    ),
    // schemas of reports
    ("xmllint", "libxml2-utils"),
    // by its place: Python's own tools bring others of this name
    ("/usr/bin/jsonschema", "python3-jsonschema"),
    ("rspamd", "rspamd"),
    // names under DNSSEC
    ("knotd", "knot"),
    ("unbound", "unbound"),
    ("clamd", "clamav-daemon"),
    ("clamav-milter", "clamav-milter"),
    // a certification authority, and a name server that takes changes
    ("pebble", "pebble"),
    ("named", "bind9"),
    ("nsupdate", "bind9-dnsutils"),
    ("openssl", "openssl"),
    // exports are loaded into it, and its schema checks them
    ("slapadd", "slapd"),
    // a load balancer in front
    ("haproxy", "haproxy"),
    // hosts whose clock is wrong
    ("faketime", "faketime"),
];

/// Programs of the benchmarks.
pub const FOR_BENCHES: &[(&str, &str)] = &[("postfix", "postfix"), ("cc", "gcc")];

/// The peer of `bench nje`.
pub const PYTHON: &[(&str, &str)] = &[("python3", "python3")];

/// The directory that `bench ldap` compares with.
pub const SLAPD: &[(&str, &str)] = &[("slapd", "slapd")];

/// Debian's Dovecot is three packages; all are needed.
pub const DOVECOT: &[(&str, &str)] = &[("dovecot", "dovecot-core dovecot-imapd dovecot-lmtpd")];

/// Asked by Debian's scripts before a service is started.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const FORBID: &str = "#!/bin/sh\n# Tests start the peers themselves.\nexit 101\n";

/// Installs what is missing. Starts no service.
pub fn install(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(name, _)| tool(name).is_none())
        .flat_map(|(_, packages)| packages.split(' '))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    if tool("apt-get").is_none() {
        return Err(trouble(format!("no apt-get here; install {}", missing.join(" "))));
    }
    let own_policy = !Path::new(POLICY).exists();
    if own_policy {
        std::fs::write(POLICY, FORBID)
            .map_err(|e| trouble(format!("cannot write {POLICY}: {e}; run as root")))?;
        must(program("chmod").args(["755", POLICY]))?;
    }
    let installed = fetch(&missing);
    if own_policy {
        std::fs::remove_file(POLICY)?;
    }
    installed
}

/// Installs libraries, of which no program shows whether they are there.
pub fn install_libraries(names: &[&str]) -> Result<()> {
    fetch(names)
}

fn fetch(packages: &[&str]) -> Result<()> {
    // A fresh machine has no lists; one that has them need not wait for new ones.
    let known =
        run(Command::new("apt-cache").arg("policy").args(packages), Duration::from_secs(60))?;
    if !known.stdout.contains("Candidate:") || known.stdout.contains("Candidate: (none)") {
        update()?;
    }
    // Old lists name versions that the archive does not have any more.
    get(packages).or_else(|_| update().and_then(|()| get(packages)))
}

fn update() -> Result<()> {
    must(program("apt-get").args(["update", "-q"]).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn get(packages: &[&str]) -> Result<()> {
    must(
        program("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
