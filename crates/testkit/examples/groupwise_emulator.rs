//! A GroupWise system behind a gateway's directories, to try connectors on:
//! `cargo run -p concord-testkit --example groupwise_emulator -- DIR [USERS]`.
//!
//! It has users `GWDOM.GWPO.u0` and so on, and takes commands from standard
//! input:
//!
//! ```text
//! send GWDOM.GWPO.u0 EXCHANGE.US.ann Lunch?   sends a mail
//! mail GWDOM.GWPO.u0                          lists a mailbox
//! open GWDOM.GWPO.u0 0                        opens mail number 0
//! reply GWDOM.GWPO.u0 0 Yes.                  answers it
//! objects EXCHANGE                            lists a domain's directory
//! problems                                    lists what the gateway refused
//! quit
//! ```

use concord_testkit::{GroupWise, GroupWiseSettings, GwOutgoing, Result, trouble};
use std::io::BufRead;
use std::path::Path;
use std::time::Duration;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or_else(|| trouble("usage: groupwise_emulator DIR"))?;
    let users: usize = arguments.next().map_or(Ok(3), |count| count.parse())?;
    let system = GroupWise::start(Path::new(&directory), GroupWiseSettings::default())?;
    for n in 0..users {
        system.add_user(&format!("GWDOM.GWPO.u{n}"), "User", &n.to_string());
    }
    println!("the gateway is in {directory}; {users} users");
    let mut seen = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim() == "quit" {
            return Ok(());
        }
        if let Err(trouble) = command(&system, &line) {
            println!("{trouble}");
        }
        // Its log so far.
        let log = system.log();
        for entry in log.iter().skip(seen) {
            println!("  {entry}");
        }
        seen = log.len();
    }
    // Without commands it runs until it is ended.
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn command(system: &GroupWise, line: &str) -> Result<()> {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    match word().as_str() {
        "send" => {
            let (from, to, subject) = (word(), word(), word());
            let item = GwOutgoing {
                to: vec![to],
                body: format!("{subject}\r\n"),
                subject,
                status_request: "Delivered and Opened".into(),
                ..GwOutgoing::default()
            };
            println!("{}", system.send(&from, &item));
        }
        "mail" => {
            for mail in system.mailbox(&word()) {
                println!("{} {} {:?} {}", mail.number, mail.from, mail.subject, mail.files.len());
            }
        }
        "open" => system.open(&word(), word().parse()?)?,
        "reply" => {
            println!("{}", system.reply(&word(), word().parse()?, &word())?);
        }
        "objects" => {
            for object in system.objects(&word()) {
                println!("{} {:?} {:?}", object.name, object.fields, object.aliases);
            }
        }
        "problems" => {
            for problem in system.problems() {
                println!("{}: {}", problem.file, problem.complaints.join("; "));
            }
        }
        "" => {}
        other => println!("no command {other}"),
    }
    Ok(())
}
