//! Outbound mail under DANE and MTA-STS, against real servers, in a world of
//! its own: `test.` is signed, `plain.test.` below it is not.

mod authority;
mod exchange;
mod refusals;

use authority::{Authority, Certificate};
use concord_testkit::{
    Concord, Enclave, Loopback, Peer, PeerKind, PeerSettings, PolicyHost, Result, SignedNames,
    Trouble, trouble,
};
use std::net::IpAddr;
use std::path::Path;

/// The host of the world that is Concord.
const CONCORD: u8 = 1;
/// The peer.
const PEER: u8 = 2;
/// The policy host.
const POLICIES: u8 = 80;

/// Names, authorities, and a policy host.
struct World {
    net: Loopback,
    directory: tempfile::TempDir,
    authority: Authority,
    own: Certificate,
    peer: Certificate,
    names: SignedNames,
    enclave: Enclave,
    policies: Option<PolicyHost>,
    lines: Vec<String>,
}

impl World {
    /// A world with these domains of the peer under MTA-STS (all below
    /// `plain.test`), and `dane.peer.test` under DANE.
    fn start(policies: &[(&str, &str)]) -> Result<Self> {
        let net = Loopback::take()?;
        let directory = tempfile::tempdir()?;
        let at = directory.path();
        let authority = Authority::new("an authority of a test")?;
        let own = authority.issue(at, "own", &["mail.example.test"])?;
        let peer = authority.issue(at, "peer", &["mx.peer.test", "mx.plain.test"])?;
        let hosts: Vec<String> =
            policies.iter().map(|(domain, _)| format!("mta-sts.{domain}")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let web = authority.issue(at, "web", &hosts)?;
        let mut lines = vec![
            "example.test. IN MX 10 mail.example.test.".to_owned(),
            format!("mail.example.test. IN A {}", net.host(CONCORD)),
            format!("_25._tcp.mail.example.test. IN TLSA 3 1 1 {}", own.tlsa),
            "dane.peer.test. IN MX 10 mx.peer.test.".to_owned(),
            format!("mx.peer.test. IN A {}", net.host(PEER)),
            format!("_25._tcp.mx.peer.test. IN TLSA 3 1 1 {}", peer.tlsa),
            format!("mx.plain.test. IN A {}", net.host(PEER)),
        ];
        let host = PolicyHost::start(net.host(POLICIES), &web.files.0, &web.files.1)?;
        for (domain, mx) in policies {
            lines.push(format!("{domain}. IN MX 10 mx.plain.test."));
            lines.push(format!("_mta-sts.{domain}. IN TXT \"v=STSv1; id=1;\""));
            lines.push(format!("mta-sts.{domain}. IN A {}", net.host(POLICIES)));
            host.publish(domain, &policy("enforce", mx))?;
        }
        let names = SignedNames::start(&net, &lines)?;
        let enclave = Enclave::new(names.resolver().ip(), &authority.pem)?;
        std::fs::write(at.join("trusted.pem"), &authority.pem)?;
        let policies = Some(host);
        Ok(Self { net, directory, authority, own, peer, names, enclave, policies, lines })
    }

    /// Adds names.
    fn publish(&mut self, lines: &[String]) -> Result<()> {
        self.lines.extend_from_slice(lines);
        self.names.change(&self.lines)
    }

    fn peer(&self, kind: PeerKind) -> Result<Peer> {
        let domains = ["dane.peer.test", "sts.plain.test", "plain.test"];
        self.another(kind, self.net.host(PEER), &self.peer, &domains, true)
    }

    fn another(
        &self,
        kind: PeerKind,
        address: IpAddr,
        certificate: &Certificate,
        domains: &[&str],
        offers_tls: bool,
    ) -> Result<Peer> {
        let settings = PeerSettings {
            hostname: "mx.peer.test".to_owned(),
            domains: domains.iter().map(|d| (*d).to_owned()).collect(),
            address,
            certificate: certificate.files.clone(),
            offers_tls,
        };
        Peer::start(kind, &self.enclave, &settings)
    }

    /// Concord, at port 25 of its host.
    fn concord(&self) -> Result<Concord> {
        let text = |path: &Path| format!("\"{}\"", path.display());
        let public = self.net.host(CONCORD);
        Concord::start(|c| {
            let local = c.address("smtp");
            c.set("listen", "smtp", format!("[\"{local}\", \"{public}:25\"]"));
            c.set("tls", "certificate", text(&self.own.files.0));
            c.set("tls", "key", text(&self.own.files.1));
            let resolver = self.names.resolver();
            c.set("internet-mail", "nameservers", format!("[\"{resolver}\"]"));
            c.set("internet-mail", "dnssec-trust-anchors", text(&self.names.anchors()));
            let trusted = self.directory.path().join("trusted.pem");
            c.set("internet-mail", "trusted-certificates", text(&trusted));
            c.set("queue", "retry-schedule", "[\"2 s\"]");
        })
    }
}

fn policy(mode: &str, mx: &str) -> String {
    format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n")
}

/// What the connector logged.
fn connector_log(server: &Concord) -> String {
    let directory = server.root().join("log");
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let of_connector = files.filter(|f| f.file_name().to_string_lossy().contains("internet-mail"));
    of_connector.map(|f| std::fs::read_to_string(f.path()).unwrap_or_default()).collect()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// The error, with what each side says about it.
fn explained(error: &Trouble, server: &Concord, peer: &Peer) -> Trouble {
    let queue = server.json(&["queue", "list"]).map(|q| q.to_string()).unwrap_or_default();
    let queue: String = queue.chars().take(1_500).collect();
    let log = last_lines(&connector_log(server));
    let said = last_lines(&peer.said());
    trouble(format!("{}\nqueue: {queue}\nconnector: {log}\npeer: {said}", error.text()))
}
