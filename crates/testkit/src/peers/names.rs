//! Names under DNSSEC: Knot signs and serves them, Unbound validates them.

use super::{Loopback, spawn};
use crate::command::{run, tool};
use crate::log::Log;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A root of its own, signed, with names below `test.`, and `plain.test.`, which
/// is not signed; and a resolver that trusts the root's key, and forgets after a
/// second. It is the root, because who validates asks for what is above a name
/// too.
#[derive(Debug)]
pub struct SignedNames {
    directory: tempfile::TempDir,
    server: IpAddr,
    resolver: IpAddr,
    processes: Vec<(Child, Log)>,
    serial: u32,
}

impl SignedNames {
    /// Starts both at the hosts 53 and 54 of a net. Lines are those of a zone
    /// file with full names.
    ///
    /// # Errors
    /// Something is not installed, we are not root, or it did not start.
    pub fn start(net: &Loopback, lines: &[String]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("names-").tempdir()?;
        let (server, resolver) = (net.host(54), net.host(53));
        let mut names = Self { directory, server, resolver, processes: Vec::new(), serial: 0 };
        std::fs::create_dir(names.at("db"))?;
        names.write(lines)?;
        std::fs::write(names.at("knot.conf"), knot_conf(names.directory.path(), server))?;
        let knotd = tool("knotd").ok_or_else(|| trouble("knot is not installed"))?;
        let knot = spawn(Command::new(knotd).arg("-c").arg(names.at("knot.conf")))?;
        names.processes.push(knot);
        let signed = wait_until("a signed zone", LIMIT, || {
            Ok(names.processes.iter().any(|(_, log)| log.text().contains("[.] loaded"))
                && answers(names.server))
        });
        signed.map_err(|e| trouble(format!("{}\n{}", e.text(), names.said())))?;
        names.write_anchors()?;
        std::fs::write(names.at("unbound.conf"), names.unbound_conf())?;
        let unbound = tool("unbound").ok_or_else(|| trouble("unbound is not installed"))?;
        let unbound =
            spawn(Command::new(unbound).arg("-d").arg("-c").arg(names.at("unbound.conf")))?;
        names.processes.push(unbound);
        let started = wait_until("the resolver", LIMIT, || Ok(answers(names.resolver)));
        started.map_err(|e| trouble(format!("{}\n{}", e.text(), names.said())))?;
        Ok(names)
    }

    /// The resolver.
    pub fn resolver(&self) -> SocketAddr {
        SocketAddr::new(self.resolver, 53)
    }

    /// The server itself, which answers as it is asked and validates nothing.
    pub fn server(&self) -> SocketAddr {
        SocketAddr::new(self.server, 53)
    }

    /// A file with the key of the root as a DNSKEY record.
    pub fn anchors(&self) -> PathBuf {
        self.at("anchors")
    }

    /// Replaces all names, and waits until the old ones are forgotten.
    ///
    /// # Errors
    /// The server does not take them.
    pub fn change(&mut self, lines: &[String]) -> Result<()> {
        self.write(lines)?;
        self.reload()?;
        // The resolver's and everybody's caches: a second.
        std::thread::sleep(Duration::from_millis(2_100));
        Ok(())
    }

    fn reload(&self) -> Result<()> {
        let knotc = tool("knotc").ok_or_else(|| trouble("knot is not installed"))?;
        let mut command = Command::new(knotc);
        command.arg("-s").arg(self.at("knot.sock")).args(["-b", "zone-reload"]);
        run(&mut command, LIMIT)?.ok()?;
        Ok(())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&mut self, lines: &[String]) -> Result<()> {
        self.serial += 1;
        let serial = self.serial;
        let head = |origin: &str| {
            format!(
                "$TTL 60\n{origin} IN SOA ns.test. root.test. {serial} 3600 600 86400 60\n\
                 {origin} IN NS ns.test.\n"
            )
        };
        let mut signed = format!("{}ns.test. IN A {}\n", head("."), self.server);
        signed.push_str("plain.test. IN NS ns.test.\n");
        let mut plain = head("plain.test.");
        for line in lines {
            let name = line.split_whitespace().next().unwrap_or_default();
            let zone = if name.ends_with("plain.test.") { &mut plain } else { &mut signed };
            let _ = writeln!(zone, "{line}");
        }
        std::fs::write(self.at("root.zone"), signed)?;
        std::fs::write(self.at("plain.zone"), plain)?;
        Ok(())
    }

    fn write_anchors(&self) -> Result<()> {
        let keymgr = tool("keymgr").ok_or_else(|| trouble("knot is not installed"))?;
        let mut command = Command::new(keymgr);
        command.arg("-c").arg(self.at("knot.conf")).args([".", "dnskey"]);
        let keys = run(&mut command, LIMIT)?.ok()?.stdout;
        std::fs::write(self.anchors(), keys.replace(" DNSKEY", " 3600 IN DNSKEY"))?;
        Ok(())
    }

    fn unbound_conf(&self) -> String {
        let at = self.directory.path().display();
        format!(
            "server:\n  directory: \"{at}\"\n  chroot: \"\"\n  username: \"\"\n  \
             pidfile: \"\"\n  use-syslog: no\n  interface: {}\n  do-daemonize: no\n  \
             do-ip6: no\n  module-config: \"validator iterator\"\n  \
             trust-anchor-file: \"{at}/anchors\"\n  do-not-query-localhost: no\n  \
             local-zone: \"test.\" nodefault\n  access-control: 127.0.0.0/8 allow\n  \
             cache-max-ttl: 1\n  cache-max-negative-ttl: 1\n  num-threads: 1\n\
             stub-zone:\n  name: \".\"\n  stub-addr: {}\n\
             remote-control:\n  control-enable: no\n",
            self.resolver, self.server
        )
    }

    fn said(&self) -> String {
        self.processes.iter().map(|(_, log)| log.text()).collect()
    }
}

impl Drop for SignedNames {
    fn drop(&mut self) {
        for (child, _) in &mut self.processes {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn knot_conf(directory: &Path, server: IpAddr) -> String {
    let at = directory.display();
    let file = |zone: &str, name: &str| {
        format!("  - domain: {zone}\n    storage: \"{at}\"\n    file: \"{name}.zone\"\n")
    };
    format!(
        "server:\n    rundir: \"{at}\"\n    listen: {server}@53\n\
         database:\n    storage: \"{at}/db\"\n\
         log:\n  - target: stderr\n    any: info\n\
         policy:\n  - id: p\n    algorithm: ecdsap256sha256\n\
         zone:\n{}    dnssec-signing: on\n    dnssec-policy: p\n    zonefile-sync: -1\n    \
         zonefile-load: difference-no-serial\n    journal-content: all\n{}",
        file(".", "root"),
        file("plain.test.", "plain")
    )
}

/// Whether a name server answers for `test.`
fn answers(server: IpAddr) -> bool {
    let question = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, b't', b'e', b's', b't', 0, 0, 6, 0, 1];
    let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { return false };
    let mut answer = [0; 1_500];
    socket.set_read_timeout(Some(Duration::from_millis(500))).is_ok()
        && socket.send_to(&question, (server, 53)).is_ok()
        && socket.recv(&mut answer).is_ok_and(|octets| octets > question.len())
        && answer.get(3).is_some_and(|flags| flags & 0x0f == 0)
}
