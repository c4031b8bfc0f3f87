//! What a client would hear who wants to send, and why: the questions of a real
//! session, asked of the same functions in the same order.

use crate::submission::{From, Recipients, Submission as Shared, may_send_as, meaning, returned};
use concord_address::TypedAddress;
use concord_admin_api::RelayQuestion;
use concord_admin_api::wire::{RelayStep, RelayView};
use concord_directory::{DirectoryError, Resolution};
use concord_mail_policy::{Client, Refusal, Visitor};
use concord_smtp::{ForwardPath, RcptCommand, Reply};

/// The answers so far.
#[derive(Default)]
struct Answers(RelayView);

impl Answers {
    fn step(&mut self, question: &str, found: impl Into<String>, decides: bool) {
        let (question, found) = (question.to_owned(), found.into());
        self.0.steps.push(RelayStep { question, found, decides });
    }

    /// Notes a question that refuses or lets pass.
    fn gate(&mut self, question: &str, passed: &str, answer: Result<(), Refusal>) -> bool {
        match answer {
            Ok(()) => {
                self.step(question, passed, false);
                true
            }
            Err(refusal) => {
                self.step(question, refusal.text.clone(), true);
                self.refused(refusal.to_string());
                false
            }
        }
    }

    fn refused(&mut self, reply: String) {
        self.0.verdict = "refused".to_owned();
        self.0.reply = reply;
    }
}

/// Asks all questions until one decides.
pub(crate) async fn relay_check(
    shared: &Shared,
    asked: &RelayQuestion,
) -> Result<RelayView, DirectoryError> {
    let mut answers = Answers::default();
    if front(shared, asked, &mut answers) && sender(shared, asked, &mut answers).await {
        recipient(shared, asked, &mut answers).await?;
    }
    Ok(answers.0)
}

fn front(shared: &Shared, asked: &RelayQuestion, answers: &mut Answers) -> bool {
    let policy = shared.config.policy.current();
    let user = asked.user.as_ref().map(|user| user.name.as_str());
    let visitor = Visitor { address: asked.client, encrypted: asked.encrypted, user };
    if !answers.gate("is the host refused by a row [[host]]?", "no", policy.greet(asked.client)) {
        return false;
    }
    let begin = policy.may_begin(&visitor);
    if !answers.gate("is mail taken in (mode), and has the host done what it must?", "yes", begin) {
        return false;
    }
    let question = "is the sender refused by a row [[sender]], or by accept-from of the domain?";
    match policy.admit(&visitor, asked.from.as_ref(), Some(&asked.to)) {
        Ok(Some(why)) => {
            answers.step(question, format!("no, but what comes is put aside: {why}"), false);
            true
        }
        other => answers.gate(question, "no", other.map(|_| ())),
    }
}

async fn sender(shared: &Shared, asked: &RelayQuestion, answers: &mut Answers) -> bool {
    let login = asked.user.clone();
    let question = "may the user send with this address?";
    match may_send_as(shared, login, asked.from.as_ref(), From::default()).await {
        Ok(_) if asked.user.is_none() => true,
        Ok(_) => {
            answers.step(question, "yes", false);
            true
        }
        Err(reply) => {
            answers.step(question, reply.text.clone().into_owned(), true);
            answers.refused(reply.to_string());
            false
        }
    }
}

async fn recipient(
    shared: &Shared,
    asked: &RelayQuestion,
    answers: &mut Answers,
) -> Result<(), DirectoryError> {
    let routes = shared.routing.routes().await?;
    let given = TypedAddress::from(asked.to.clone());
    let resolution = match returned(shared, &routes, &given, asked.from.is_none()).await {
        Ok(Some(resolution)) => resolution,
        Ok(None) => meaning(shared, &routes, &given).await?,
        Err(reply) => {
            answers.refused(reply.to_string());
            return Ok(());
        }
    };
    let elsewhere = matches!(resolution, Resolution::Elsewhere(_));
    let what = match &resolution {
        Resolution::Unknown => "the domain is ours, and nobody has the address".to_owned(),
        Resolution::Recipient(object) => format!("{} {}", object.kind(), object.name),
        Resolution::Carried(to) => format!("{to}, of a system of ours behind a connector"),
        Resolution::Elsewhere(to) => format!("{to}, of another system: that is relaying"),
    };
    answers.step("whom does the recipient's address mean?", what, false);
    let policy = shared.config.policy.current();
    let user = asked.user.as_ref().map(|user| user.name.as_str());
    let client = Client { address: Some(asked.client), interface: asked.interface, user };
    let (because, steps) = policy.relay.explain(&client);
    if elsewhere {
        for step in steps {
            answers.step(step.question, step.found, step.decides);
        }
        if !because.may_relay() {
            answers.step("does anything else open relaying?", because.to_string(), true);
        }
    }
    let from = From {
        object: asked.user.clone(),
        proven: asked.user.is_some(),
        null: asked.from.is_none(),
        octets: None,
        may_relay: because.may_relay(),
    };
    let from = match may_send_as(shared, asked.user.clone(), asked.from.as_ref(), from).await {
        Ok(from) => from,
        Err(reply) => {
            answers.refused(reply.to_string());
            return Ok(());
        }
    };
    let rcpt = RcptCommand::new(asked.to.clone());
    debug_assert!(matches!(rcpt.to, ForwardPath::Mailbox(_)));
    let reply: Reply = Recipients::default().add(&rcpt, &from, shared).await;
    if reply.is_ok() {
        answers.0.verdict = "accepted".to_owned();
        answers.0.reply = reply.to_string();
        return Ok(());
    }
    if !elsewhere || because.may_relay() {
        answers.step("is the recipient taken?", reply.text.clone().into_owned(), true);
    }
    answers.refused(reply.to_string());
    Ok(())
}
