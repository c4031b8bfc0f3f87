//! Debian's OpenDKIM, which signs what passes. Debian's patch
//! `insheader.patch` puts its fields at number 0, above our own trace field;
//! OpenDKIM without it puts them at 1, below.

use crate::{chain, judged, message, text};
use concord_mail_filter::Action;
use concord_testkit::{Daemon, write_below};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn opendkim_signs_at_the_top_as_it_asks_to() {
    let directory = TempDir::new().unwrap();
    let at = directory.path();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let file = write_below(at, "key.pem", &key.serialize_pem()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let socket = at.join("dkim.sock");
    let config = write_below(
        at,
        "opendkim.conf",
        &format!(
            "Mode s\nDomain example.com\nSelector s1\nKeyFile {}\nSocket local:{}\n\
             InternalHosts 192.0.2.0/24\nUserID root\nRequireSafeKeys no\nSyslog no\nCanonicalization relaxed/simple\n",
            file.display(),
            socket.display()
        ),
    )
    .unwrap();
    let mut command = Command::new("opendkim");
    command.args(["-f", "-x"]).arg(config);
    let mut daemon = Daemon::start(&mut command, at, "opendkim").unwrap();
    daemon.wait(|| std::os::unix::net::UnixStream::connect(&socket).is_ok()).unwrap();
    let chain = chain(&format!(
        "[[filter]]\nname = \"dkim\"\nkind = \"milter\"\naddress = \"local:{}\"\n",
        socket.display()
    ));
    for _ in 0..2 {
        let verdict = judged(&chain, &message("hello", "hello")).await;
        assert_eq!(verdict.action, Action::Accept, "{verdict:?}");
        let out = text(&verdict.message);
        let mut lines = out.lines();
        let signature = lines.next().unwrap();
        assert!(signature.starts_with("DKIM-Signature: v=1; a=rsa-sha256;"), "{out}");
        let rest = lines.find(|line| !line.starts_with([' ', '\t'])).unwrap();
        assert!(rest.starts_with("Received: from client"), "{out}");
        assert!(out.ends_with("\r\n\r\nhello\r\n"));
    }
}
