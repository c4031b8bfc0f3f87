//! What holds for recipients of every kind, as options.

use concord_admin_api::wire::{ForwardPatch, Patch};
use concord_base::ByteSize;

/// Address book, place, restrictions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Address book and restrictions")]
pub struct Recipient {
    /// Set an attribute by its LDAP name, as 'title=Head of Sales'; without a value it goes. Said
    /// again for the same one it has several values
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    attribute: Vec<(String, String)>,
    /// Move it into this container; 'none' is Recipients itself
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// Whether address books hide it
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    hidden: Option<bool>,
    /// Its trust for directory synchronisation, 0 to 100; 100 is never exported
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    trust: Option<u8>,
    /// The largest message to it, for example '10 MiB', or 'none'
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    receive_limit: Option<Limit>,
    /// The largest message from it, or 'none'
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    send_limit: Option<Limit>,
    /// Whether only those may send to it who have logged in
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    authenticated_only: Option<bool>,
    /// Only these may send to it, and members of these (may be given several times); 'none' is
    /// everybody
    #[arg(long, value_name = "RECIPIENT")]
    accept_from: Vec<String>,
    /// These may not send to it (may be given several times); 'none' clears the list
    #[arg(long, value_name = "RECIPIENT")]
    reject_from: Vec<String>,
    /// Mailboxes that may send on its behalf (may be given several times); 'none' clears the list
    #[arg(long, value_name = "MAILBOX")]
    delegate: Vec<String>,
}

/// Where mail goes on to.
#[derive(Debug, clap::Args)]
pub struct Forwarding {
    /// Have its mail go on to this recipient; 'none' ends it
    #[arg(long, value_name = "RECIPIENT")]
    forward_to: Option<String>,
    /// Keep a copy of what is forwarded
    #[arg(long, requires = "forward_to")]
    keep_copy: bool,
}

/// A limit, or none.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub Option<ByteSize>);

/// Reads a size or 'none'.
pub fn limit(text: &str) -> Result<Limit, concord_base::ParseByteSizeError> {
    if text.eq_ignore_ascii_case(NONE) {
        return Ok(Limit(None));
    }
    text.parse().map(|size| Limit(Some(size)))
}

const NONE: &str = "none";

/// Reads 'yes' or 'no'.
pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Names as they replace those that are there: not given is as it is.
pub fn names(given: Vec<String>) -> Option<Vec<String>> {
    if given.is_empty() {
        return None;
    }
    Some(given.into_iter().filter(|name| !name.eq_ignore_ascii_case(NONE)).collect())
}

impl Recipient {
    /// What is said, put into a patch.
    pub fn into_patch(self, patch: Patch) -> Patch {
        let mut attributes = patch.attributes.clone();
        for (name, value) in self.attribute {
            let values = attributes.entry(name).or_default();
            if !value.is_empty() {
                values.push(value);
            }
        }
        let limit = |limit: Option<Limit>| limit.map(|limit| limit.0.map(|size| size.0));
        Patch {
            attributes,
            container: self
                .container
                .map(|name| Some(name).filter(|name| !name.eq_ignore_ascii_case(NONE))),
            hidden: self.hidden,
            trust: self.trust,
            receive_limit: limit(self.receive_limit),
            send_limit: limit(self.send_limit),
            authenticated_only: self.authenticated_only,
            accept_from: names(self.accept_from),
            reject_from: names(self.reject_from),
            delegates: names(self.delegate),
            ..patch
        }
    }
}

impl Forwarding {
    /// What is said, put into a patch.
    pub fn into_patch(self, patch: Patch) -> Patch {
        let keep = self.keep_copy;
        let forward = self
            .forward_to
            .map(|to| (!to.eq_ignore_ascii_case(NONE)).then_some(ForwardPatch { to, keep }));
        Patch { forward, ..patch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_takes_away_and_nothing_leaves() {
        assert_eq!(names(vec![]), None);
        assert_eq!(names(vec!["None".into()]), Some(vec![]));
        assert!(limit("none").unwrap().0.is_none() && limit("1 MiB").unwrap().0.is_some());
        assert_eq!(attribute("title=a=b"), Ok(("title".into(), "a=b".into())));
        assert!(attribute("title").is_err() && yes_or_no("maybe").is_err());
    }
}
