//! The directory over LDAP, with the tools that everybody has.

use crate::SOON;
use concord_testkit::{Concord, Finished, PASSWORD, Result, run, run_with_input, tool};
use std::process::Command;

const RECIPIENTS: &str = "cn=Recipients,ou=First,o=Example";

/// What Sally's department needs, in the words of other servers' LDIF files.
const SALES: &str = "\
dn: cn=Sales,cn=Recipients,ou=First,o=Example
objectClass: organizationalUnit

dn: uid=sally,cn=Sales,cn=Recipients,ou=First,o=Example
objectClass: inetOrgPerson
cn:: U2FsbHkgU8O4bGJlcmc=
sn: Sølberg
givenName: Sally
telephoneNumber: +49 30 1234
userPassword: correct horse

dn: cn=partner,cn=Sales,cn=Recipients,ou=First,o=Example
objectClass: inetOrgPerson
objectClass: concordContact
cn: Partner
sn: Partner
mail: partner@elsewhere.test

dn: cn=sellers,cn=Recipients,ou=First,o=Example
objectClass: groupOfNames
member: cn=sally,cn=Sales,cn=Recipients,ou=First,o=Example
member: cn=partner,cn=Sales,cn=Recipients,ou=First,o=Example
owner: cn=alice,cn=Recipients,ou=First,o=Example

dn: cn=everything,cn=Roles,cn=Configuration,ou=First,o=Example
objectClass: concordRole
member: cn=bob,cn=Recipients,ou=First,o=Example
concordRight: full
";

struct Tools<'a> {
    server: &'a Concord,
    name: &'a str,
    password: &'a str,
}

impl Tools<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-x", "-H", &format!("ldap://{}", self.server.address("ldap"))]);
        command.args(["-D", self.name, "-w", self.password]);
        command.env("LDAPTLS_REQCERT", "never");
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Finished> {
        run(self.command(program).args(arguments), SOON)
    }

    fn search(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["-LLL", "-o", "ldif-wrap=no", "-b", "o=Example"];
        all.extend(arguments);
        Ok(self.run("ldapsearch", &all)?.ok()?.stdout)
    }

    fn change(&self, ldif: &str) -> Result<Finished> {
        run_with_input(&mut self.command("ldapmodify"), ldif.as_bytes(), SOON)
    }
}

fn of<'a>(server: &'a Concord, name: &'a str) -> Tools<'a> {
    Tools { server, name, password: PASSWORD }
}

/// Loads LDIF as the machine's administrator, by the local socket.
fn load(server: &Concord, ldif: &str) -> Result<Finished> {
    let socket = server.root().join("run/ldapi.sock").display().to_string().replace('/', "%2F");
    let mut command = Command::new("ldapadd");
    command.args(["-Q", "-Y", "EXTERNAL", "-H", &format!("ldapi://{socket}")]);
    run_with_input(&mut command, ldif.as_bytes(), SOON)
}

#[test]
fn debians_ldap_tools_keep_a_directory() -> Result<()> {
    let server = Concord::start(|_| {})?;
    load(&server, SALES)?.ok()?;
    let bob = of(&server, "bob");
    let sally = bob.search(&["(cn=sally s\u{f8}lberg)", "mail", "memberOf", "cn"])?;
    assert!(sally.contains("mail: sally@example.test"), "{sally}");
    assert!(sally.contains(&format!("memberOf: cn=sellers,{RECIPIENTS}")), "{sally}");
    // the tools on the machine write what mail then follows
    let changed = bob.change(&format!(
        "dn: cn=sally,cn=Sales,{RECIPIENTS}\nchangetype: modify\n\
         replace: mail\nmail: sally.s@example.test\n-\n\
         add: telephoneNumber\ntelephoneNumber: 99\n-\n\
         delete: telephoneNumber\ntelephoneNumber: +49 30 1234\n"
    ))?;
    changed.ok()?;
    let mut session = server.smtp()?;
    session.hello()?;
    for address in ["sally.s@example.test", "sally@example.test", "sellers@example.test"] {
        let sample = concord_testkit::Sample::new("to@x.test", "a@stranger.test", address);
        let reply = session.send("a@stranger.test", &[address], &sample.octets())?;
        assert_eq!(reply.code, 250, "{address}: {reply:?}");
    }
    let dn = format!("cn=sally,cn=Sales,{RECIPIENTS}");
    let compared = bob.run("ldapcompare", &[&dn, "telephoneNumber:99"])?;
    assert_eq!(compared.code, Some(6), "{compared:?}");
    let moved = bob.run("ldapmodrdn", &["-r", "-s", RECIPIENTS, &dn, "cn=sal"])?;
    moved.ok()?;
    let password = bob.run("ldappasswd", &["-s", "another one", &format!("cn=sal,{RECIPIENTS}")]);
    password?.ok()?;
    let sal = Tools { server: &server, name: "sal", password: "another one" };
    let who = sal.run("ldapwhoami", &[])?.ok()?;
    assert_eq!(who.stdout.trim(), format!("dn:cn=sal,{RECIPIENTS}"));
    bob.run("ldapdelete", &[&format!("cn=sellers,{RECIPIENTS}")])?.ok()?;
    assert_eq!(bob.search(&["(cn=sellers)", "dn"])?, "");
    Ok(())
}

// T98, T106, and what others may not.
#[test]
fn what_may_not_be_is_refused_with_the_code_that_tools_know() -> Result<()> {
    let server = Concord::start(|_| {})?;
    load(&server, SALES)?.ok()?;
    let refused = |done: Finished, code: i32, what: &str| {
        assert_eq!(done.code, Some(code), "{what}: {done:?}");
    };
    let person = |dn: &str, mail: &str| {
        format!("dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\nmail: {mail}\n")
    };
    let bob = of(&server, "bob");
    let at = |name: &str| format!("cn={name},{RECIPIENTS}");
    refused(bob.change(&person(&at("x"), "no address"))?, 21, "address");
    refused(bob.change(&person("cn=x\\zz,o=Example", "x@example.test"))?, 34, "DN");
    refused(bob.change(&person(&at("x"), "x@elsewhere.test"))?, 19, "domain");
    refused(bob.change(&person(&at("alice"), "y@example.test"))?, 68, "name");
    refused(bob.change(&person("cn=x,cn=No,o=Example", "x@example.test"))?, 32, "place");
    assert_eq!(bob.search(&["(uid=x)", "dn"])?, "");
    let alice = of(&server, "alice");
    let owner = |what: &str| format!("dn: {}\nchangetype: modify\n{what}\n", at("sellers"));
    alice.change(&owner(&format!("add: member\nmember: {}", at("alice"))))?.ok()?;
    refused(alice.change(&owner("replace: displayName\ndisplayName: X"))?, 50, "owner");
    refused(alice.run("ldapdelete", &[&at("bob")])?, 50, "user");
    refused(bob.run("ldapdelete", &[&format!("cn=Sales,{RECIPIENTS}")])?, 66, "container");
    let wrong = Tools { server: &server, name: "bob", password: "wrong" };
    refused(wrong.run("ldapwhoami", &[])?, 49, "password");
    Ok(())
}

#[test]
fn passwords_cross_by_starttls_ldaps_and_scram() -> Result<()> {
    let server = Concord::start(|config| config.set("tls", "allow-plaintext-auth", "false"))?;
    let alice = of(&server, "alice@example.test");
    let plain = alice.run("ldapwhoami", &[])?;
    assert_eq!(plain.code, Some(13), "{plain:?}");
    let expected = format!("dn:cn=alice,{RECIPIENTS}");
    let started = alice.run("ldapwhoami", &["-ZZ"])?.ok()?;
    assert_eq!(started.stdout.trim(), expected);
    let mut inside = Command::new("ldapwhoami");
    inside.args(["-x", "-H", &format!("ldaps://{}", server.address("ldaps"))]);
    inside.args(["-D", "alice", "-w", PASSWORD]).env("LDAPTLS_REQCERT", "never");
    assert_eq!(run(&mut inside, SOON)?.ok()?.stdout.trim(), expected);
    let mut scram = Command::new("ldapwhoami");
    scram.args(["-Q", "-Y", "SCRAM-SHA-256", "-U", "alice", "-w", PASSWORD]);
    scram.args(["-H", &format!("ldap://{}", server.address("ldap"))]);
    assert_eq!(run(&mut scram, SOON)?.ok()?.stdout.trim(), expected);
    Ok(())
}

/// What python-ldap3 does when it is told to learn everything and to trust only
/// what the schema says.
const PYTHON: &str = r#"
import sys
from ldap3 import ALL, ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES, Connection, Server
host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
server = Server(host, port=port, get_info=ALL)
c = Connection(server, 'alice', password, auto_bind=True, check_names=True, raise_exceptions=True)
assert server.info.naming_contexts == ['o=Example'], server.info
schema = server.schema
for name, kind in schema.object_classes.items():
    for attribute in (kind.must_contain or []) + (kind.may_contain or []):
        assert attribute in schema.attribute_types, (name, attribute)
for name, kind in schema.attribute_types.items():
    for rule in kind.equality or []:
        assert rule in schema.matching_rules, (name, rule)
    assert kind.syntax in schema.ldap_syntaxes, (name, kind.syntax)
found = list(c.extend.standard.paged_search(
    'o=Example', '(objectClass=inetOrgPerson)', attributes=[ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES],
    paged_size=1, generator=True))
assert len(found) == 2, found
for entry in found:
    classes = set(entry['attributes']['objectClass'])
    allowed = set()
    for name in classes:
        kind = schema.object_classes[name]
        for attribute in kind.must_contain or []:
            assert attribute in entry['attributes'], (name, attribute)
        allowed |= set((kind.must_contain or []) + (kind.may_contain or []))
    for attribute in entry['attributes']:
        usage = schema.attribute_types[attribute].usage
        assert attribute in allowed or usage == 'DIRECTORY_OPERATION', (attribute, usage)
print('good')
"#;

#[test]
fn python_ldap3_believes_the_schema_and_the_entries_keep_to_it() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let at = server.address("ldap");
    // Debian's python3-ldap3 belongs to Debian's python3
    let python = if tool("/usr/bin/python3").is_some() { "/usr/bin/python3" } else { "python3" };
    let mut command = Command::new(python);
    command.args(["-c", PYTHON, "127.0.0.1", &at.port().to_string(), PASSWORD]);
    let done = run(&mut command, SOON)?.ok()?;
    assert_eq!(done.stdout.trim(), "good");
    Ok(())
}

// Q230745, and what a stranger learns.
#[test]
fn nobody_reads_the_root_and_nothing_else() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let url = format!("ldap://{}", server.address("ldap"));
    let anonymous = |arguments: &[&str]| {
        let mut command = Command::new("ldapsearch");
        command.args(["-x", "-LLL", "-H", &url]).args(arguments);
        run(&mut command, SOON)
    };
    let root = anonymous(&["-b", "", "-s", "base", "+"])?.ok()?;
    assert!(root.stdout.contains("supportedExtension: 1.3.6.1.4.1.1466.20037"), "{root:?}");
    let closed = anonymous(&["-b", "o=Example"])?;
    assert_eq!(closed.code, Some(50), "{closed:?}");
    Ok(())
}
