//! The files as they are to be: what was chosen is put in, all else stays as it
//! is written.

use super::There;
use super::choices::Choices;
use crate::commands::setup::answers::put_over;
use crate::failure::Failure;
use concord_address::SmtpAddress;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// `etc/concord.toml`. Where it says the same already, nothing is written.
pub fn settings(choices: &Choices, there: &There, hostname: &str) -> Result<String, Failure> {
    let now = &there.settings;
    let mut over = Table::new();
    if now.server.hostname != hostname {
        put(&mut over, "server", "hostname", hostname);
    }
    if !choices.address.is_empty() && choices.address != now.server.addresses {
        let list = choices.address.iter().map(|ip| Value::String(ip.to_string())).collect();
        put(&mut over, "server", "addresses", Value::Array(list));
    }
    // Paths of settings that were read are absolute.
    let is = |known: &Option<PathBuf>, said: &Path| {
        known.as_ref().is_some_and(|known| *known == there.root.resolve(said))
    };
    let root_path = |path: &Path| path.display().to_string();
    if let (Some(certificate), Some(key)) = (&choices.certificate, &choices.key)
        && (!is(&now.tls.certificate, certificate) || !is(&now.tls.key, key))
    {
        put(&mut over, "tls", "certificate", root_path(certificate));
        put(&mut over, "tls", "key", root_path(key));
    }
    if let Some(directory) = &choices.acme_directory
        && (now.acme.directory.as_ref() != Some(directory)
            || now.acme.accept_terms != choices.accept_terms)
    {
        put(&mut over, "acme", "directory", directory.as_str());
        put(&mut over, "acme", "accept-terms", choices.accept_terms);
        // Whoever gets mail for the postmaster may be told when something ends.
        if let Some(administrator) = choices.administrator.as_ref().filter(|_| now.acme.contact.is_empty()) {
            let contact = vec![Value::String(administrator.clone())];
            put(&mut over, "acme", "contact", Value::Array(contact));
        }
    }
    if let Some(host) = &choices.smart_host {
        let known = now.internet_mail.smart_host.as_ref();
        let same = known.is_some_and(|known| {
            let with_port = format!("{}:{}", known.host, known.port);
            *host == with_port || (*host == known.host && known.port == 25)
        });
        if !same {
            put(&mut over, "internet-mail", "smart-host", host.as_str());
        }
    }
    if let (Some(user), Some(file)) =
        (&choices.smart_host_user, &choices.smart_host_password_file)
        && (now.internet_mail.smart_host_user.as_ref() != Some(user)
            || !is(&now.internet_mail.smart_host_password_file, file))
    {
        put(&mut over, "internet-mail", "smart-host-user", user.as_str());
        put(&mut over, "internet-mail", "smart-host-password-file", root_path(file));
    }
    if let Some(word) = &choices.smart_host_tls {
        let text = format!("[internet-mail]\nsmart-host-tls = {:?}\n", word);
        let wanted = concord_settings::parse(&text, Path::new("--smart-host-tls"))?;
        if wanted.internet_mail.smart_host_tls != now.internet_mail.smart_host_tls {
            put(&mut over, "internet-mail", "smart-host-tls", word.as_str());
        }
    }
    let text = match choices.direct && now.internet_mail.smart_host.is_some() {
        true => without_smart_host(&there.settings_text)?,
        false => there.settings_text.clone(),
    };
    if over.is_empty() { Ok(text) } else { put_over(&text, &over) }
}

fn put(over: &mut Table, section: &str, key: &str, value: impl Into<Value>) {
    let table = over.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Some(table) = table.as_table_mut() {
        table.insert(key.to_owned(), value.into());
    }
}

fn without_smart_host(text: &str) -> Result<String, Failure> {
    let mut document = document(text)?;
    if let Some(section) = document.get_mut("internet-mail").and_then(|s| s.as_table_like_mut()) {
        for key in ["smart-host", "smart-host-user", "smart-host-password-file", "smart-host-tls"] {
            section.remove(key);
        }
    }
    Ok(document.to_string())
}

/// What the example shows of it.
const SAMPLE: &str = "# [inbound]\n# postmaster = \"admin@example.org\"";

/// `etc/internet-mail.toml`; a server without one begins with the example.
pub fn policy(choices: &Choices, there: &There) -> Result<String, Failure> {
    let text = match there.policy_text.is_empty() {
        true => concord_mail_policy::EXAMPLE,
        false => there.policy_text.as_str(),
    };
    let Some(administrator) = &choices.administrator else { return Ok(text.to_owned()) };
    let address: SmtpAddress = administrator.parse().map_err(|_| {
        Failure::usage(
            "cli.mail-administrator",
            format!("cannot use '{administrator}': it is no address; write one like 'a@example.org'"),
        )
    })?;
    if there.policy.inbound.postmaster.as_ref() == Some(&address) {
        return Ok(text.to_owned());
    }
    let mut document = document(text)?;
    if document.is_empty() && text.contains(SAMPLE) {
        // Where the example shows it, not behind all of its comments.
        return Ok(text.replacen(SAMPLE, &format!("[inbound]\npostmaster = \"{address}\""), 1));
    }
    let inbound = document
        .entry("inbound")
        .or_insert_with(|| toml_edit::Item::Table(toml_edit::Table::new()));
    if let Some(inbound) = inbound.as_table_like_mut() {
        inbound.insert("postmaster", toml_edit::value(address.to_string()));
    }
    Ok(document.to_string())
}

fn document(text: &str) -> Result<toml_edit::DocumentMut, Failure> {
    text.parse()
        .map_err(|error| Failure::configuration(format!("cannot read what is there: {error}")))
}
