//! Users, by Debian's commands.

use super::{Account, command};
use crate::error::Result;
use std::path::Path;
use std::process::Command;

/// passwd(5): name, password, uid, gid, ...
fn parse(line: &str, name: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid })
}

/// The user of this name: local ones first, then whatever NSS knows.
pub(super) fn find(name: &str) -> Result<Option<Account>> {
    let local = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if let Some(account) = local.lines().find_map(|line| parse(line, name)) {
        return Ok(Some(account));
    }
    // getent(1) ends with 2 if there is nobody of that name.
    let found = Command::new("getent").args(["passwd", name]).output();
    Ok(found.ok().and_then(|out| parse(String::from_utf8_lossy(&out.stdout).trim(), name)))
}

pub(super) fn make(name: &str, home: &Path) -> Result<()> {
    if find(name)?.is_some() {
        return Ok(());
    }
    let mut add = Command::new("useradd");
    add.args(["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]);
    add.arg("--home-dir").arg(home).args(["--comment", "Concord messaging server", name]);
    command("make the service user", &mut add).map(|_| ())
}

pub(super) fn remove(name: &str) -> Result<()> {
    if find(name)?.is_none() {
        return Ok(());
    }
    command("remove the service user", Command::new("userdel").arg(name)).map(|_| ())
}
