//! `concord queue retry`, `hold`, `release`, `return` and `delete`

use super::filter::Filter;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{ActDone, ActFailed, ActName, ActOnMany, ErrorInfo};
use concord_controller::{ClientError, JsonClient, Method, path_of};

/// Which messages.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").args(["ids", "all"]).required(true))]
pub struct Args {
    /// Queue ids
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    ids: Vec<String>,
    /// All messages, or all that match the filters
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
}

impl Args {
    /// Does it and says with how many.
    pub fn run(self, act: ActName, context: &Context) -> Result<(), Failure> {
        if !self.all && !self.filter.is_empty() {
            return Err(Failure::usage(
                "cli.filter-without-all",
                "cannot use filters beside queue ids; give --all with the filters",
            ));
        }
        let admin = context.admin()?;
        let done = context.block_on(async {
            if self.all {
                many(&admin, act, &self.filter).await
            } else {
                each(&admin, act, &self.ids).await
            }
        })?;
        if context.json {
            print::json(&done);
        } else {
            let participle = match act {
                ActName::Retry => "due now",
                ActName::Hold => "held",
                ActName::Release => "released",
                ActName::Return => "returned",
                ActName::Delete => "deleted",
            };
            let plural = if done.done.len() == 1 { "" } else { "s" };
            print::line(format!("{} message{plural} {participle}", done.done.len()));
        }
        match done.failed.as_slice() {
            [] => Ok(()),
            failed => Err(Failure::new("queue.not-all-done", not_all(act, failed))),
        }
    }
}

fn not_all(act: ActName, failed: &[ActFailed]) -> String {
    let plural = if failed.len() == 1 { "" } else { "s" };
    let mut text = format!("cannot {} {} message{plural}:", act.as_str(), failed.len());
    for failed in failed {
        text.push_str(&format!("\n  {}: {}", failed.queue_id, failed.error));
    }
    text
}

/// One after the other; one that is refused does not keep the rest back.
async fn each(admin: &JsonClient, act: ActName, ids: &[String]) -> Result<ActDone, ClientError> {
    let mut all = ActDone::default();
    for id in ids {
        let path = format!("{}/{}", path_of("/v1/queue", id), act.as_str());
        match admin.act::<ActDone>(Method::POST, &path).await {
            Ok(done) => all.done.extend(done.done),
            Err(ClientError::Refused { body, .. }) if ids.len() > 1 => {
                let error = ErrorInfo {
                    code: body.code,
                    message: body.message,
                    advice: body.advice,
                    retry: body.retry,
                };
                all.failed.push(ActFailed { queue_id: id.clone(), error });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

async fn many(admin: &JsonClient, act: ActName, filter: &Filter) -> Result<ActDone, ClientError> {
    let mut all = ActDone::default();
    let mut request = ActOnMany { act, filter: filter.query(), all: filter.is_empty() };
    loop {
        let page: ActDone = admin.send(Method::POST, "/v1/queue-acts", &request).await?;
        all.done.extend(page.done);
        all.failed.extend(page.failed);
        match page.next {
            Some(next) => request.filter.after = Some(next),
            None => return Ok(all),
        }
    }
}
