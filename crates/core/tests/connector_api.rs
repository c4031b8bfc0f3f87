//! The API for connectors, over its socket. A file of its own, because a process
//! has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, tokens};
use concord_connector::wire::{Probe, Work, WorkDone};
use concord_connector::{ApiError, CoreApi};
use serde_json::{Value, json};

fn api(core: &Core, name: &str) -> CoreApi {
    CoreApi::new(core.path("api.sock"), name, tokens().of(name))
}

#[tokio::test]
async fn a_connector_reaches_what_is_its_own_and_nothing_else() {
    let core = Core::start().await;
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice", "display_name": "Alice" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    for name in ["gw", "other"] {
        let new = json!({
            "name": name, "component": "groupwise", "settings": { "directory": "/gw" },
            "address_spaces": [{ "type": "GWISE", "pattern": format!("{name}.*") }],
        });
        core.api("POST", "/v1/connectors", &new).await;
    }
    let gw = api(&core, "gw");
    let own = gw.own_object().await.unwrap();
    assert_eq!((own.name.as_str(), own.host.as_str()), ("gw", "mail.example.test"));
    assert_eq!((own.organisation.as_str(), own.site.as_str()), ("Example", "First"));
    assert_eq!(own.settings["directory"], "/gw");

    // Nobody else's, and nobody without a token.
    let other: Result<Value, _> = gw.get("/v1/connectors/other").await;
    assert!(matches!(other, Err(ApiError::Refused { status: 403, .. })), "{other:?}");
    let admin: Result<Value, _> = gw.get("/v1/mailboxes").await;
    assert!(matches!(admin, Err(ApiError::NotFound(_))), "{admin:?}");
    let forged = CoreApi::new(core.path("api.sock"), "gw", tokens().of("other"));
    assert!(matches!(forged.own_object().await, Err(ApiError::Refused { status: 403, .. })));
    let nobody = CoreApi::new(core.path("api.sock"), "gw", "gw.00");
    assert!(matches!(nobody.own_object().await, Err(ApiError::Refused { status: 401, .. })));

    // Whose addresses are.
    let asked = ["SMTP:alice@example.test", "GWISE:A.B.c", "no address"].map(str::to_owned);
    let answers = gw.addresses(&asked).await.unwrap();
    assert_eq!(answers[0].recipient.as_ref().unwrap().display_name, "Alice");
    assert!(answers[1].recipient.is_none() && answers[2].recipient.is_none());

    // What it keeps.
    gw.set_state("cursor", &json!({ "at": 7 })).await.unwrap();
    assert_eq!(gw.state::<Value>("cursor").await.unwrap(), Some(json!({ "at": 7 })));
    assert_eq!(api(&core, "other").state::<Value>("cursor").await.unwrap(), None);
    assert!(gw.set_state("core.notices", &json!([])).await.is_err());
    assert!(gw.set_state("large", &"x".repeat(300_000)).await.is_err());

    // A message that a report could be about.
    let mut session = core.session("gw").await;
    session.send("alice@example.test", "a subject").await;
    let trace = core.api("GET", "/v1/trace?address=alice@example.test", &Value::Null).await;
    let id = trace["items"][0]["queue_id"].as_str().unwrap().to_owned();
    let message = gw.message(&id).await.unwrap().unwrap();
    assert_eq!((message.sender.as_str(), message.subject.as_str()), ("a@far.test", "a subject"));
    assert_eq!(gw.message("Q00000000ZZ").await.ok().flatten(), None);

    // Work, and what an administrator hears.
    let testing = tokio::spawn({
        let gw = gw.clone();
        async move {
            let item = gw.work(20).await.unwrap().unwrap();
            assert_eq!(item.work, Work::Test);
            let probe = Probe::failed("mounted", "/gw is not there", "mount it");
            let done = WorkDone { probes: vec![probe], ..WorkDone::default() };
            gw.work_done(item.id, &done).await.unwrap();
        }
    });
    let report = core.api("POST", "/v1/connectors/gw/test", &Value::Null).await;
    testing.await.unwrap();
    let last = report["probes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["passed"], &last["mend"]), (&json!(false), &json!("mount it")));
    for _ in 0..2 {
        gw.notice("groupwise.unmounted", "the directory is not there").await.unwrap();
    }
    let shown = core.api("GET", "/v1/connectors/gw", &Value::Null).await;
    assert_eq!(shown["notices"][0]["count"], 2, "{shown}");
}
