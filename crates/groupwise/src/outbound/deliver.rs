//! One session of the core.

use super::reports::{self, Report, Who};
use crate::convert::{Content, Envelope, People as _, SentKey, outbound};
use crate::gateway::{GatewayError, Published, Put};
use crate::link::Link;
use crate::telemetry::{OUT_FILES, OUT_RECIPIENTS};
use concord_address::SmtpAddress;
use concord_base::Fault as _;
use concord_connector::{DeliverWhole, Gathering, Outcome, Whole};
use concord_groupwise_api::model::{Address, Message, Status};
use concord_groupwise_api::write;
use concord_smtp::{ForwardPath, RcptCommand, Reply};
use mail_parser::MessageParser;
use std::path::PathBuf;
use std::sync::Arc;

/// A recipient that RCPT was said 250 for.
#[derive(Debug, Clone)]
pub struct Taken {
    address: SmtpAddress,
    groupwise: Address,
    success: bool,
}

/// The way to GroupWise for one session of the core.
pub struct ToGroupWise {
    link: Arc<Link>,
}

fn of_gateway(error: &GatewayError) -> Outcome {
    let status = error.enhanced_status();
    tracing::warn!(code = error.code(), %error, "a message could not be handed to the gateway");
    Outcome::own(451, (status.class, status.subject, status.detail), error.to_string())
}

/// What becomes files: an item for each recipient, or status.
enum Work {
    Item(Box<Taken>),
    Status(Vec<Status>),
}

impl ToGroupWise {
    /// A session's way. Large messages wait in unnamed files in `runtime`.
    pub fn gathering(link: Arc<Link>, runtime: PathBuf) -> Gathering<Self> {
        let memory = link.memory.clone();
        Gathering::new(Self { link }, runtime, memory)
    }

    /// Whether the gateway can be reached.
    async fn reachable(&self) -> Result<(), GatewayError> {
        self.link.gateway.blocking(|gateway| gateway.check()).await
    }

    /// Everybody whom the message names, and its sender.
    async fn people(&self, octets: &[u8], sender: Option<&SmtpAddress>) -> Result<Named, Outcome> {
        let (mut all, from) = named(octets);
        // RFC 5321 section 4.5.5: a report comes from nobody; its header says
        // who wrote it.
        let postmaster = || format!("postmaster@{}", self.link.host).parse().ok();
        let from = sender.cloned().or(from).or_else(postmaster);
        all.extend(from.clone());
        let known = self.link.book.in_groupwise(&all).await.map_err(|e| Outcome::of_api(&e))?;
        let sender = from.and_then(|from| known.groupwise(&from));
        let mut sender = sender.unwrap_or_default();
        // Comes back if GroupWise sends the item on to us: then the core goes
        // on counting (see `inbound::hops`).
        sender.token = crate::hops::token(octets);
        Ok(Named { known: Arc::new(known), sender })
    }

    async fn item(
        &self,
        queue_id: &str,
        octets: &Arc<[u8]>,
        people: &Arc<crate::book::Known>,
        sender: &Address,
        taken: Taken,
    ) -> Outcome {
        let envelope = Envelope {
            key: SentKey { queue_id: queue_id.to_owned(), recipient: taken.address, meeting: None },
            sender: sender.clone(),
            recipient: taken.groupwise,
            notify_success: taken.success,
        };
        let (octets, people) = (Arc::clone(octets), Arc::clone(people));
        let (domain, characters) = (self.link.host.clone(), self.link.settings.characters);
        let published = self.link.gateway.blocking(move |gateway| {
            let Some(converted) = outbound(&octets, &envelope, &*people, &domain) else {
                return Ok(None);
            };
            let id = converted.id().to_owned();
            let make = |number| {
                let (message, content) = converted.clone().place(number, characters);
                put(&message, content, characters)
            };
            gateway.publish(&id, characters, &make).map(Some)
        });
        match published.await {
            Ok(Some(published)) => handed_over(published, "item"),
            Ok(None) => Outcome::own(554, (5, 6, 0), "this is no message that can be converted"),
            Err(error) => of_gateway(&error),
        }
    }

    async fn status(
        &self,
        report: &Report,
        octets: &[u8],
        taken: &Taken,
    ) -> Result<Vec<Status>, Outcome> {
        let people = report.about();
        let about: Vec<SmtpAddress> = people
            .iter()
            .filter_map(|one| match one {
                Who::Internet(address) => Some(address.clone()),
                Who::GroupWise(_) | Who::Unknown => None,
            })
            .collect();
        let known = self.link.book.in_groupwise(&about).await.map_err(|e| Outcome::of_api(&e))?;
        let from: Vec<Option<Address>> = people
            .into_iter()
            .map(|one| match one {
                Who::Internet(address) => known.groupwise(&address),
                Who::GroupWise(address) => Some(*address),
                Who::Unknown => None,
            })
            .collect();
        let subject = MessageParser::new().parse(octets);
        let subject = subject.and_then(|m| m.subject().map(str::to_owned)).unwrap_or_default();
        Ok(report.status(&from, &taken.groupwise, &subject, self.link.moment()))
    }

    async fn told(&self, queue_id: &str, told: Vec<Status>) -> Outcome {
        let mut last = Outcome::own(250, (2, 0, 0), "nothing was to be told");
        for (n, mut status) in told.into_iter().enumerate() {
            status.id = format!("concord-report/{queue_id}/{n}");
            let characters = self.link.settings.characters;
            let id = status.id.clone();
            let message = Message::Status(status);
            let published = self.link.gateway.blocking(move |gateway| {
                gateway.publish(&id, characters, &|_| put(&message, Vec::new(), characters))
            });
            last = match published.await {
                Ok(published) => handed_over(published, "status"),
                Err(error) => return of_gateway(&error),
            };
        }
        last
    }
}

struct Named {
    known: Arc<crate::book::Known>,
    sender: Address,
}

/// Those whom a header names, and its author.
fn named(octets: &[u8]) -> (Vec<SmtpAddress>, Option<SmtpAddress>) {
    /// People whose addresses are looked up; a heading shows fewer.
    const MAX_NAMED: usize = 1_000;
    let Some(message) = MessageParser::new().parse(octets) else { return (Vec::new(), None) };
    let lists = [message.from(), message.to(), message.cc()];
    let all = lists.into_iter().flatten().flat_map(|list| list.iter());
    let all = all.filter_map(|one| one.address()?.parse().ok()).take(MAX_NAMED).collect();
    let from = message.from().and_then(|from| from.first()?.address()?.parse().ok());
    (all, from)
}

fn put(
    message: &Message,
    content: Vec<Content>,
    characters: concord_groupwise_api::Characters,
) -> Put {
    Put { header: write(message, characters).octets, content }
}

fn handed_over((published, name): (Published, String), kind: &'static str) -> Outcome {
    let outcome = match published {
        Published::New => "written",
        Published::Already => "recognised",
    };
    metrics::counter!(OUT_FILES, "kind" => kind, "outcome" => outcome).increment(1);
    Outcome::own(250, (2, 0, 0), format!("the gateway has it as {name}"))
}

#[async_trait::async_trait]
impl DeliverWhole for ToGroupWise {
    type Recipient = Taken;

    async fn connected(&mut self) -> Result<(), Reply> {
        self.reachable().await.map_err(|error| {
            // The core hears it instead of a greeting, and sends the mail
            // another way or waits.
            tracing::warn!(code = error.code(), %error, "the gateway cannot be reached");
            Reply::new(421, (4, 4, 1), error.to_string())
        })
    }

    async fn ready(&mut self) -> Result<(), Outcome> {
        self.reachable().await.map_err(|error| of_gateway(&error))
    }

    async fn recipient(&mut self, rcpt: &RcptCommand) -> Result<Taken, Outcome> {
        let ForwardPath::Mailbox(address) = &rcpt.to else {
            return Err(Outcome::own(550, (5, 1, 1), "there is no postmaster in GroupWise"));
        };
        let found = self.link.book.recipient(address).await.map_err(|e| Outcome::of_api(&e))?;
        let Some(groupwise) = found else {
            let text = format!("<{address}> nobody in GroupWise is known by this address");
            return Err(Outcome::own(550, (5, 1, 1), text));
        };
        // The foreign domain is this organisation: its people are in the
        // directory, or nowhere.
        if groupwise.domain.eq_ignore_ascii_case(&self.link.settings.foreign_domain) {
            return Err(Outcome::own(550, (5, 1, 1), format!("{groupwise} is nobody's address")));
        }
        let success = rcpt.notify.is_some_and(|notify| notify.success);
        Ok(Taken { address: address.clone(), groupwise, success })
    }

    async fn deliver(&mut self, message: Whole<Taken>) -> Result<Vec<Outcome>, Outcome> {
        let Whole { queue_id, sender, recipients, octets } = message;
        let people = self.people(&octets, sender.as_ref()).await?;
        let sender = people.sender.clone();
        let report = reports::read(&octets, &self.link.host);
        let mut outcomes = Vec::with_capacity(recipients.len());
        for taken in recipients {
            let work = match &report {
                Some(report) => {
                    let told = self.status(report, &octets, &taken).await?;
                    if told.is_empty() { Work::Item(Box::new(taken)) } else { Work::Status(told) }
                }
                None => Work::Item(Box::new(taken)),
            };
            let outcome = match work {
                Work::Item(taken) => {
                    self.item(&queue_id, &octets, &people.known, &sender, *taken).await
                }
                Work::Status(told) => self.told(&queue_id, told).await,
            };
            metrics::counter!(OUT_RECIPIENTS, "result" => outcome.result()).increment(1);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}
