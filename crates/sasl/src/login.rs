//! LOGIN, draft-murchison-sasl-login: two prompts, two answers.

use crate::password::MAX_PASSWORD;
use crate::session::{MAX_LOGIN, Step};

/// The prompts that all known clients accept.
const USERNAME: &[u8] = b"Username:";
const PASSWORD: &[u8] = b"Password:";

#[derive(Default)]
pub(crate) struct Login {
    name: Option<String>,
}

impl Login {
    pub(crate) fn prompt() -> Step {
        Step::Challenge(USERNAME.to_vec())
    }

    pub(crate) fn respond(&mut self, response: &[u8]) -> Step {
        let Ok(text) = std::str::from_utf8(response) else { return Step::Failed };
        match self.name.take() {
            None if text.is_empty() || text.len() > MAX_LOGIN => Step::Failed,
            None => {
                self.name = Some(text.to_owned());
                Step::Challenge(PASSWORD.to_vec())
            }
            Some(_) if text.len() > MAX_PASSWORD => Step::Failed,
            Some(login) => Step::NeedPasswordCheck { login, password: text.to_owned() },
        }
    }
}
