//! The service on real sockets: what clients may not do, and what an
//! administrator hears.

#![allow(clippy::unwrap_used)] // in helpers, too, a panic is a failed test

use concord_acme::Challenges;
use concord_base::{SystemClock, Timestamp};
use concord_client_setup::MailService;
use concord_proxy_protocol::Proxies;
use concord_web::{Sockets, WebConfig, run};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

struct Web {
    http: SocketAddr,
    socket: std::path::PathBuf,
    stop: CancellationToken,
    work: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

async fn web() -> Web {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_seconds(1_795_886_100);
    let files = concord_tls::self_made(dir.path(), "mail.example.test", now).unwrap();
    let config = WebConfig {
        hostname: "mail.example.test".into(),
        service: MailService { name: None, servers: Vec::new() },
        policy: None,
        proxies: Arc::new(Proxies::new(vec!["127.0.0.9".parse().unwrap()])),
        tls: concord_tls::config_of_first(vec![files]).unwrap(),
        challenges: Challenges::default(),
        renewer: None,
        clock: Arc::new(SystemClock),
        stop_time: Duration::from_secs(1),
        go_ahead: CancellationToken::new(),
    };
    let http = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap();
    let socket = dir.path().join("web.sock");
    let admin = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let sockets = Sockets { http: vec![http], https: Vec::new(), admin: vec![admin] };
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let work = tokio::spawn(async move { run(config, sockets, stopped, || {}).await.unwrap() });
    Web { http: address, socket, stop, work, _dir: dir }
}

async fn say(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_that_are_too_large_are_refused() {
    let web = web().await;
    let head = "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: a.test\r\nConnection: close";
    let body = "x".repeat(20_000);
    let large = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(say(web.http, &large).await.starts_with("HTTP/1.1 413 "));
    let long = format!("GET / HTTP/1.1\r\nHost: a.test\r\nX: {}\r\n\r\n", "x".repeat(60_000));
    assert!(say(web.http, &long).await.starts_with("HTTP/1.1 431 "));
    let target =
        format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "x".repeat(3_000));
    assert!(say(web.http, &target).await.starts_with("HTTP/1.1 414 "));
    assert!(say(web.http, "no request\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn one_client_gets_so_many_connections_and_they_come_back() {
    let web = web().await;
    let mut open = Vec::new();
    for _ in 0..40 {
        open.push(TcpStream::connect(web.http).await.unwrap());
    }
    // Accepted in order: what is beyond the bound is closed without a word.
    let mut beyond = open.pop().unwrap();
    let mut octet = [0; 1];
    let ended = tokio::time::timeout(Duration::from_secs(5), beyond.read(&mut octet)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    open.clear();
    let ask = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    for _ in 0..100 {
        if say(web.http, ask).await.starts_with("HTTP/1.1 404 ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the seats did not come back");
}

/// Q254214: what counts behind a proxy is its client.
#[tokio::test]
async fn clients_of_a_proxy_get_connections_each_for_itself() {
    let web = web().await;
    let ask = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let mut open = Vec::new();
    for n in 0..40 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(web.http).await.unwrap();
        // Each of four has ten, and the proxy forty.
        let header = format!("PROXY TCP4 192.0.2.{} 192.0.2.99 4000 80\r\n{ask}", n % 4);
        stream.write_all(header.as_bytes()).await.unwrap();
        let mut octets = [0; 13];
        stream.read_exact(&mut octets).await.unwrap();
        assert_eq!(&octets, b"HTTP/1.1 404 ", "connection {n}");
        open.push(stream);
    }
    // From somebody else the same is no request.
    let forged = format!("PROXY TCP4 192.0.2.1 192.0.2.99 4000 80\r\n{ask}");
    assert!(say(web.http, &forged).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn an_administrator_without_an_authority_hears_so_and_the_stop_is_quick() {
    let web = web().await;
    let mut stream = UnixStream::connect(&web.socket).await.unwrap();
    let body = "{\"wish\":\"order\"}";
    let request = format!(
        "POST /v1/certificate HTTP/1.1\r\nHost: concord\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    assert!(answer.contains("\"code\":\"web.no-authority\""), "{answer}");
    web.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), web.work).await.unwrap().unwrap();
}
