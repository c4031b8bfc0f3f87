//! From the domains' nouns to what is sent.

use crate::wire::{
    Address, ArrivalView, DeliveryView, EventView, ObjectView, OriginView, PeerAnswerView,
    QueuedView, StoryView,
};
use concord_base::{QueueId, Timestamp};
use concord_directory::{Details, Object, Routes};
use concord_transport::{Delivery, PeerAnswer, QueuedMessage, Story};

/// Under this name the core takes what nobody can deliver.
const CORE: &str = "core";

/// RFC 3339 in UTC with milliseconds. Moments no calendar has print as 1970.
pub(crate) fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An object as listings have it: without what must be looked up.
pub(crate) fn object(object: &Object) -> ObjectView {
    let mut addresses: Vec<Address> = object
        .proxies
        .iter()
        .map(|p| Address { address: p.address.to_string(), primary: p.primary })
        .collect();
    addresses.sort_by_key(|address| !address.primary);
    let is_recipient = object.kind().is_recipient();
    let policy = &object.policy;
    let mut view = ObjectView {
        kind: object.kind().as_str().to_owned(),
        id: object.id.0,
        name: object.name.clone(),
        display_name: object.display_name.clone(),
        addresses,
        created: time(object.created),
        changed: time(object.changed),
        quota: object.quota().map(|quota| quota.0),
        attributes: object
            .attributes
            .iter()
            .map(|(name, values)| (name.to_owned(), values.to_vec()))
            .collect(),
        hidden: policy.hidden,
        trust: is_recipient.then_some(policy.trust),
        origin: policy.origin.as_ref().map(|origin| OriginView {
            connector: origin.connector.clone(),
            key: origin.key.clone(),
        }),
        receive_limit: policy.receive_limit.map(|limit| limit.0),
        send_limit: policy.send_limit.map(|limit| limit.0),
        authenticated_only: policy.authenticated_only,
        ..ObjectView::default()
    };
    match &object.details {
        Details::Mailbox(mailbox) => {
            view.login_disabled = Some(mailbox.login_disabled);
            view.password_set = Some(mailbox.credentials.is_some());
        }
        Details::Contact(contact) => view.target = Some(contact.target.to_string()),
        Details::List(list) => {
            view.member_count = Some(u64::try_from(list.members.len()).unwrap_or(u64::MAX));
            view.hide_members = list.hide_members;
            view.report_to = word(&list.report_to);
        }
        Details::Resource(resource) => {
            view.resource = word(&resource.resource);
            view.capacity = resource.capacity;
        }
        Details::Role(role) => view.right = word(&role.right),
        Details::Connector(connector) => {
            view.component = Some(connector.component.clone());
            view.enabled = Some(connector.enabled);
            view.address_spaces = Some(connector.address_spaces.clone());
            view.settings = Some(connector.settings.clone());
        }
        Details::Generator(generator) => {
            view.component = Some(generator.component.clone());
            view.rule = Some(generator.rule.clone());
        }
        _ => {}
    }
    view
}

/// The word that stands for a value in JSON.
fn word(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned))
}

/// A queued message; `routes` tell which connectors take deliveries.
pub(crate) fn queued(message: &QueuedMessage, routes: &Routes) -> QueuedView {
    let arrival = &message.arrival;
    QueuedView {
        queue_id: QueueId(message.message).to_string(),
        received: time(message.received),
        arrival: ArrivalView {
            connector: arrival.connector.clone(),
            client: arrival.client.clone(),
            helo: arrival.helo.clone(),
            protocol: arrival.protocol.clone(),
            login: arrival.login.clone(),
        },
        sender: message.sender.0.as_ref().map(ToString::to_string).unwrap_or_default(),
        subject: message.subject.clone(),
        message_id: message.header_message_id.clone(),
        octets: message.octets,
        urgency: message.options.urgency.as_str().to_owned(),
        deliveries: message.deliveries.iter().map(|d| delivery(d, routes)).collect(),
    }
}

fn delivery(delivery: &Delivery, routes: &Routes) -> DeliveryView {
    DeliveryView {
        id: delivery.id.0,
        recipient: delivery.address.to_string(),
        given: delivery.given.to_string(),
        connector: delivery.group.connector.clone(),
        group: delivery.group.group.clone(),
        state: delivery.state.as_str().to_owned(),
        next_attempt: time(delivery.next_attempt),
        attempts: delivery.attempts,
        crashes: delivery.crashes,
        delay_reported: delivery.delay_reported,
        stranded: stranded(&delivery.group.connector, routes),
        last_answer: delivery.last_answer.as_ref().map(answer),
    }
}

fn stranded(connector: &str, routes: &Routes) -> Option<String> {
    match routes.state(connector) {
        Some(true) => None,
        // The core settles it within a moment.
        None if connector == CORE => None,
        Some(false) => Some(format!("connector {connector} is disabled")),
        None => Some(format!("connector {connector} is gone")),
    }
}

fn answer(answer: &PeerAnswer) -> PeerAnswerView {
    PeerAnswerView {
        code: answer.code,
        status: answer.enhanced_status().to_string(),
        host: answer.host.clone(),
        text: answer.text.clone(),
    }
}

/// A story.
pub(crate) fn story(story: &Story) -> StoryView {
    StoryView {
        queue_id: story.queue_id.clone(),
        message_id: story.header_message_id.clone(),
        sender: story.sender.clone(),
        subject: story.subject.clone(),
        octets: story.octets,
        received: time(story.received),
        events: story
            .events
            .iter()
            .map(|event| EventView {
                at: time(event.at),
                event: event.kind.as_str().to_owned(),
                recipient: event.recipient.clone(),
                detail: event.detail.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time(Timestamp(1_234_567_890_007)), "2009-02-13T23:31:30.007Z");
        assert_eq!(time(Timestamp(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
