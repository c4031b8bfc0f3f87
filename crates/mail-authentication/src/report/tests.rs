use super::*;
use crate::results::{DkimResult, DmarcPolicy, DmarcRecord, SpfResult};
use crate::verdict::{Applied, Override};
use concord_base::Timestamp;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

const NOW: Timestamp = Timestamp::from_seconds(1_764_374_400);

fn reporter() -> Reporter {
    Reporter {
        organisation: "Example & Söhne <mail>".to_owned(),
        domain: "example.org".to_owned(),
        address: "dmarc@example.org".to_owned(),
        contact: Some("https://example.org/dmarc".to_owned()),
    }
}

fn row(ip: &str, reason: Option<Override>) -> DmarcRow {
    DmarcRow {
        ip: ip.parse().unwrap(),
        applied: Applied { disposition: DmarcPolicy::Reject, reason },
        dkim_aligned: false,
        spf_aligned: true,
        envelope_from: "bounce.example.net".to_owned(),
        header_from: "example.net".to_owned(),
        dkim: vec![("example.net".to_owned(), "s\u{1}<1>".to_owned(), DkimResult::Pass)],
        spf: ("bounce.example.net".to_owned(), false),
        spf_result: SpfResult::SoftFail,
    }
}

fn day() -> DmarcDay {
    let record = DmarcRecord {
        domain: "example.net".to_owned(),
        p: DmarcPolicy::Reject,
        sp: DmarcPolicy::Quarantine,
        np: DmarcPolicy::None,
        strict_dkim: true,
        strict_spf: false,
        pct: 100,
        testing: false,
        fo: "0".to_owned(),
        rua: vec![("reports@example.net".to_owned(), 0)],
    };
    let rows = BTreeMap::from([
        (row("192.0.2.1", None), 3),
        (row("2001:db8::1", Some(Override::TrustedForwarder)), 1),
    ]);
    DmarcDay { day: utc_day(NOW) - 1, record, rows, left_out: 2 }
}

/// By Debian's xmllint.
#[test]
fn a_dmarc_report_keeps_to_the_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/rua.xsd");
    let validate = |xml: &str| {
        let mut lint = Command::new("xmllint")
            .args(["--noout", "--schema", schema, "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        lint.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
        let said = lint.wait_with_output().unwrap();
        (said.status.success(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    let xml = day().xml(&reporter()).unwrap();
    let (fits, said) = validate(&xml);
    assert!(fits, "{said}\n{xml}");
    let (fits, _) = validate(&xml.replace("<result>softfail", "<result>hardly"));
    assert!(!fits, "the schema is looked at");
}

/// Every kind of policy and failure that can be counted.
fn tls_rows() -> Vec<TlsReportRow> {
    use TlsFailureKind as Kind;
    let kinds = [
        Kind::StarttlsNotSupported,
        Kind::CertificateHostMismatch,
        Kind::CertificateExpired,
        Kind::CertificateNotTrusted,
        Kind::ValidationFailure,
        Kind::TlsaInvalid,
        Kind::DnssecInvalid,
        Kind::DaneRequired,
        Kind::StsPolicyFetchError,
        Kind::StsPolicyInvalid,
        Kind::StsWebpkiInvalid,
        Kind::Other,
    ];
    let whole = |kind| TlsFailure {
        kind,
        sending_ip: Some("192.0.2.1".parse().unwrap()),
        mx_host: Some("mx.example.net".to_owned()),
        receiving_ip: Some("2001:db8::1".parse().unwrap()),
        count: 2,
        reason: Some("it says \"no\"".to_owned()),
    };
    let bare = TlsFailure {
        kind: Kind::StsPolicyFetchError,
        sending_ip: None,
        mx_host: None,
        receiving_ip: None,
        count: 1,
        reason: None,
    };
    let row = |policy, failures| TlsReportRow {
        policy,
        policy_strings: vec!["version: STSv1".to_owned(), "mode: enforce".to_owned()],
        policy_domain: "example.net".to_owned(),
        mx_hosts: vec!["*.example.net".to_owned()],
        successes: 10,
        failures,
    };
    let none = TlsReportRow {
        policy_strings: Vec::new(),
        mx_hosts: Vec::new(),
        ..row(TlsPolicyKind::NoPolicyFound, Vec::new())
    };
    let failures = kinds.map(whole).to_vec();
    vec![row(TlsPolicyKind::Sts, failures), row(TlsPolicyKind::Tlsa, vec![bare]), none]
}

/// By Debian's jsonschema.
#[test]
fn a_tls_report_keeps_to_the_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/tlsrpt.schema.json");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("report.json");
    let validate = |json: &str| {
        std::fs::write(&file, json).unwrap();
        let mut command = Command::new("/usr/bin/jsonschema");
        let said = command.arg("-i").arg(&file).arg(schema).output().unwrap();
        (said.status.success(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    let day = utc_day(NOW) - 1;
    let report = TlsReport::new(&reporter(), "example.net", day, &tls_rows());
    let json = report.json().unwrap();
    let (fits, said) = validate(&json);
    assert!(fits, "{said}\n{json}");
    for (good, bad) in [
        ("\"tlsa-invalid\"", "\"tlsa-odd\""),
        ("\"sts\"", "\"starttls\""),
        ("\"contact-info\"", "\"contact\""),
        ("T00:00:00Z", " 00:00:00"),
    ] {
        assert!(json.contains(good), "{good}: {json}");
        assert!(!validate(&json.replace(good, bad)).0, "the schema is looked at: {bad}");
    }
}

#[test]
fn a_dmarc_report_reads_back_from_its_message() {
    let to = [("reports@example.net".to_owned(), 0), ("small@example.net".to_owned(), 10)];
    let message = day().message(&reporter(), &to, NOW).unwrap().unwrap();
    assert_eq!(message.to, ["reports@example.net"], "it is too large for the other");
    let Ok(ReceivedReport::Dmarc(read)) = read_report(&message.message) else { panic!() };
    assert_eq!((read.domain.as_str(), read.policy), ("example.net", "reject"));
    assert_eq!((read.messages, read.passed, read.rows.len()), (4, 4, 2));
    assert_eq!(read.begin % 86_400, 0);
    assert_eq!(read.end - read.begin, 86_399);
    let text = String::from_utf8_lossy(&message.message).replace("\r\n ", " ");
    let subject = "\r\nSubject: Report Domain: example.net Submitter: example.org Report-ID: <";
    assert!(text.contains(subject), "{text}");
    let nobody = [("small@example.net".to_owned(), 10)];
    assert_eq!(day().message(&reporter(), &nobody, NOW).unwrap(), None);
}

/// What providers send: XML alone, by gzip, and no report at all.
#[test]
fn files_are_read_by_what_they_hold() {
    let xml = day().xml(&reporter()).unwrap();
    assert!(matches!(read_report(xml.as_bytes()), Ok(ReceivedReport::Dmarc(_))));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(xml.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert!(matches!(read_report(&gzip), Ok(ReceivedReport::Dmarc(_))));
    assert!(read_report(&gzip[..gzip.len() / 2]).is_err());
    assert!(read_report(b"Subject: hello\r\n\r\nno report\r\n").is_err());
    assert!(read_report(b"").is_err());
}

/// A small file that unpacks to gigabytes is refused in time.
#[test]
fn a_bomb_is_refused() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..70 {
        gzip.write_all(&piece).unwrap();
    }
    let octets = gzip.finish().unwrap();
    assert!(octets.len() < crate::limits::MAX_REPORT_COMPRESSED);
    assert!(matches!(read_report(&octets), Err(crate::ReportError::Bomb { .. })));
}
