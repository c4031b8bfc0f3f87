//! GroupWise beside Concord: the real connector, a gateway's directory, and a
//! GroupWise system behind it.

mod lists;
mod mail;
mod storm;
mod synchronise;
mod trouble;

use crate::SOON;
use concord_testkit::{
    GroupWise, GroupWiseSettings, GwMail, GwOutgoing, Imap, Result, Site, Smtp, trouble, wait_for,
};
use std::path::PathBuf;

const ALICE: &str = "alice@example.test";
/// Alice as GroupWise knows her.
const ALICE_THERE: &str = "EXCHANGE.FIRST.alice";
/// A user of GroupWise.
const U1: &str = "GWDOM.GWPO.u1";
/// The same as we know him.
const U1_HERE: &str = "u1@example.test";

/// Settings for a service that dies often.
const ENDURE: &str = "[settings.controller]\ncrash-budget = 1000000\nback-off-min = \"20 ms\"\n\
                      back-off-max = \"200 ms\"\n";

/// A server with one GroupWise connector, `gw1`.
struct Pair {
    site: Site,
    gw: GroupWise,
}

fn directory(site: &Site, name: &str) -> PathBuf {
    site.top().join(name)
}

fn settings() -> GroupWiseSettings {
    GroupWiseSettings::default()
}

/// Adds a connector for a gateway's directory.
fn add_connector(site: &Site, name: &str, directory: &str, more: &[&str]) -> Result<()> {
    let directory = format!("directory={directory}");
    let mut args = vec!["connector", "add", "groupwise", "--name", name, "--yes"];
    args.extend(["--setting", &directory, "--setting", "poll-seconds=1"]);
    for setting in more {
        args.extend(["--setting", setting]);
    }
    site.ok(&args)?;
    Ok(())
}

impl Pair {
    /// Both up, with Alice here and u1 there, who is a contact here.
    fn start() -> Result<Self> {
        Self::with(Site::installed()?, settings())
    }

    fn with(mut site: Site, settings: GroupWiseSettings) -> Result<Self> {
        let gw = site.with_groupwise(settings)?;
        Ok(Self { site, gw })
    }

    fn alice(&self) -> Result<Imap> {
        self.site.imap("alice")
    }

    /// A session in which Alice may send.
    fn submission(&self) -> Result<Smtp> {
        let mut smtp = Smtp::connect(self.site.address("submission"))?;
        smtp.hello()?;
        smtp.login(ALICE, "secret")?;
        Ok(smtp)
    }

    /// Alice sends; what the server said to the message.
    fn alice_sends(&self, to: &[&str], message: &str) -> Result<()> {
        let reply = self.submission()?.send(ALICE, to, message.replace('\n', "\r\n").as_bytes())?;
        if reply.is_positive() { Ok(()) } else { Err(trouble(reply.text())) }
    }

    /// A message from Alice.
    fn alice_writes(&self, to: &[&str], subject: &str) -> Result<()> {
        let shown = to.first().copied().unwrap_or_default();
        self.alice_sends(
            to,
            &format!(
                "From: Alice <{ALICE}>\nTo: <{shown}>\nSubject: {subject}\n\
                 Message-ID: <{subject}@example.test>\n\nAbout {subject}\n"
            ),
        )
    }

    /// Waits until a mail with this subject is in a GroupWise mailbox.
    fn arrives(&self, user: &str, subject: &str) -> Result<GwMail> {
        self.gw.wait_mail(user, &format!("{subject} at {user}"), SOON, |m| m.subject == subject)
    }

    /// Codes of the notices that the connector left.
    fn notices(&self) -> Result<String> {
        Ok(self.site.json(&["connector", "show", "gw1"])?.to_string())
    }

    /// Waits for a message of Alice's that contains a text.
    fn alice_gets(&self, text: &str) -> Result<String> {
        wait_for(&format!("'{text}' in Alice's mailbox"), SOON, || {
            let messages = self.alice()?.messages("INBOX")?;
            let messages = messages.iter().map(|m| String::from_utf8_lossy(m).into_owned());
            Ok(messages.into_iter().find(|message| message.contains(text)))
        })
    }
}

fn to_alice(subject: &str) -> GwOutgoing {
    GwOutgoing {
        to: vec![ALICE_THERE.into()],
        subject: subject.into(),
        body: format!("About {subject}\r\n"),
        ..GwOutgoing::default()
    }
}
