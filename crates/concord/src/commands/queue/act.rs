//! `concord queue retry`, `hold`, `release`, `return` and `delete`

use super::filter::Filter;
use crate::commands::admin::{Admin, path, words};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{ActDone, ActName, ActOnMany};
use concord_controller::ClientError;
use hyper::Method;

/// Which messages.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Queue ids
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
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
            return Err(Failure::new(
                "cli.filter-without-all",
                "cannot use filters beside queue ids; give --all with the filters",
            ));
        }
        let admin = Admin::new(context)?;
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
        match done.failed.first() {
            None => Ok(()),
            Some(first) => Err(Failure::new(
                "queue.not-all-done",
                format!(
                    "cannot {} {} of the messages: {}: {}",
                    act.as_str(),
                    done.failed.len(),
                    first.queue_id,
                    words(&first.error)
                ),
            )),
        }
    }
}

async fn each(admin: &Admin, act: ActName, ids: &[String]) -> Result<ActDone, ClientError> {
    let mut all = ActDone::default();
    for id in ids {
        let path = format!("{}/{}", path("/v1/queue", id), act.as_str());
        let done: ActDone = admin.act(Method::POST, &path).await?;
        all.done.extend(done.done);
    }
    Ok(all)
}

async fn many(admin: &Admin, act: ActName, filter: &Filter) -> Result<ActDone, ClientError> {
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
