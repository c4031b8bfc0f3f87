//! Setting up a new root, and what a new organisation begins with.

use crate::context;
use crate::failure::Failure;
use concord_admin_api::wire::{Bootstrap, BootstrapMailbox, Bootstrapped};
use concord_base::{Clock, SystemClock};
use concord_controller::Method;
use concord_settings::{Preset, Root, Settings};
use concord_tls::CertificateFiles;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The password of both mailboxes of the demonstration.
pub const DEMO_PASSWORD: &str = "demo";

/// What the demonstration begins with: organisation Example with Alice and Bob.
pub fn demo(server: &str) -> Bootstrap {
    let mailbox = |name: &str, display_name: &str| BootstrapMailbox {
        name: name.to_owned(),
        address: None,
        display_name: Some(display_name.to_owned()),
        password: Some(DEMO_PASSWORD.to_owned()),
    };
    Bootstrap {
        mailboxes: vec![mailbox("alice", "Alice Example"), mailbox("bob", "Bob Example")],
        ..organisation("Example", "example.test", server)
    }
}

/// What a new organisation begins with; it has no mailboxes yet.
pub fn organisation(organisation: &str, domain: &str, server: &str) -> Bootstrap {
    Bootstrap {
        organisation: organisation.to_owned(),
        site: "First".to_owned(),
        server: server.to_owned(),
        domain: domain.to_owned(),
        mailboxes: Vec::new(),
    }
}

/// Asks the core to create what `first` names. Idempotent.
pub async fn bootstrap(root: &Root, first: &Bootstrap) -> Result<Bootstrapped, Failure> {
    Ok(context::admin(root).send(Method::POST, "/v1/directory/bootstrap", first).await?)
}

/// Makes the root's directories and, if there is none, its configuration
/// file. True if the file is new.
pub fn set_up(root: &Root, demo: bool) -> Result<bool, Failure> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| {
            Failure::new(
                "setup.root",
                format!("cannot set up {path}: {e}; choose another directory with --root"),
            )
        }
    };
    for directory in [root.path().to_owned(), root.etc(), root.data(), root.run(), root.log()] {
        // Mail and passwords are in there: for this user only.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(failed(&directory))?;
    }
    let file = root.config_file();
    if file.exists() {
        return Ok(false);
    }
    let hostname = machine_name();
    let preset = if demo { Preset::Demo } else { Preset::Production { hostname: &hostname } };
    let draft = file.with_extension("toml.new");
    std::fs::write(&draft, concord_settings::example(preset))
        .and_then(|()| std::fs::rename(&draft, &file))
        .map_err(failed(&file))?;
    Ok(true)
}

/// What the machine calls itself, if that is a valid name.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let text = format!("[server]\nhostname = \"{}\"\n", name.escape_default());
    match concord_settings::parse(&text, Path::new("hostname")) {
        Ok(_) => name.to_owned(),
        Err(_) => "localhost".to_owned(),
    }
}

/// The certificate that the administrator gave.
pub fn given_certificate(settings: &Settings) -> Option<CertificateFiles> {
    let certificate = settings.tls.certificate.clone()?;
    let key = settings.tls.key.clone()?;
    Some(CertificateFiles { certificate, key })
}

/// The certificate to serve with: the given one, else the self-made one,
/// which is made if need be.
pub fn certificate(root: &Root, settings: &Settings) -> Result<CertificateFiles, Failure> {
    if let Some(given) = given_certificate(settings) {
        return Ok(given);
    }
    let hostname = &settings.server.hostname;
    Ok(concord_tls::self_made(&root.tls(), hostname, SystemClock.now())?)
}
