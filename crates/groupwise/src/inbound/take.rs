//! What is done with one file, by what it says.

use super::Worked;
use super::item::content_of;
use crate::gateway::{GatewayError, Listed};
use crate::link::Link;
use crate::sync::{Answers, updates};
use concord_base::{Fault as _, Retry};
use concord_groupwise_api::model::{Directory, Message, Priority};
use std::path::PathBuf;
use std::sync::Arc;

impl Link {
    /// Where the content lies that a header names.
    pub(super) async fn content_paths(&self, message: &Message) -> Vec<PathBuf> {
        let names = content_of(message);
        let page = self.settings.characters.page;
        let found = self.gateway.blocking(move |gateway| {
            Ok(names.iter().filter_map(|name| gateway.find(name, page).ok()?).collect())
        });
        found.await.unwrap_or_default()
    }

    /// Answers are for those who asked. What nobody asked for is a gateway in
    /// Synchronization mode telling its changes, which are taken (Q229821).
    async fn directory(&self, file: &Listed, directory: Directory, answers: &Answers) -> Worked {
        let done = |outcome| Worked::Done { paths: Vec::new(), outcome };
        let Some(updates) = updates(&directory, &self.settings.foreign_domain) else {
            answers.directory_came(&file.name, directory);
            return done("taken");
        };
        match self.api.foreign_updates(&updates).await {
            Ok(told) => {
                let text = format!(
                    "the gateway tells changes of its directory on its own ({} taken, {} failed); \
                     it is set to Synchronization. Set Directory Exchange to yes and \
                     Synchronization to no, or it does not answer when it is asked",
                    told.changed, told.failed
                );
                self.notice("groupwise.synchronization-mode", &text).await;
                done("taken")
            }
            Err(error) if error.retry() == Retry::Temporary => Worked::Later(error.to_string()),
            Err(error) => {
                let text = format!("changes of GroupWise's directory cannot be taken: {error}");
                self.notice(error.code(), &text).await;
                done("dropped")
            }
        }
    }
}

/// Takes a file away that is done.
pub(super) async fn remove(
    link: &Link,
    file: &Listed,
    worked: &Worked,
) -> Result<(), GatewayError> {
    let Worked::Done { paths, .. } = worked else { return Ok(()) };
    let (header, paths) = (file.clone(), paths.clone());
    let remove = move |gateway: &crate::gateway::Gateway| {
        // The header first: content without one is found, but a header without
        // content would be a message that has lost its files.
        gateway.remove_header(&header)?;
        gateway.remove_content(&paths);
        Ok(())
    };
    link.gateway.blocking(remove).await
}

/// Takes one file.
pub(super) async fn take(
    link: &Arc<Link>,
    answers: &Answers,
    file: &Listed,
    message: Message,
) -> Worked {
    let dropped = || Worked::Done { paths: Vec::new(), outcome: "dropped" };
    match message {
        Message::Item(item) => link.bring(file, item).await,
        Message::Status(status) => link.report(&status).await,
        Message::Search(search) if search.is_probe() => {
            answers.probe_came_back(search.begin);
            Worked::Done { paths: Vec::new(), outcome: "taken" }
        }
        // An empty answer would say that the person is free, and an answer of
        // another kind brings the asking server down (Q201531). So there is
        // none: who asks sees that nothing is known.
        Message::Search(search) => {
            tracing::info!(about = %search.about, "a busy search is not answered");
            dropped()
        }
        Message::BusyAnswer(_) => dropped(),
        Message::Directory(directory) => link.directory(file, directory, answers).await,
    }
}

/// The order of work (Q254346): live requests, urgent mail and its status, then
/// the rest.
pub(super) fn rank(message: &Message) -> u8 {
    match message {
        Message::Search(_) | Message::BusyAnswer(_) => 0,
        Message::Item(item) => match item.priority {
            Priority::High => 1,
            Priority::Normal => 2,
            Priority::Low => 4,
        },
        Message::Status(_) => 3,
        Message::Directory(_) => 5,
    }
}

pub(super) fn kind(message: &Message) -> &'static str {
    match message {
        Message::Item(_) => "item",
        Message::Status(_) => "status",
        Message::Search(_) | Message::BusyAnswer(_) => "search",
        Message::Directory(_) => "directory",
    }
}
