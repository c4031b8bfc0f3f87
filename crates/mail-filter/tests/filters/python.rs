//! A milter on libmilter itself (Debian's python3-milter) that changes all
//! that a milter can change.

use crate::{begin, chain, client, judged, message, queue, text, tls};
use concord_mail_filter::{Action, AddedRecipient, Chain};
use concord_testkit::{Daemon, write_below};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const MILTER: &str = r#"
import Milter, sys

class Everything(Milter.Base):
    def connect(self, name, family, address):
        self.client = "%s %s %s" % (name, address[0], address[1])
        return Milter.CONTINUE

    def hello(self, name):
        self.name = name
        return Milter.CONTINUE

    def envfrom(self, path, *parameters):
        self.sender = path
        self.fields = []
        self.octets = 0
        return Milter.CONTINUE

    def envrcpt(self, path, *parameters):
        if "refused" in path:
            self.setreply("550", "5.7.1", "first line, 100%%", "second line")
            return Milter.REJECT
        return Milter.CONTINUE

    def header(self, name, value):
        self.fields.append(name)
        self.subject = value if name == "Subject" else getattr(self, "subject", "")
        return Milter.CONTINUE

    def body(self, piece):
        self.octets += len(piece)
        return Milter.CONTINUE

    def eom(self):
        if self.subject == "hold":
            self.quarantine("held by the test")
            return Milter.CONTINUE
        if self.subject == "keep":
            return Milter.CONTINUE
        if self.subject == "drop":
            return Milter.DISCARD
        if self.subject == "later":
            return Milter.TEMPFAIL
        self.progress()
        self.addheader("X-Seen", "%s; %s; %s; %s; %s; %d" % (
            self.client, self.name, self.sender, self.getsymval("i"),
            ",".join(self.fields), self.octets))
        self.addheader("X-Folded", "one\n two")
        self.addheader("X-Below-Received", "below", 1)
        self.addheader("X-Top", "top", 0)
        self.addheader("X-Second", "second", 1)
        self.addheader("X-Fourth", "fourth", 3)
        self.chgheader("Subject", 1, "changed")
        self.chgheader("X-Gone", 1, "")
        self.chgheader("X-Gone", 2, "second")
        self.chgheader("X-New", 1, "new")
        self.chgfrom("<other@example.com>")
        self.addrcpt("<carl@example.test>")
        self.addrcpt("<dora@example.test>", "NOTIFY=NEVER")
        self.delrcpt("<bob@example.test>")
        self.replacebody("x" * 200000)
        self.replacebody("\r\nthe end\r\n")
        return Milter.ACCEPT

Milter.factory = Everything
Milter.set_flags(Milter.ADDHDRS | Milter.CHGBODY | Milter.ADDRCPT | Milter.DELRCPT
                 | Milter.CHGHDRS | Milter.QUARANTINE | Milter.CHGFROM | Milter.ADDRCPT_PAR)
Milter.runmilter("test", sys.argv[1], 60)
"#;

fn start() -> (Daemon, TempDir, Chain) {
    let directory = TempDir::new().unwrap();
    let program = write_below(directory.path(), "changes.py", MILTER).unwrap();
    let socket = directory.path().join("milter.sock");
    // Debian's own interpreter: others do not have its packages.
    let mut command = Command::new("/usr/bin/python3");
    command.arg(program).arg(format!("unix:{}", socket.display()));
    let mut daemon = Daemon::start(&mut command, directory.path(), "python").unwrap();
    daemon.wait(|| std::os::unix::net::UnixStream::connect(&socket).is_ok()).unwrap();
    let chain = chain(&format!(
        "[[filter]]\nname = \"python\"\nkind = \"milter\"\naddress = \"unix:{}\"\n",
        socket.display()
    ));
    (daemon, directory, chain)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_milter_changes_is_changed() {
    let (_daemon, _directory, chain) = start();
    let original = text(&message("hello", &"line\r\n".repeat(30_000)));
    let original = original.replacen("To:", "X-Gone: 1\r\nX-Gone: 2\r\nTo:", 1);
    // Acceptance leaves a connection that libmilter ends; the second session has
    // its own.
    for _ in 0..2 {
        let verdict = judged(&chain, &original.clone().into()).await;
        assert_eq!(verdict.action, Action::Accept, "{:?}", verdict.notes);
        let seen = "client.example.com 192.0.2.7 4711; client.example.com; <ann@example.com>; \
                    Q1A2; From,X-Gone,X-Gone,To,Subject,Message-ID,Date; 180002";
        let header = format!(
            "X-Top: top\r\nX-Second: second\r\n\
             Received: from client.example.com by mail.example.test; Sat, 28 Nov 2026 10:00:00 +0000\r\n\
             X-Fourth: fourth\r\nX-Below-Received: below\r\nFrom: Ann <ann@example.com>\r\nX-Gone: second\r\n\
             To: bob@example.test\r\nSubject: changed\r\nMessage-ID: <1@example.com>\r\n\
             Date: Sat, 28 Nov 2026 10:00:00 +0000\r\nX-Seen: {seen}\r\nX-Folded: one\r\n two\r\n\
             X-New: new\r\n\r\n"
        );
        let body = format!("{}\r\nthe end\r\n", "x".repeat(200_000));
        let out = text(&verdict.message);
        let (found, rest) = out.split_once("\r\n\r\n").unwrap();
        assert_eq!(format!("{found}\r\n\r\n"), header);
        assert!(rest == body, "the body is another");
        assert_eq!(verdict.sender.as_deref(), Some("other@example.com"));
        let added = |path: &str, parameters: &[&str]| AddedRecipient {
            path: path.to_owned(),
            parameters: parameters.iter().map(|p| (*p).to_owned()).collect(),
        };
        let added =
            [added("carl@example.test", &[]), added("dora@example.test", &["NOTIFY=NEVER"])];
        assert_eq!(verdict.add_recipients, added);
        assert_eq!(verdict.remove_recipients, ["bob@example.test"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_answers_of_libmilter_are_understood() {
    let (_daemon, _directory, chain) = start();
    let mut session = chain.session(client());
    begin(&mut session).await;
    let reply = session.rcpt("refused@example.test", &[]).await.unwrap();
    assert_eq!((reply.code, &*reply.text), (550, "first line, 100%\nsecond line"));
    let verdict = session.message(&message("hold", "x"), &queue()).await;
    let reason = "python: held by the test".to_owned();
    assert_eq!(verdict.action, Action::Quarantine { reason });
    for (subject, expected) in [("drop", None), ("later", Some(451))] {
        begin(&mut session).await;
        let verdict = session.message(&message(subject, "x"), &queue()).await;
        match expected {
            None => assert_eq!(verdict.action, Action::Discard),
            Some(code) => assert!(matches!(verdict.action, Action::Defer(r) if r.code == code)),
        }
    }
    begin(&mut session).await;
    session.abort();
    begin(&mut session).await;
    let verdict = session.message(&message("after an abort", "x"), &queue()).await;
    assert_eq!(verdict.action, Action::Accept);
    session.end().await;
}

/// libmilter keeps a connection only behind a message that it answered by
/// `Continue`; everywhere else it would leave the next client without an answer.
#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_a_session_leaves_the_next_one_an_answer() {
    let (_daemon, _directory, chain) = start();
    for end in ["keep", "keep", "hello", "keep", "drop", "later", "abort", "helo", "keep", "rcpt"] {
        let begun = Instant::now();
        let mut session = chain.session(client());
        if end == "helo" {
            assert_eq!(session.helo("client.example.com", tls()).await, None);
        } else {
            begin(&mut session).await;
        }
        match end {
            "helo" => {}
            "abort" => session.abort(),
            "rcpt" => assert!(session.rcpt("refused@example.test", &[]).await.is_some()),
            subject => drop(session.message(&message(subject, "x"), &queue()).await),
        }
        session.end().await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{end}: {:?}", begun.elapsed());
    }
}
