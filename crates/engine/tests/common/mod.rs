//! What every suite needs. A second engine gets a second `open` here, and all
//! suites run on it.

#![allow(dead_code, missing_docs)] // each test binary uses its own part

use bytes::Bytes;
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::{MailboxId, ManualClock, Timestamp};
use concord_directory::{Details, Directory, DirectoryAct, Mailbox, NewObject, Proxy};
use concord_engine::{Embedded, EngineOptions, OpenReport, Schema};
use concord_store::{Body, Store};
use concord_transport::{
    Arrival, Destination, EnvelopeOptions, Notify, ReversePath, RoutedRecipient, Submission,
};
use std::path::Path;
use std::sync::Arc;

pub struct Harness {
    pub scratch: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub engine: Option<Arc<Embedded>>,
    pub report: OpenReport,
}

pub fn options(path: &Path, clock: &Arc<ManualClock>) -> EngineOptions {
    let clock: Arc<ManualClock> = Arc::clone(clock);
    EngineOptions {
        segment_octets: 16 << 10,
        large_threshold: 64 << 10,
        intake_budget: 1 << 20,
        reserve: 0,
        schema: Schema::with_exercise(false),
        ..EngineOptions::new(path.join("data"), clock)
    }
}

impl Harness {
    pub async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let (engine, report) = Embedded::open(options(scratch.path(), &clock)).await.unwrap();
        Self { scratch, clock, engine: Some(engine), report }
    }

    pub fn engine(&self) -> &Arc<Embedded> {
        self.engine.as_ref().unwrap()
    }

    pub fn options(&self) -> EngineOptions {
        options(self.scratch.path(), &self.clock)
    }

    pub async fn reopen(&mut self) {
        self.engine = None;
        let (engine, report) = Embedded::open(self.options()).await.unwrap();
        self.engine = Some(engine);
        self.report = report;
    }

    /// The index made anew out of nothing but the log.
    pub async fn rebuild(&mut self) {
        self.engine = None;
        concord_engine::offline::rebuild(&self.options()).unwrap();
        self.reopen().await;
    }

    pub async fn mailbox(&self, name: &str) -> MailboxId {
        let act = DirectoryAct::Add(new_mailbox(name));
        self.engine().change(act).await.unwrap().id.into()
    }

    /// Everything a reader can see, to compare before and after.
    pub async fn picture(&self, mailboxes: &[MailboxId]) -> String {
        let mut out = String::new();
        for mailbox in mailboxes {
            for folder in self.engine().folders(*mailbox).await.unwrap() {
                out += &format!("{folder:?}\n");
                for item in self.engine().items(folder.id).await.unwrap().0.iter() {
                    let body = self.engine().read(item.message, 0..u64::MAX).await;
                    out += &format!("{item:?} {:?}\n", body.map(|b| b.len()));
                }
            }
        }
        out
    }
}

pub fn address(text: &str) -> TypedAddress {
    text.parse().unwrap()
}

pub fn new_mailbox(name: &str) -> NewObject {
    NewObject {
        name: name.into(),
        display_name: name.to_uppercase(),
        proxies: vec![Proxy { address: address(&format!("{name}@example.test")), primary: true }],
        details: Details::Mailbox(Mailbox::default()),
        attributes: Default::default(),
        policy: Default::default(),
    }
}

pub fn to_mailbox(id: MailboxId) -> RoutedRecipient {
    RoutedRecipient {
        reports_to: None,
        filing: None,
        address: address(&format!("box{id}@example.test")),
        given: address(&format!("box{id}@example.test")),
        original: None,
        notify: Notify::default(),
        destination: Destination::Mailbox(id),
    }
}

pub fn to_domain(recipient: &str) -> RoutedRecipient {
    let parsed: SmtpAddress = recipient.parse().unwrap();
    RoutedRecipient {
        reports_to: None,
        filing: None,
        address: parsed.clone().into(),
        given: parsed.clone().into(),
        original: None,
        notify: Notify::default(),
        destination: Destination::Connector {
            connector: "internet-mail".into(),
            group: parsed.domain().to_string(),
        },
    }
}

pub fn submission(subject: &str, recipients: Vec<RoutedRecipient>) -> Submission {
    let text =
        format!("Subject: {subject}\r\nMessage-ID: <{subject}@test>\r\n\r\nbody of {subject}\r\n");
    Submission {
        arrival: Arrival { connector: "internet-mail".into(), ..Arrival::default() },
        received: Timestamp::from_seconds(1_800_000_000),
        sender: ReversePath(Some("sender@elsewhere.test".parse().unwrap())),
        options: EnvelopeOptions::default(),
        recipients,
        header_message_id: format!("{subject}@test"),
        subject: subject.into(),
        body: Body::from_bytes(Bytes::from(text)),
        return_path_octets: 0,
        hold: None,
    }
}
