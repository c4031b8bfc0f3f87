//! PLAIN, RFC 4616.

use crate::password::MAX_PASSWORD;
use crate::session::{MAX_LOGIN, Step};

/// `[authzid] NUL authcid NUL passwd`.
pub(crate) fn respond(response: &[u8]) -> Step {
    let mut fields = response.split(|c| *c == 0);
    let (Some(authzid), Some(authcid), Some(password), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Step::Failed;
    };
    // to act as somebody else is not offered
    if !authzid.is_empty() && authzid != authcid {
        return Step::Failed;
    }
    let (Ok(login), Ok(password)) = (std::str::from_utf8(authcid), std::str::from_utf8(password))
    else {
        return Step::Failed;
    };
    if login.is_empty() || login.len() > MAX_LOGIN || password.len() > MAX_PASSWORD {
        return Step::Failed;
    }
    Step::NeedPasswordCheck { login: login.to_owned(), password: password.to_owned() }
}
