//! `concord queue show`

use super::list::answer;
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{ArrivalView, DeliveryView, QueuedView};
use concord_controller::path_of;

/// Show a queued message: how it came, and what each recipient waits for
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its queue id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let message: QueuedView = context.block_on(admin.get(&path_of("/v1/queue", &self.id), &[]))?;
        if context.json {
            print::json(&message);
            return Ok(());
        }
        let sender =
            if message.sender.is_empty() { "<>".to_owned() } else { message.sender.clone() };
        show::facts(&[
            ("queue id", message.queue_id.clone()),
            ("sender", sender),
            ("subject", show::said(&message.subject)),
            ("message-id", show::said(&message.message_id)),
            ("size", show::size(message.octets)),
            ("urgency", message.urgency.clone()),
            ("received (UTC)", show::time(&message.received)),
            ("from", arrival(&message.arrival)),
        ]);
        for delivery in &message.deliveries {
            print::line("");
            show::facts(&facts(delivery));
        }
        Ok(())
    }
}

fn arrival(arrival: &ArrivalView) -> String {
    let mut out = arrival.connector.clone();
    let said = |text: &Option<String>| text.as_deref().map(show::said);
    if let Some(client) = said(&arrival.client) {
        out.push_str(&format!(", client {client}"));
    }
    if let Some(helo) = said(&arrival.helo) {
        out.push_str(&format!(" ({helo})"));
    }
    if let Some(protocol) = said(&arrival.protocol) {
        out.push_str(&format!(" with {protocol}"));
    }
    if let Some(login) = said(&arrival.login) {
        out.push_str(&format!(", logged in as {login}"));
    }
    out
}

fn facts(delivery: &DeliveryView) -> Vec<(&'static str, String)> {
    let given = if delivery.given == delivery.recipient {
        String::new()
    } else {
        show::address(&delivery.given).to_owned()
    };
    let next =
        if delivery.state == "queued" { show::time(&delivery.next_attempt) } else { String::new() };
    let crashes = match delivery.crashes {
        0 => String::new(),
        1 => "a service died over it once".to_owned(),
        n => format!("services died over it {n} times"),
    };
    vec![
        ("recipient", show::address(&delivery.recipient).to_owned()),
        ("given as", given),
        ("state", delivery.state.clone()),
        ("connector", format!("{}, group {}", delivery.connector, delivery.group)),
        ("tries", delivery.attempts.to_string()),
        ("evidence", crashes),
        ("waits because", delivery.stranded.clone().unwrap_or_default()),
        ("next try (UTC)", next),
        ("last answer", delivery.last_answer.as_ref().map(answer).unwrap_or_default()),
        (
            "sender told",
            if delivery.delay_reported { "of the delay".to_owned() } else { String::new() },
        ),
    ]
}
