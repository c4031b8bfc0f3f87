//! `concord queue list`

use super::filter::Filter;
use crate::commands::{Run, admin, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{DeliveryView, PeerAnswerView, QueueQuery, QueuedView};

/// List queued messages, oldest first, a line for each recipient
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let query = self.filter.query();
        let messages: Vec<QueuedView> = context.block_on(admin::all(&admin, "/v1/queue", &pairs(&query)))?;
        if context.json {
            print::json(&messages);
            return Ok(());
        }
        let (mut rows, evidence) = (Vec::new(), self.filter.quarantined);
        for message in &messages {
            rows.extend(message.deliveries.iter().map(|delivery| row(message, delivery, evidence)));
        }
        let fourth = if evidence { "CRASHES" } else { "TRIES" };
        let next = if evidence { "SINCE (UTC)" } else { "NEXT TRY (UTC)" };
        let heading =
            ["QUEUE ID", "SENDER", "RECIPIENT", "SIZE", "STATE", fourth, next, "LAST ANSWER"];
        let nothing = if self.filter.is_empty() {
            "nothing waits"
        } else {
            "nothing that waits fits the filters"
        };
        show::table(&heading, rows, nothing);
        Ok(())
    }
}

fn pairs(query: &QueueQuery) -> Vec<(&'static str, &str)> {
    [
        ("state", &query.state),
        ("connector", &query.connector),
        ("domain", &query.domain),
        ("sender", &query.sender),
        ("recipient", &query.recipient),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
    .collect()
}

fn row(message: &QueuedView, delivery: &DeliveryView, evidence: bool) -> Vec<String> {
    let waits = delivery.state == "queued";
    let when = match (evidence, waits) {
        (true, _) => show::time(&message.received),
        (_, true) => show::time(&delivery.next_attempt),
        _ => "-".to_owned(),
    };
    let count = if evidence { delivery.crashes } else { delivery.attempts };
    vec![
        message.queue_id.clone(),
        if message.sender.is_empty() { "<>".to_owned() } else { message.sender.clone() },
        show::address(&delivery.recipient).to_owned(),
        show::size(message.octets),
        delivery.state.clone(),
        count.to_string(),
        when,
        delivery.last_answer.as_ref().map_or_else(|| "-".to_owned(), answer),
    ]
}

/// Who said what, with reply code and status in front.
pub fn answer(answer: &PeerAnswerView) -> String {
    let code = if answer.code == 0 { String::new() } else { format!("{} ", answer.code) };
    let words = format!("{code}{} {}", answer.status, show::said(&answer.text));
    match &answer.host {
        Some(host) => format!("{}: {words}", show::said(host)),
        None => words,
    }
}
