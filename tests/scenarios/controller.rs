//! Starting, stopping and restarting.

use crate::{SOON, rows, text};
use concord_testkit::{Concord, Result, wait_for};
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn port_taken_names_the_holder() -> Result<()> {
    let mut server = Concord::builder()?.prepare()?;
    let address = server.address("smtp");
    let holder = TcpListener::bind(address)?;
    server.spawn()?;
    let status = wait_for("concord to give up", SOON, || server.ended())?;
    assert!(!status.contains("exit status: 0"), "{status}");
    let said = wait_for("its words", SOON, || {
        let said = server.log().text();
        Ok(said.contains(&address.port().to_string()).then_some(said))
    })?;
    let pid = std::process::id().to_string();
    assert!(said.contains(&pid), "the holder, process {pid}, is not named in\n{said}");
    drop(holder);
    // With the port free it starts.
    server.up()
}

#[test]
fn mistakes_of_the_configuration_are_told_all_at_once() -> Result<()> {
    let mut server = Concord::builder()?
        .config(|c| {
            c.set("limits", "recipents", "5");
            c.set("storage", "reserve", "\"three apples\"");
            c.set("queue", "expire-after", "7");
        })
        .prepare()?;
    server.spawn()?;
    let status = wait_for("concord to give up", SOON, || server.ended())?;
    assert!(!status.contains("exit status: 0"), "{status}");
    let said = wait_for("its words", SOON, || {
        let said = server.log().text();
        Ok(said.contains("expire-after").then_some(said))
    })?;
    for word in ["recipents", "three apples", "concord.toml:"] {
        assert!(said.contains(word), "no '{word}' in\n{said}");
    }
    Ok(())
}

#[test]
fn services_are_listed_and_stop_in_order() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    let list = rows(&server.json(&["service", "list"])?);
    for name in ["core", "internet-mail"] {
        let service = list.iter().find(|s| text(s, "name") == name);
        let service = service.unwrap_or_else(|| panic!("no {name} in {list:?}"));
        assert_eq!(text(service, "state"), "ready", "{service}");
    }
    let pids = server.processes();
    server.stop()?;
    let left: Vec<_> = pids.into_iter().filter(|pid| concord_testkit::exists(*pid)).collect();
    assert!(left.is_empty(), "{left:?} outlive the controller's orderly end");
    Ok(())
}

/// Connects again and again while a service is restarted: the socket stays
/// open in the controller, so every connection is greeted.
fn no_connection_is_refused(service: &str, listener: &str) -> Result<()> {
    let server = Concord::start(|_| {})?;
    let address = server.address(listener);
    let (over, greetings) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (end, count) = (Arc::clone(&over), Arc::clone(&greetings));
    let client = std::thread::spawn(move || -> Result<()> {
        while !end.load(Ordering::Relaxed) {
            if greeted(address)? {
                count.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    let first = server.service(service)?;
    for _ in 0..3 {
        let before = greetings.load(Ordering::Relaxed);
        server.command(&["service", "restart", service])?.ok()?;
        wait_for("connections after the restart", SOON, || {
            let enough = greetings.load(Ordering::Relaxed) > before + 5 || client.is_finished();
            Ok(enough.then_some(()))
        })?;
    }
    over.store(true, Ordering::Relaxed);
    client.join().unwrap().map_err(|e| e.during("a connection during the restart"))?;
    assert_ne!(server.service(service)?, first, "it was restarted");
    Ok(())
}

/// Connects; whether it was greeted. One that the old process accepted and
/// closed with its end is not greeted, but it was not refused either.
fn greeted(address: SocketAddr) -> Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SOON))?;
    let mut first = [0; 1];
    Ok(stream.read(&mut first).is_ok_and(|n| n == 1))
}

#[test]
fn restart_of_internet_mail_refuses_no_connection() -> Result<()> {
    no_connection_is_refused("internet-mail", "smtp")
}

#[test]
fn restart_of_the_core_refuses_no_connection() -> Result<()> {
    no_connection_is_refused("core", "imap")
}
