use super::*;
use crate::facts::{ClientService, DkimKey};
use crate::{Listing, blocklists, reach};
use concord_mail_authentication::{KeyRecord, KeyState};
use concord_testkit::{DnsTrouble, NameServer, Zone};

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn facts() -> Facts {
    let record = KeyRecord { name: "k._domainkey.a.test".into(), value: KEY.into() };
    Facts {
        host: "mail.a.test".into(),
        addresses: vec!["192.0.2.1".parse().unwrap()],
        domains: vec!["a.test".into()],
        inbound: true,
        keys: vec![DkimKey { domain: "a.test".into(), record, state: KeyState::Active }],
        reports_to: Some("postmaster@a.test".into()),
        services: vec![ClientService { name: "imaps", port: 993 }],
        public_keys: vec!["ab".repeat(32)],
        ..Facts::default()
    }
}

/// A world in which everything is as it should be.
fn good() -> Zone {
    let mut zone = Zone::default();
    zone.address("mail.a.test", "192.0.2.1".parse().unwrap());
    zone.ptr("192.0.2.1".parse().unwrap(), "mail.a.test.").unwrap();
    zone.txt("mail.a.test", "v=spf1 a -all");
    zone.mx("a.test", 10, "mail.a.test.").unwrap();
    zone.txt("a.test", "some-site-verification=1").txt("a.test", "v=spf1 mx ~all");
    zone.txt("k._domainkey.a.test", KEY);
    zone.txt("_dmarc.a.test", "v=DMARC1; p=reject; rua=mailto:postmaster@a.test");
    zone.txt("_smtp._tls.a.test", "v=TLSRPTv1; rua=mailto:postmaster@a.test");
    zone.srv("_imaps._tcp.a.test", 993, "mail.a.test.").unwrap();
    zone.tlsa("_25._tcp.mail.a.test", &[0xab; 32]);
    zone
}

async fn look(facts: &Facts, zone: Zone) -> Vec<Finding> {
    let server = NameServer::start("127.0.0.1:0".parse().unwrap(), zone).unwrap();
    let world = World::asking(&[server.address()], &facts.host).unwrap();
    check(facts, &world).await
}

/// The findings that are not fine, as text.
fn told(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|finding| finding.severity != Severity::Fine);
    bad.map(|f| format!("{} {} {}: {}", f.purpose.as_str(), f.state.as_str(), f.name, f.what))
        .collect()
}

#[tokio::test]
async fn a_world_as_it_should_be_has_no_findings() {
    let findings = look(&facts(), good()).await;
    assert_eq!(told(&findings), [""; 0]);
    assert!(findings.iter().all(|finding| finding.state == State::Ok), "{findings:#?}");
    assert_eq!(verdict(&findings), Severity::Fine);
}

#[tokio::test]
async fn every_record_that_is_missing_is_told_with_what_to_set() {
    let findings = look(&facts(), Zone::default()).await;
    for wanted in wanted(&facts()) {
        let found = findings.iter().find(|f| f.set.as_ref() == Some(&wanted.record));
        let found = found.unwrap_or_else(|| panic!("{wanted:?}"));
        assert_eq!(found.state, State::Missing);
        let expected = match wanted.need {
            Need::Required => Severity::Trouble,
            Need::Recommended => Severity::Warning,
            Need::Optional => Severity::Fine,
        };
        assert_eq!(found.severity, expected, "{wanted:?}");
    }
}

/// One thing wrong in a good world; what is told of it, and how bad it is.
async fn one_wrong(change: impl FnOnce(&mut Zone)) -> (Vec<String>, Severity) {
    let mut zone = good();
    change(&mut zone);
    let findings = look(&facts(), zone).await;
    (told(&findings), verdict(&findings))
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    type Change = fn(&mut Zone);
    let cases: &[(&str, Severity, Change)] = &[
        ("mail goes to mx.isp.test", Severity::Trouble, |zone| {
            zone.clear("a.test").txt("a.test", "v=spf1 ip4:192.0.2.1 ~all");
            zone.mx("a.test", 10, "mx.isp.test.").unwrap();
        }),
        ("mail goes to mx.isp.test as well", Severity::Warning, |zone| {
            zone.mx("a.test", 5, "mx.isp.test.").unwrap();
        }),
        ("takes no mail", Severity::Trouble, |zone| {
            zone.clear("a.test").txt("a.test", "v=spf1 ip4:192.0.2.1 ~all");
            zone.mx("a.test", 0, ".").unwrap();
        }),
        ("leads to another machine", Severity::Trouble, |zone| {
            zone.clear("mail.a.test").address("mail.a.test", "198.51.100.7".parse().unwrap());
        }),
        ("198.51.100.7 for it too", Severity::Warning, |zone| {
            zone.address("mail.a.test", "198.51.100.7".parse().unwrap());
        }),
        ("does not lead back", Severity::Trouble, |zone| {
            zone.clear("1.2.0.192.in-addr.arpa");
            zone.ptr("192.0.2.1".parse().unwrap(), "host1.isp.test.").unwrap();
        }),
        ("called host1.isp.test", Severity::Warning, |zone| {
            zone.clear("1.2.0.192.in-addr.arpa");
            zone.ptr("192.0.2.1".parse().unwrap(), "host1.isp.test.").unwrap();
            zone.address("host1.isp.test", "192.0.2.1".parse().unwrap());
        }),
        ("'softfail' of 192.0.2.1", Severity::Trouble, |zone| {
            zone.clear("a.test").txt("a.test", "v=spf1 ip4:198.51.100.1 ~all");
            zone.mx("a.test", 10, "mail.a.test.").unwrap();
        }),
        ("2 SPF records", Severity::Trouble, |zone| {
            zone.txt("a.test", "v=spf1 a ~all");
        }),
        ("lets everybody send", Severity::Trouble, |zone| {
            zone.clear("a.test").txt("a.test", "v=spf1 mx +all");
            zone.mx("a.test", 10, "mail.a.test.").unwrap();
        }),
        ("cannot be evaluated", Severity::Trouble, |zone| {
            zone.clear("a.test").txt("a.test", "v=spf1 mix ~all");
            zone.mx("a.test", 10, "mail.a.test.").unwrap();
        }),
        ("another key is published", Severity::Trouble, |zone| {
            zone.clear("k._domainkey.a.test").txt("k._domainkey.a.test", "v=DKIM1; p=AAAA");
        }),
        ("t=y", Severity::Warning, |zone| {
            zone.clear("k._domainkey.a.test").txt("k._domainkey.a.test", &format!("t=y; {KEY}"));
        }),
        ("2 DMARC records", Severity::Trouble, |zone| {
            zone.txt("_dmarc.a.test", "v=DMARC1; p=none");
        }),
        ("p=all is no policy", Severity::Trouble, |zone| {
            zone.clear("_dmarc.a.test").txt("_dmarc.a.test", "v=DMARC1; p=all");
        }),
        ("none of the published keys", Severity::Trouble, |zone| {
            zone.clear("_25._tcp.mail.a.test").tlsa("_25._tcp.mail.a.test", &[1; 32]);
        }),
        ("sent elsewhere", Severity::Warning, |zone| {
            zone.clear("_imaps._tcp.a.test");
            zone.srv("_imaps._tcp.a.test", 993, "imap.isp.test.").unwrap();
        }),
        ("announces MTA-STS", Severity::Warning, |zone| {
            zone.txt("_mta-sts.a.test", "v=STSv1; id=1");
        }),
    ];
    for (said, severity, change) in cases {
        let (told, found) = one_wrong(*change).await;
        assert!(told.iter().any(|line| line.contains(said)), "{said}: {told:#?}");
        assert_eq!(found, *severity, "{said}: {told:#?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_told_apart_from_a_missing_record() {
    let mut zone = good();
    zone.trouble("_dmarc.a.test", DnsTrouble::ServFail);
    let findings = look(&facts(), zone).await;
    let dmarc = findings.iter().find(|f| f.purpose == Purpose::Dmarc).unwrap();
    assert_eq!((dmarc.state, dmarc.severity), (State::Unanswered, Severity::Warning));
    assert_eq!(dmarc.set, None);
}

#[tokio::test]
async fn addresses_that_nobody_said_come_from_the_dns() {
    let behind = Facts { addresses: vec!["192.168.0.2".parse().unwrap()], ..facts() };
    assert_eq!(told(&look(&behind, good()).await), [""; 0]);
    let findings = look(&behind, Zone::default()).await;
    assert!(findings[0].what.contains("no address in the DNS"), "{:?}", findings[0]);
    assert_eq!(findings[0].severity, Severity::Trouble);
}

/// Q285090: the exchanger is changed before a server is retired.
#[tokio::test]
async fn a_server_that_is_retired_is_told_while_mail_still_comes() {
    let retiring = Facts { inbound: false, ..facts() };
    let still = told(&look(&retiring, good()).await);
    assert!(still.iter().any(|line| line.contains("being retired")), "{still:#?}");
    let mut zone = good();
    zone.clear("a.test").txt("a.test", "v=spf1 a:mail.a.test ~all");
    zone.mx("a.test", 10, "mx.successor.test.").unwrap();
    assert_eq!(told(&look(&retiring, zone).await), [""; 0]);
}

#[tokio::test]
async fn block_lists_that_lie_are_found_out() {
    let mut zone = Zone::default();
    let at = |zone: &mut Zone, name: &str, ip: &str| {
        zone.address(name, ip.parse().unwrap());
    };
    for list in ["good.test", "all.test"] {
        at(&mut zone, &format!("2.0.0.127.{list}"), "127.0.0.2");
        at(&mut zone, &format!("1.2.0.192.{list}"), "127.0.0.4");
    }
    zone.txt("1.2.0.192.good.test", "an open relay");
    at(&mut zone, "1.0.0.127.all.test", "127.0.0.2");
    at(&mut zone, "2.0.0.127.refuses.test", "127.255.255.254");
    let server = NameServer::start("127.0.0.1:0".parse().unwrap(), zone).unwrap();
    let world = World::asking(&[server.address()], "mail.a.test").unwrap();
    let zones = ["good.test", "all.test", "refuses.test", "gone.test"].map(str::to_owned);
    let addresses = ["192.0.2.1", "10.0.0.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
    let found = blocklists(&world, &addresses, &zones).await;
    assert_eq!(found.len(), 8, "private addresses are on no list: {found:#?}");
    let of = |zone: &str, ip: &str| -> &Listing {
        found.iter().find(|l| l.zone == zone && l.address.to_string() == ip).unwrap()
    };
    let listed = of("good.test", "192.0.2.1").listed.clone().unwrap();
    assert_eq!(listed.reason.as_deref(), Some("an open relay"));
    assert_eq!(of("good.test", "192.0.2.2").listed, None);
    assert!(of("all.test", "192.0.2.1").unusable.as_deref().unwrap().contains("everything"));
    assert!(of("refuses.test", "192.0.2.1").unusable.as_deref().unwrap().contains("refuses"));
    assert!(of("gone.test", "192.0.2.1").unusable.as_deref().unwrap().contains("no list"));
}

#[tokio::test]
async fn a_host_is_reached_when_it_greets() {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for greeting in ["220 mx.test ESMTP\r\n", "554 go away\r\n"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        }
    });
    assert_eq!(reach("127.0.0.1", port).await.unwrap(), "220 mx.test ESMTP");
    let refused = reach("127.0.0.1", port).await.unwrap_err().to_string();
    assert!(refused.contains("554 go away"), "{refused}");
    let closed = reach("127.0.0.1", port).await.unwrap_err().to_string();
    assert!(closed.contains("port 25 until they are asked"), "{closed}");
}
