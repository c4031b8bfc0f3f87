//! The directory as LDIF: out, in, and between the tools that everybody has.

use crate::SOON;
use concord_testkit::{Concord, Finished, PASSWORD, Result, run, run_with_input, tool};
use std::path::{Path, PathBuf};
use std::process::Command;

const RECIPIENTS: &str = "cn=Recipients,ou=First,o=Example";

/// Entries that name each other, members before their list's members.
fn people() -> String {
    format!(
        "version: 1\n\n# the list comes first\n\
         dn: cn=sellers,cn=Sales,{RECIPIENTS}\nobjectClass: groupOfNames\n\
         member: cn=sally,cn=Sales,{RECIPIENTS}\nmember: cn=partner,{RECIPIENTS}\n\
         owner: cn=alice,{RECIPIENTS}\n\n\
         dn: uid=sally,cn=Sales,{RECIPIENTS}\nobjectClass: inetOrgPerson\n\
         cn:: U2FsbHkgU8O4bGJlcmc=\nsn: Solberg\nuserPassword: correct horse\n\
         description: a description that is so long that it does not fit into one line of\n  a \
         file\ntelephoneNumber: +49 30 1234\nconcordDelegate: cn=alice,{RECIPIENTS}\n\n\
         dn: cn=partner,{RECIPIENTS}\nobjectClass: inetOrgPerson\nobjectClass: concordContact\n\
         cn: Partner\nsn: Partner\nmail: partner@elsewhere.test\n\n\
         dn: cn=Sales,{RECIPIENTS}\nobjectClass: organizationalUnit\n"
    )
}

fn written(server: &Concord, name: &str, text: &str) -> Result<PathBuf> {
    let path = server.root().join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}

fn import(server: &Concord, file: &Path, more: &[&str]) -> Result<Finished> {
    let file = file.display().to_string();
    let mut args = vec!["directory", "import", &file];
    args.extend(more);
    server.command(&args)
}

fn export(server: &Concord) -> Result<String> {
    let done = server.command(&["directory", "export", "--format", "ldif"])?.ok()?;
    Ok(done.stdout)
}

/// Without what no other server has.
fn without_ids(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("# entryUUID")).collect::<Vec<_>>().join("\n")
}

/// A tool of OpenLDAP as the machine's administrator, by the local socket.
fn by_socket(server: &Concord, program: &str, arguments: &[&str], input: &str) -> Result<Finished> {
    let socket = server.root().join("run/ldapi.sock").display().to_string().replace('/', "%2F");
    let mut command = Command::new(program);
    command.args(["-Q", "-Y", "EXTERNAL", "-H", &format!("ldapi://{socket}")]).args(arguments);
    run_with_input(&mut command, input.as_bytes(), SOON)
}

#[test]
fn a_directory_goes_by_ldif_from_one_server_to_another() -> Result<()> {
    let one = Concord::start(|_| {})?;
    let file = written(&one, "people.ldif", &people())?;
    let dry = import(&one, &file, &["--dry-run"])?;
    assert_eq!(dry.code, Some(2), "{dry:?}");
    assert!(dry.stdout.contains("4 would be added, 0 would be changed"), "{dry:?}");
    assert!(!export(&one)?.contains("sally"), "a dry run changes nothing");
    let done = import(&one, &file, &[])?.ok()?;
    assert!(
        done.stdout.contains("4 added, 0 changed, 0 removed, 0 unchanged, 0 failed"),
        "{done:?}"
    );
    let text = export(&one)?;
    assert!(text.contains("# entryUUID: ") && !text.contains("orse"), "{text}");

    let two = Concord::start(|_| {})?;
    let path = two.root().join("all.ldif").display().to_string();
    std::fs::write(&path, &text)?;
    import(&two, Path::new(&path), &[])?.ok()?;
    assert_eq!(without_ids(&export(&two)?), without_ids(&text));
    let again = import(&two, Path::new(&path), &["--dry-run"])?.ok()?;
    assert!(again.stdout.contains("0 would be changed, 0 would be removed"), "{again:?}");
    // the CSV table sees the same
    let table = |server: &Concord| server.command(&["directory", "export", "--kind", "list"]);
    assert_eq!(table(&one)?.ok()?.stdout, table(&two)?.ok()?.stdout);
    Ok(())
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_others_go_on() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let text = format!(
        "dn: cn=new,{RECIPIENTS}\nobjectClass: inetOrgPerson\nsn: New\n\n\
         dn: cn=bob,{RECIPIENTS}\nchangetype: modify\nreplace: title\ntitle: Boss\n-\n\n\
         dn: cn=bad,{RECIPIENTS}\nobjectClass: inetOrgPerson\nmail: bad@elsewhere.test\n\n\
         dn: cn=worse,{RECIPIENTS}\nthis is no line\n\n\
         dn: cn=new,{RECIPIENTS}\nchangetype: modrdn\nnewrdn: cn=newer\ndeleteoldrdn: 1\n"
    );
    let file = written(&server, "changes.ldf", &text)?;
    let done = import(&server, &file, &[])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    for line in [
        &format!("+ cn=new,{RECIPIENTS}"),
        &format!("~ cn=bob,{RECIPIENTS}"),
        "    replace title 'Boss'",
        "! line 11: bad@elsewhere.test cannot be an address here",
        "constraintViolation, LDAP 19",
        "! line 16: a line is",
        "1 added, 2 changed, 0 removed, 0 unchanged, 2 failed",
    ] {
        assert!(done.stdout.contains(line), "{line}: {done:?}");
    }
    assert!(done.stderr.contains("cannot carry out 2 lines"), "{done:?}");
    let json = server.command(&[
        "--json",
        "directory",
        "export",
        "--format",
        "ldif",
        "--kind",
        "mailbox",
    ])?;
    let json = json.ok()?.stdout;
    assert!(json.contains(&format!("\"dn\": \"cn=newer,{RECIPIENTS}\"")), "{json}");
    assert!(!json.contains("ou=First,o=Example\",\n    \"attributes\": {\n      \"objectClass\": [\n        \"top\",\n        \"organizationalUnit\""), "{json}");
    Ok(())
}

#[test]
fn openldaps_tools_write_what_is_read_and_read_what_is_written() -> Result<()> {
    let one = Concord::start(|_| {})?;
    let file = written(&one, "people.ldif", &people())?;
    import(&one, &file, &[])?.ok()?;
    let found = by_socket(&one, "ldapsearch", &["-LLL", "-b", RECIPIENTS, "*", "+"], "")?.ok()?;
    let two = Concord::start(|_| {})?;
    let file = written(&two, "found.ldif", &found.stdout)?;
    import(&two, &file, &[])?.ok()?;
    let text = export(&one)?;
    assert_eq!(without_ids(&export(&two)?), without_ids(&text));
    // what is there already is refused (68); ldapadd -c goes on
    let three = Concord::start(|_| {})?;
    let added = by_socket(&three, "ldapadd", &["-c"], &text)?;
    assert_eq!(added.code, Some(68), "{added:?}");
    assert_eq!(without_ids(&export(&three)?), without_ids(&text));
    Ok(())
}

/// What python-ldap3 writes of what it found.
const PYTHON: &str = r#"
import sys
from ldap3 import ALL_ATTRIBUTES, Connection, Server
c = Connection(Server(sys.argv[1], port=int(sys.argv[2])), 'alice', sys.argv[3], auto_bind=True)
assert c.search('cn=Recipients,ou=First,o=Example', '(uid=*)', attributes=[ALL_ATTRIBUTES])
print(c.response_to_ldif())
"#;

#[test]
fn what_python_ldap3_writes_is_as_it_is_here() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let file = written(&server, "people.ldif", &people())?;
    import(&server, &file, &[])?.ok()?;
    // Debian's python3-ldap3 belongs to Debian's python3
    let python = if tool("/usr/bin/python3").is_some() { "/usr/bin/python3" } else { "python3" };
    let mut command = Command::new(python);
    let port = server.address("ldap").port().to_string();
    command.args(["-c", PYTHON, "127.0.0.1", &port, PASSWORD]);
    let found = run(&mut command, SOON)?.ok()?.stdout;
    assert!(found.contains("sellers"), "{found}");
    let file = written(&server, "python.ldif", &found)?;
    let done = import(&server, &file, &["--dry-run"])?.ok()?;
    assert!(done.stdout.contains("5 unchanged, 0 failed"), "{done:?}");
    Ok(())
}

/// The attributes and classes that OpenLDAP's usual schema lacks, as its
/// configuration has them.
fn schema_for_slapd(server: &Concord) -> Result<String> {
    let arguments =
        ["-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", "cn=Subschema", "attributeTypes"];
    let more = [&arguments[..], &["objectClasses"]].concat();
    let found = by_socket(server, "ldapsearch", &more, "")?.ok()?.stdout;
    // arcs of others that inetorgperson.schema and those before it leave out
    let lacking = ["( 2.25.", "( 1.2.840.113556.1."];
    let mut schema = String::new();
    for line in found.lines() {
        let Some((name, definition)) = line.split_once(": ") else { continue };
        let ours = lacking.iter().any(|arc| definition.starts_with(arc));
        // operational ones of slapd's own
        if ours && !definition.contains("USAGE") {
            let word = if name == "objectClasses" { "objectclass" } else { "attributetype" };
            schema.push_str(&format!("{word} {definition}\n"));
        }
    }
    Ok(schema)
}

#[test]
fn slapd_takes_an_export_with_its_schema_checked() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let file = written(&server, "people.ldif", &people())?;
    import(&server, &file, &[])?.ok()?;
    // slapadd knows no version (RFC 2849), unlike ldapadd
    let text = export(&server)?;
    let text = text.strip_prefix("version: 1\n").unwrap_or_default();
    let export = written(&server, "export.ldif", text)?;
    let place = server.root().join("slapd");
    std::fs::create_dir(&place)?;
    written(&server, "slapd/ours.schema", &schema_for_slapd(&server)?)?;
    let place = place.display();
    let configuration = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\ninclude {place}/ours.schema\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix \"o=Example\"\n\
         directory {place}\n"
    );
    let configuration = written(&server, "slapd/slapd.conf", &configuration)?;
    let Some(slapadd) = tool("slapadd") else {
        return Err(concord_testkit::trouble("no slapadd here; install Debian's slapd"));
    };
    let mut command = Command::new(slapadd);
    command.args(["-v", "-f"]).arg(configuration).arg("-l").arg(export);
    let done = run(&mut command, SOON)?.ok()?;
    assert_eq!(done.stderr.matches("added: ").count(), 9, "{done:?}");
    Ok(())
}
