//! LDIF files out of a directory and into one.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{RECIPIENTS, Site};
use concord_directory::{Details, Kind, Scope};
use concord_ldap::Way;
use concord_ldap::caller::Caller;
use concord_ldap::ldif::{self, Done, Import, Kinds};
use tokio::io::DuplexStream;

const EVERYTHING: Kinds = Kinds { kinds: Vec::new(), own: false };

async fn caller(site: &Site) -> Caller<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (server, shutdown) = (site.server.clone(), site.shutdown.clone());
    tokio::spawn(async move {
        server.serve_stream(theirs, "test", Way::Local { administrator: true }, shutdown).await
    });
    Caller::local(ours).await.unwrap()
}

async fn exported(site: &Site) -> String {
    ldif::write(&ldif::export(&mut caller(site).await, &EVERYTHING).await.unwrap())
}

/// The text without what no other server has.
fn without_ids(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("# entryUUID")).collect::<Vec<_>>().join("\n")
}

type Told = Vec<(u64, Result<Done, String>)>;

async fn import(site: &Site, text: &str, dry_run: bool) -> Told {
    let (mut records, mistakes) = ldif::read(text.as_bytes());
    assert_eq!(mistakes, []);
    let mut caller = caller(site).await;
    let mut import = Import::new(&mut caller, &mut records, dry_run).await.unwrap();
    let mut told = Vec::new();
    for record in &records {
        told.push((record.line, import.one(record).await.unwrap()));
    }
    let late = import.finish().await.unwrap();
    told.extend(late.into_iter().map(|(line, cause)| (line, Err(cause))));
    told
}

fn count(told: &Told, of: impl Fn(&Result<Done, String>) -> bool) -> usize {
    told.iter().filter(|(_, said)| of(said)).count()
}

/// Entries that name each other in circles, in an order that helps nobody.
fn circles() -> String {
    format!(
        "dn: cn=sellers,cn=Sales,{RECIPIENTS}\nobjectClass: groupOfNames\n\
         member: cn=anna,cn=Sales,{RECIPIENTS}\nmember: cn=buyers,{RECIPIENTS}\n\
         owner: uid=anna,cn=Sales,{RECIPIENTS}\nconcordHideMembers: TRUE\n\n\
         dn: cn=buyers,{RECIPIENTS}\nobjectClass: groupOfNames\n\
         member: cn=sellers,cn=Sales,{RECIPIENTS}\n\n\
         dn: cn=anna,cn=Sales,{RECIPIENTS}\nobjectClass: inetOrgPerson\n\
         cn:: QW5uYSBTw7hyZW5zZW4=\nsn: Sorensen\ncompany: Acme\no: Acme\n\
         concordForwardTo: cn=otto,{RECIPIENTS}\nconcordForwardKeep: TRUE\n\
         proxyAddresses: SMTP:anna@example.test\nproxyAddresses: smtp:a@example.test\n\
         mail: anna@example.test\ndescription: two\n  spaces\ntelephoneNumber: 1\n\
         telephoneNumber: 2\n\n\
         dn: cn=otto,{RECIPIENTS}\nobjectClass: inetOrgPerson\ncn: otto\nsn: Otto\n\
         concordDelegate: cn=anna,cn=Sales,{RECIPIENTS}\n\n\
         dn: cn=far,{RECIPIENTS}\nobjectClass: concordContact\ncn: Far\n\
         mail: far@elsewhere.test\n\n\
         dn: cn=hall,cn=Sales,{RECIPIENTS}\nobjectClass: concordResource\n\
         concordCapacity: 12\n\n\
         dn: cn=Sales,{RECIPIENTS}\nobjectClass: organizationalUnit\ncn: Sales\n"
    )
}

#[tokio::test]
async fn an_export_makes_the_same_directory_again_and_then_changes_nothing() {
    let one = Site::new().await;
    let told = import(&one, &circles(), false).await;
    assert_eq!(count(&told, |said| *said == Ok(Done::Added)), 7, "{told:?}");
    let text = exported(&one).await;
    assert!(text.contains("\nconcordForwardKeep: TRUE\n"), "{text}");
    assert!(text.contains("\ncn:: QW5uYSBTw7hyZW5zZW4=\ncn: anna\n"), "{text}");
    assert!(!text.contains("\no: Acme\nou") && !text.contains("userPassword"), "{text}");
    let two = Site::new().await;
    let planned = import(&two, &text, true).await;
    assert_eq!(count(&planned, |said| *said == Ok(Done::Added)), 7, "{planned:?}");
    assert_eq!(count(&planned, |said| said.is_err()), 0, "{planned:?}");
    assert!(two.engine_has_no("anna").await, "a dry run changes nothing");
    let told = import(&two, &text, false).await;
    assert_eq!(told, planned, "a dry run says what happens");
    assert_eq!(without_ids(&exported(&two).await), without_ids(&text));
    let again = import(&two, &text, false).await;
    assert_eq!(count(&again, |said| *said != Ok(Done::Nothing)), 0, "{again:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_line_in_a_dry_run_as_in_a_real_one() {
    let text = format!(
        "dn: cn=ok,{RECIPIENTS}\nobjectClass: inetOrgPerson\nsn: x\n\n\
         dn: cn=jane,{RECIPIENTS}\nloginShell: /bin/sh\n\n\
         dn: cn=jane,{RECIPIENTS}\nobjectClass: groupOfNames\n\n\
         dn: cn=x,{RECIPIENTS}\nobjectClass: inetOrgPerson\nmail: no address\n\n\
         dn: cn=y,{RECIPIENTS}\nobjectClass: groupOfNames\nmember: cn=gone,{RECIPIENTS}\n\n\
         dn: cn=z,cn=Nowhere,{RECIPIENTS}\nobjectClass: inetOrgPerson\n\n\
         dn: no name\ncn: x\n\n\
         dn: cn=john,{RECIPIENTS}\nconcordHidden: perhaps\n\n\
         dn: cn=john,{RECIPIENTS}\nuserPassword: {{SSHA}}abcd\n\n\
         dn: cn=w,{RECIPIENTS}\nobjectClass: posixAccount\n\n\
         dn: cn=v,{RECIPIENTS}\nobjectClass: inetOrgPerson\nmail: v@elsewhere.test\n"
    );
    let site = Site::new().await;
    let planned = import(&site, &text, true).await;
    let told = import(&site, &text, false).await;
    assert_eq!(planned, told);
    let failed: Vec<u64> = told.iter().filter(|(_, s)| s.is_err()).map(|(line, _)| *line).collect();
    assert_eq!(count(&told, |said| *said == Ok(Done::Added)), 1, "{told:?}");
    assert_eq!(failed.len(), 10, "{told:?}");
    let of = |line: u64| told.iter().find(|(at, _)| *at == line).unwrap().1.clone().unwrap_err();
    assert!(of(5).contains("undefinedAttributeType, LDAP 17"), "{}", of(5));
    assert!(of(11).contains("invalidAttributeSyntax, LDAP 21"), "{}", of(11));
}

#[tokio::test]
async fn change_records_are_carried_out_in_their_order() {
    let text = format!(
        "dn: cn=Sales,{RECIPIENTS}\nchangetype: add\nobjectClass: container\n\n\
         dn: cn=jane,{RECIPIENTS}\nchangetype: modify\nreplace: title\ntitle: Boss\n-\n\
         add: telephoneNumber\ntelephoneNumber: 5\n-\n\n\
         dn: cn=jane,{RECIPIENTS}\nchangetype: modrdn\nnewrdn: cn=janet\ndeleteoldrdn: 1\n\
         newsuperior: cn=Sales,{RECIPIENTS}\n\n\
         dn: cn=janet,cn=Sales,{RECIPIENTS}\nchangetype: modify\ndelete: title\n-\n\n\
         dn: cn=john,{RECIPIENTS}\nchangetype: delete\n\n\
         dn: cn=john,{RECIPIENTS}\nchangetype: delete\n\n\
         dn: cn=Sales,{RECIPIENTS}\nchangetype: delete\n\n\
         dn: cn=root,{RECIPIENTS}\nchangetype: add\nobjectClass: inetOrgPerson\n"
    );
    let site = Site::new().await;
    let planned = import(&site, &text, true).await;
    assert!(!site.engine_has_no("john").await);
    let told = import(&site, &text, false).await;
    assert_eq!(planned, told);
    let good: Vec<bool> = told.iter().map(|(_, said)| said.is_ok()).collect();
    assert_eq!(good, [true, true, true, true, true, false, false, false], "{told:?}");
    let janet = site.find(Kind::Mailbox, "janet").await;
    assert_eq!(janet.attributes.first("telephoneNumber"), Some("5"));
    assert_eq!(janet.attributes.first("title"), None);
    assert!(janet.policy.container.is_some());
}

// A role without its scope would hold everywhere.
#[tokio::test]
async fn a_role_has_no_members_before_it_has_its_scope() {
    let site = Site::new().await;
    let text = format!(
        "dn: cn=desk,cn=Roles,cn=Configuration,{}\nobjectClass: concordRole\n\
         member: cn=jane,{RECIPIENTS}\nconcordRight: full\n\
         concordScope: cn=Bad@,{RECIPIENTS}\n\n\
         dn: cn=Bad@,{RECIPIENTS}\nobjectClass: container\nconcordHidden: TRUE\n",
        common::BASE
    );
    // the order of the file counts: there is a change record in it
    let text = format!("{text}\ndn: cn=none,{RECIPIENTS}\nchangetype: delete\n");
    let told = import(&site, &text, false).await;
    assert_eq!(count(&told, |said| said.is_err()), 3, "{told:?}");
    let role = site.find(Kind::Role, "desk").await;
    let Details::Role(role) = &role.details else { panic!() };
    assert_eq!((role.members.len(), &role.scope), (0, &Scope::Organisation));
}

#[tokio::test]
async fn kinds_and_what_is_ours_are_chosen() {
    let site = Site::new().await;
    import(&site, &circles(), false).await;
    let mut caller = caller(&site).await;
    let contacts = Kinds { kinds: vec![Kind::Contact, Kind::Container], own: true };
    let found = ldif::export(&mut caller, &contacts).await.unwrap();
    let names: Vec<&str> = found.iter().map(|entry| entry.dn.as_str()).collect();
    assert_eq!(names, [format!("cn=Sales,{RECIPIENTS}"), format!("cn=far,{RECIPIENTS}")]);
}

#[tokio::test]
async fn an_address_that_somebody_has_or_gets_is_refused_in_a_dry_run_too() {
    let person = |name: &str, mail: &str| {
        format!("dn: cn={name},{RECIPIENTS}\nobjectClass: inetOrgPerson\nmail: {mail}\n\n")
    };
    let text = format!(
        "{}{}{}dn: cn=john,{RECIPIENTS}\nproxyAddresses: SMTP:new@example.test\n",
        person("a", "JANE@example.test"),
        person("b", "new@example.test"),
        person("c", "free@example.test"),
    );
    let site = Site::new().await;
    let planned = import(&site, &text, true).await;
    let good = |told: &Told| told.iter().map(|(_, said)| said.is_ok()).collect::<Vec<_>>();
    assert_eq!(good(&planned), [false, true, true, false], "{planned:?}");
    assert_eq!(good(&import(&site, &text, false).await), good(&planned));
}
