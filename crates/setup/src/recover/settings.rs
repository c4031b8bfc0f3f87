//! The backup's settings, made to fit this machine.

use super::RecoverOptions;
use crate::backup::Backup;
use crate::error::{Result, SetupError};
use crate::host::Host;
use std::path::Path;

/// The settings file in a backup.
pub(super) const FILE: &str = "etc/concord.toml";

/// The settings as they are to be here.
pub(super) struct Recovered {
    /// The file's text.
    pub text: String,
    /// The host name that it says.
    pub hostname: String,
    /// What was changed, for people.
    pub changes: Vec<String>,
}

/// Reads the backup's settings file; `None` if it has none. The host name is
/// changed if a new one is given, and paths below the old root if that was
/// elsewhere.
pub(super) fn read(
    host: &Host,
    backup: &Backup,
    options: &RecoverOptions,
) -> Result<Option<Recovered>> {
    let Some(entry) = backup.files_in(FILE).next() else { return Ok(None) };
    backup.check(entry)?;
    let path = backup.path.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(SetupError::io("read", &path))?;
    let mut changes = Vec::new();
    let mut text = text;
    let (old, new) = (&backup.manifest.identity.root, host.layout.root().path());
    let names_old = ['"', '\''].iter().any(|quote| text.contains(&quoted(old, *quote)));
    if old != new && names_old {
        for quote in ['"', '\''] {
            text = text.replace(&quoted(old, quote), &quoted(new, quote));
        }
        changes.push(format!("paths below {} are below {} now", old.display(), new.display()));
    }
    if let Some(hostname) = &options.hostname {
        text = with_hostname(&text, hostname)?;
        changes.push(format!("server.hostname is {hostname}"));
    }
    let settings = concord_settings::parse(&text, &path)?;
    Ok(Some(Recovered { hostname: settings.server.hostname, text, changes }))
}

/// How a path below `top` begins in the file.
fn quoted(top: &Path, quote: char) -> String {
    format!("{quote}{}/", top.display())
}

/// The text with another `server.hostname`; everything else stays as it is.
pub(super) fn with_hostname(text: &str, hostname: &str) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| SetupError::invalid("change the host name", e))?;
    let server = document.entry("server").or_insert_with(toml_edit::table);
    let Some(server) = server.as_table_like_mut() else {
        return Err(SetupError::invalid("change the host name", "'server' is no section"));
    };
    server.insert("hostname", toml_edit::value(hostname));
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_changed_and_nothing_else() {
        let text = "# mine\n[server]\nhostname = \"old.example.test\" # the name\n\n[queue]\n";
        let changed = with_hostname(text, "new.example.test").unwrap();
        assert!(changed.contains("hostname = \"new.example.test\""), "{changed}");
        assert!(changed.starts_with("# mine\n[server]\n") && changed.ends_with("\n[queue]\n"));
        let added = with_hostname("", "new.example.test").unwrap();
        assert_eq!(added, "[server]\nhostname = \"new.example.test\"\n");
    }
}
