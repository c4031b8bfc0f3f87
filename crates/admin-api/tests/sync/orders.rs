//! Operators' orders, from the administrator's socket to a connector and back.

use crate::machine::Machine;
use concord_connector::CoreApi;
use concord_connector::wire::{Order, Work, WorkDone};
use serde_json::{Value, json};

/// Answers one order after the other.
fn obey(api: CoreApi) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let Ok(Some(item)) = api.work(20).await else { continue };
            let Work::Order(order) = item.work else { continue };
            let done = answer(&order);
            let _ = api.work_done(item.id, &done).await;
        }
    })
}

fn answer(order: &Order) -> WorkDone {
    match order.order.as_str() {
        "look" => WorkDone {
            answer: Some(json!({ "question": order.question, "heard": order.arguments })),
            ..WorkDone::default()
        },
        "quietly" => WorkDone::default(),
        _ => WorkDone {
            error: Some("cannot do that: it is not known; look".to_owned()),
            code: (order.order == "named").then(|| "hook.unknown".to_owned()),
            ..WorkDone::default()
        },
    }
}

#[tokio::test]
async fn an_order_reaches_its_connector_and_the_answer_comes_back() {
    let machine = Machine::new().await;
    let new = json!({ "name": "hook", "component": "hook" });
    machine.must("POST", "/v1/connectors", &new).await;
    let obeying = obey(machine.api("hook"));
    let path = |order: &str| format!("/v1/connectors/hook/orders/{order}");
    let told = machine.must("POST", &path("look"), &json!({ "at": "this" })).await;
    let expected = json!({ "answer": { "question": false, "heard": { "at": "this" } } });
    assert_eq!(told, expected);
    let asked = format!("{}?arguments=%7B%22at%22%3A1%7D", path("look"));
    let told = machine.must("GET", &asked, &Value::Null).await;
    assert_eq!(told, json!({ "answer": { "question": true, "heard": { "at": 1 } } }));
    let told = machine.must("POST", &path("quietly"), &json!({})).await;
    assert_eq!(told, json!({ "answer": null }));
    for (order, code) in [("named", "hook.unknown"), ("other", "connector.order-refused")] {
        let told = machine.must("POST", &path(order), &json!({})).await;
        assert_eq!(told["error"]["code"], json!(code), "{told}");
    }
    let (status, error) =
        machine.call("GET", &format!("{}?arguments=x", path("look")), &json!(null)).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("api.bad-query")), "{error}");
    let (status, _) = machine.call("POST", "/v1/connectors/none/orders/look", &json!({})).await;
    assert_eq!(status, 404);
    obeying.abort();
}

#[tokio::test]
async fn a_connector_that_is_not_there_is_named_and_not_waited_for_longer() {
    let machine = Machine::new().await;
    machine.must("POST", "/v1/connectors", &json!({ "name": "hook", "component": "hook" })).await;
    let path = "/v1/connectors/hook/orders/look?wait=1";
    let (status, error) = machine.call("POST", path, &json!({})).await;
    assert_eq!((status, &error["error"]["code"]), (504, &json!("api.connector-silent")), "{error}");
    assert!(error["error"]["advice"].as_str().unwrap().contains("service logs hook"), "{error}");
}
