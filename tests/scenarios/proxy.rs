//! A load balancer in front (Q254214): the client's address counts, and nobody
//! but the proxy says what it is.

use crate::{ALICE, SOON, wait_for_messages};
use concord_testkit::{
    Concord, HaProxy, PASSWORD, Ports, ProxyFront, Result, Sample, Smtp, connect_from,
    header_value, run, wait_until,
};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where the proxy's connections come from.
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Where its clients connect.
const FRONT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
/// Clients of the proxy.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// What the manual says a proxy has for its header.
const HEADER_TIME: Duration = Duration::from_secs(5);
const LISTENERS: [&str; 4] = ["smtp", "submission", "imaps", "pop3"];

/// A server that believes the proxy, and nobody else.
fn server() -> Result<Concord> {
    Concord::start(|c| {
        c.set("listen", "proxies", format!("[\"{PROXY}\", \"192.0.2.0/28\"]"));
        c.set("limits", "sessions-per-client", "3");
    })
}

/// The addresses of the proxy by listener.
fn proxy(server: &Concord, options: &str) -> Result<(HaProxy, [SocketAddr; 4], Ports)> {
    let ports = Ports::take()?;
    let mut fronts = Vec::new();
    for listener in LISTENERS {
        let at = SocketAddr::from((FRONT, ports.next()?));
        fronts.push(ProxyFront { at, server: server.address(listener), options });
    }
    let at = [0, 1, 2, 3].map(|n| fronts[n].at);
    Ok((HaProxy::start(PROXY, &fronts)?, at, ports))
}

fn policy(server: &Concord, text: &str) -> Result<()> {
    std::fs::write(server.root().join("etc/internet-mail.toml"), text)?;
    // It is looked at every second.
    std::thread::sleep(Duration::from_millis(1_500));
    Ok(())
}

fn log_says(server: &Concord, service: &str, words: &[&str]) -> Result<()> {
    let file = server.root().join("log").join(format!("{service}.log"));
    wait_until(&format!("{words:?} in {}", file.display()), SOON, || {
        let text = std::fs::read_to_string(&file)?;
        Ok(text.lines().any(|line| words.iter().all(|word| line.contains(word))))
    })
}

/// The topmost line that our server wrote.
fn received(message: &[u8]) -> String {
    header_value(message, "Received").unwrap_or_default()
}

#[test]
fn clients_behind_haproxy_have_their_own_addresses() -> Result<()> {
    let server = server()?;
    let versions = ["send-proxy", "send-proxy-v2 proxy-v2-options crc32c,authority,unique-id"];
    for (done, options) in versions.into_iter().enumerate() {
        let (_proxy, [smtp, submission, imaps, pop3], _ports) = proxy(&server, options)?;
        let sample = Sample::new(&format!("in{done}@a.test"), "a@a.test", ALICE).octets();
        let mut session = Smtp::connect_from(CLIENT, smtp)?;
        session.hello()?;
        assert_eq!(session.send("a@a.test", &[ALICE], &sample)?.code, 250);
        let mut session = Smtp::connect_from(CLIENT, submission)?;
        session.hello()?;
        session.login(ALICE, PASSWORD)?;
        let sample = Sample::new(&format!("out{done}@example.test"), ALICE, ALICE).octets();
        assert_eq!(session.send(ALICE, &[ALICE], &sample)?.code, 250);
        for message in wait_for_messages(&server, ALICE, 2 * done + 2)? {
            let line = received(&message);
            assert!(line.contains("[127.0.0.2]"), "{options}: {line}");
        }
        let (login, client) = (format!("{ALICE}:{PASSWORD}"), [CLIENT, OTHER][done].to_string());
        for (protocol, url) in
            [("imap", format!("imaps://{imaps}/")), ("pop3", format!("pop3://{pop3}/"))]
        {
            let mut curl = Command::new("curl");
            curl.args(["-sSk", "--interface", &client, "-u", &login, &url]);
            run(&mut curl, SOON)?.ok()?;
            let words: [&str; 3] =
                [&format!("{protocol}{{"), &format!("peer={client}:"), "logged in"];
            log_says(&server, "core", &words)?;
        }
    }
    Ok(())
}

#[test]
fn rules_and_limits_on_hosts_see_the_client_behind_the_proxy() -> Result<()> {
    let server = server()?;
    let (_proxy, [smtp, ..], _ports) = proxy(&server, "send-proxy-v2")?;
    let open: Vec<Smtp> =
        (0..3).map(|_| Smtp::connect_from(CLIENT, smtp)).collect::<Result<_>>()?;
    assert!(open.iter().all(|session| session.greeting.code == 220));
    assert_eq!(Smtp::connect_from(CLIENT, smtp)?.greeting.code, 421, "three for each client");
    assert_eq!(Smtp::connect_from(OTHER, smtp)?.greeting.code, 220, "not for each proxy");
    drop(open);
    let relaying = |client: Ipv4Addr, server: SocketAddr| -> Result<u16> {
        let mut session = Smtp::connect_from(client, server)?;
        session.hello()?;
        session.must("MAIL FROM:<a@a.test>")?;
        Ok(session.command("RCPT TO:<b@elsewhere.test>")?.code)
    };
    policy(&server, "[relay]\nallow = ['127.0.0.3', '127.0.0.4']\n")?;
    assert_eq!(relaying(OTHER, smtp)?, 250);
    assert_eq!(relaying(CLIENT, smtp)? / 100, 5, "what the proxy may its clients may not");
    // The proxy connects to this address, its clients do not.
    policy(&server, "[relay]\ninterfaces = ['127.0.0.1']\n")?;
    assert_eq!(relaying(CLIENT, server.address("smtp"))?, 250);
    assert_eq!(relaying(CLIENT, smtp)? / 100, 5, "it did not connect to that address");
    policy(&server, "[[host]]\nnetwork = '127.0.0.2'\naction = 'reject'\n")?;
    assert_eq!(Smtp::connect_from(CLIENT, smtp)?.greeting.code, 554);
    assert_eq!(Smtp::connect_from(OTHER, smtp)?.greeting.code, 220);
    Ok(())
}

#[test]
fn a_stranger_who_sends_a_header_gains_nothing() -> Result<()> {
    let server = server()?;
    let line = "PROXY TCP4 192.0.2.99 127.0.0.1 40000 25";
    let mut session = server.smtp()?;
    let refused = session.command(line)?;
    assert_eq!(refused.code / 100, 5, "{refused:?}");
    session.hello()?;
    let sample = Sample::new("forged@a.test", "a@a.test", ALICE).octets();
    assert_eq!(session.send("a@a.test", &[ALICE], &sample)?.code, 250);
    let message = wait_for_messages(&server, ALICE, 1)?.remove(0);
    assert!(received(&message).contains("[127.0.0.1]"), "{}", received(&message));
    let said = connect_from(CLIENT, server.address("imap"))
        .and_then(|stream| talk(stream, format!("{line}\r\na LOGOUT\r\n").as_bytes()))?;
    assert!(said.starts_with("* OK") && said.contains(" BAD "), "{said}");
    // Who is refused for its address does not get another one.
    policy(&server, "[[host]]\nnetwork = '127.0.0.2'\naction = 'reject'\n")?;
    for header in [format!("{line}\r\n").as_bytes(), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let stream = connect_from(CLIENT, server.address("smtp"))?;
        let said = talk(stream, &[header, b"EHLO a.test\r\nQUIT\r\n"].concat())?;
        assert!(said.starts_with("554 ") && !said.contains("\n250"), "{said}");
    }
    Ok(())
}

/// Says this, and reads to the end.
fn talk(mut stream: impl Read + Write, text: &[u8]) -> Result<String> {
    stream.write_all(text)?;
    let mut said = Vec::new();
    // A server that has closed its side answers with a reset.
    let _ = stream.read_to_end(&mut said);
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_proxy_that_sends_no_header_is_cut_off() -> Result<()> {
    let server = server()?;
    for (listener, service) in
        [("smtp", "internet-mail"), ("submission", "internet-mail"), ("imaps", "core")]
    {
        let began = Instant::now();
        let stream = connect_from(PROXY, server.address(listener))?;
        stream.set_read_timeout(Some(HEADER_TIME * 4))?;
        assert_eq!(talk(stream, b"")?, "", "{listener}");
        let took = began.elapsed();
        assert!(took >= HEADER_TIME && took < HEADER_TIME * 3, "{listener}: {took:?}");
        log_says(&server, service, &[listener, "127.0.0.3", "proxy.late"])?;

        let stream = connect_from(PROXY, server.address(listener))?;
        stream.set_read_timeout(Some(HEADER_TIME * 4))?;
        let began = Instant::now();
        assert_eq!(talk(stream, b"EHLO a.test\r\n")?, "", "{listener}");
        assert!(began.elapsed() < HEADER_TIME, "{listener}");
        log_says(&server, service, &[listener, "127.0.0.3", "proxy.no-header"])?;
    }
    Ok(())
}

/// The listeners stay; only the service begins anew.
#[test]
fn a_restart_of_the_service_is_enough_for_a_new_proxy() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    let at = server.address("smtp");
    let header = b"PROXY TCP4 192.0.2.99 127.0.0.1 40000 25\r\n";
    let greeted = |first: &[u8]| talk(connect_from(PROXY, at)?, &[first, b"QUIT\r\n"].concat());
    assert!(greeted(b"")?.starts_with("220 "));
    server.reconfigure(|c| c.set("listen", "proxies", format!("[\"{PROXY}\"]")))?;
    server.command(&["service", "restart", "internet-mail"])?.ok()?;
    wait_until("a header to be missed", SOON, || Ok(greeted(b"")?.is_empty()))?;
    assert!(greeted(header)?.starts_with("220 "));
    Ok(())
}

#[test]
fn networks_that_are_wrong_or_too_wide_are_refused() -> Result<()> {
    let mut server = Concord::builder()?.prepare()?;
    for (proxies, reason) in [
        ("0.0.0.0/0", "too wide"),
        ("::/0", "too wide"),
        ("10.0.0.1/8", "bits beside the mask"),
        ("lb.example.test", "not a network"),
    ] {
        server.reconfigure(|c| c.set("listen", "proxies", format!("[\"{proxies}\"]")))?;
        let checked = server.command(&["config", "check"])?;
        assert_ne!(checked.code, Some(0), "{proxies}: {checked:?}");
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert!(said.contains("listen.proxies") && said.contains(reason), "{proxies}: {said}");
    }
    server.reconfigure(|c| c.set("listen", "proxies", "[\"10.0.0.0/8\", \"2001:db8::1\"]"))?;
    assert_eq!(server.command(&["config", "check"])?.code, Some(0));
    Ok(())
}
