//! The webhook connector as a signed package.

use concord_testkit::{Result, Site, trouble};
use std::path::{Path, PathBuf};

/// The example in the sources.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/webhook")
}

/// Packs the example under another version or contract, signed with a key of
/// this test. Gives back the package; the key is `publisher.pub` beside it.
pub fn packed(site: &Site, version: &str, contract: u32) -> Result<PathBuf> {
    let directory = site.top().join(format!("webhook-{version}-{contract}"));
    std::fs::create_dir_all(&directory)?;
    for entry in std::fs::read_dir(example())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), directory.join(entry.file_name()))?;
        }
    }
    let manifest = directory.join("connector.toml");
    let text = std::fs::read_to_string(&manifest)?
        .replace("version = \"1.0.0\"", &format!("version = \"{version}\""))
        .replace("contract = 1", &format!("contract = {contract}"));
    std::fs::write(&manifest, text)?;
    let key = site.top().join("publisher.key");
    let key_text = key.display().to_string();
    if !key.exists() {
        site.ok(&["connector", "keygen", &key_text])?;
    }
    let out = site.top().join(format!("webhook-{version}-{contract}.ccp"));
    let (from, to) = (directory.display().to_string(), out.display().to_string());
    site.ok(&["connector", "pack", &from, "--key", &key_text, "--out", &to])?;
    Ok(out)
}

/// Installs the webhook under a name, with a listener of its own.
pub fn install(site: &Site, name: &str) -> Result<()> {
    let package = packed(site, "1.0.0", 1)?.display().to_string();
    let trust = site.top().join("publisher.pub").display().to_string();
    let port = site.port()?;
    site.ok(&[
        "connector",
        "install",
        &package,
        "--name",
        name,
        "--trust",
        &trust,
        "--setting",
        "url=http://127.0.0.1:9/",
        "--listen",
        &format!("http=127.0.0.1:{port}"),
    ])?;
    Ok(())
}

/// The rows of `service list` as `name state`.
pub fn services(site: &Site) -> Result<Vec<String>> {
    let list = site.json(&["service", "list"])?;
    let rows = list.as_array().cloned().ok_or_else(|| trouble("no list of services"))?;
    let text = |row: &serde_json::Value, key: &str| {
        row.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(rows.iter().map(|row| format!("{} {}", text(row, "name"), text(row, "state"))).collect())
}
