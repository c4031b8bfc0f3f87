//! What to do about an error. Every error has advice, in its own words or
//! from here; the administrator reads it at the end of the line.

use crate::ApiError;
use concord_base::StorageError;
use concord_directory::DirectoryError;
use concord_sasl::SaslError;
use concord_store::StoreError;
use concord_transport::TransportError;

/// The advice; none where the message itself says what to do.
pub(crate) fn of(error: &ApiError) -> Option<String> {
    let text = match error {
        ApiError::Directory(e) | ApiError::Password(SaslError::Directory(e)) => {
            return directory(e);
        }
        // Their words say what to do.
        ApiError::Sync(_) => return None,
        ApiError::Transport(TransportError::NotQueued(id)) => {
            return Some(format!("it may have left; 'concord trace {id}' tells where it went"));
        }
        ApiError::Transport(TransportError::NoRecipients) => "name at least one recipient",
        ApiError::Transport(TransportError::Storage(e))
        | ApiError::Store(StoreError::Storage(e))
        | ApiError::Storage(e) => return storage(e),
        ApiError::Store(StoreError::OverQuota { .. }) => {
            "give the mailbox more room with 'concord mailbox set NAME --quota', or tidy it up"
        }
        ApiError::Store(_) => "look again; somebody else may have changed it",
        ApiError::Password(SaslError::Busy { .. }) | ApiError::Invalid(_) => return None,
        ApiError::Password(SaslError::Bug(_)) => return Some(REPORT.to_owned()),
        ApiError::Password(_) => "choose another one",
        ApiError::NoSuchPath { .. } | ApiError::WrongMethod { .. } => {
            "the paths are listed at /v1/openapi.yaml"
        }
        ApiError::BadBody(_) | ApiError::BadQuery(_) => "compare it with /v1/openapi.yaml",
        ApiError::BodyTooLarge { .. } => "divide it into several requests",
        ApiError::ForeignDomain { domain, .. } => {
            return Some(format!("if it should be, add it first: 'concord domain add {domain}'"));
        }
        ApiError::NoToken => {
            "send 'Authorization: Bearer' with CONCORD_API_TOKEN, which the controller gives"
        }
        ApiError::NotYours { .. } => "a connector reaches its own object and state only",
        ApiError::ConnectorBusy { connector } | ApiError::ConnectorSilent { connector, .. } => {
            return Some(format!(
                "see whether it runs: 'concord service status', 'concord service logs {connector}'"
            ));
        }
        ApiError::Held => "try again when the update is finished",
        ApiError::Timeout { .. } => {
            "the disk may be slow or full; see what was done, and try again"
        }
    };
    Some(text.to_owned())
}

const REPORT: &str = "please report this defect";

fn directory(error: &DirectoryError) -> Option<String> {
    Some(match error {
        DirectoryError::NotFound { kind: kind @ ("mailbox" | "contact" | "list" | "public-folder" | "resource" | "container" | "role" | "domain" | "connector" | "generator"), .. } => {
            format!("'concord {kind} list' shows what there is")
        }
        DirectoryError::NotFound { kind: "recipient", .. } => {
            "'concord mailbox list', 'concord contact list' and 'concord list list' show who there is"
                .to_owned()
        }
        DirectoryError::NotFound { kind: "member", .. } => {
            "'concord list show' names the members".to_owned()
        }
        DirectoryError::NotFound { kind: "address", .. } => {
            "'show' in place of 'set' names the addresses that it has".to_owned()
        }
        DirectoryError::NotFound { kind: "address space" | "setting", .. } => {
            "'concord connector show' names those that it has".to_owned()
        }
        DirectoryError::NotFound { kind: "rule", .. } => {
            "'concord rule list' names the mailbox's rules".to_owned()
        }
        DirectoryError::NotFound { .. } => "see whether it was removed meanwhile".to_owned(),
        DirectoryError::NameTaken { kind: "domain", .. } => {
            "mail for it is taken in already".to_owned()
        }
        DirectoryError::NameTaken { kind: "rule", .. } => {
            "choose another name, or change that one with 'concord rule set'".to_owned()
        }
        DirectoryError::NameTaken { kind, name } => {
            format!("choose another name, or change that one with 'concord {kind} set {name}'")
        }
        DirectoryError::AddressTaken { kind, holder, .. } => {
            format!("take it from there first: 'concord {kind} set {holder} --remove-address ...'")
        }
        DirectoryError::Invalid { .. } => "correct that, and try again".to_owned(),
        DirectoryError::InUse { kind: "domain", name, .. } => format!(
            "take those away first; 'concord mailbox list', 'concord contact list' and \
             'concord list list' show who has an address in {name}"
        ),
        DirectoryError::InUse { .. } => "remove what refers to it first".to_owned(),
        DirectoryError::Storage(e) => return storage(e),
    })
}

fn storage(error: &StorageError) -> Option<String> {
    let text = match error {
        // These say it themselves.
        StorageError::DiskFull { .. }
        | StorageError::Damaged { .. }
        | StorageError::Schema { .. }
        | StorageError::Unfit(_)
        | StorageError::InUse(_) => return None,
        StorageError::Io { .. } => "look at the disk, and at who owns that file",
        StorageError::Index(_) => {
            "if it stays so, make the index anew: 'concord store rebuild', then 'concord service \
             restart core'"
        }
        StorageError::Stopping => "'concord service status core' says when it is up again",
        StorageError::Busy { .. } => "wait a little, and try again",
        StorageError::Bug(_) => REPORT,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::MessageId;

    #[test]
    fn every_error_says_what_to_do() {
        let name = || "x".to_owned();
        let not_found = |kind| DirectoryError::NotFound { kind, name: name() }.into();
        let all: Vec<ApiError> = vec![
            not_found("mailbox"),
            not_found("recipient"),
            not_found("member"),
            not_found("address"),
            not_found("object"),
            not_found("connector"),
            not_found("setting"),
            not_found("rule"),
            DirectoryError::NameTaken { kind: "rule", name: name() }.into(),
            DirectoryError::NameTaken { kind: "list", name: name() }.into(),
            DirectoryError::NameTaken { kind: "domain", name: name() }.into(),
            DirectoryError::AddressTaken { address: name(), kind: "list", holder: name() }.into(),
            DirectoryError::Invalid { name: name(), cause: name() }.into(),
            DirectoryError::InUse { kind: "domain", name: name(), cause: name() }.into(),
            DirectoryError::InUse { kind: "site", name: name(), cause: name() }.into(),
            TransportError::NotQueued(concord_base::QueueId(MessageId(1))).into(),
            TransportError::NoRecipients.into(),
            StoreError::FolderMissing(name()).into(),
            StoreError::OverQuota { used: 2, limit: 1 }.into(),
            StorageError::DiskFull { free: 1, path: name(), reserve: 2 }.into(),
            StorageError::Io { act: "read", path: name(), cause: name() }.into(),
            StorageError::Damaged { path: name(), offset: 1, cause: name() }.into(),
            StorageError::Index(name()).into(),
            StorageError::Stopping.into(),
            StorageError::Busy { budget: 1 }.into(),
            StorageError::Bug(name()).into(),
            SaslError::PasswordEmpty.into(),
            SaslError::Busy { waiting: 1 }.into(),
            SaslError::Bug(name()).into(),
            ApiError::NoSuchPath { path: name() },
            ApiError::WrongMethod { path: name(), method: name() },
            ApiError::BadBody(name()),
            ApiError::BadQuery(name()),
            ApiError::BodyTooLarge { limit: 1 },
            ApiError::ForeignDomain { address: name(), domain: name() },
            ApiError::Timeout { seconds: 1 },
            ApiError::Held,
        ];
        for error in all {
            let body = error.body().error;
            assert!(body.to_string().contains("; "), "{}: {body}", body.code);
        }
    }
}
