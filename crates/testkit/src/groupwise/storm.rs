//! Mail both ways with reports, while the connector is killed at random; then
//! everything is counted.

use super::{GroupWise, GroupWiseSettings, GwOutgoing};
use crate::process::kill;
use crate::random::Random;
use crate::site::Site;
use crate::smtp::Smtp;
use crate::trouble::{Result, trouble};
use crate::wait::wait_for;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ALICE: &str = "alice@example.test";
const USER: &str = "GWDOM.GWPO.u1";
/// Messages of one way that are on their way at once.
const AHEAD: usize = 100;

impl Site {
    /// Starts this installed server with a GroupWise connector `gw1` and a
    /// GroupWise system with the user u1, who is a contact here, and a mailbox
    /// for Alice.
    ///
    /// # Errors
    /// Something did not come up.
    pub fn with_groupwise(&mut self, settings: GroupWiseSettings) -> Result<GroupWise> {
        let root = self.top().join("gw");
        let gw = GroupWise::start(&root, settings)?;
        gw.add_user(USER, "Una", "One");
        let directory = format!("directory={}", root.display());
        let add = ["connector", "add", "groupwise", "--name", "gw1", "--yes", "--setting"];
        let more = ["--setting", "poll-seconds=1", "--setting", "gateway-domain=GWDOM"];
        self.ok(&[&add[..], &[directory.as_str()], &more].concat())?;
        self.up()?;
        self.add_mailbox("alice")?;
        let target = format!("GWISE:{USER}");
        self.ok(&["contact", "add", "u1", "--target", &target, "--address", "u1@example.test"])?;
        Ok(gw)
    }

    /// The process of a service.
    ///
    /// # Errors
    /// It has none.
    pub fn service(&self, name: &str) -> Result<u32> {
        let list = self.json(&["service", "list"])?;
        let rows = list.get("items").unwrap_or(&list).as_array().cloned().unwrap_or_default();
        let is_it = |row: &Value| {
            ["name", "service"].iter().any(|key| row.get(key).and_then(Value::as_str) == Some(name))
        };
        let found = rows.iter().find(|row| is_it(row)).and_then(|row| row.get("pid")?.as_u64());
        let pid = found.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
        pid.ok_or_else(|| trouble(format!("service {name} has no process: {list}")))
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct GroupWiseStorm {
    /// Messages each way.
    pub messages: usize,
    /// How often the connector is killed, at most.
    pub kills: usize,
    /// Milliseconds between kills, at most; the least is a fifth of it.
    pub pause: u64,
    /// Makes the same choices again.
    pub seed: u64,
    /// For everything to arrive once the last was sent.
    pub limit: Duration,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StormFigures {
    /// How often the connector was killed.
    pub kills: usize,
    /// Copies too many in GroupWise.
    pub duplicates_out: usize,
    /// Those of them that tracking explains: a crash stands in the story.
    pub explained_out: usize,
    /// Copies too many here, of messages and of reports. Each copy too many in
    /// GroupWise has a report of its own.
    pub duplicates_in: usize,
    /// Files that the connector said might come twice.
    pub announced_in: usize,
    /// Files that were put aside because three deaths met them, and put back.
    pub put_back: usize,
    /// Milliseconds until everything was there.
    pub milliseconds: u128,
}

impl GroupWiseStorm {
    /// Runs it on what [`Site::with_groupwise`] made.
    ///
    /// # Errors
    /// Something is lost, or does not come.
    pub fn run(&self, site: &Site, gw: &GroupWise) -> Result<StormFigures> {
        let (began, over) = (Instant::now(), AtomicBool::new(false));
        let mut figures = StormFigures::default();
        let (mut sent, mut ids) = (Ok(()), Ok(Vec::new()));
        std::thread::scope(|scope| {
            let out = scope.spawn(|| self.send_out(site, gw));
            let back = scope.spawn(|| self.send_in(gw));
            let killer = scope.spawn(|| self.strike(site, &over));
            sent = out.join().unwrap_or_else(|_| Err(trouble("the sender panicked")));
            ids = back.join().unwrap_or_else(|_| Err(trouble("the sender panicked")));
            over.store(true, Ordering::Relaxed);
            figures.kills = killer.join().unwrap_or(0);
        });
        sent?;
        let ids = ids?;
        let seen = wait_for("everything to arrive", self.limit, || {
            figures.put_back += put_back(gw)?;
            site.run(&["queue", "release", "--all"])?;
            self.look(site, gw, &ids)
        })?;
        figures.milliseconds = began.elapsed().as_millis();
        figures.duplicates_in = seen.here;
        figures.duplicates_out = seen.there.values().map(|count| count - 1).sum();
        for (id, count) in seen.there.iter().filter(|(_, count)| **count > 1) {
            let story = site.json(&["trace", &format!("{id}@storm.test")])?.to_string();
            if story.contains("crashed") {
                figures.explained_out += count - 1;
            }
        }
        figures.announced_in = announced(site)?;
        Ok(figures)
    }

    fn send_out(&self, site: &Site, gw: &GroupWise) -> Result<()> {
        let mut smtp = Smtp::connect(site.address("submission"))?;
        smtp.hello()?;
        smtp.login(ALICE, "secret")?;
        for n in 0..self.messages {
            smtp.must(&format!("MAIL FROM:<{ALICE}> ENVID=out-{n}"))?;
            smtp.must("RCPT TO:<u1@example.test> NOTIFY=SUCCESS,FAILURE")?;
            smtp.must("DATA")?;
            let text = format!(
                "From: <{ALICE}>\r\nTo: <u1@example.test>\r\nSubject: out-{n}\r\n\
                 Message-ID: <out-{n}@storm.test>\r\n\r\nnumber {n}\r\n."
            );
            smtp.must(&text)?;
            if n % AHEAD == AHEAD - 1 {
                let there = n.saturating_sub(AHEAD);
                wait_for("the gateway to keep up", self.limit, || {
                    Ok((gw.mailbox(USER).len() >= there).then_some(()))
                })?;
            }
        }
        Ok(())
    }

    fn send_in(&self, gw: &GroupWise) -> Result<Vec<String>> {
        let mut ids = Vec::with_capacity(self.messages);
        for n in 0..self.messages {
            let item = GwOutgoing {
                to: vec!["EXCHANGE.FIRST.alice".into()],
                subject: format!("in-{n}"),
                body: format!("number {n}\r\n"),
                status_request: "Delivered".into(),
                ..GwOutgoing::default()
            };
            ids.push(gw.send(USER, &item));
            if n % AHEAD == AHEAD - 1 {
                wait_for("the connector to keep up", self.limit, || {
                    Ok((gw.files("API_OUT")?.len() < AHEAD).then_some(()))
                })?;
            }
        }
        Ok(ids)
    }

    /// Kills the connector again and again. How often.
    fn strike(&self, site: &Site, over: &AtomicBool) -> usize {
        let mut random = Random::new(self.seed);
        let mut kills = 0;
        while kills < self.kills && !over.load(Ordering::Relaxed) {
            let pause = random.between(self.pause / 5, self.pause.max(5));
            std::thread::sleep(Duration::from_millis(pause));
            // It may be between two lives.
            if let Ok(pid) = site.service("gw1")
                && kill(pid).is_ok()
            {
                kills += 1;
            }
        }
        kills
    }

    /// What is where; `None` while something is missing.
    fn look(&self, site: &Site, gw: &GroupWise, ids: &[String]) -> Result<Option<Seen>> {
        let mut there: BTreeMap<String, usize> = BTreeMap::new();
        for mail in gw.mailbox(USER) {
            *there.entry(mail.subject).or_default() += 1;
        }
        let told = ids.iter().all(|id| gw.statuses(id).iter().any(|s| s.action == "Delivered"));
        if there.len() < self.messages || !told {
            return Ok(None);
        }
        let mut alice = site.imap("alice")?;
        if usize::try_from(alice.count("INBOX")?).unwrap_or(0) < 2 * self.messages {
            return Ok(None);
        }
        let mut marks: BTreeMap<String, usize> = BTreeMap::new();
        for message in alice.messages("INBOX")? {
            let text = String::from_utf8_lossy(&message).into_owned();
            let mark = text
                .lines()
                .find_map(|line| line.strip_prefix("Original-Envelope-Id: "))
                .or_else(|| text.lines().find_map(|line| line.strip_prefix("Subject: ")));
            *marks.entry(mark.unwrap_or_default().trim().to_owned()).or_default() += 1;
        }
        let all = (0..self.messages).all(|n| {
            marks.contains_key(&format!("in-{n}")) && marks.contains_key(&format!("out-{n}"))
        });
        Ok(all.then(|| Seen { there, here: marks.values().map(|count| count - 1).sum() }))
    }
}

struct Seen {
    /// Copies in GroupWise by subject.
    there: BTreeMap<String, usize>,
    /// Copies too many here.
    here: usize,
}

/// What the connector said in its log of files that may come twice.
fn announced(site: &Site) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(site.root().join("log"))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("gw1.log") {
            let text = fs::read_to_string(entry.path())?;
            count += text.lines().filter(|line| line.contains("gets it again")).count();
        }
    }
    Ok(count)
}

/// Files that were put aside go back, as their notice says. How many.
fn put_back(gw: &GroupWise) -> Result<usize> {
    let shelter = gw.root().join("concord-quarantine");
    let Ok(entries) = fs::read_dir(&shelter) else { return Ok(0) };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // Content first.
    names.sort_by_key(|name| !name.contains(".api-"));
    let mut count = 0;
    for name in names {
        let path = shelter.join(&name);
        if name.ends_with(".reason") {
            fs::remove_file(path)?;
        } else if let Some((_, content)) = name.split_once(".api-") {
            fs::rename(path, gw.root().join("ATT_OUT").join(content))?;
        } else {
            fs::rename(path, gw.root().join("API_OUT").join(name))?;
            count += 1;
        }
    }
    Ok(count)
}
