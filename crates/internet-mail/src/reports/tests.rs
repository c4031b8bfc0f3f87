use super::outbox::{Content, Outbox};
use super::*;
use concord_mail_authentication::report::{
    ReceivedReport, TlsPolicyKind, TlsReportRow, read_report, utc_day,
};

const DAY: Duration = Duration::from_secs(86_400);
const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn session(domain: &str) -> Content {
    let row = TlsReportRow {
        policy: TlsPolicyKind::Sts,
        policy_strings: Vec::new(),
        policy_domain: domain.to_owned(),
        mx_hosts: Vec::new(),
        successes: 3,
        failures: Vec::new(),
    };
    Content::Tls { day: utc_day(NOON), domain: domain.to_owned(), rows: vec![row] }
}

#[test]
fn what_cannot_be_sent_comes_again_with_longer_waits_and_is_given_up() {
    let mut outbox = Outbox::default();
    outbox.add([session("a.test"), session("b.test")].into_iter());
    assert_eq!(outbox.due(NOON), [session("a.test"), session("b.test")]);
    assert!(!outbox.failed(&session("a.test"), "no answer", NOON));
    assert_eq!(outbox.due(NOON), [session("b.test")]);
    let minutes = |n: u64| NOON + Duration::from_secs(n * 60);
    assert_eq!(outbox.due(minutes(10)).len(), 2);
    assert!(!outbox.failed(&session("a.test"), "no answer", minutes(10)));
    assert_eq!(outbox.due(minutes(20)), [session("b.test")]);
    assert_eq!(outbox.due(minutes(30)).len(), 2);
    for _ in 0..40 {
        assert!(!outbox.failed(&session("a.test"), "no answer", NOON), "waits are bounded");
    }
    assert_eq!(outbox.due(minutes(6 * 60)).len(), 2);
    let line = &outbox.lines()[0];
    assert_eq!(
        (line.day.as_str(), line.count, line.detail.as_str()),
        ("2023-11-14", 3, "no answer")
    );
    assert!(outbox.failed(&session("a.test"), "no answer", NOON + 5 * DAY));
    outbox.settle(&session("b.test"));
    assert!(outbox.lines().is_empty());
}

#[test]
fn what_waits_survives_a_restart_and_a_damaged_file_is_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("reports.json");
    let mut outbox = Outbox::default();
    outbox.add([session("a.test")].into_iter());
    keep::write(&file, &outbox.take_changes().unwrap()).unwrap();
    assert!(outbox.take_changes().is_none());
    assert_eq!(read(&file).lines(), outbox.lines());
    std::fs::write(&file, b"{\"dmarc\":").unwrap();
    assert!(read(&file).lines().is_empty());
    assert!(directory.path().join("reports.damaged").exists());
}

#[test]
fn a_tls_report_reads_back() {
    let Content::Tls { day, domain, rows } = session("a.test") else { panic!() };
    let reporter = Reporter {
        organisation: "mail.example.test".into(),
        domain: "example.test".into(),
        address: "postmaster@example.test".into(),
        contact: None,
    };
    let report =
        concord_mail_authentication::report::TlsReport::new(&reporter, &domain, day, &rows);
    let message = report.message(&reporter, &domain, &["x@a.test".to_owned()], NOON).unwrap();
    let Ok(ReceivedReport::Tls(read)) = read_report(&message.message) else { panic!() };
    assert_eq!((read.successes, read.failures), (3, 0));
}

/// Each day of sessions is reported once, whatever the ledger still has.
#[test]
fn days_of_tls_sessions_are_taken_once_and_when_they_are_whole() {
    let ledger = tempfile::tempdir().unwrap();
    let today = utc_day(NOON);
    let Content::Tls { rows, .. } = session("a.test") else { panic!() };
    for day in [today - 1, today] {
        let text = serde_json::to_vec(&serde_json::json!({ "a.test": &rows })).unwrap();
        std::fs::write(ledger.path().join(format!("{day}.json")), text).unwrap();
    }
    let mut outbox = Outbox::default();
    let take = |outbox: &mut Outbox, now| {
        let (last, contents) = tls::complete(ledger.path(), outbox.tls_done(), now).unwrap();
        let taken = contents.len();
        outbox.add_tls(last, contents);
        taken
    };
    assert_eq!(take(&mut outbox, NOON), 1);
    assert_eq!(take(&mut outbox, NOON), 0);
    let midnight = Timestamp::from_seconds((today + 1) * 86_400);
    assert_eq!(take(&mut outbox, midnight + Duration::from_secs(60)), 0, "it may lack a minute");
    assert_eq!(take(&mut outbox, midnight + Duration::from_secs(180)), 1);
    assert_eq!(outbox.lines().len(), 2);
    assert_eq!(tls::counting(ledger.path(), NOON).unwrap().len(), 1);
    assert!(tls::complete(&ledger.path().join("none"), 0, NOON).unwrap().1.is_empty());
}

#[test]
fn hosts_send_at_different_times_of_the_night() {
    let spreads: Vec<Duration> = ["a.test", "b.test"].map(outbox::spread).into();
    assert!(spreads.iter().all(|one| *one < Duration::from_secs(4 * 3600)));
    assert_ne!(spreads[0], spreads[1]);
    assert_eq!(spreads[0], outbox::spread("a.test"));
}
