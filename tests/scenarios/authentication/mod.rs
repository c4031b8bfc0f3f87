//! Mail authentication beside OpenDKIM, OpenDMARC, dkimpy, pyspf and
//! authheaders: the same messages, the same name server, and every difference
//! explained.

mod known;

use concord_base::{Clock, SystemClock, Timestamp};
use concord_mail_authentication::{
    Arrival, Checker, DkimResult, KeyAlgorithm, KeyStore, Results, RotationPolicy, Signer,
    SpfResult,
};
use concord_testkit::{DnsTrouble, NameServer, Result, Zone, run, trouble};
use known::KNOWN;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The peers' libraries ask port 53 only. An address that nobody else uses.
const NAME_SERVER: &str = "127.0.7.53";
const PYTHON: &str = "/usr/bin/python3";
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/authentication");
/// For the peers' pass over the corpus: half a minute where it was measured.
const PATIENCE: Duration = Duration::from_secs(600);
/// The messages that the comparison promises.
const AT_LEAST: usize = 300;

/// One message with what everybody says of it.
struct Judged {
    name: String,
    ours: BTreeMap<&'static str, String>,
    theirs: Value,
}

/// The peers, and which of our results theirs are compared with.
const PEERS: &[(&str, &str)] = &[
    ("opendkim", "dkim"),
    ("dkimpy", "dkim"),
    ("pyspf", "spf"),
    ("opendmarc_spf", "spf of opendmarc"),
    ("opendmarc", "dmarc"),
    ("authheaders", "dmarc"),
    ("dkimpy_arc", "arc"),
    ("authheaders_arc", "arc"),
];

#[test]
fn results_agree_with_five_other_programs() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let at = scratch.path();
    make_corpus(at)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let judged = runtime.block_on(judge(at))?;
    assert!(judged.len() >= AT_LEAST, "only {} messages", judged.len());
    let (table, unknown, stale) = compare(&judged);
    println!("{table}");
    assert!(unknown.is_empty(), "unexplained:\n{}", unknown.join("\n"));
    assert!(stale.is_empty(), "explained, but they agree now:\n{}", stale.join("\n"));
    Ok(())
}

fn make_corpus(at: &Path) -> Result<()> {
    let script = format!("{SCRIPTS}/corpus.py");
    run(Command::new(PYTHON).arg(script).arg(at), Duration::from_secs(120))?.ok()?;
    Ok(())
}

async fn judge(at: &Path) -> Result<Vec<Judged>> {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(at.join("cases.json"))?)?;
    let mut zone = read_zone(at)?;
    let signer = our_keys(at, &mut zone)?;
    let address: SocketAddr = format!("{NAME_SERVER}:53").parse()?;
    let server = NameServer::start(address, zone)?;
    let checker = Checker::new(&[server.address()], "mx.beta.example")?;
    for case in &cases {
        sign(case, &signer, &checker).await?;
    }
    let mut judged = Vec::new();
    for case in &cases {
        let message = std::fs::read(text(case, "file"))?;
        let results = checker.check(&arrival(case, &message)?).await;
        let name = text(case, "name").to_owned();
        judged.push(Judged { name, ours: ours(&results), theirs: Value::Null });
    }
    for (judged, theirs) in judged.iter_mut().zip(ask_peers(at)?) {
        judged.theirs = theirs;
    }
    Ok(judged)
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn arrival<'a>(case: &'a Value, message: &'a [u8]) -> Result<Arrival<'a>> {
    let ip: IpAddr = text(case, "ip").parse()?;
    Ok(Arrival { ip, helo: text(case, "helo"), reverse_path: text(case, "mail_from"), message })
}

fn read_zone(at: &Path) -> Result<Zone> {
    let rows: Vec<Vec<Value>> = serde_json::from_slice(&std::fs::read(at.join("zone.json"))?)?;
    let mut zone = Zone::default();
    for row in rows {
        let word = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default();
        match word(0) {
            "TXT" => drop(zone.txt(word(1), word(2))),
            "A" | "AAAA" => drop(zone.address(word(1), word(2).parse()?)),
            "MX" => {
                let preference = row[2].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
                zone.mx(word(1), preference, word(3))?;
            }
            "PTR" => drop(zone.ptr(word(1).parse()?, word(2))?),
            "SERVFAIL" => drop(zone.trouble(word(1), DnsTrouble::ServFail)),
            other => return Err(trouble(format!("unknown record {other}"))),
        }
    }
    Ok(zone)
}

/// Keys of ours.example and arc2.example, made, published and active.
fn our_keys(at: &Path, zone: &mut Zone) -> Result<Signer> {
    let mut store = KeyStore::open(&at.join("keys"))?;
    let made = Timestamp(0);
    for domain in ["ours.example", "seals.example"] {
        store.make(domain, "r", KeyAlgorithm::Rsa, made)?;
        store.make(domain, "e", KeyAlgorithm::Ed25519, made)?;
        for selector in ["r", "e"] {
            let record = store.record(domain, selector)?;
            zone.txt(&record.name, &record.value);
            store.saw(domain, selector, made)?;
        }
    }
    store.rotate(SystemClock.now(), &RotationPolicy::default())?;
    zone.txt("ours.example", "v=spf1 ip4:192.0.2.0/24 -all");
    zone.txt("_dmarc.ours.example", "v=DMARC1; p=reject");
    Ok(store.signer()?)
}

/// Signs and seals what the corpus leaves to us.
async fn sign(case: &Value, signer: &Signer, checker: &Checker) -> Result<()> {
    let file = text(case, "file");
    let mut message = std::fs::read(file)?;
    let before = message.len();
    if text(case, "sign") == "dkim" {
        let fields = signer.sign(&message, SystemClock.now())?;
        let fields = fields.ok_or_else(|| trouble("no key for the author"))?;
        assert_eq!(fields.matches("DKIM-Signature:").count(), 2, "both keys sign");
        message.splice(0..0, fields.bytes());
    }
    for _ in 0..case.get("seals").and_then(Value::as_u64).unwrap_or(0) {
        let results = checker.check(&arrival(case, &message)?).await;
        let fields = signer.seal("seals.example", "mx.beta.example", &message, &results)?;
        let fields = fields.ok_or_else(|| trouble("no key for seals"))?;
        message.splice(0..0, fields.bytes());
    }
    if message.len() > before {
        std::fs::write(file, message)?;
    }
    Ok(())
}

/// Our results in the peers' words: one for each mechanism.
fn ours(results: &Results) -> BTreeMap<&'static str, String> {
    let has = |wanted: DkimResult| results.dkim.iter().any(|dkim| dkim.result == wanted);
    let dkim = match results.dkim.len() {
        _ if has(DkimResult::Pass) => "pass",
        _ if has(DkimResult::TempError) => "temperror",
        _ if has(DkimResult::Policy) => "policy",
        0 => "none",
        _ => "fail",
    };
    // OpenDMARC has one word for all that is neither good nor unknown
    // (`opendmarc_spf2_test`).
    let coarse = match results.spf.result {
        SpfResult::Pass => "pass",
        SpfResult::None => "none",
        SpfResult::TempError => "tempfail",
        SpfResult::Fail | SpfResult::Neutral | SpfResult::PermError | SpfResult::SoftFail => "fail",
    };
    BTreeMap::from([
        ("dkim", dkim.to_owned()),
        ("spf", results.spf.result.to_string()),
        ("spf of opendmarc", coarse.to_owned()),
        ("dmarc", results.dmarc.result.to_string()),
        ("arc", results.arc.result.to_string()),
    ])
}

/// Runs the peers where the machine's resolver is our name server.
fn ask_peers(at: &Path) -> Result<Vec<Value>> {
    let resolv = at.join("resolv.conf");
    std::fs::write(&resolv, format!("nameserver {NAME_SERVER}\noptions timeout:3 attempts:1\n"))?;
    let script = format!("{SCRIPTS}/peers.py");
    let commands = "mount --bind \"$1\" /etc/resolv.conf && exec \"$2\" \"$3\" \"$4\" \"$5\"";
    run(
        Command::new("unshare").args(["--mount", "sh", "-c", commands, "sh"]).arg(&resolv).args([
            PYTHON,
            &script,
            &at.to_string_lossy(),
            NAME_SERVER,
        ]),
        PATIENCE,
    )?
    .ok()?;
    Ok(serde_json::from_slice(&std::fs::read(at.join("peers.json"))?)?)
}

/// The table of agreement, differences without an explanation, and explanations
/// without a difference.
fn compare(judged: &[Judged]) -> (String, Vec<String>, Vec<String>) {
    let mut table = format!("{} messages\n", judged.len());
    let (mut unknown, mut used) = (Vec::new(), vec![false; KNOWN.len()]);
    for (peer, mechanism) in PEERS {
        let (mut agree, mut explained, mut open) = (0, 0, 0);
        for one in judged {
            let ours = &one.ours[mechanism];
            let theirs = one.theirs[*peer].as_str().unwrap_or("nothing");
            if ours == theirs {
                agree += 1;
                continue;
            }
            let reason = KNOWN.iter().position(|known| {
                known.peer == *peer
                    && (known.ours.is_empty() || known.ours == ours)
                    && (known.theirs.is_empty() || known.theirs == theirs)
                    && known.matches(&one.name)
            });
            match reason {
                Some(at) => {
                    used[at] = true;
                    explained += 1;
                }
                None => {
                    open += 1;
                    unknown.push(format!("{peer}: {}: ours {ours}, theirs {theirs}", one.name));
                }
            }
        }
        table += &format!(
            "{peer:16} {agree:4} agree, {explained:3} differ for a known reason, {open:3} differ\n"
        );
    }
    let stale = KNOWN.iter().zip(&used).filter(|(_, used)| !**used);
    let stale = stale.map(|(known, _)| format!("{}: {}", known.peer, known.names.join(", ")));
    (table, unknown, stale.collect())
}
