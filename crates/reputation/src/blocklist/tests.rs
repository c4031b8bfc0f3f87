use super::*;
use concord_mail_policy::Policy;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// Names with their answers; what is not there does not exist.
#[derive(Default)]
struct Names {
    answers: HashMap<&'static str, Result<Vec<Ipv4Addr>, NoAnswer>>,
    texts: HashMap<&'static str, &'static str>,
    /// It never answers for these.
    dead: Option<&'static str>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn addresses(&self, name: &str) -> Result<Vec<Ipv4Addr>, NoAnswer> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.dead == Some(name) {
            std::future::pending::<()>().await;
        }
        self.answers.get(name).cloned().unwrap_or(Ok(Vec::new()))
    }

    async fn text(&self, name: &str) -> Result<Option<String>, NoAnswer> {
        Ok(self.texts.get(name).map(|text| (*text).to_owned()))
    }
}

fn rows(text: &str) -> Vec<Blocklist> {
    Policy::parse(text).unwrap().blocklists
}

fn answer(octets: [u8; 4]) -> Result<Vec<Ipv4Addr>, NoAnswer> {
    Ok(vec![Ipv4Addr::from(octets)])
}

async fn zones(names: &Names, rows: &[Blocklist]) -> Vec<String> {
    let found = Blocklists::new().look_up(rows, CLIENT, names, NOW).await;
    found.into_iter().map(|listing| listing.zone).collect()
}

#[tokio::test]
async fn the_list_that_refuses_decides_and_says_why() {
    let mut names = Names::default();
    names.answers.insert("7.2.0.192.mark.test", answer([127, 0, 0, 2]));
    names.answers.insert("7.2.0.192.refuse.test", answer([127, 0, 0, 4]));
    names.answers.insert("7.2.0.192.defer.test", answer([127, 0, 0, 2]));
    names.texts.insert("7.2.0.192.refuse.test", "see\nhttps://refuse.test/192.0.2.7");
    let rows = rows(
        "[[blocklist]]\nzone='mark.test'\naction='mark'\n\
         [[blocklist]]\nzone='defer.test'\naction='defer'\n\
         [[blocklist]]\nzone='refuse.test'\n[[blocklist]]\nzone='clean.test'\n",
    );
    let found = Blocklists::new().look_up(&rows, CLIENT, &names, NOW).await;
    let shown: Vec<_> = found.iter().map(|l| (l.zone.as_str(), l.reason.as_deref())).collect();
    assert_eq!(
        shown,
        [
            ("refuse.test", Some("see https://refuse.test/192.0.2.7")),
            ("defer.test", None),
            ("mark.test", None)
        ]
    );
}

#[tokio::test]
async fn only_answers_that_are_listings_count() {
    let mut names = Names::default();
    for (name, octets) in [
        ("7.2.0.192.parked.test", [198, 51, 100, 1]),
        ("7.2.0.192.open-resolver.test", [127, 255, 255, 254]),
        ("7.2.0.192.policy.test", [127, 0, 0, 10]),
        ("7.2.0.192.wanted.test", [127, 0, 0, 4]),
    ] {
        names.answers.insert(name, answer(octets));
    }
    names.answers.insert("7.2.0.192.broken.test", Err(NoAnswer));
    let rows = rows(
        "[[blocklist]]\nzone='parked.test'\n[[blocklist]]\nzone='open-resolver.test'\n\
         [[blocklist]]\nzone='broken.test'\n\
         [[blocklist]]\nzone='policy.test'\nanswers=['127.0.0.2', '127.0.0.4/30']\n\
         [[blocklist]]\nzone='wanted.test'\nanswers=['127.0.0.2', '127.0.0.4/30']\n",
    );
    assert_eq!(zones(&names, &rows).await, ["wanted.test"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_list_costs_one_wait_and_is_then_left_alone() {
    let mut names = Names { dead: Some("7.2.0.192.dead.test"), ..Names::default() };
    names.answers.insert("7.2.0.192.alive.test", answer([127, 0, 0, 2]));
    let rows = rows("[[blocklist]]\nzone='dead.test'\n[[blocklist]]\nzone='alive.test'\n");
    let lists = Blocklists::new();
    for round in 0..5 {
        let before = tokio::time::Instant::now();
        let found = lists.look_up(&rows, CLIENT, &names, NOW).await;
        assert_eq!(found.len(), 1, "the other list is heard all the same");
        let waited = before.elapsed();
        if round < 3 {
            assert!(waited <= LIST_TIME, "{waited:?}");
        } else {
            assert!(waited < Duration::from_secs(1), "{waited:?}");
        }
    }
    let asked = names.asked.load(Ordering::Relaxed);
    assert_eq!(asked, 3 + 5);
    lists.look_up(&rows, CLIENT, &names, NOW + crate::limits::SILENT_FOR).await;
    assert_eq!(names.asked.load(Ordering::Relaxed), asked + 2, "it is tried again");
}

#[tokio::test]
async fn private_clients_are_not_asked_for() {
    let names = Names::default();
    let rows = rows("[[blocklist]]\nzone='a.test'\n");
    let client = "10.0.0.1".parse().unwrap();
    assert!(Blocklists::new().look_up(&rows, client, &names, NOW).await.is_empty());
    assert_eq!(names.asked.load(Ordering::Relaxed), 0);
}
