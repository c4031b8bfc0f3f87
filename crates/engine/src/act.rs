//! What the message log says: acts, in the octets of a record's meta.
//!
//! Acts are encoded as MessagePack arrays (rmp-serde). The format may grow: new
//! variants at any place (they go by name), new fields at a struct's end with
//! `#[serde(default)]`. Nothing may be removed or change its meaning, because
//! logs of older releases are replayed by newer ones.

use bytes::Bytes;
use concord_base::{DeliveryId, FolderId, MailboxId, MessageId, StorageError, Timestamp};
use concord_directory::DirectoryAct;
use concord_store::{FlagChange, FlagSet, FolderName, SpecialUse, UidSet};
use concord_transport::{
    Answer, Arrival, EnvelopeOptions, Group, QueueAct, ReversePath, RoutedRecipient,
};
use serde::{Deserialize, Serialize};

/// Where an act's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BodyRef {
    /// In the body of the same record.
    Here {
        /// Octets from the body's start.
        offset: u64,
        /// How many.
        octets: u64,
        /// Their CRC-32C, checked when they are read.
        crc: u32,
    },
    /// In a file of its own.
    Large {
        /// The file's number.
        number: u64,
        /// How many octets.
        octets: u64,
        /// Their CRC-32C.
        crc: u32,
    },
}

impl BodyRef {
    pub fn crc(self) -> u32 {
        match self {
            Self::Here { crc, .. } | Self::Large { crc, .. } => crc,
        }
    }

    pub fn octets(self) -> u64 {
        match self {
            Self::Here { octets, .. } | Self::Large { octets, .. } => octets,
        }
    }
}

/// A [`concord_transport::Submission`] as logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakeIn {
    pub arrival: Arrival,
    pub received: Timestamp,
    pub sender: ReversePath,
    pub options: EnvelopeOptions,
    pub recipients: Vec<RoutedRecipient>,
    pub header_message_id: String,
    pub subject: String,
    pub return_path_octets: u32,
    pub body: BodyRef,
    #[serde(default)]
    pub hold: Option<String>,
}

/// One change of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Act {
    TakeIn(Box<TakeIn>),
    Append {
        folder: FolderId,
        flags: FlagSet,
        internal_date: Timestamp,
        body: BodyRef,
    },
    StoreFlags {
        folder: FolderId,
        uids: UidSet,
        change: FlagChange,
        unchanged_since: Option<u64>,
    },
    Copy {
        from: FolderId,
        uids: UidSet,
        to: FolderId,
    },
    Move {
        from: FolderId,
        uids: UidSet,
        to: FolderId,
    },
    Expunge {
        folder: FolderId,
        uids: UidSet,
    },
    CreateFolder {
        mailbox: MailboxId,
        name: FolderName,
        special_use: Option<SpecialUse>,
    },
    RenameFolder {
        mailbox: MailboxId,
        old: FolderName,
        new: FolderName,
    },
    DeleteFolder {
        mailbox: MailboxId,
        name: FolderName,
    },
    Subscribe {
        mailbox: MailboxId,
        name: FolderName,
        subscribed: bool,
    },
    Directory(Box<DirectoryAct>),
    Answers(Vec<Answer>),
    Administer {
        message: MessageId,
        act: QueueAct,
    },
    /// Connectors are about to get these; if the core dies now, it counts.
    Claimed(Vec<DeliveryId>),
    /// Queued deliveries that are not in flight go to other connectors.
    Reroute(Vec<(DeliveryId, Group)>),
    /// The core came up; what was claimed then was in its hands when it died.
    CoreStarted {
        retry_at: Timestamp,
    },
    /// What was removed from the directory before is not remembered any more.
    ForgetRemoved {
        before: Timestamp,
    },
    /// What a connector keeps in the core under a name.
    ConnectorState {
        connector: String,
        key: String,
        value: Option<Vec<u8>>,
    },
    ForgetStories {
        before: Timestamp,
    },
    /// The store was put back to an earlier state, or comes from elsewhere: the
    /// UIDs that clients know are void.
    Restored,
    /// Compaction wrote the message again, here.
    Carried {
        message: MessageId,
        body: BodyRef,
    },
}

/// What one record says; carried out whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// When it was decided.
    pub at: Timestamp,
    pub acts: Vec<Act>,
}

impl Meta {
    pub fn encode(&self) -> Result<Vec<u8>, StorageError> {
        rmp_serde::to_vec(self)
            .map_err(|e| StorageError::Bug(format!("acts cannot be encoded: {e}")))
    }

    pub fn decode(octets: &Bytes) -> Result<Self, String> {
        rmp_serde::from_slice(octets).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_directory::{Connector, Details, Generator, NewObject};

    fn connector() -> NewObject {
        let settings = serde_json::json!({
            "url": "http://[::1]:80/", "token": null, "n": -5, "big": u64::MAX, "f": 2.5,
            "list": [1, "two", { "three": [true, null, {}] }], "empty": [],
        });
        NewObject::new(
            "webhook",
            Details::Connector(Connector {
                component: "webhook".into(),
                enabled: true,
                address_spaces: vec![
                    "SMTP:*.hook.test".parse().unwrap(),
                    "HOOK:*".parse().unwrap(),
                ],
                settings: settings.as_object().unwrap().clone(),
            }),
        )
    }

    #[test]
    fn connectors_with_nested_settings_read_back() {
        let rule = Generator { component: "webhook".into(), rule: "%m".into() };
        let generator =
            NewObject { name: "HOOK".into(), details: Details::Generator(rule), ..connector() };
        let add = |new| Act::Directory(Box::new(DirectoryAct::Add(new)));
        let group = Group { connector: "webhook".into(), group: "HOOK".into() };
        let meta = Meta {
            at: Timestamp(5),
            acts: vec![
                add(connector()),
                add(generator),
                Act::Reroute(vec![(DeliveryId(7), group)]),
            ],
        };
        assert_eq!(Meta::decode(&meta.encode().unwrap().into()), Ok(meta));
    }

    #[test]
    fn acts_read_back() {
        let meta = Meta {
            at: Timestamp(5),
            acts: vec![
                Act::Claimed(vec![DeliveryId(3)]),
                Act::Restored,
                Act::Expunge { folder: FolderId(1), uids: UidSet::all() },
                Act::StoreFlags {
                    folder: FolderId(1),
                    uids: UidSet::all(),
                    change: FlagChange::Add(FlagSet::default()),
                    unchanged_since: None,
                },
                Act::TakeIn(Box::new(TakeIn {
                    arrival: Arrival::default(),
                    received: Timestamp(1),
                    sender: ReversePath(Some("a@b.test".parse().unwrap())),
                    options: EnvelopeOptions::default(),
                    recipients: vec![],
                    header_message_id: String::new(),
                    subject: String::new(),
                    return_path_octets: 3,
                    hold: None,
                    body: BodyRef::Here { offset: 0, octets: 9, crc: 7 },
                })),
            ],
        };
        assert_eq!(Meta::decode(&meta.encode().unwrap().into()), Ok(meta));
    }

    /// Records of releases without rules read, and records that have nothing to say
    /// of rules are written as those were.
    #[test]
    fn records_from_before_there_were_rules_read() {
        use concord_address::TypedAddress;
        use concord_base::MailboxId;
        use concord_directory::{Details, Mailbox};
        use concord_transport::{AnswerOutcome, Destination, Notify};

        let address: TypedAddress = "a@b.test".parse().unwrap();
        let destination = Destination::Mailbox(MailboxId(7));
        let before = rmp_serde::to_vec(&(
            &address,
            &address,
            None::<String>,
            Notify::default(),
            &destination,
            None::<ReversePath>,
        ));
        let (given, notify) = (address.clone(), Notify::default());
        let now = RoutedRecipient {
            address,
            given,
            original: None,
            notify,
            destination,
            reports_to: None,
            filing: None,
        };
        assert_eq!(rmp_serde::to_vec(&now).unwrap(), before.unwrap());
        let read: RoutedRecipient =
            rmp_serde::from_slice(&rmp_serde::to_vec(&now).unwrap()).unwrap();
        assert_eq!(read, now);

        #[derive(Serialize)]
        enum Before {
            Stored { mailbox: MailboxId },
        }
        let stored = rmp_serde::to_vec(&Before::Stored { mailbox: MailboxId(7) }).unwrap();
        let now = AnswerOutcome::Stored { mailbox: MailboxId(7), filing: None };
        assert_eq!(rmp_serde::to_vec(&now).unwrap(), stored);
        assert_eq!(rmp_serde::from_slice::<AnswerOutcome>(&stored).unwrap(), now);

        #[derive(Serialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        enum DetailsBefore {
            Mailbox(MailboxBefore),
        }
        #[derive(Serialize)]
        struct MailboxBefore {
            quota: Option<u64>,
            credentials: Option<u64>,
            login_disabled: bool,
        }
        let before = MailboxBefore { quota: Some(9), credentials: None, login_disabled: true };
        let before = rmp_serde::to_vec(&DetailsBefore::Mailbox(before)).unwrap();
        let quota = Some(concord_base::ByteSize(9));
        let now = Mailbox { quota, login_disabled: true, ..Mailbox::default() };
        let now = Details::Mailbox(now);
        assert_eq!(rmp_serde::to_vec(&now).unwrap(), before);
        assert_eq!(rmp_serde::from_slice::<Details>(&before).unwrap(), now);
    }
}
