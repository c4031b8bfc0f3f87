//! Two installed servers that are two nodes of NJE on loopback.

mod breaker;
mod storm;

pub use breaker::Breaker;
pub use storm::{OvvmFigures, OvvmStorm};

use crate::imap::Imap;
use crate::site::Site;
use crate::smtp::Smtp;
use crate::trouble::{Result, trouble};
use crate::wait::wait_for;
use std::time::Duration;

/// Settings for servers whose services die often and whose mail does not wait.
const ENDURE: &str = "[settings.controller]\ncrash-budget = 1000000\nback-off-min = \"20 ms\"\n\
                      back-off-max = \"200 ms\"\n[settings.queue]\nretry-schedule = [\"1 s\"]\n";
/// What is on its way on one machine is there within this.
const SOON: Duration = Duration::from_secs(60);

/// One of the two servers.
#[derive(Debug)]
pub struct VmNode {
    /// The server; its connector is `vm`.
    pub site: Site,
    /// Its node.
    pub node: &'static str,
    /// Whose mailbox it has.
    pub user: &'static str,
}

/// Alice at NODEA and Bob at NODEB, each a contact at the other's server.
#[derive(Debug)]
pub struct VmPair {
    /// The server that waits for the link to be opened.
    pub a: VmNode,
    /// The server that opens it.
    pub b: VmNode,
    /// What the link leads through.
    pub breaker: Breaker,
}

impl VmPair {
    /// Both up and linked. `more` are settings of each connector.
    ///
    /// # Errors
    /// Something did not come up.
    pub fn start(more: [&[&str]; 2]) -> Result<Self> {
        Self::with([Site::new()?, Site::new()?], more)
    }

    /// The same on servers that are not installed yet.
    ///
    /// # Errors
    /// Something did not come up.
    pub fn with([a, b]: [Site; 2], more: [&[&str]; 2]) -> Result<Self> {
        let port = a.port()?;
        let breaker = Breaker::start(b.port()?, port)?;
        let listen = format!("nje=127.0.0.1:{port}");
        let dial = format!(
            "links=NODEA dial=127.0.0.1:{} retry-seconds=1 longest-retry-seconds=1",
            breaker.port()
        );
        let a = VmNode::start(
            a,
            ["NODEA", "alice", "bob"],
            &["--listen", &listen],
            ["links=NODEB", "node=NODEA"],
            more[0],
        )?;
        let b = VmNode::start(b, ["NODEB", "bob", "alice"], &[], [&dial, "node=NODEB"], more[1])?;
        let pair = Self { a, b, breaker };
        pair.wait_linked()?;
        Ok(pair)
    }

    /// Waits until both ends of the link are active.
    ///
    /// # Errors
    /// They are not.
    pub fn wait_linked(&self) -> Result<()> {
        for one in [&self.a, &self.b] {
            wait_for(&format!("the link at {}", one.node), SOON, || {
                let said = one.site.json(&["service", "list"])?.to_string();
                Ok(said.contains("1 of 1 links are active").then_some(()))
            })?;
        }
        Ok(())
    }
}

impl VmNode {
    fn start(
        mut site: Site,
        [node, user, other]: [&'static str; 3],
        listen: &[&str],
        settings: [&str; 2],
        more: &[&str],
    ) -> Result<Self> {
        site.settings = ENDURE.to_owned();
        site.install()?;
        let mut args = vec!["connector", "add", "ovvm", "--name", "vm", "--yes"];
        args.extend(listen);
        for setting in settings.iter().chain(more) {
            args.extend(["--setting", setting]);
        }
        site.ok(&args)?;
        site.up()?;
        site.ok(&["generator", "set", "PROFS", "--rule", &format!("{node}.%m")])?;
        site.add_mailbox(user)?;
        let there = if node == "NODEA" { "NODEB" } else { "NODEA" };
        let one = Self { site, node, user };
        one.add_contact(other, &format!("{there}.{}", other.to_uppercase()))?;
        Ok(one)
    }

    /// A contact at a host.
    ///
    /// # Errors
    /// The core refused.
    pub fn add_contact(&self, name: &str, profs: &str) -> Result<()> {
        let (target, address) = (format!("PROFS:{profs}"), format!("{name}@example.test"));
        self.site.ok(&["contact", "add", name, "--target", &target, "--address", &address])?;
        Ok(())
    }

    /// The address of the one who is here.
    pub fn address(&self) -> String {
        format!("{}@example.test", self.user)
    }

    /// A session in which the one who is here may send.
    ///
    /// # Errors
    /// No connection or no login.
    pub fn submission(&self) -> Result<Smtp> {
        let mut smtp = Smtp::connect(self.site.address("submission"))?;
        smtp.hello()?;
        smtp.login(&self.address(), "secret")?;
        Ok(smtp)
    }

    /// Sends a message, whose lines end as they like.
    ///
    /// # Errors
    /// It was not taken.
    pub fn send(&self, to: &[&str], message: &str) -> Result<()> {
        let octets = message.replace('\n', "\r\n").into_bytes();
        let reply = self.submission()?.send(&self.address(), to, &octets)?;
        if reply.is_positive() { Ok(()) } else { Err(trouble(reply.text())) }
    }

    /// Sends a short message.
    ///
    /// # Errors
    /// It was not taken.
    pub fn write(&self, to: &str, subject: &str) -> Result<()> {
        let from = self.address();
        self.send(
            &[to],
            &format!(
                "From: <{from}>\nTo: <{to}>\nSubject: {subject}\n\
                 Message-ID: <{subject}@example.test>\n\nAbout {subject}\n"
            ),
        )
    }

    /// The mailbox of the one who is here.
    ///
    /// # Errors
    /// No connection.
    pub fn mailbox(&self) -> Result<Imap> {
        self.site.imap(self.user)
    }

    /// Waits for a message in the mailbox that contains a text.
    ///
    /// # Errors
    /// It does not come.
    #[track_caller]
    pub fn gets(&self, text: &str) -> Result<String> {
        wait_for(&format!("'{text}' in {}'s mailbox", self.user), SOON, || {
            let messages = self.mailbox()?.messages("INBOX")?;
            let messages = messages.iter().map(|m| String::from_utf8_lossy(m).into_owned());
            Ok(messages.into_iter().find(|message| message.contains(text)))
        })
    }
}
