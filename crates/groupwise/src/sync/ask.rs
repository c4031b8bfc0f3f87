//! Questions to the gateway, and the answers that belong to them.
//!
//! Answers come under the names of their questions, as far as is known, and say
//! what was asked. Both must fit if both are there: an answer that is taken for
//! another made the original delete every user (Q222186).

use super::answers::Came;
use super::{Directories, foreign};
use concord_connector::SynchroniseError;
use concord_groupwise_api::model::{Directory, Message};
use concord_groupwise_api::write;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The name of the state: post offices that were made in the foreign domain.
const KEY: &str = "post-offices";

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Made {
    #[serde(default)]
    pub names: BTreeSet<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    Everything,
    Users { domain: String, post_office: String },
}

impl Question {
    /// Whether a file answers it; `name` is the question's own file.
    fn is_answered_by(&self, came: &Came, name: &str) -> bool {
        let is_list = came
            .directory
            .entries
            .iter()
            .all(|entry| entry.operation == concord_groupwise_api::model::Operation::List);
        let query = came.directory.query.as_ref();
        let asked_all = query.is_none_or(|query| query.domain.is_empty());
        let fits = match self {
            Self::Everything => asked_all && !came.directory.entries.is_empty(),
            Self::Users { domain, post_office } => match query {
                Some(query) if !query.domain.is_empty() => {
                    query.domain.eq_ignore_ascii_case(domain)
                        && query.post_office.eq_ignore_ascii_case(post_office)
                }
                // Without a word on what was asked, only its name says so, and
                // what is in it must not say otherwise.
                _ => {
                    came.name.eq_ignore_ascii_case(name)
                        && came.directory.entries.iter().all(|entry| {
                            entry.domain.eq_ignore_ascii_case(domain)
                                && entry.post_office.eq_ignore_ascii_case(post_office)
                        })
                }
            },
        };
        is_list && fits
    }
}

impl Directories {
    /// The whole directory.
    pub(super) async fn everything(&self) -> Result<Directory, SynchroniseError> {
        self.ask(Question::Everything, Directory::get_everything()).await
    }

    /// The users of one of our post offices.
    pub(super) async fn users(&self, post_office: &str) -> Result<Directory, SynchroniseError> {
        let domain = self.link.settings.foreign_domain.clone();
        let question = Directory::list_users(&domain, post_office);
        let post_office = post_office.to_owned();
        self.ask(Question::Users { domain, post_office }, question).await
    }

    async fn ask(
        &self,
        question: Question,
        request: Directory,
    ) -> Result<Directory, SynchroniseError> {
        // Late answers to questions of an earlier run.
        self.answers.forget_directory();
        let name = self.hand_over("ask", request).await?;
        let time = self.link.settings.directory_answer;
        let fits = |came: &Came| {
            came.name.eq_ignore_ascii_case(&name) && came.refusal.is_some()
                || question.is_answered_by(came, &name)
        };
        let Ok(came) = tokio::time::timeout(time, self.answers.directory(fits)).await else {
            let domain = &self.link.settings.foreign_domain;
            return Err(foreign(format!(
                "the gateway did not answer {name} within {} minutes: its setting Directory \
                 Exchange must be yes and Synchronization no, the domain {domain} must be linked \
                 to it, and no unfinished file may lie in API_OUT",
                time.as_secs() / 60
            )));
        };
        match came.refusal {
            Some(refusal) => Err(foreign(format!("the gateway refused {name}: {refusal}"))),
            None => Ok(came.directory),
        }
    }

    /// Puts a request into `API_IN`; its name.
    pub(super) async fn hand_over(
        &self,
        what: &str,
        request: Directory,
    ) -> Result<String, SynchroniseError> {
        // Each request is one of its own: its id is not in the file, which
        // gateways know only as the original wrote it (Q222506).
        let id = format!("concord-directory/{what}/{}", self.answers.number());
        let id = format!("{id}/{}", self.link.clock.now().0);
        let characters = self.link.settings.characters;
        let header = write(&Message::Directory(request), characters).octets;
        let published = self.link.gateway.blocking(move |gateway| {
            let make = |_| crate::gateway::Put { header: header.clone(), content: Vec::new() };
            gateway.publish(&id, characters, &make)
        });
        published.await.map(|(_, name)| name).map_err(foreign)
    }

    /// Our post offices: the one that is set, and those that were made.
    pub(super) async fn post_offices(&self) -> Result<BTreeSet<String>, SynchroniseError> {
        let made: Option<Made> = self.link.api.state(KEY).await?;
        let mut names = made.unwrap_or_default().names;
        names.insert(self.link.settings.post_office.clone());
        Ok(names)
    }

    pub(super) async fn remember(&self, names: BTreeSet<String>) -> Result<(), SynchroniseError> {
        Ok(self.link.api.set_state(KEY, &Made { names }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_groupwise_api::model::{Entry, EntryKind, Operation, Query};

    fn came(name: &str, domain: &str, query: Option<(&str, &str)>) -> Came {
        let entries = vec![Entry::new(EntryKind::User, Operation::List, domain, "US", "ann")];
        let query = query.map(|(domain, post_office)| Query {
            kind: "DS-User".into(),
            domain: domain.into(),
            post_office: post_office.into(),
        });
        let directory = Directory { entries, query, ..Directory::default() };
        Came { name: name.into(), directory, refusal: None }
    }

    /// T40: Q222186.
    #[test]
    fn swapped_answers_are_told_apart() {
        let users = Question::Users { domain: "EXCHANGE".into(), post_office: "US".into() };
        let everything = came("a.api", "GWDOM", Some(("", "")));
        let list = came("a.api", "EXCHANGE", Some(("Exchange", "us")));
        assert!(Question::Everything.is_answered_by(&everything, "b.api"));
        assert!(!Question::Everything.is_answered_by(&list, "a.api"));
        assert!(users.is_answered_by(&list, "b.api"));
        assert!(!users.is_answered_by(&everything, "a.api"));
        // One that does not say what was asked is known by name and content.
        let silent = came("a.api", "EXCHANGE", None);
        assert!(users.is_answered_by(&silent, "A.API") && !users.is_answered_by(&silent, "b.api"));
        assert!(!users.is_answered_by(&came("a.api", "GWDOM", None), "a.api"));
    }
}
