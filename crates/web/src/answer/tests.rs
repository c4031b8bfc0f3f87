use super::*;
use crate::mta_sts::{Mode, Policy};
use concord_acme::Challenges;
use concord_base::ManualClock;
use concord_client_setup::{MailService, Protocol, Server, Socket};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn config() -> WebConfig {
    let server = |protocol, port| Server {
        protocol,
        host: "mail.example.test".into(),
        port,
        socket: Socket::Tls,
    };
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_seconds(1_795_886_100);
    let files = concord_tls::self_made(dir.path(), "mail.example.test", now).unwrap();
    WebConfig {
        hostname: "mail.example.test".into(),
        service: MailService {
            name: None,
            servers: vec![server(Protocol::Imap, 993), server(Protocol::Submission, 465)],
        },
        policy: Some(Policy {
            mode: Mode::Testing,
            hosts: vec!["mail.example.test".into()],
            max_age: Duration::from_secs(86_400),
        }),
        proxies: Arc::default(),
        tls: concord_tls::config_of_first(vec![files]).unwrap(),
        challenges: Challenges::default(),
        renewer: None,
        clock: Arc::new(ManualClock::new(now)),
        stop_time: Duration::from_secs(1),
        go_ahead: CancellationToken::new(),
    }
}

fn get(scheme: Scheme, url: &str) -> (u16, String, String) {
    send(scheme, Method::GET, url, "")
}

fn send(scheme: Scheme, method: Method, url: &str, body: &str) -> (u16, String, String) {
    let request = Request::builder().method(method).uri(url).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    let asked = Asked::of(&parts).unwrap();
    let answer = choose(&config(), scheme, &asked, body.as_bytes());
    let header =
        |name| answer.headers().get(name).map_or("", |v: &header::HeaderValue| v.to_str().unwrap());
    let about = match answer.status() {
        StatusCode::FOUND => header(header::LOCATION).to_owned(),
        _ => header(header::CONTENT_TYPE).to_owned(),
    };
    let status = answer.status().as_u16();
    let body = futures_body(answer);
    (status, about, body)
}

fn futures_body(answer: Answer) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let octets = runtime.block_on(answer.into_body().collect()).unwrap().to_bytes();
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn the_policy_is_there_within_tls_and_for_its_host_only() {
    let path = "/.well-known/mta-sts.txt";
    let (status, kind, text) = get(Scheme::Https, &format!("https://mta-sts.example.test{path}"));
    assert_eq!((status, kind.as_str()), (200, "text/plain"));
    assert!(text.starts_with("version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\n"));
    assert_eq!(get(Scheme::Https, &format!("https://mail.example.test{path}")).0, 404);
    assert_eq!(get(Scheme::Http, &format!("http://mta-sts.example.test{path}")).0, 404);
}

#[test]
fn thunderbird_is_answered_for_the_domain_that_it_asks_about() {
    for (url, domain) in [
        ("http://autoconfig.example.test/mail/config-v1.1.xml", "example.test"),
        ("http://example.test/.well-known/autoconfig/mail/config-v1.1.xml", "example.test"),
        ("http://mail.example.test/mail/config-v1.1.xml", "example.test"),
        (
            "http://autoconfig.example.test/mail/config-v1.1.xml?emailaddress=a%40other.test",
            "other.test",
        ),
    ] {
        for scheme in [Scheme::Http, Scheme::Https] {
            let (status, kind, text) = get(scheme, url);
            assert_eq!((status, kind.as_str()), (200, XML), "{url}");
            assert!(text.contains(&format!("<domain>{domain}</domain>")), "{url}: {text}");
        }
    }
}

#[test]
fn outlook_is_answered_in_any_case_and_led_to_tls() {
    let body = "<Autodiscover><Request><EMailAddress>a@example.test</EMailAddress></Request>\
                </Autodiscover>";
    for path in ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"] {
        let url = format!("https://autodiscover.example.test{path}");
        let (status, _, text) = send(Scheme::Https, Method::POST, &url, body);
        assert_eq!(status, 200);
        assert!(text.contains("<LoginName>a@example.test</LoginName>"), "{text}");
        let (status, to, _) = get(Scheme::Http, &url);
        let target = "https://mail.example.test/autodiscover/autodiscover.xml";
        assert_eq!((status, to.as_str()), (302, target));
        let (_, _, text) = get(Scheme::Https, &url);
        assert!(
            text.contains("<ErrorCode>600</ErrorCode>") && text.contains("Time=\"17:15:00.000\"")
        );
    }
    let json = "https://mail.example.test/autodiscover/autodiscover.json?Protocol=AutodiscoverV1";
    assert_eq!(get(Scheme::Https, json).0, 200);
    assert_eq!(get(Scheme::Https, &json.replace("AutodiscoverV1", "Ews")).0, 400);
}

#[test]
fn apple_profiles_need_an_address_and_tls() {
    let url = "https://mail.example.test/mail/apple.mobileconfig";
    assert_eq!(get(Scheme::Https, url).0, 400);
    let with_address = format!("{url}?emailaddress=a%40example.test");
    let (status, kind, text) = get(Scheme::Https, &with_address);
    assert_eq!((status, kind.as_str()), (200, "application/x-apple-aspen-config"));
    assert!(text.contains("<string>a@example.test</string>"));
    assert_eq!(get(Scheme::Http, &with_address).0, 302);
}

#[test]
fn nothing_else_is_there() {
    for path in ["/", "/.well-known/acme-challenge/none", "/.well-known/acme-challenge/../../etc"] {
        assert_eq!(get(Scheme::Http, &format!("http://mail.example.test{path}")).0, 404);
    }
    let put = send(Scheme::Https, Method::PUT, "https://mail.example.test/", "");
    assert_eq!(put.0, 405);
    let (parts, ()) = Request::builder()
        .uri(format!("http://a.test/{}", "x".repeat(3_000)))
        .body(())
        .unwrap()
        .into_parts();
    assert_eq!(Asked::of(&parts), None);
}
