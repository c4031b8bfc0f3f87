//! What the dispatcher does about destinations that are not there, and about
//! mail that waits to be asked for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use bytes::Bytes;
use common::{Core, Session, wait_taken};
use concord_base::{ManualClock, Timestamp};
use concord_connector::{Deliver, Outcome};
use concord_smtp::{RcptCommand, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Remote hosts: those of `dead` domains do not answer, those of `silent` ones
/// only after a long time.
#[derive(Clone, Default)]
struct World {
    up: Arc<AtomicBool>,
    tried: Arc<Mutex<BTreeMap<String, usize>>>,
    taken: Arc<Mutex<Vec<String>>>,
    now: Vec<String>,
}

#[async_trait::async_trait]
impl Deliver for World {
    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome> {
        let to = rcpts[0].to.address().unwrap();
        let domain = to.domain().to_string();
        *self.tried.lock().unwrap().entry(domain.clone()).or_default() += 1;
        if domain.starts_with("silent") {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        if domain.starts_with("dead") && !self.up.load(Ordering::SeqCst) {
            let reply = Reply::new(451, (4, 4, 1), format!("cannot connect to {domain}"));
            return vec![Outcome::Own(reply); rcpts.len()];
        }
        self.now = rcpts.iter().map(|r| r.to.address().unwrap().to_string()).collect();
        vec![Outcome::Own(Reply::new(250, (2, 1, 5), "ok")); rcpts.len()]
    }
    async fn data(&mut self, _: Bytes) -> Result<(), Outcome> {
        Ok(())
    }
    async fn finish(&mut self) -> Vec<Outcome> {
        let taken = std::mem::take(&mut self.now);
        let outcomes = vec![Outcome::Own(Reply::new(250, (2, 0, 0), "taken")); taken.len()];
        self.taken.lock().unwrap().extend(taken);
        outcomes
    }
    async fn reset(&mut self) {
        self.now.clear();
    }
}

impl World {
    fn tried(&self, domain: &str) -> usize {
        self.tried.lock().unwrap().get(domain).copied().unwrap_or(0)
    }
}

const START: i64 = 1_800_000_000;

async fn core(policy: &str) -> (Core, Arc<ManualClock>, Session) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(START)));
    let core = Core::start_at(policy, Arc::clone(&clock) as _).await;
    let session = core.session("internet-mail").await;
    (core, clock, session)
}

async fn until(what: &str, done: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}

async fn summary(core: &Core) -> Value {
    core.api("GET", "/v1/summary", &Value::Null).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_destination_costs_one_attempt_per_back_off_and_others_go_on() {
    let policy = "[outbound]\nretry-schedule = ['1 m', '10 m']\n";
    let (core, clock, mut session) = core(policy).await;
    for n in 0..5 {
        for of in 0..8 {
            session.send_urgent(&format!("u{of}@dead{n}.test"), "X: y").await;
        }
    }
    session.send_urgent("a@live.test", "X: y").await;
    let world = World::default();
    let served = world.clone();
    core.serve("internet-mail", move || served.clone());
    wait_taken(&world.taken, &["a@live.test"]).await;
    let each = |times: usize| {
        let world = world.clone();
        move || {
            let each = (0..5).all(|n| world.tried(&format!("dead{n}.test")) == times);
            std::future::ready(each)
        }
    };
    until("each was tried", each(1)).await;
    // All of a destination wait, with the reason.
    let found = core.wait_queued("u7@dead3.test", |d| d["last_answer"].is_object()).await;
    let delivery = &found["deliveries"][0];
    assert_eq!(delivery["attempts"], 0, "{delivery}");
    assert!(delivery["last_answer"]["text"].as_str().unwrap().contains("dead3"), "{delivery}");
    // New mail for it does not try it again, nor does time that is too short.
    session.send_urgent("late@dead0.test", "X: y").await;
    clock.advance(Duration::from_secs(59));
    session.send_urgent("b@live.test", "X: y").await;
    wait_taken(&world.taken, &["a@live.test", "b@live.test"]).await;
    assert!(each(1)().await, "{:?}", world.tried);
    clock.advance(Duration::from_secs(2));
    session.send_urgent("c@live.test", "X: y").await;
    until("each was tried again", each(2)).await;
    // The second wait is longer, whichever delivery was the one that was tried.
    clock.advance(Duration::from_secs(120));
    session.send_urgent("d@live.test", "X: y").await;
    until("the live one", || async { world.taken.lock().unwrap().len() == 4 }).await;
    assert!(each(2)().await, "{:?}", world.tried);
    world.up.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(600));
    session.send_urgent("e@live.test", "X: y").await;
    until("all is gone", || async { summary(&core).await["queued"] == 0 }).await;
    assert_eq!(world.taken.lock().unwrap().len(), 5 + 41);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_do_not_answer_hold_no_places_for_long() {
    let (core, _clock, mut session) = core("").await;
    let world = World::default();
    let served = world.clone();
    core.serve("internet-mail", move || served.clone());
    // More than there are places for destinations that are not known.
    for n in 0..120 {
        session.send_urgent(&format!("a@silent{n}.test"), "X: y").await;
    }
    for n in 0..20 {
        session.send_urgent(&format!("a@live{n}.test"), "X: y").await;
    }
    let began = std::time::Instant::now();
    until("all live ones", || async { world.taken.lock().unwrap().len() == 20 }).await;
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_mail_goes_first() {
    let (core, _clock, mut session) = core("").await;
    session.send_urgent("low@a.test", "Priority: non-urgent").await;
    session.send_urgent("plain@a.test", "X: y").await;
    session.send_urgent("quick@a.test", "X-Priority: 1").await;
    let queue = core.api("GET", "/v1/queue", &Value::Null).await;
    let urgencies: Vec<&str> =
        queue["items"].as_array().unwrap().iter().map(|m| m["urgency"].as_str().unwrap()).collect();
    assert_eq!(urgencies, ["non-urgent", "normal", "urgent"]);
    let world = World::default();
    let served = world.clone();
    core.serve("internet-mail", move || served.clone());
    until("all", || async { world.taken.lock().unwrap().len() == 3 }).await;
    // The first one finds out whether the host is there.
    assert_eq!(world.taken.lock().unwrap()[0], "quick@a.test");
}

/// T49, Q184051
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_waits_for_etrn_and_expires_like_all_mail() {
    let policy = "[[domain]]\nname = 'held.test'\nwait-for-etrn = true\n\
                  expire-after = '2 d'\ndelay-warning-after = '4 h'\n";
    let (core, clock, mut session) = core(policy).await;
    let world = World::default();
    let served = world.clone();
    core.serve("internet-mail", move || served.clone());
    session.send_urgent("a@held.test", "X: y").await;
    session.send_urgent("b@sub.held.test", "X: y").await;
    session.send_urgent("c@free.test", "X: y").await;
    wait_taken(&world.taken, &["c@free.test"]).await;
    let found = core.wait_queued("a@held.test", |d| d["last_answer"].is_object()).await;
    let text = found["deliveries"][0]["last_answer"]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("ETRN"), "{text}");
    let said = session.say("ETRN free.test").await;
    assert!(said.starts_with("459"), "{said}");
    let said = session.say("ETRN held.test").await;
    assert!(said.starts_with("253"), "{said}");
    wait_taken(&world.taken, &["a@held.test", "c@free.test"]).await;
    until("the start is over", || async { summary(&core).await["queued"] == 1 }).await;
    let said = session.say("ETRN held.test").await;
    assert!(said.starts_with("251"), "{said}");
    let started = core
        .api("POST", "/v1/queue-starts", &json!({ "domain": "held.test", "below": true }))
        .await;
    assert_eq!(started, json!({ "domain": "held.test", "deliveries": 1 }));
    wait_taken(&world.taken, &["a@held.test", "b@sub.held.test", "c@free.test"]).await;
    // What comes later waits again, is reported as late, and is returned.
    until("the start is over", || async { summary(&core).await["queued"] == 0 }).await;
    session.send_urgent("z@held.test", "X: y").await;
    clock.advance(Duration::from_secs(5 * 3_600));
    core.wait_queued("z@held.test", |d| d["delay_reported"] == true).await;
    let late = world.taken.lock().unwrap().iter().filter(|to| *to == "a@far.test").count();
    clock.advance(Duration::from_secs(48 * 3_600));
    until("it is returned", || async { summary(&core).await["queued"] == 0 }).await;
    until("the sender is told", || async {
        let taken = world.taken.lock().unwrap();
        taken.iter().filter(|to| *to == "a@far.test").count() > late.max(1)
    })
    .await;
}
