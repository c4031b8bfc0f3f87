//! `setup mail`, `dkim`, `dns` and `internet-mail` with the real executable, as
//! an administrator uses them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use concord_testkit::{NameServer, Zone};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const NO_PORTS: &str = "organisation = 'Acme'\ndomain = 'acme.test'\nhostname = 'mail.acme.test'\n\
                        in-place = true\nsystemd = 'no'\n[settings.listen]\nsmtp = []\nsubmission \
                        = []\nimap = []\npop3 = []\npop3s = []\nhttp = []\nhttps = []\n\
                        submissions = ['127.0.0.1:14465']\nimaps = ['127.0.0.1:14993']\n";

fn concord(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.arg("--root").arg(root).args(args).env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
    command
}

fn run(root: &Path, args: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = concord(root, args).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

fn ok(root: &Path, args: &[&str]) -> String {
    let (code, said) = run(root, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

fn json(root: &Path, args: &[&str]) -> Value {
    let output = concord(root, &[&["--json"], args].concat()).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn installed() -> tempfile::TempDir {
    installed_as("mail.acme.test")
}

fn installed_as(hostname: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let answers = dir.path().join("site.toml");
    std::fs::write(&answers, NO_PORTS.replace("mail.acme.test", hostname)).unwrap();
    let root = dir.path().join("root");
    let install = ["setup", "install", "--no-start", "--yes", "--answers"];
    ok(&root, &[&install[..], &[answers.to_str().unwrap()]].concat());
    dir
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What a zone file's lines say, served.
fn served(lines: &[String]) -> NameServer {
    let mut zone = Zone::default();
    for line in lines {
        let (name, rest) = line.split_once(". IN ").unwrap();
        let (kind, value) = rest.split_once(' ').unwrap();
        let last = value.rsplit(' ').next().unwrap();
        match kind {
            "A" | "AAAA" => {
                zone.address(name, value.parse().unwrap());
            }
            "MX" => {
                zone.mx(name, 10, last).unwrap();
            }
            "TXT" => {
                let text: String = value.split('"').skip(1).step_by(2).collect();
                zone.txt(name, &text);
            }
            "PTR" => {
                zone.ptr("192.0.2.1".parse().unwrap(), value).unwrap();
            }
            "SRV" => {
                let port = value.split(' ').nth(2).unwrap().parse().unwrap();
                zone.srv(name, port, last).unwrap();
            }
            "TLSA" => {
                let octet = |at: usize| u8::from_str_radix(&last[at..at + 2], 16).unwrap();
                let hash: Vec<u8> = (0..last.len()).step_by(2).map(octet).collect();
                zone.tlsa(name, &hash);
            }
            other => panic!("{other} in {line}"),
        }
    }
    NameServer::start("127.0.0.1:0".parse().unwrap(), zone).unwrap()
}

#[test]
fn records_can_be_told_before_there_is_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("none");
    let (code, said) = run(&root, &["dns", "records"]);
    assert_eq!(code, 64, "{said}");
    let asked = ["dns", "records", "--host=Mail.Acme.test", "--domain=acme.test"];
    let zone = ok(&root, &[&asked[..], &["--address=192.0.2.1", "--zone"]].concat());
    assert!(zone.contains("mail.acme.test. IN A 192.0.2.1\n"), "{zone}");
    assert!(zone.contains("acme.test. IN MX 10 mail.acme.test.\n"), "{zone}");
    assert!(zone.lines().all(|line| line.contains(". IN ")), "{zone}");
    assert!(!root.exists(), "nothing is made");
}

/// From an installed server to one that the DNS agrees with, and back.
#[test]
fn mail_is_set_up_published_and_found_well() {
    let dir = installed();
    let root = &dir.path().join("root");
    let policy = root.join("etc/internet-mail.toml");
    assert_eq!(mode(&policy), 0o600, "a new server has a policy");
    assert_eq!(mode(&root.join("data/keys/dkim")), 0o700);
    ok(root, &["internet-mail", "check"]);

    let setup = [
        "setup",
        "mail",
        "--domain=acme.test",
        "--domain=Other.test",
        "--address=192.0.2.1",
        "--administrator=boss@acme.test",
        "--yes",
    ];
    let (code, said) = run(root, &[&setup[..], &["--dry-run"]].concat());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("domain other.test") && said.contains("key of acme.test"), "{said}");
    assert!(!root.join("data/keys/dkim/dkim.toml").exists(), "a dry run makes nothing");
    let said = ok(root, &setup);
    assert!(said.contains("made key") && said.contains("acme.test. IN MX 10 mail.acme.test."));
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(text.contains("postmaster = \"boss@acme.test\""), "{text}");
    assert!(text.contains("# [[journal]]"), "the comments stay");
    for entry in std::fs::read_dir(root.join("data/keys/dkim")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let keys = json(root, &["dkim", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), 4, "{keys}");
    assert!(keys.as_array().unwrap().iter().all(|key| key["state"] == "published"));
    // T67: a second run has nothing to do.
    let again = ok(root, &setup);
    assert!(again.contains("nothing to do") && !again.contains("made key"), "{again}");
    assert_eq!(run(root, &[&setup[..], &["--dry-run"]].concat()).0, 0);

    let empty = NameServer::start("127.0.0.1:0".parse().unwrap(), Zone::default()).unwrap();
    let server = empty.address().to_string();
    let (code, said) = run(root, &["dns", "check", "--name-server", &server]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("set   acme.test. IN MX 10 mail.acme.test."), "{said}");
    assert_eq!(run(root, &["dkim", "publish", "--name-server", &server]).0, 2);

    let wanted = json(root, &["dns", "records"]);
    let lines: Vec<String> = wanted["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["line"].as_str().unwrap().to_owned())
        .collect();
    assert!(lines.iter().any(|line| line.contains("._domainkey.other.test. IN TXT (")));
    let world = served(&lines);
    let server = world.address().to_string();
    ok(root, &["dkim", "publish", "--name-server", &server]);
    let keys = json(root, &["dkim", "list"]);
    assert!(keys.as_array().unwrap().iter().all(|key| key["state"] == "active"), "{keys}");
    let said = ok(root, &["dns", "check", "--name-server", &server]);
    assert!(said.contains("0 troubles, 0 warnings"), "{said}");

    world.change(|zone| {
        zone.clear("acme.test").txt("acme.test", "v=spf1 a:mail.acme.test ~all");
        zone.mx("acme.test", 10, "mx.thief.test.").unwrap();
    });
    let found = json(root, &["dns", "check", "--name-server", &server]);
    assert_eq!(found["verdict"], "trouble");
    let mx = found["findings"].as_array().unwrap().iter().find(|f| f["state"] == "wrong").unwrap();
    assert_eq!(mx["purpose"], "exchanger");
    assert!(mx["what"].as_str().unwrap().contains("mx.thief.test"), "{mx}");
}

/// T67: what was taken out comes back by the wizard, with its policy.
#[test]
fn the_wizard_puts_a_missing_service_back() {
    let dir = installed();
    let root = &dir.path().join("root");
    ok(root, &["internet-mail", "mode", "drain"]);
    ok(root, &["setup", "remove", "internet-mail", "--yes"]);
    assert!(!root.join("services/internet-mail.toml").exists());
    ok(root, &["setup", "mail", "--no-dkim", "--yes"]);
    assert!(root.join("services/internet-mail.toml").exists());
    assert_eq!(ok(root, &["internet-mail", "mode"]), "drain\n");
    let again = ok(root, &["setup", "mail", "--no-dkim", "--yes"]);
    assert!(again.contains("nothing to do"), "{again}");
}

#[test]
fn a_server_without_a_full_name_is_not_set_up_for_mail() {
    let dir = installed_as("localhost");
    let root = &dir.path().join("root");
    let (code, said) = run(root, &["setup", "mail", "--yes"]);
    assert!(code == 64 && said.contains("--hostname mail.example.org"), "{code}: {said}");
    let missing =
        ["setup", "mail", "--yes", "--hostname=m.acme.test", "--certificate=/no", "--key=/no"];
    let (code, said) = run(root, &missing);
    assert!(code != 0 && said.contains("/no"), "{code}: {said}");
    assert!(!root.join("data/keys/dkim/dkim.toml").exists());
}

#[test]
fn a_policy_is_checked_before_it_takes_its_place() {
    let dir = installed();
    let root = &dir.path().join("root");
    let policy = root.join("etc/internet-mail.toml");
    let script = dir.path().join("editor.sh");
    let edit = |text: &str| {
        std::fs::write(&script, format!("#!/bin/sh\ncat > \"$1\" <<'END'\n{text}END\n")).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = concord(root, &["internet-mail", "edit"]);
        let out = command.env("EDITOR", &script).env_remove("VISUAL").output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    };
    let before = std::fs::read_to_string(&policy).unwrap();
    let (code, said) = edit("[relay]\nallow = [\n'10.0.0.1/8']\n[outbound]\nconections = 1\n");
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("line 2: ") && said.contains("line 5: "), "{said}");
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), before);
    let good = "[outbound]\nconnections = 3\n[[domain]]\nname = 'b.test'\nconnections = 1\n";
    let (code, said) = edit(good);
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), good);
    assert_eq!(mode(&policy), 0o600);

    let found = json(root, &["internet-mail", "effective", "--domain", "Mail.B.test"]);
    let connections =
        found["values"].as_array().unwrap().iter().find(|v| v["key"] == "connections").unwrap();
    assert_eq!((&connections["value"], &connections["line"]), (&"1".into(), &5.into()));
    let said = ok(root, &["internet-mail", "effective", "--domain", "c.test"]);
    assert!(said.contains("limits.message-size of concord.toml"), "{said}");
    assert!(ok(root, &["internet-mail", "show"]).contains("connections = 3"));

    // Somebody writes it by hand, and the doctor tells.
    std::fs::write(&policy, "[relay]\nalow = []\n").unwrap();
    let (code, said) = run(root, &["doctor"]);
    assert!(code == 2 && said.contains("CC-0904") && said.contains("alow"), "{said}");
    assert_eq!(run(root, &["internet-mail", "check"]).0, 78);
    let other = dir.path().join("other.toml");
    std::fs::write(&other, good).unwrap();
    ok(root, &["internet-mail", "check", other.to_str().unwrap()]);
}

#[test]
fn keys_are_taken_over_changed_and_removed() {
    let dir = installed();
    let root = &dir.path().join("root");
    let made = json(root, &["dkim", "add", "acme.test", "--algorithm=ed25519", "--selector=s1"]);
    assert!(made[0]["line"].as_str().unwrap().starts_with("s1._domainkey.acme.test. IN TXT"));
    let (code, said) = run(root, &["dkim", "add", "acme.test", "--selector=s1"]);
    assert_eq!(code, 64, "{said}");
    let pem = root.join("data/keys/dkim/acme.test.s1.pem");
    let import = ["dkim", "add", "acme.test", "--selector=s2", "--import", pem.to_str().unwrap()];
    let taken = json(root, &import);
    assert_eq!(taken[0]["value"], made[0]["value"]);
    ok(root, &["dkim", "remove", "acme.test", "s2"]);
    ok(root, &["dkim", "publish", "--unseen"]);
    let (code, said) = run(root, &["dkim", "remove", "acme.test", "s1"]);
    assert!(code == 1 && said.contains("it signs"), "{said}");
    assert_eq!(ok(root, &["dkim", "rotate"]), "nothing is due\n");
    assert!(ok(root, &["dkim", "rotate", "--now"]).contains("made ed25519 key"));
    assert_eq!(json(root, &["dkim", "list"]).as_array().unwrap().len(), 2);

    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&pem, open).unwrap();
    let (code, said) = run(root, &["doctor"]);
    assert!(code == 2 && said.contains("CC-0905"), "{said}");
    ok(root, &["doctor", "--fix"]);
    assert_eq!(mode(&pem), 0o600);
    std::fs::remove_file(&pem).unwrap();
    assert!(run(root, &["doctor"]).1.contains("recover BACKUP --parts keys"));
}

#[test]
fn policy_and_keys_are_in_backups_and_in_the_exported_configuration() {
    let dir = installed();
    let (root, other) = (&dir.path().join("root"), &dir.path().join("other"));
    let backups = dir.path().join("backups");
    ok(root, &["internet-mail", "mode", "drain"]);
    ok(root, &["dkim", "add", "acme.test", "--algorithm=ed25519", "--selector=s1"]);
    let made = json(root, &["backup", "create", backups.to_str().unwrap()]);
    let backup = made["path"].as_str().unwrap();
    let machine = ["recover", backup, "--in-place", "--systemd=no", "--yes"];
    ok(other, &machine);
    assert_eq!(ok(other, &["internet-mail", "mode"]), "drain\n");
    let key = other.join("data/keys/dkim/acme.test.s1.pem");
    assert_eq!(
        std::fs::read(&key).unwrap(),
        std::fs::read(root.join("data/keys/dkim/acme.test.s1.pem")).unwrap()
    );
    assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));
    assert!(!other.join("data/tls/data").exists());
    let (code, said) = run(other, &["doctor"]);
    assert!(code == 0, "{said}");

    let file = dir.path().join("all.toml");
    ok(other, &["config", "export", file.to_str().unwrap()]);
    ok(other, &["internet-mail", "mode", "normal"]);
    ok(other, &["config", "apply", file.to_str().unwrap(), "--yes"]);
    assert_eq!(ok(other, &["internet-mail", "mode"]), "drain\n");
    let text = std::fs::read_to_string(&file).unwrap().replace("drain", "drane");
    std::fs::write(&file, text).unwrap();
    let (code, said) = run(other, &["config", "apply", file.to_str().unwrap(), "--yes"]);
    assert!(code == 1 && said.contains("drane"), "{said}");
}

/// The answers of the manual, but for a certificate that is not there.
#[test]
fn the_manuals_answers_are_understood() {
    let dir = installed();
    let root = &dir.path().join("root");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/dns.md");
    let page = std::fs::read_to_string(page).unwrap();
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let is_kept = |line: &&str| !line.starts_with("certificate") && !line.starts_with("key");
    let text: Vec<&str> = block.lines().filter(is_kept).collect();
    let answers = dir.path().join("mail.toml");
    std::fs::write(&answers, text.join("\n")).unwrap();
    let setup = ["setup", "mail", "--answers", answers.to_str().unwrap()];
    let (code, said) = run(root, &[&setup[..], &["--dry-run"]].concat());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("domain example.com"), "{said}");
    ok(root, &setup);
    let settings = std::fs::read_to_string(root.join("etc/concord.toml")).unwrap();
    assert!(settings.contains("addresses = [\"192.0.2.1\"]"), "{settings}");
    assert!(ok(root, &setup).contains("nothing to do"));
    std::fs::write(&answers, "domain = 'a.test'\n").unwrap();
    let (code, said) = run(root, &setup);
    assert!(code == 78 && said.contains("domain"), "{code}: {said}");
}
