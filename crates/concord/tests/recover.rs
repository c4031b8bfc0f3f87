//! Backup and recovery with the real executable, as an administrator does it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use concord_controller::{JsonClient, Method, path_of};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A configuration without fixed ports, so that tests may run side by side.
const SETTINGS: &str = "# mine\n[server]\nhostname = \"mail.example.test\"\n[listen]\nsmtp = []\n\
                        submission = []\nsubmissions = []\nimap = []\nimaps = []\npop3 = []\n\
                        pop3s = []\n";
const NEW_MACHINE: [&str; 3] = ["--in-place", "--systemd=no", "--yes"];

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

/// A running server.
struct Server {
    root: PathBuf,
    child: Child,
}

impl Server {
    fn start(root: &Path, args: &[&str]) -> Self {
        if !root.join("etc/concord.toml").exists() {
            std::fs::create_dir_all(root.join("etc")).unwrap();
            std::fs::write(root.join("etc/concord.toml"), SETTINGS).unwrap();
        }
        let child = concord(root, &[&["up"], args].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { root: root.to_owned(), child };
        server.wait_until(|| run(root, &["domain", "list"]).1.contains(".test"));
        server
    }

    fn demo(root: &Path) -> Self {
        let server = Self::start(root, &["--demo"]);
        server.wait_until(|| run(root, &["mailbox", "list"]).1.contains("bob"));
        server
    }

    fn wait_until(&self, holds: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "{} did not come up", self.root.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn admin<T>(&self, ask: impl AsyncFnOnce(JsonClient) -> T) -> T {
        let admin = JsonClient::new(self.root.join("run/admin.sock"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(admin))
    }

    fn put(&self, mailbox: &str, folder: &str, id: &str, octets: usize) {
        let line = "0123456789 and so on, to fill the room that it is to take\r\n";
        let text = line.repeat(octets / line.len() + 1);
        let message = format!("Message-ID: <{id}@example.test>\r\nSubject: {id}\r\n\r\n{text}");
        let path = format!("{}/messages", path_of("/v1/mailboxes", mailbox));
        let query =
            [("folder", folder), ("date", "2020-02-03T04:05:06Z"), ("flags", "\\Seen,$Junk")];
        self.admin(async |admin| {
            let _: Value =
                admin.post_octets(&path, &query, message.into_bytes().into()).await.unwrap();
        });
    }

    /// Every message without its UID, and every folder's UIDVALIDITY.
    fn inventory(&self, mailbox: &str) -> (Vec<Value>, Vec<Value>) {
        let path = format!("{}/inventory", path_of("/v1/mailboxes", mailbox));
        let (mut messages, mut validities) = (Vec::new(), Vec::new());
        self.admin(async |admin| {
            let each = |mut line: Value| match line["line"].as_str() {
                Some("message") => {
                    line["uid"].take();
                    messages.push(line);
                }
                Some("folder") => validities.push(line["uid_validity"].take()),
                _ => {}
            };
            admin.get_lines(&path, each).await.unwrap();
        });
        (messages, validities)
    }

    fn add(&self, mailbox: &str) {
        let new = serde_json::json!({ "name": mailbox });
        self.admin(async |admin| {
            let _: Value = admin.send(Method::POST, "/v1/mailboxes", &new).await.unwrap();
        });
    }

    fn has_password(&self, mailbox: &str) -> bool {
        json(&self.root, &["mailbox", "show", mailbox])["password_set"] == Value::Bool(true)
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn down(mut self) {
        ok(&self.root, &["down"]);
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a backup; gives back where it is.
fn back_up(root: &Path, directory: &Path) -> (String, Value) {
    let made = json(root, &["backup", "create", directory.to_str().unwrap()]);
    (made["path"].as_str().expect("a path").to_owned(), made)
}

fn healthy(root: &Path) {
    let (code, said) = run(root, &["doctor"]);
    assert_eq!(code, 0, "{said}");
}

/// One file of a tree by the start of its name.
fn file_in(directory: &Path, ending: &str) -> PathBuf {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.to_string_lossy().ends_with(ending));
    all.sort();
    all.remove(0)
}

#[test]
fn backup_while_running_recovers_on_a_fresh_machine() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let backups = dir.path().join("backups");
    let server = Server::demo(&first);
    server.put("alice", "INBOX", "one", 500);
    server.put("alice", "Work/2026", "two", 2 << 20);
    let (_, made) = back_up(&first, &backups);
    assert_eq!((&made["counts"]["mailboxes"], &made["counts"]["messages"]), (&2.into(), &2.into()));
    server.put("alice", "INBOX", "three", 500);
    let (backup, made) = back_up(&first, &backups);
    assert!(made["linked"].as_u64().unwrap() > 2 << 20, "what did not change is linked: {made}");
    assert!(!first.join("data/backup-draft").exists());
    let listed = json(&first, &["backup", "list", backups.to_str().unwrap()]);
    let whole = listed["items"].as_array().unwrap().iter().filter(|b| b["complete"] == true);
    assert_eq!(whole.count(), 2, "{listed}");
    ok(&first, &["backup", "verify", &backup]);
    let (messages, validities) = server.inventory("alice");
    assert_eq!(messages.len(), 3);
    server.kill();
    std::fs::remove_dir_all(&first).unwrap();

    let dry = [&["recover", &backup, "--dry-run"], &NEW_MACHINE[..2]].concat();
    let (code, said) = run(&second, &dry);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("3 messages"), "{said}");
    assert!(!second.exists(), "a dry run changes nothing");
    ok(&second, &[&["recover", &backup], &NEW_MACHINE[..]].concat());
    healthy(&second);
    let server = Server::start(&second, &[]);
    let (found, new_validities) = server.inventory("alice");
    assert_eq!(found, messages);
    assert!(new_validities.iter().all(|v| !validities.contains(v)), "clients read anew");
    assert!(server.has_password("alice"));
    let text = std::fs::read_to_string(second.join("etc/concord.toml")).unwrap();
    assert_eq!(text, SETTINGS);
    healthy(&second);

    // Back in time, while it runs: what came since is kept aside, and a connector
    // of the directory has its service again (Q188632).
    server.put("bob", "INBOX", "later", 500);
    ok(&second, &["setup", "remove", "internet-mail", "--yes"]);
    assert!(!second.join("services/internet-mail.toml").exists());
    let said = ok(&second, &["recover", &backup, "--parts=store", "--yes"]);
    assert!(said.contains("quarantine"), "{said}");
    server.wait_until(|| run(&second, &["mailbox", "list"]).0 == 0);
    assert_eq!(server.inventory("alice").0, messages);
    assert_eq!(server.inventory("bob").0.len(), 0);
    healthy(&second);
    let kept = file_in(&second.join("setup/quarantine"), "Z");
    assert!(kept.join("data/index.db").exists() && kept.join("data/log").exists());
    assert!(second.join("services/internet-mail.toml").exists());

    // Another name, and only so many backups.
    let rename = ["recover", &backup, "--parts=config", "--hostname=new.example.test", "--yes"];
    ok(&second, &rename);
    healthy(&second);
    let text = std::fs::read_to_string(second.join("etc/concord.toml")).unwrap();
    assert_eq!(text, SETTINGS.replace("mail.example.test", "new.example.test"));
    let made = json(&second, &["backup", "create", backups.to_str().unwrap(), "--keep", "1"]);
    assert_eq!(made["removed"].as_array().unwrap().len(), 2, "{made}");
    ok(&second, &["backup", "verify", made["path"].as_str().unwrap()]);
    server.down();
}

#[test]
fn one_mailbox_and_one_message_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let (first, other) = (dir.path().join("first"), dir.path().join("other"));
    let server = Server::demo(&first);
    server.put("alice", "INBOX", "one", 500);
    server.put("alice", "INBOX", "one", 500);
    server.put("alice", "Work/2026", "two", 2 << 20);
    let (backup, _) = back_up(&first, &dir.path().join("backups"));
    let (messages, _) = server.inventory("alice");
    server.down();
    let server = Server::start(&other, &["--organisation", "Other", "--domain", "other.test"]);
    let recover = |more: &[&str]| run(&other, &[&["--json", "recover", &backup], more].concat());
    let counts = |said: &str| {
        let report: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("{said}"));
        ["added", "already"].map(|key| report[key].as_u64().unwrap())
    };
    let (code, said) = recover(&["--mailbox", "alice", "--dry-run"]);
    assert_eq!((code, counts(&said)), (2, [3, 0]), "{said}");
    assert_ne!(run(&other, &["mailbox", "show", "alice"]).0, 0, "a dry run makes nothing");
    let (code, said) = recover(&["--mailbox", "alice", "--folder", "Work/2026"]);
    assert_eq!((code, counts(&said)), (0, [1, 0]), "{said}");
    assert!(said.contains("concord mailbox password alice"), "{said}");
    let (code, said) = recover(&["--mailbox", "ALICE@example.test"]);
    assert_eq!((code, counts(&said)), (0, [2, 1]), "{said}");
    assert_eq!(server.inventory("alice").0, messages, "folders, flags and dates are kept");
    let (code, said) = recover(&["--mailbox", "alice"]);
    assert_eq!((code, counts(&said)), (0, [0, 3]), "{said}");

    let (code, said) = recover(&["--message", "<two@example.test>", "--to", "nobody"]);
    assert_eq!(code, 1, "{said}");
    server.add("carol");
    let message = ["--message", "<two@example.test>", "--to", "carol", "--folder", "Found"];
    assert_eq!(counts(&recover(&message).1), [1, 0]);
    assert_eq!(counts(&recover(&message).1), [0, 1]);
    assert_eq!(server.inventory("carol").0[0]["folder"], "Found");
    let (code, said) = recover(&["--mailbox", "nobody"]);
    assert!(code == 1 && said.contains("alice, bob"), "{said}");

    // A damaged body: refused with the file's name, unless the rest is wanted.
    let body = file_in(&PathBuf::from(&backup).join("store/large"), ".body");
    let mut octets = std::fs::read(&body).unwrap();
    octets[1_000] ^= 1;
    std::fs::remove_file(&body).unwrap();
    std::fs::write(&body, octets).unwrap();
    let name = body.file_name().unwrap().to_str().unwrap().to_owned();
    let (code, said) = run(&other, &["backup", "verify", &backup]);
    assert!(code == 1 && said.contains(&name), "{said}");
    server.add("dave");
    let (code, said) = recover(&["--mailbox", "alice", "--to", "dave"]);
    assert!(code == 1 && said.contains("backup.damaged") && said.contains(&name), "{said}");
    assert_eq!(server.inventory("dave").0.len(), 0, "nothing was put before the check");
    let (code, said) = recover(&["--mailbox", "alice", "--to", "dave", "--salvage"]);
    assert!(code == 1 && said.contains("recover.unread"), "{said}");
    assert_eq!(server.inventory("dave").0.len(), 2);
    let fresh = dir.path().join("fresh");
    let (code, said) = run(&fresh, &[&["recover", &backup], &NEW_MACHINE[..]].concat());
    assert!(code == 1 && said.contains(&name), "{said}");
    assert!(!fresh.exists(), "nothing is touched");
}

#[test]
fn backup_of_another_organisation_is_refused_with_both_names() {
    let dir = tempfile::tempdir().unwrap();
    let (first, other, same) =
        (dir.path().join("first"), dir.path().join("other"), dir.path().join("same"));
    let server = Server::demo(&first);
    server.put("alice", "INBOX", "one", 500);
    let (backup, _) = back_up(&first, &dir.path().join("backups"));
    server.down();
    Server::start(&other, &["--organisation", "Other", "--domain", "other.test"]).down();
    for parts in ["store", "directory", "config", "store,registry,config,keys,connectors"] {
        let (code, said) = run(&other, &["recover", &backup, "--yes", "--parts", parts]);
        assert_eq!(code, 1, "{parts}: {said}");
        assert!(said.contains("'Example'") && said.contains("'Other'"), "{said}");
    }
    assert!(!other.join("setup/quarantine").exists() && !other.join("setup/staging").exists());

    // The same name, another installation.
    let server = Server::demo(&same);
    let (code, said) = run(&same, &["recover", &backup, "--yes"]);
    assert!(code == 1 && said.contains("--adopt-lineage"), "{said}");
    ok(&same, &["recover", &backup, "--yes", "--adopt-lineage"]);
    server.wait_until(|| run(&same, &["mailbox", "list"]).0 == 0);
    assert_eq!(server.inventory("alice").0.len(), 1);
    healthy(&same);
}

#[test]
fn reconciler_never_takes_unknown_for_gone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let server = Server::demo(&root);
    server.put("bob", "INBOX", "kept", 500);
    let (backup, _) = back_up(&root, &dir.path().join("backups"));
    ok(&root, &["mailbox", "remove", "alice", "--yes"]);
    server.add("only-here");
    ok(&root, &["mailbox", "set", "bob", "--display-name", "Another Bob"]);
    server.down();

    // A store that cannot be read is not an empty one.
    let index = root.join("data/index.db");
    let good = std::fs::read(&index).unwrap();
    let merge = ["recover", &backup, "--yes", "--parts=directory"];
    std::fs::write(&index, "no database at all").unwrap();
    let (code, said) = run(&root, &[&["--json"], &merge[..]].concat());
    assert!(code == 1 && said.contains("recover.unknown-store"), "{said}");
    assert_eq!(std::fs::read(&index).unwrap(), b"no database at all");
    let (code, said) = run(&root, &["recover", &backup, "--parts=store", "--dry-run"]);
    assert!(code == 2 && said.contains("replace store"), "the whole may take its place: {said}");
    std::fs::remove_file(&index).unwrap();
    let (code, said) = run(&root, &[&["--json"], &merge[..]].concat());
    assert!(code == 1 && said.contains("recover.unknown-store"), "{said}");
    assert!(!index.exists(), "nothing was made in its place");
    std::fs::write(&index, good).unwrap();

    let server = Server::start(&root, &[]);
    let (code, said) = run(&root, &["recover", &backup, "--parts=directory", "--dry-run"]);
    assert_eq!(code, 2, "{said}");
    for line in ["add     mailbox alice", "keep    mailbox only-here", "differs mailbox bob"] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert_ne!(run(&root, &["mailbox", "show", "alice"]).0, 0, "a dry run adds nothing");
    ok(&root, &merge);
    server.wait_until(|| run(&root, &["mailbox", "list"]).0 == 0);
    assert!(server.has_password("alice"), "with what its password was turned into");
    ok(&root, &["mailbox", "show", "only-here"]);
    let name = |mailbox: &str| json(&root, &["mailbox", "show", mailbox])["display_name"].clone();
    assert_eq!(name("bob"), "Another Bob", "what differs stays");
    assert_eq!(server.inventory("bob").0.len(), 1, "mail is not touched");
    assert_eq!(run(&root, &["recover", &backup, "--parts=directory", "--dry-run"]).0, 0);
    ok(&root, &[&merge[..], &["--overwrite"]].concat());
    server.wait_until(|| run(&root, &["mailbox", "list"]).0 == 0);
    assert_eq!(name("bob"), "Bob Example");
    assert_eq!(server.inventory("bob").0.len(), 1);
    healthy(&root);
}
