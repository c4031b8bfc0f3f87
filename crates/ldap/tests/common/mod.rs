//! A server over the real engine, and a client that speaks the codec's LDAP.

#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use bytes::BytesMut;
use concord_address::TypedAddress;
use concord_base::{ManualClock, ObjectId, Timestamp};
use concord_directory::{
    Contact, Details, Directory, DirectoryAct, Mailbox, NewObject, Object, Policy, Proxy, Right,
    Role, Scope, Writer,
};
use concord_engine::{Embedded, EngineOptions, Schema};
use concord_ldap::{LdapConfig, LdapServer, Way};
use concord_sasl::{PasswordGate, make_credentials};
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapAddRequest, LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapExtendedRequest,
    LdapExtendedResponse, LdapFilter, LdapModify, LdapModifyDNRequest, LdapModifyRequest,
    LdapModifyType, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult, LdapResultCode,
    LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::{Decoder as _, Encoder as _};
use tokio_util::sync::CancellationToken;

pub const BASE: &str = "ou=HQ,o=Acme";
pub const RECIPIENTS: &str = "cn=Recipients,ou=HQ,o=Acme";
pub const PASSWORD: &str = "secret";

pub struct Site {
    pub engine: Arc<Embedded>,
    pub clock: Arc<ManualClock>,
    pub server: Arc<LdapServer>,
    pub shutdown: CancellationToken,
    _scratch: tempfile::TempDir,
}

pub fn config() -> LdapConfig {
    LdapConfig {
        allow_plaintext_login: true,
        failed_login_delay: Duration::ZERO,
        ..LdapConfig::default()
    }
}

impl Site {
    pub async fn new() -> Self {
        Self::with(config(), None).await
    }

    /// Acme, HQ, `example.test`; the mailboxes `root` (a role of everything),
    /// `jane` and `john`.
    pub async fn with(config: LdapConfig, tls: Option<TlsAcceptor>) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let options = EngineOptions {
            reserve: 0,
            schema: Schema::with_exercise(false),
            ..EngineOptions::new(scratch.path().join("data"), clock.clone() as Arc<ManualClock>)
        };
        let (engine, _) = Embedded::open(options).await.unwrap();
        let server = Arc::new(LdapServer::new(
            config,
            engine.clone(),
            Arc::new(Writer::default()),
            Arc::new(PasswordGate::default()),
            tls,
        ));
        let site =
            Self { engine, clock, server, shutdown: CancellationToken::new(), _scratch: scratch };
        site.add(NewObject::new("Acme", Details::Organisation)).await;
        site.add(NewObject::new("HQ", Details::Site)).await;
        site.add(NewObject::new("example.test", Details::Domain)).await;
        let root = site.mailbox("root").await;
        site.mailbox("jane").await;
        site.mailbox("john").await;
        site.role("all", vec![root.id], Right::Full, Scope::Organisation).await;
        site
    }

    pub async fn add(&self, new: NewObject) -> Arc<Object> {
        self.engine.change(DirectoryAct::Add(new)).await.unwrap()
    }

    pub async fn role(
        &self,
        name: &str,
        members: Vec<ObjectId>,
        right: Right,
        scope: Scope,
    ) -> Arc<Object> {
        self.add(NewObject::new(name, Details::Role(Role { members, right, scope }))).await
    }

    pub async fn mailbox(&self, name: &str) -> Arc<Object> {
        let credentials = make_credentials(PASSWORD, &mut rand::rng()).unwrap();
        let mut new = plain_mailbox(name);
        new.details =
            Details::Mailbox(Mailbox { credentials: Some(credentials), ..Mailbox::default() });
        self.add(new).await
    }

    pub async fn contact(&self, name: &str, target: &str) -> Arc<Object> {
        let target = target.parse().unwrap();
        self.add(NewObject::new(name, Details::Contact(Contact { target }))).await
    }

    /// Mailboxes without passwords, added side by side.
    pub async fn many(&self, count: usize) -> Vec<ObjectId> {
        let mut ids = Vec::new();
        let numbers: Vec<usize> = (0..count).collect();
        for some in numbers.chunks(250) {
            let mut adding = tokio::task::JoinSet::new();
            for number in some {
                let engine = self.engine.clone();
                let new = plain_mailbox(&format!("user{number:05}"));
                adding
                    .spawn(async move { engine.change(DirectoryAct::Add(new)).await.unwrap().id });
            }
            ids.extend(adding.join_all().await);
        }
        ids
    }

    pub async fn find(&self, kind: concord_directory::Kind, name: &str) -> Arc<Object> {
        self.engine.find(kind, name).await.unwrap().unwrap()
    }

    pub async fn engine_has_no(&self, mailbox: &str) -> bool {
        self.engine.find(concord_directory::Kind::Mailbox, mailbox).await.unwrap().is_none()
    }

    pub fn connect(&self) -> Client<DuplexStream> {
        self.connect_by(Way::Plain, 64 * 1024)
    }

    pub fn connect_by(&self, way: Way, buffer: usize) -> Client<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(buffer);
        let server = self.server.clone();
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move { server.serve_stream(theirs, "test", way, shutdown).await });
        Client::new(ours)
    }

    pub async fn login(&self, name: &str) -> Client<DuplexStream> {
        let mut client = self.connect();
        assert_eq!(client.bind(name, PASSWORD).await.code, LdapResultCode::Success);
        client
    }

    pub async fn root(&self) -> Client<DuplexStream> {
        self.login("root").await
    }
}

pub fn plain_mailbox(name: &str) -> NewObject {
    let address: TypedAddress = format!("{name}@example.test").parse().unwrap();
    NewObject {
        display_name: format!("Person {name}"),
        proxies: vec![Proxy { address, primary: true }],
        policy: Policy::default(),
        ..NewObject::new(name, Details::Mailbox(Mailbox::default()))
    }
}

pub struct Client<S> {
    pub stream: S,
    codec: LdapCodec,
    input: BytesMut,
    next: i32,
}

#[derive(Debug)]
pub struct Found {
    pub entries: Vec<LdapSearchResultEntry>,
    pub result: LdapResult,
    pub controls: Vec<LdapControl>,
}

impl Found {
    pub fn names(&self) -> Vec<String> {
        let name = |dn: &str| dn.split(',').next().unwrap().trim_start_matches("cn=").to_owned();
        self.entries.iter().map(|entry| name(&entry.dn)).collect()
    }

    pub fn values(&self, attribute: &str) -> Vec<String> {
        let of = |entry: &LdapSearchResultEntry| {
            let found = entry.attributes.iter().filter(|a| a.atype == attribute);
            let values = found.flat_map(|a| a.vals.clone());
            values.map(|value| String::from_utf8(value).unwrap()).collect::<Vec<_>>()
        };
        self.entries.iter().flat_map(of).collect()
    }
}

pub fn search(base: &str, filter: LdapFilter) -> LdapSearchRequest {
    LdapSearchRequest {
        base: base.into(),
        scope: LdapSearchScope::Subtree,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: Vec::new(),
    }
}

pub fn equal(attribute: &str, value: &str) -> LdapFilter {
    LdapFilter::Equality(attribute.into(), value.into())
}

pub fn present(attribute: &str) -> LdapFilter {
    LdapFilter::Present(attribute.into())
}

pub fn attribute(name: &str, values: &[&str]) -> LdapPartialAttribute {
    LdapPartialAttribute {
        atype: name.into(),
        vals: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub fn new(stream: S) -> Self {
        let codec = LdapCodec::new(Some(64 << 20), None);
        Self { stream, codec, input: BytesMut::new(), next: 1 }
    }

    pub async fn send(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) -> i32 {
        let id = self.next;
        self.next += 1;
        let mut out = BytesMut::new();
        self.codec.encode(LdapMsg { msgid: id, op, ctrl }, &mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
        id
    }

    /// The next message; none at the end.
    pub async fn receive(&mut self) -> Option<LdapMsg> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.input).unwrap() {
                return Some(message);
            }
            let read = tokio::time::timeout(
                Duration::from_secs(20),
                self.stream.read_buf(&mut self.input),
            );
            if read.await.unwrap().unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub async fn bind(&mut self, name: &str, password: &str) -> LdapResult {
        let cred = LdapBindCred::Simple(password.into());
        let op = LdapOp::BindRequest(LdapBindRequest { version: 3, dn: name.into(), cred });
        self.send(op, Vec::new()).await;
        match self.receive().await.unwrap().op {
            LdapOp::BindResponse(response) => response.res,
            other => panic!("{other:?}"),
        }
    }

    /// An operation whose answer is a result.
    pub async fn ask(&mut self, op: LdapOp) -> LdapResult {
        self.ask_with(op, Vec::new()).await
    }

    pub async fn ask_with(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) -> LdapResult {
        self.send(op, ctrl).await;
        match self.receive().await.unwrap().op {
            LdapOp::AddResponse(result)
            | LdapOp::ModifyResponse(result)
            | LdapOp::DelResponse(result)
            | LdapOp::ModifyDNResponse(result)
            | LdapOp::CompareResult(result)
            | LdapOp::SearchResultDone(result) => result,
            LdapOp::ExtendedResponse(response) => response.res,
            other => panic!("{other:?}"),
        }
    }

    pub async fn extended(&mut self, name: &str, value: Option<Vec<u8>>) -> LdapExtendedResponse {
        self.send(
            LdapOp::ExtendedRequest(LdapExtendedRequest { name: name.into(), value }),
            Vec::new(),
        )
        .await;
        match self.receive().await.unwrap().op {
            LdapOp::ExtendedResponse(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub async fn search(&mut self, asked: LdapSearchRequest) -> Found {
        self.search_with(asked, Vec::new()).await
    }

    pub async fn search_with(&mut self, asked: LdapSearchRequest, ctrl: Vec<LdapControl>) -> Found {
        self.send(LdapOp::SearchRequest(asked), ctrl).await;
        let mut entries = Vec::new();
        loop {
            let message = self.receive().await.unwrap();
            match message.op {
                LdapOp::SearchResultEntry(entry) => entries.push(entry),
                LdapOp::SearchResultDone(result) => {
                    return Found { entries, result, controls: message.ctrl };
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Names of what a filter finds below the site.
    pub async fn names(&mut self, filter: LdapFilter) -> Vec<String> {
        let found = self.search(search(BASE, filter)).await;
        assert_eq!(found.result.code, LdapResultCode::Success, "{:?}", found.result);
        found.names()
    }

    pub async fn add(&mut self, dn: &str, attributes: &[(&str, &[&str])]) -> LdapResult {
        let attributes = attributes.iter().map(|(n, values)| attribute(n, values)).collect();
        self.ask(LdapOp::AddRequest(LdapAddRequest { dn: dn.into(), attributes })).await
    }

    pub async fn modify(
        &mut self,
        dn: &str,
        changes: &[(LdapModifyType, &str, &[&str])],
    ) -> LdapResult {
        let changes = changes
            .iter()
            .map(|(operation, name, values)| LdapModify {
                operation: operation.clone(),
                modification: attribute(name, values),
            })
            .collect();
        self.ask(LdapOp::ModifyRequest(LdapModifyRequest { dn: dn.into(), changes })).await
    }

    pub async fn rename(&mut self, dn: &str, newrdn: &str, superior: Option<&str>) -> LdapResult {
        self.ask(LdapOp::ModifyDNRequest(LdapModifyDNRequest {
            dn: dn.into(),
            newrdn: newrdn.into(),
            deleteoldrdn: true,
            new_superior: superior.map(str::to_owned),
        }))
        .await
    }
}
