//! `bench relay`: mail for other systems, from acceptance to the next host.

use crate::figures::per;
use crate::load::{Plan, send};
use crate::meter::{Meter, SyncCounter, Used};
use crate::pair::{Which, layer, scratch};
use crate::report::Report;
use clap::Args;
use concord_testkit::{
    Concord, Ports, Postfix, PostfixSettings, Result, Sink, executable, trouble,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of the comparison.
#[derive(Args)]
pub struct Options {
    /// Messages in each round.
    #[arg(long, default_value_t = 10_000)]
    messages: u64,
    /// Rounds; the servers take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Octets of a message.
    #[arg(long, default_value_t = 1_024)]
    size: usize,
    /// Sessions at once.
    #[arg(long, default_value_t = 20)]
    sessions: usize,
    /// Domains that the recipients are of.
    #[arg(long, default_value_t = 10)]
    domains: usize,
    /// Microseconds that every sync costs more, for both.
    #[arg(long, default_value_t = 0)]
    slow_sync_us: u64,
    /// Measures only this one.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Writes the tables to this file too.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// A backlog that takes longer is broken.
const LIMIT: Duration = Duration::from_secs(300);
/// Between rounds, so that one's last work does not spoil the next.
const PAUSE: Duration = Duration::from_secs(1);
/// What both may have open to the next host at once.
const CONNECTIONS: usize = 20;

/// A server that hands everything to a sink of its own.
struct Relay {
    name: &'static str,
    smtp: SocketAddr,
    root: u32,
    sink: Sink,
    counter: SyncCounter,
    directory: PathBuf,
    _server: Running,
}

/// Kept until the end.
#[allow(dead_code)] // what ends when it is dropped
enum Running {
    Ours(Concord, tempfile::TempDir),
    Peer(Postfix, tempfile::TempDir, Ports),
}

fn ours(options: &Options) -> Result<Relay> {
    let scratch = scratch("bench-relay-")?;
    let (sink, counter) = (Sink::start()?, SyncCounter::new(&scratch.path().join("syncs"))?);
    let mut builder = Concord::builder()?
        .binary(executable()?)
        .root(scratch.path().join("root"))
        .config(|config| {
            config.smart_host(sink.address());
            config.set("internet-mail", "connections-per-destination", CONNECTIONS.to_string());
        });
    for (name, value) in layer(&counter, options.slow_sync_us)? {
        builder = builder.env(name, value);
    }
    let mut server = builder.prepare()?;
    let policy = server.root().join("etc/internet-mail.toml");
    std::fs::write(policy, "[relay]\nallow = ['127.0.0.1']\n")?;
    server.up()?;
    Ok(Relay {
        name: "Concord",
        smtp: server.address("smtp"),
        root: server.controller()?,
        sink,
        counter,
        directory: server.root().join("data"),
        _server: Running::Ours(server, scratch),
    })
}

fn peer(options: &Options) -> Result<Relay> {
    let scratch = scratch("bench-relay-peer-")?;
    let (sink, counter) = (Sink::start()?, SyncCounter::new(&scratch.path().join("syncs"))?);
    let ports = Ports::take()?;
    let imported: Vec<String> = layer(&counter, options.slow_sync_us)?
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let main = vec![
        format!(
            "import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C {}",
            imported.join(" ")
        ),
        format!("relayhost = [127.0.0.1]:{}", sink.address().port()),
        // As generous as a loaded server's administrator would be.
        "default_process_limit = 150".to_owned(),
        format!("smtp_destination_concurrency_limit = {CONNECTIONS}"),
        "smtp_connection_cache_on_demand = yes".to_owned(),
        "smtp_tls_security_level = none".to_owned(),
    ];
    let postfix = Postfix::start(&PostfixSettings { port: ports.next()?, main })?;
    Ok(Relay {
        name: "Postfix",
        smtp: postfix.address(),
        root: postfix.pid(),
        sink,
        counter,
        directory: scratch.path().to_path_buf(),
        _server: Running::Peer(postfix, scratch, ports),
    })
}

struct Round {
    accepted: f64,
    relayed: f64,
    used: Used,
}

impl Relay {
    fn round(&self, options: &Options) -> Result<Round> {
        let before = self.sink.count();
        let meter = Meter::start(&[self.root], &self.counter, &self.directory)?;
        let start = Instant::now();
        let outcome = send(&Plan {
            address: self.smtp,
            sessions: options.sessions,
            total: options.messages,
            size: options.size,
            limit: LIMIT,
            per_connection: 0,
            to: (0..options.domains).map(|n| format!("someone@d{n}.relayed.test")).collect(),
        })?;
        if outcome.sent < options.messages {
            let why = outcome.last_error.clone().unwrap_or_default();
            return Err(trouble(format!("{}: {} accepted; {why}", self.name, outcome.sent)));
        }
        let wanted = before + usize::try_from(outcome.sent).unwrap_or(usize::MAX);
        while self.sink.count() < wanted {
            if start.elapsed() > LIMIT {
                let missing = wanted - self.sink.count();
                return Err(trouble(format!("{}: {missing} did not come through", self.name)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let relayed = per(outcome.sent as f64, start.elapsed().as_secs_f64());
        if self.sink.count() > wanted {
            return Err(trouble(format!("{}: messages came twice", self.name)));
        }
        Ok(Round { accepted: outcome.rate(), relayed, used: meter.stop()? })
    }
}

/// Runs the rounds.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    let mut relays = Vec::new();
    if options.only != Some(Which::Peer) {
        relays.push(ours(options)?);
    }
    if options.only != Some(Which::Concord) {
        relays.push(peer(options)?);
    }
    report.line(&format!(
        "{} messages of {} octets, {} sessions, to a sink over at most {CONNECTIONS} connections. \
         Every sync costs {} us more than the disk's own.",
        options.messages, options.size, options.sessions, options.slow_sync_us
    ));
    report.head(&[
        "server",
        "round",
        "accepted/s",
        "relayed/s",
        "CPU ms/message",
        "PSS MiB",
        "syncs/message",
    ]);
    let mut sums = vec![(0.0, 0.0); relays.len()];
    for round in 1..=options.rounds {
        for (relay, (rate, cpu)) in relays.iter().zip(&mut sums) {
            let done = relay.round(options)?;
            let count = options.messages as f64;
            let cpu_each = per(done.used.cpu, count) * 1e3;
            *rate += done.relayed;
            *cpu += cpu_each;
            report.row(&[
                relay.name.to_owned(),
                round.to_string(),
                format!("{:.0}", done.accepted),
                format!("{:.0}", done.relayed),
                format!("{cpu_each:.3}"),
                format!("{:.0}", done.used.resident),
                format!("{:.2}", per(done.used.syncs as f64, count)),
            ]);
            std::thread::sleep(PAUSE);
        }
    }
    if let [(ours, our_cpu), (theirs, their_cpu)] = sums.as_slice() {
        report.line(&format!(
            "\nMessages per second: {:.1} times Postfix's. CPU per message: {:.2} of Postfix's.",
            per(*ours, *theirs),
            per(*our_cpu, *their_cpu)
        ));
    }
    report.write(options.write.as_deref())
}
