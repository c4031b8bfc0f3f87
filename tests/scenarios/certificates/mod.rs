//! Certificates from Pebble, and what the web service says to mail programs.

mod load;

use crate::text;
use concord_testkit::{
    Bind, Concord, Config, Pebble, PebbleSettings, Ports, Result, run, run_with_input, trouble,
    wait_until,
};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const HOST: &str = "mail.example.test";
/// An order takes a second or two; services look at the file every ten.
const PATIENCE: Duration = Duration::from_secs(60);
/// One fetch.
const FETCH: Duration = Duration::from_secs(20);

/// A server with the component web, its name server and its authority.
struct Town {
    server: Concord,
    pebble: Pebble,
    bind: Bind,
    _ports: Ports,
}

impl Town {
    /// Everything but the component web runs; nothing is ordered yet.
    fn new(external: Option<(&str, &str)>, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let ports = Ports::take()?;
        let hosts = [HOST, "mta-sts.example.test", "autoconfig.example.test"];
        let bind = Bind::start(ports.next()?, "example.test", &hosts)?;
        let builder = Concord::builder()?;
        let mut web = (0, 0);
        let builder = builder.config(|config| {
            web = (config.address("http").port(), config.address("https").port());
        });
        let pebble = Pebble::start(&PebbleSettings {
            port: ports.next()?,
            management_port: ports.next()?,
            dns: bind.address(),
            http_port: web.0,
            tls_port: web.1,
            external_account: external.map(|(id, key)| (id.to_owned(), key.to_owned())),
        })?;
        let server = builder
            .config(|config| {
                config.set("acme", "directory", quoted(&pebble.directory_url()));
                config.set("acme", "accept-terms", "true");
                let root = pebble.server_root().display().to_string();
                config.set("acme", "trusted-root", quoted(&root));
                config.set("acme", "dns-wait", "\"0 s\"");
                change(config);
            })
            .start()?;
        Ok(Self { server, pebble, bind, _ports: ports })
    }

    fn add_web(&self) -> Result<()> {
        self.server.command(&["setup", "add", "web", "--yes"])?.ok()?;
        wait_until("the web service", PATIENCE, || Ok(self.server.service("web").is_ok()))
    }

    /// Waits until the certificate that services use is an ordered one.
    fn ordered(&self) -> Result<Value> {
        let mut shown = Value::Null;
        wait_until("a certificate from the authority", PATIENCE, || {
            shown = self.server.json(&["certificate", "show"])?;
            Ok(text(&shown["certificate"], "from") == "ordered")
        })
        .map_err(|e| trouble(format!("{}: {shown}\n{}", e.text(), self.pebble.said())))?;
        Ok(shown)
    }

    /// Brings other settings into use and orders anew; gives the serial number.
    fn order_anew(&mut self, change: impl FnOnce(&mut Config)) -> Result<String> {
        self.server.reconfigure(change)?;
        self.server.command(&["service", "restart", "web"])?.ok()?;
        let done = self.server.json(&["certificate", "renew", "--force"])?;
        assert_eq!(done["ordered"], true, "{done}");
        Ok(text(&done, "serial").to_owned())
    }

    /// Fetches by HTTPS as a client that trusts the authority does.
    fn fetch(&self, url: &str, more: &[&str]) -> Result<String> {
        let root = self.pebble.issuing_root()?;
        let at = self.server.address("https").port();
        let host = url.split('/').nth(2).unwrap_or_default();
        let resolve = format!("{host}:443:127.0.0.1");
        let connect = format!("{host}:443:127.0.0.1:{at}");
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--connect-to", &connect, "--resolve", &resolve, "--cacert"]);
        curl.arg(root).args(more).arg(url);
        Ok(run(&mut curl, FETCH)?.ok()?.stdout)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[test]
fn certificates_are_had_by_http_and_by_tls_and_serve_documents() -> Result<()> {
    let mut town = Town::new(None, |config| {
        let names =
            "[\"mail.example.test\", \"mta-sts.example.test\", \"autoconfig.example.test\"]";
        config.set("acme", "names", names);
        config.set("web", "mta-sts", "\"enforce\"");
    })?;
    let before = town.server.json(&["certificate", "show"])?;
    assert_eq!(text(&before["certificate"], "from"), "self-made");
    town.add_web()?;
    let shown = town.ordered()?;
    assert_eq!(shown["certificate"]["names"].as_array().map(Vec::len), Some(3), "{shown}");

    // RFC 8461: the certificate must be good for the policy's host.
    let mut policy = String::new();
    wait_until("the ordered certificate in use", PATIENCE, || {
        let url = "https://mta-sts.example.test/.well-known/mta-sts.txt";
        policy = town.fetch(url, &[]).unwrap_or_default();
        Ok(!policy.is_empty())
    })?;
    assert!(policy.contains("mode: enforce\r\nmx: mail.example.test\r\n"), "{policy}");
    let xml = town.fetch("https://autoconfig.example.test/mail/config-v1.1.xml", &[])?;
    let imaps = format!("<port>{}</port>", town.server.address("imaps").port());
    assert!(xml.contains("<domain>example.test</domain>") && xml.contains(&imaps), "{xml}");

    documents(&town)?;

    let first = text(&shown["certificate"], "serial").to_owned();
    let second = town.order_anew(|config| config.set("acme", "challenge", "\"tls-alpn-01\""))?;
    assert_ne!(first, second);
    let check = town.server.json(&["certificate", "check"])?;
    assert_eq!(check["good"], true, "{check}");
    // The files hold a key and what an account can do.
    for file in ["acme.pem", "acme-accounts.json"] {
        use std::os::unix::fs::PermissionsExt;
        let file = town.server.root().join("data/tls").join(file);
        assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    Ok(())
}

#[test]
fn certificates_are_had_by_changes_of_the_dns() -> Result<()> {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let scratch = tempfile::tempdir()?;
    let account = scratch.path().join("account.key");
    std::fs::write(&account, format!("{key}\n"))?;
    let mut town = Town::new(Some(("kid-1", key)), |config| {
        config.set(
            "acme",
            "names",
            "[\"mail.example.test\", \"example.test\", \"*.example.test\"]",
        );
        config.set("acme", "challenge", "\"dns-01\"");
        // Set aright below, when the name server's port is known.
        config.set("acme", "hook", "\"/bin/false\"");
        config.set("acme", "external-account-id", "\"kid-1\"");
        config.set("acme", "external-account-key-file", quoted(&account.display().to_string()));
    })?;
    let script = hook(&town, scratch.path())?;
    town.server.reconfigure(|config| config.set("acme", "hook", quoted(&script)))?;
    town.add_web()?;
    let shown = town.ordered()?;
    assert!(shown["certificate"]["names"].to_string().contains("*.example.test"), "{shown}");
    // The records are taken away behind the certificate.
    wait_until("three records made and taken away", PATIENCE, || {
        let calls = std::fs::read_to_string(scratch.path().join("calls"))?;
        let count = |word: &str| calls.lines().filter(|l| l.starts_with(word)).count();
        Ok(count("present ") == 3 && count("remove ") == 3)
    })?;

    let (at, file) = (town.bind.address(), town.bind.key_file());
    let serial = town.order_anew(|config| {
        config.unset("acme", "hook");
        config.set("acme", "dns-server", quoted(&at.to_string()));
        config.set("acme", "dns-key-file", quoted(&file.display().to_string()));
    })?;
    assert_ne!(serial, text(&shown["certificate"], "serial"));
    let said = town.bind.said();
    assert!(said.contains("adding an RR at '_acme-challenge.example.test' TXT"), "{said}");
    assert!(said.contains("deleting an RR at _acme-challenge.example.test TXT"), "{said}");
    Ok(())
}

/// What Outlook and Apple's programs get, read by others' parsers.
fn documents(town: &Town) -> Result<()> {
    let ask = "<Autodiscover><Request><EMailAddress>alice@example.test</EMailAddress></Request>\
               </Autodiscover>";
    let url = format!("https://{HOST}/AutoDiscover/AutoDiscover.xml");
    let answer = town.fetch(&url, &["--data", ask])?;
    let mut xmllint = Command::new("xmllint");
    let port = "//*[local-name()='Protocol'][*[local-name()='Type']='IMAP']/*[local-name()='Port']";
    xmllint.args(["--xpath", &format!("string({port})"), "-"]);
    let found = run_with_input(&mut xmllint, answer.as_bytes(), FETCH)?.ok()?;
    assert_eq!(found.stdout.trim(), town.server.address("imaps").port().to_string(), "{answer}");

    let url = format!("https://{HOST}/mail/apple.mobileconfig?emailaddress=alice%40example.test");
    let profile = town.fetch(&url, &[])?;
    let mut python = Command::new("python3");
    python.args([
        "-c",
        "import plistlib,sys; p=plistlib.loads(sys.stdin.buffer.read()); a=p['PayloadContent'][0]; \
         print(p['PayloadType'], p['PayloadVersion'], a['PayloadType'], a['EmailAddress'], \
         a['IncomingMailServerUseSSL'], a['IncomingMailServerPortNumber'])",
    ]);
    let read = run_with_input(&mut python, profile.as_bytes(), FETCH)?.ok()?;
    let port = town.server.address("imaps").port();
    let expected = format!("Configuration 1 com.apple.mail.managed alice@example.test True {port}");
    assert_eq!(read.stdout.trim(), expected);
    Ok(())
}

/// A program as an administrator would write it.
fn hook(town: &Town, at: &std::path::Path) -> Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let file = at.join("hook");
    let (address, key) = (town.bind.address(), town.bind.key_file());
    let script = format!(
        "#!/bin/sh\nset -e\necho \"$*\" >> '{calls}'\ncase $1 in\npresent) act=add;;\nremove) \
         act=delete;;\nesac\nprintf 'server {ip} {port}\\nupdate %s %s 60 TXT %s\\nsend\\n' $act \
         \"$3\" \"$4\" | nsupdate -k '{key}'\n",
        calls = at.join("calls").display(),
        ip = address.ip(),
        port = address.port(),
        key = key.display(),
    );
    std::fs::write(&file, script)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    Ok(file.display().to_string())
}

#[test]
fn an_order_that_fails_says_which_name_and_why_and_the_doctor_knows() -> Result<()> {
    let town = Town::new(None, |config| {
        config.set("acme", "names", "[\"mail.example.test\", \"nowhere.example.test\"]");
    })?;
    town.add_web()?;
    let state: PathBuf = town.server.root().join("data/tls/acme-state.json");
    wait_until("the first failure", PATIENCE, || Ok(state.exists()))?;
    let done = town.server.command(&["certificate", "order", "--json"])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    let error: Value = serde_json::from_str(&done.stderr)?;
    assert_eq!(text(&error, "code"), "acme.not-proved");
    let message = text(&error, "message");
    assert!(message.contains("'nowhere.example.test' by http-01"), "{message}");
    let found = town.server.command(&["doctor", "--json"])?;
    assert!(found.stdout.contains("CC-0704"), "{found:?}");
    assert!(found.stdout.contains("nowhere.example.test"), "{found:?}");
    let check = town.server.command(&["certificate", "check"])?;
    assert_eq!(check.code, Some(2), "{check:?}");
    // Mail goes on with what was there.
    let shown = town.server.json(&["certificate", "show"])?;
    assert_eq!(text(&shown["certificate"], "from"), "self-made");
    assert!(shown["renewal"]["failures"].as_u64() >= Some(2), "{shown}");
    Ok(())
}
