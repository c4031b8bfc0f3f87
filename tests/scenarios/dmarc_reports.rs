//! What strangers' mail was like is reported to the domains that ask for it.

use crate::{BOB, SOON, text};
use concord_testkit::{
    Concord, DnsTrouble, NameServer, Result, Sample, Sink, Zone, run, trouble, wait_until,
};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

const POLICY: &str = "[[host]]\nnetwork = '127.0.0.0/8'\n\
                      [authentication]\nsend-reports = true\nreport-from = 'dmarc@example.test'\n";

/// Says that elsewhere.test takes reports about good.test.
const CONSENT: &str = "good.test._report._dmarc.elsewhere.test";

/// The figures of today become those of yesterday.
fn turn_back_a_day(server: &Concord) -> Result<()> {
    let file = server.root().join("data/internet-mail/reports.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let days = kept["dmarc"]["days"].as_object_mut().ok_or_else(|| trouble("no days"))?;
    let today = days.keys().next().cloned().ok_or_else(|| trouble("no day"))?;
    let mut domains = days.remove(&today).unwrap_or_default();
    let before = today.parse::<i64>()? - 1;
    domains["good.test"]["day"] = before.into();
    days.insert(before.to_string(), domains);
    std::fs::write(&file, serde_json::to_vec(&kept)?)?;
    Ok(())
}

/// RFC 7489 section 7: counted, kept across a restart, sent to who agreed to it,
/// and readable by our own command.
#[test]
fn a_domain_gets_a_report_on_the_mail_in_its_name() -> Result<()> {
    let mut zone = Zone::default();
    zone.txt("good.test", "v=spf1 ip4:127.0.0.1 -all");
    let rua = "mailto:reports@elsewhere.test,mailto:x@unasked.test";
    zone.txt("_dmarc.good.test", &format!("v=DMARC1; p=none; rua={rua}"));
    zone.trouble(CONSENT, DnsTrouble::ServFail);
    let names = NameServer::start(([127, 0, 0, 1], 0).into(), zone)?;
    let sink = Sink::start()?;
    let (dns, host) = (names.address(), sink.address());
    let mut server = Concord::builder()?
        .config(|c| {
            c.smart_host(host);
            c.set("internet-mail", "nameservers", format!("[\"{dns}\"]"));
        })
        .start()?;
    std::fs::write(server.root().join("etc/internet-mail.toml"), POLICY)?;
    std::thread::sleep(Duration::from_millis(1_500));
    for n in 0..3 {
        let sample = Sample::new(&format!("{n}@good.test"), "ann@good.test", BOB).octets();
        let mut session = server.smtp()?;
        session.hello()?;
        let reply = session.send("ann@good.test", &[BOB], &sample)?;
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    let list = server.json(&["report", "list"])?;
    assert_eq!(text(&list[0], "domain"), "good.test", "{list}");
    assert_eq!((&list[0]["count"], text(&list[0], "state")), (&Value::from(3), "counting"));
    assert_eq!(server.json(&["report", "send"])?, Value::Array(Vec::new()), "today is not over");

    server.stop()?;
    turn_back_a_day(&server)?;
    server.up()?;
    // By the hour of the day the service may try by itself at its start; while the
    // DNS does not say who agreed, nothing is sent either way.
    let failed = server.command(&["--json", "report", "send"])?;
    let waiting: Value = serde_json::from_str(&failed.stdout)?;
    assert_eq!(text(&waiting[0], "state"), "waiting", "{failed:?}");
    assert!(failed.stderr.contains("report.not-sent"), "{failed:?}");
    assert!(sink.messages().is_empty());
    names.change(|zone| {
        zone.clear(CONSENT).txt(CONSENT, "v=DMARC1");
    });
    let sent = server.json(&["report", "send"])?;
    assert_eq!(text(&sent[0], "state"), "sent", "{sent}");
    assert_eq!(text(&sent[0], "detail"), "reports@elsewhere.test", "the other did not agree");
    wait_until("the report at the smart host", SOON, || Ok(!sink.messages().is_empty()))?;
    let message = sink.messages().remove(0);
    assert_eq!(message.to, ["reports@elsewhere.test"]);
    let file = server.root().join("report.eml");
    std::fs::write(&file, &message.octets)?;
    let report = server.json(&["report", "show", &file.to_string_lossy()])?;
    assert_eq!((text(&report, "kind"), &report["messages"]), ("dmarc", &Value::from(3)));
    assert_eq!(report["rows"][0]["spf"], Value::Bool(true), "{report}");
    let mut show = Command::new(server.binary());
    let shown = run(show.args(["report", "show"]).arg(&file), SOON)?;
    assert!(shown.stdout.contains("Messages  3, of which 3 passed"), "{}", shown.stdout);
    assert_eq!(server.json(&["report", "list"])?, Value::Array(Vec::new()));
    Ok(())
}
