//! Sessions: who is who, over what, and what is no LDAP.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{BASE, Client, PASSWORD, RECIPIENTS, Site, config, equal, present, search};
use concord_ldap::{LdapConfig, Way};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapCompareRequest, LdapOp, LdapResultCode as Code,
    LdapSearchScope, SaslCredentials,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::{TlsAcceptor, TlsConnector};

const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";

fn certificate() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)))
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_wait_for_tls() {
    let (acceptor, connector) = certificate();
    let settings = LdapConfig { allow_plaintext_login: false, ..config() };
    let site = Site::with(settings, Some(acceptor)).await;
    let mut client = site.connect();
    assert_eq!(client.bind("jane", PASSWORD).await.code, Code::ConfidentialityRequired);
    let mut root = search("", present("objectClass"));
    root.scope = LdapSearchScope::Base;
    root.attrs = vec!["supportedSASLMechanisms".into()];
    let mechanisms = client.search(root.clone()).await.values("supportedSASLMechanisms");
    assert_eq!(mechanisms, ["SCRAM-SHA-256"]);
    assert_eq!(client.extended(START_TLS, None).await.res.code, Code::Success);
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = Client::new(connector.connect(name, client.stream).await.unwrap());
    let mechanisms = client.search(root).await.values("supportedSASLMechanisms");
    assert!(mechanisms.contains(&"PLAIN".to_owned()));
    assert_eq!(client.bind("jane", PASSWORD).await.code, Code::Success);
    assert_eq!(client.extended(START_TLS, None).await.res.code, Code::OperationsError);
}

// What follows STARTTLS in one packet must not run inside the protected session.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_puts_requests_into_the_protected_session() {
    let (acceptor, _) = certificate();
    let site = Site::with(config(), Some(acceptor)).await;
    let mut client = site.connect();
    // STARTTLS and a search of the root DSE behind it
    let start = [&[0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22][..], START_TLS.as_bytes()].concat();
    let search = [
        &[0x30, 37, 2, 1, 2, 0x63, 32, 4, 0, 10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0][..],
        &[0x87, 11][..],
        b"objectClass",
        &[0x30, 0][..],
    ]
    .concat();
    client.stream.write_all(&[start, search].concat()).await.unwrap();
    let answer = client.receive().await.unwrap();
    assert_eq!(answer.msgid, 1);
    // RFC 4511 section 4.14.1: nothing may be under way; the connection ends
    assert_eq!(client.receive().await.unwrap().msgid, 0);
    assert!(client.receive().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_bind_by_dn_alias_and_address() {
    let site = Site::new().await;
    let dn = format!("cn=jane,{RECIPIENTS}");
    for name in ["jane", "JANE", "jane@example.test", &dn, &format!("UID=Jane, {RECIPIENTS}")] {
        let mut client = site.connect();
        assert_eq!(client.bind(name, PASSWORD).await.code, Code::Success, "{name}");
        let who = client.extended(WHO_AM_I, None).await.value.unwrap();
        assert_eq!(String::from_utf8(who).unwrap(), format!("dn:{dn}"));
        assert_eq!(client.bind(name, "wrong").await.code, Code::InvalidCredentials);
        // RFC 4513 section 4: a failed bind leaves nobody
        assert_eq!(client.extended(WHO_AM_I, None).await.value.unwrap(), b"");
    }
    for name in ["nobody", "cn=nobody,o=Acme", "o=Acme", BASE] {
        let refused = site.connect().bind(name, PASSWORD).await;
        assert_eq!(refused.code, Code::InvalidCredentials, "{name}");
    }
    assert_eq!(site.connect().bind("cn=", PASSWORD).await.code, Code::InvalidDNSyntax);
    assert_eq!(site.connect().bind(&dn, "").await.code, Code::UnwillingToPerform);
    assert_eq!(site.connect().bind("", "").await.code, Code::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn sasl_and_other_versions() {
    let site = Site::new().await;
    let mut client = site.connect();
    let sasl = |mechanism: &str, credentials: &[u8]| {
        LdapOp::BindRequest(LdapBindRequest {
            version: 3,
            dn: String::new(),
            cred: LdapBindCred::SASL(SaslCredentials {
                mechanism: mechanism.into(),
                credentials: credentials.to_vec(),
            }),
        })
    };
    let mut code = async |op| {
        client.send(op, Vec::new()).await;
        match client.receive().await.unwrap().op {
            LdapOp::BindResponse(response) => response.res.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code(sasl("PLAIN", b"\0jane\0secret")).await, Code::Success);
    assert_eq!(code(sasl("PLAIN", b"\0jane\0wrong")).await, Code::InvalidCredentials);
    assert_eq!(code(sasl("EXTERNAL", b"")).await, Code::InvalidCredentials);
    assert_eq!(code(sasl("CRAM-MD5", b"")).await, Code::AuthMethodNotSupported);
    assert_eq!(code(sasl("SCRAM-SHA-256", b"n,,n=jane,r=abc")).await, Code::SaslBindInProgress);
    // another bind ends the exchange that was under way
    assert_eq!(code(sasl("SCRAM-SHA-256", b"c=biws,r=abc,p=x")).await, Code::InvalidCredentials);
    let cred = LdapBindCred::Simple(PASSWORD.into());
    let old = LdapOp::BindRequest(LdapBindRequest { version: 2, dn: "jane".into(), cred });
    assert_eq!(code(old).await, Code::ProtocolError);
}

// Q230745: the anonymous account had to change its password, and nobody got in.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_the_address_book_only_if_that_was_wanted() {
    let site = Site::new().await;
    let mut nobody = site.connect();
    let closed = nobody.search(search(BASE, equal("uid", "jane"))).await;
    assert_eq!((closed.result.code, closed.entries.len()), (Code::InsufficentAccessRights, 0));
    let open = Site::with(LdapConfig { anonymous_read: true, ..config() }, None).await;
    let mut nobody = open.connect();
    let found = nobody.search(search(BASE, equal("mail", "jane@example.test"))).await;
    assert_eq!(found.values("cn"), ["Person jane", "jane"]);
    assert!(found.values("proxyAddresses").is_empty() && found.values("uid").is_empty());
    assert_eq!(nobody.names(equal("uid", "jane")).await, [""; 0]);
    let dn = format!("cn=jane,{RECIPIENTS}");
    assert_eq!(nobody.ask(LdapOp::DelRequest(dn)).await.code, Code::InsufficentAccessRights);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_administrator_comes_by_its_socket() {
    let site = Site::new().await;
    let external = || {
        LdapOp::BindRequest(LdapBindRequest {
            version: 3,
            dn: String::new(),
            cred: LdapBindCred::SASL(SaslCredentials {
                mechanism: "EXTERNAL".into(),
                credentials: Vec::new(),
            }),
        })
    };
    for (administrator, expected) in [(true, 1), (false, 0)] {
        let mut client = site.connect_by(Way::Local { administrator }, 64 * 1024);
        client.send(external(), Vec::new()).await;
        client.receive().await.unwrap();
        let found = client.search(search(BASE, equal("cn", "Roles"))).await;
        assert_eq!(found.entries.len(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_critical_and_unknown_stops_the_operation() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let control = |criticality| {
        vec![LdapControl::Unknown { oid: "1.2.3.4".into(), criticality, value: None }]
    };
    let dn = format!("cn=john,{RECIPIENTS}");
    let refused = client.ask_with(LdapOp::DelRequest(dn.clone()), control(true)).await;
    assert_eq!(refused.code, Code::UnavailableCriticalExtension);
    let found = client.search_with(search(BASE, equal("uid", "john")), control(true)).await;
    assert_eq!(found.result.code, Code::UnavailableCriticalExtension);
    let found = client.search_with(search(BASE, equal("uid", "john")), control(false)).await;
    assert_eq!(found.entries.len(), 1);
    let unknown = client.extended("1.2.3.4", None).await;
    assert_eq!(unknown.res.code, Code::ProtocolError);
    assert_eq!(client.ask_with(LdapOp::DelRequest(dn), control(false)).await.code, Code::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_tells_what_a_search_would() {
    let site = Site::new().await;
    let mut client = site.login("jane").await;
    for (name, value, code) in [
        ("mail", "JANE@example.test", Code::CompareTrue),
        ("mail", "john@example.test", Code::CompareFalse),
        ("telephoneNumber", "1", Code::NoSuchAttribute),
        ("concordQuota", "1", Code::NoSuchAttribute),
        ("userPassword", PASSWORD, Code::NoSuchAttribute),
        ("shoeSize", "44", Code::UndefinedAttributeType),
        ("objectClass", "PERSON", Code::CompareTrue),
    ] {
        let op = LdapOp::CompareRequest(LdapCompareRequest {
            dn: format!("cn=jane,{RECIPIENTS}"),
            atype: name.into(),
            val: value.as_bytes().to_vec(),
        });
        assert_eq!(client.ask(op).await.code, code, "{name}={value}");
    }
}

// Q221989, Q303448: a bind that overran, load that hung the server.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_ldap_is_told_so_and_cut_off() {
    let site = Site::new().await;
    let deep = (0..200).fold(vec![0x87, 1, b'x'], |inner, _| {
        let length = u32::try_from(inner.len()).unwrap().to_be_bytes();
        [&[0xA2, 0x84][..], &length, &inner].concat()
    });
    let length = u32::try_from(deep.len() + 3).unwrap().to_be_bytes();
    let deep = [&[0x30, 0x84][..], &length, &[2, 1, 1], &deep].concat();
    for hostile in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF],
        vec![0x30, 0x80, 0, 0],
        vec![0x30, 5, 2, 1, 1, 0x61, 0],
        vec![0x30, 5, 2, 1, 1, 0x7F, 0],
        [&[0x30, 0x83, 1, 0x11, 0x70][..], &vec![0; 70_000]].concat(),
        deep,
    ] {
        let mut client = site.connect();
        let _ = client.stream.write_all(&hostile).await;
        let notice = client.receive().await.unwrap();
        assert_eq!(notice.msgid, 0, "{hostile:02x?}");
        match notice.op {
            LdapOp::ExtendedResponse(response) => {
                assert_eq!(response.name.as_deref(), Some("1.3.6.1.4.1.1466.20036"));
            }
            other => panic!("{other:?}"),
        }
        assert!(client.receive().await.is_none());
    }
    // a request that cannot be decoded is answered, and the session goes on
    let mut client = site.connect();
    client.stream.write_all(&[0x30, 5, 2, 1, 7, 0x63, 0]).await.unwrap();
    let answer = client.receive().await.unwrap();
    assert_eq!(answer.msgid, 7);
    assert!(
        matches!(answer.op, LdapOp::SearchResultDone(result) if result.code == Code::ProtocolError)
    );
    assert_eq!(client.bind("jane", PASSWORD).await.code, Code::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_packet_are_answered_in_their_order() {
    let site = Site::new().await;
    let mut client = site.root().await;
    let mut ids = Vec::new();
    for name in ["jane", "john", "root"] {
        let op = LdapOp::SearchRequest(search(BASE, equal("uid", name)));
        ids.push(client.send(op, Vec::new()).await);
    }
    client.send(LdapOp::UnbindRequest, Vec::new()).await;
    let mut done = Vec::new();
    while let Some(message) = client.receive().await {
        if matches!(message.op, LdapOp::SearchResultDone(_)) {
            done.push(message.msgid);
        }
    }
    assert_eq!(done, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_told_and_too_many_are_turned_away() {
    let site = Site::with(LdapConfig { max_connections: 1, ..config() }, None).await;
    let mut first = site.root().await;
    let turned_away = site.connect().receive().await.unwrap();
    assert_eq!(turned_away.msgid, 0);
    site.shutdown.cancel();
    match first.receive().await.unwrap().op {
        LdapOp::ExtendedResponse(response) => assert_eq!(response.res.code, Code::Unavailable),
        other => panic!("{other:?}"),
    }
    assert!(first.receive().await.is_none());
}
