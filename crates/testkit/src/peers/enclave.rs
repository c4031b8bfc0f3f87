//! A view of the machine with another `/etc`: resolver, users, authorities.

use super::tree::peer_trees;
use crate::command::{run, tool};
use crate::trouble::{Result, trouble};
use std::fmt::Write;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Copying `/etc` takes a moment.
const LIMIT: Duration = Duration::from_secs(30);

/// Users that maintainer scripts would make. They own what peers keep.
pub(super) const EXIM: u32 = 9_025;
const OPENSMTPD: u32 = 9_026;
const OPENSMTPD_QUEUE: u32 = 9_027;
pub(super) const KEEPER: u32 = 9_028;

/// Programs that run in it see its `/etc`, `/usr/libexec`, `/var/spool`,
/// `/var/lib` and `/run` in the places of the machine's (a mount namespace);
/// nothing of the machine changes.
#[derive(Debug)]
pub struct Enclave {
    directory: tempfile::TempDir,
}

/// The first argument is the enclave's directory, the others are the command.
const ENTER: &str = "set -e\n\
    mount --make-rprivate /\n\
    mount --bind \"$1/etc\" /etc\n\
    mount --bind \"$1/libexec\" /usr/libexec\n\
    mount --bind \"$1/spool\" /var/spool\n\
    mount --bind \"$1/lib\" /var/lib\n\
    mount --bind \"$1/run\" /run\n\
    shift\n\
    exec \"$@\"\n";

impl Enclave {
    /// Makes one whose programs ask that resolver and believe what it says of
    /// DNSSEC, and trust those authorities (PEM) and no others.
    ///
    /// # Errors
    /// We are not root, or a copy fails.
    pub fn new(resolver: IpAddr, authorities: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("enclave-").tempdir()?;
        let enclave = Self { directory };
        run(Command::new("cp").arg("-a").arg("/etc").arg(enclave.path()), LIMIT)?.ok()?;
        for name in ["libexec", "spool", "lib", "lib/opensmtpd/empty", "run", "home"] {
            std::fs::create_dir_all(enclave.path().join(name))?;
        }
        open(enclave.path())?;
        super::directory_of(&enclave.path().join("home"), KEEPER)?;
        let etc = enclave.path().join("etc");
        // It may be a link to somewhere else.
        let _ = std::fs::remove_file(etc.join("resolv.conf"));
        let resolv = format!("nameserver {resolver}\noptions edns0 trust-ad\n");
        std::fs::write(etc.join("resolv.conf"), resolv)?;
        std::fs::create_dir_all(etc.join("ssl/certs"))?;
        std::fs::write(etc.join("ssl/certs/ca-certificates.crt"), authorities)?;
        enclave.add_users(&etc)?;
        enclave.add_opensmtpd(&etc)?;
        Ok(enclave)
    }

    /// Its directory; everybody may look into it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A program in it, without arguments.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("unshare");
        command.args(["-m", "--", "sh", "-c", ENTER, "enclave"]).arg(self.path()).arg(program);
        command
    }

    fn add_users(&self, etc: &Path) -> Result<()> {
        let mut users = std::fs::read_to_string(etc.join("passwd"))?;
        let mut groups = std::fs::read_to_string(etc.join("group"))?;
        let empty = self.path().join("lib/opensmtpd/empty");
        let home = self.path().join("home");
        for (name, id, home) in [
            ("Debian-exim", EXIM, &empty),
            ("opensmtpd", OPENSMTPD, &empty),
            ("opensmtpq", OPENSMTPD_QUEUE, &empty),
            ("keeper", KEEPER, &home),
        ] {
            let marked = format!("{name}:");
            if !users.lines().any(|line| line.starts_with(&marked)) {
                let _ = writeln!(users, "{name}:x:{id}:{id}::{}:/bin/sh", home.display());
                let _ = writeln!(groups, "{name}:x:{id}:");
            }
        }
        std::fs::write(etc.join("passwd"), users)?;
        std::fs::write(etc.join("group"), groups)?;
        Ok(())
    }

    /// Its helpers are looked for in one place, with libraries that this
    /// machine does not have.
    fn add_opensmtpd(&self, etc: &Path) -> Result<()> {
        let tree = peer_trees().join("opensmtpd");
        if !tree.is_dir() {
            return Ok(());
        }
        let helpers = tree.join("usr/libexec/opensmtpd");
        let to = self.path().join("libexec");
        run(Command::new("cp").arg("-a").arg(helpers).arg(to), LIMIT)?.ok()?;
        std::fs::create_dir_all(etc.join("ld.so.conf.d"))?;
        let libraries = tree.join("usr/lib/x86_64-linux-gnu");
        std::fs::write(etc.join("ld.so.conf.d/peers.conf"), format!("{}\n", libraries.display()))?;
        let ldconfig = tool("ldconfig").ok_or_else(|| trouble("there is no ldconfig"))?;
        run(self.command(&ldconfig).arg("-i"), LIMIT)?.ok()?;
        Ok(())
    }
}

fn open(path: &Path) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A copy of a file that its user may read.
pub(super) fn copy_for(file: &Path, to: &Path, user: u32) -> Result<PathBuf> {
    std::fs::copy(file, to)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600))?;
    std::os::unix::fs::chown(to, Some(user), Some(user))?;
    Ok(to.to_owned())
}
