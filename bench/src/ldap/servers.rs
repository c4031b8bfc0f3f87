//! Concord's core and Debian's slapd (back-mdb), each with a directory of people.

use super::client::{Client, add};
use concord_testkit::{
    Concord, PASSWORD, Ports, Result, executable, run, tool, trouble, wait_until,
};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

/// Loading takes longer than anything else.
const LOAD_LIMIT: Duration = Duration::from_secs(600);
/// slapd listens within this.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Octets of slapd's memory map; 100,000 entries take a tenth of it.
const MAP_SIZE: u64 = 4 << 30;

/// A directory that is measured.
#[derive(Debug, Clone)]
pub struct Target {
    pub name: &'static str,
    pub address: SocketAddr,
    /// The DN and the password of somebody who may change everything.
    pub login: (&'static str, &'static str),
    /// Where the people are.
    pub base: &'static str,
    /// Classes of a person there.
    pub classes: &'static [&'static str],
    /// Its first process.
    pub root: u32,
}

/// A server; dropping it ends it.
pub trait Server {
    fn target(&self) -> Result<Target>;
}

/// A person as LDAP has it: DN and attributes.
pub fn person(server: &Target, classes: &[&str], number: usize) -> Vec<u8> {
    let (base, n) = (server.base, number);
    let uid = format!("user{n:06}");
    let (given, surname) = (format!("Given{}", n % 977), format!("Family{n:06}"));
    let cn = format!("{given} {surname}");
    let mail = format!("{uid}@example.test");
    let telephone = format!("+1 555 {n:07}");
    add(
        &format!("uid={uid},{base}"),
        &[
            ("objectClass", classes),
            ("cn", &[&cn]),
            ("displayName", &[&cn]),
            ("sn", &[&surname]),
            ("givenName", &[&given]),
            ("uid", &[&uid]),
            ("mail", &[&mail]),
            ("telephoneNumber", &[&telephone]),
            ("title", &["Clerk"]),
            ("l", &["Town"]),
        ],
    )
}

/// Concord; its people are contacts, which have no mailbox in the store, as
/// slapd's have none.
pub struct Ours {
    server: Concord,
}

impl Ours {
    pub fn start() -> Result<Self> {
        let server = Concord::builder()?.binary(executable()?).start()?;
        let mut local = Client::local(&server.root().join("run/ldapi.sock"))?;
        let role = "cn=bench,cn=Roles,cn=Configuration,ou=First,o=Example";
        let member = "cn=alice,cn=Recipients,ou=First,o=Example";
        local.must(&add(
            role,
            &[
                ("objectClass", &["concordRole"]),
                ("member", &[member]),
                ("concordRight", &["full"]),
            ],
        ))?;
        Ok(Self { server })
    }
}

impl Server for Ours {
    fn target(&self) -> Result<Target> {
        Ok(Target {
            name: "Concord",
            address: self.server.address("ldap"),
            login: ("cn=alice,cn=Recipients,ou=First,o=Example", PASSWORD),
            base: "cn=Recipients,ou=First,o=Example",
            classes: &["inetOrgPerson", "concordContact"],
            root: self.server.controller()?,
        })
    }
}

/// slapd with the attributes of a person indexed for equality and substrings.
pub struct Slapd {
    child: Child,
    address: SocketAddr,
    _scratch: tempfile::TempDir,
    _ports: Ports,
}

const SUFFIX: &str = "dc=example,dc=test";
const ADMINISTRATOR: &str = "cn=admin,dc=example,dc=test";

impl Slapd {
    /// Loads the people with slapadd, and starts it.
    pub fn start(people: usize) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("bench-slapd-").tempdir()?;
        let (top, ports) = (scratch.path(), Ports::take()?);
        let data = top.join("data");
        std::fs::create_dir(&data)?;
        let configuration = top.join("slapd.conf");
        std::fs::write(
            &configuration,
            format!(
                "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
                 include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\n\
                 moduleload back_mdb\npidfile {top}/pid\nsizelimit unlimited\n\
                 database mdb\nsuffix \"{SUFFIX}\"\nrootdn \"{ADMINISTRATOR}\"\n\
                 rootpw {PASSWORD}\ndirectory {data}\nmaxsize {MAP_SIZE}\n\
                 index objectClass eq\n\
                 index uid,mail,cn,sn,givenName,displayName,telephoneNumber eq,sub\n",
                top = top.display(),
                data = data.display(),
            ),
        )?;
        let ldif = top.join("people.ldif");
        std::fs::write(&ldif, people_ldif(people))?;
        let mut load = Command::new(found("slapadd")?);
        load.args(["-q", "-f"]).arg(&configuration).arg("-l").arg(&ldif);
        run(&mut load, LOAD_LIMIT)?.ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], ports.next()?));
        let child = Command::new(found("slapd")?)
            .args(["-d", "0", "-h", &format!("ldap://{address}/"), "-f"])
            .arg(&configuration)
            .spawn()?;
        let server = Self { child, address, _scratch: scratch, _ports: ports };
        let up = || Ok(Client::connect(address, ADMINISTRATOR, PASSWORD).is_ok());
        wait_until("slapd", START_LIMIT, up)?;
        Ok(server)
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server for Slapd {
    fn target(&self) -> Result<Target> {
        Ok(Target {
            name: "slapd",
            address: self.address,
            login: (ADMINISTRATOR, PASSWORD),
            base: SUFFIX,
            classes: &["inetOrgPerson"],
            root: self.child.id(),
        })
    }
}

fn found(program: &str) -> Result<PathBuf> {
    tool(program).ok_or_else(|| trouble(format!("no {program} here; install Debian's slapd")))
}

/// The same people as [`person`] adds.
fn people_ldif(people: usize) -> String {
    let mut ldif = format!(
        "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n\n"
    );
    for n in 0..people {
        let _ = write!(
            ldif,
            "dn: uid=user{n:06},{SUFFIX}\nobjectClass: inetOrgPerson\n\
             cn: Given{g} Family{n:06}\ndisplayName: Given{g} Family{n:06}\nsn: Family{n:06}\n\
             givenName: Given{g}\nuid: user{n:06}\nmail: user{n:06}@example.test\n\
             telephoneNumber: +1 555 {n:07}\ntitle: Clerk\nl: Town\n\n",
            g = n % 977
        );
    }
    ldif
}
