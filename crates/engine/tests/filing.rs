//! Where a mailbox's rules have a message lie: decided in its record.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

mod common;

use common::{Harness, submission, to_domain, to_mailbox};
use concord_base::{Clock, MailboxId};
use concord_directory::{Details, Directory, DirectoryAct};
use concord_store::{FolderName, Store as _, SystemFlags};
use concord_transport::{
    Administer, Answer, AnswerOutcome, ClaimLimits, Filing, Queue, RoutedRecipient, TraceKind,
    TraceQuery,
};

fn filing(folder: &str) -> Option<Filing> {
    Some(Filing {
        folder: Some(folder.parse().unwrap()),
        flags: SystemFlags::SEEN.union(SystemFlags::FLAGGED),
        rules: vec!["mine".into(), "other".into()],
    })
}

fn filed(mailbox: MailboxId, folder: &str) -> RoutedRecipient {
    RoutedRecipient { filing: filing(folder), ..to_mailbox(mailbox) }
}

async fn folder(h: &Harness, mailbox: MailboxId, name: &str) -> Option<concord_store::Folder> {
    h.engine().folder(mailbox, &name.parse().unwrap()).await.unwrap()
}

/// The words of the newest message's event of being stored.
async fn stored(h: &Harness, subject: &str) -> String {
    let query = TraceQuery::HeaderMessageId(format!("{subject}@test"));
    let story = h.engine().trace(&query, 1).await.unwrap().remove(0);
    let event = story.events.iter().find(|e| e.kind == TraceKind::Stored);
    event.unwrap().detail.clone()
}

#[tokio::test]
async fn a_message_lies_where_its_record_says_after_a_rebuild_too() {
    let mut h = Harness::new().await;
    let (alice, bob) = (h.mailbox("alice").await, h.mailbox("bob").await);
    let to = vec![filed(alice, "Projects/Alpha"), to_mailbox(bob)];
    h.engine().take_in(submission("one", to)).await.unwrap();
    let made = folder(&h, alice, "Projects/Alpha").await.unwrap();
    assert!(folder(&h, alice, "Projects").await.is_some(), "those above it are made too");
    assert_eq!((made.messages, made.unseen, made.subscribed), (1, 0, true));
    let (items, _) = h.engine().items(made.id).await.unwrap();
    assert_eq!(items[0].flags.system, SystemFlags::SEEN.union(SystemFlags::FLAGGED));
    assert_eq!(folder(&h, alice, "INBOX").await.unwrap().messages, 0);
    assert_eq!(folder(&h, bob, "INBOX").await.unwrap().unseen, 1, "others' copies stay theirs");
    assert_eq!(stored(&h, "one").await, "in Projects/Alpha as UID 1, by 'mine', 'other'");

    // Marked, and left in the inbox.
    let marked = Filing { folder: None, ..filing("x").unwrap() };
    let to = vec![RoutedRecipient { filing: Some(marked), ..to_mailbox(bob) }];
    h.engine().take_in(submission("two", to)).await.unwrap();
    let inbox = folder(&h, bob, "INBOX").await.unwrap();
    assert_eq!((inbox.messages, inbox.unseen), (2, 1));

    let before = h.picture(&[alice, bob]).await;
    h.reopen().await;
    assert_eq!(h.picture(&[alice, bob]).await, before);
    h.rebuild().await;
    assert_eq!(h.picture(&[alice, bob]).await, before);
}

#[tokio::test]
async fn a_folder_that_was_removed_is_made_again() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    h.engine().take_in(submission("one", vec![filed(alice, "Kept")])).await.unwrap();
    let first = folder(&h, alice, "Kept").await.unwrap();
    h.engine().delete_folder(alice, &first.name).await.unwrap();
    h.engine().take_in(submission("two", vec![filed(alice, "Kept")])).await.unwrap();
    let second = folder(&h, alice, "Kept").await.unwrap();
    assert_eq!(second.messages, 1);
    assert!(second.uid_validity > first.uid_validity, "clients do not take it for the old one");
}

#[tokio::test]
async fn what_cannot_be_filed_lies_in_the_inbox() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    // A mailbox has at most 10,000 folders; each of these names makes 32.
    for number in 0..320 {
        let deep = vec![format!("d{number}"); 32].join("/");
        let name: FolderName = deep.parse().unwrap();
        if h.engine().create_folder(alice, &name, None).await.is_err() {
            break;
        }
    }
    h.engine().take_in(submission("one", vec![filed(alice, "New")])).await.unwrap();
    assert!(folder(&h, alice, "New").await.is_none());
    let inbox = folder(&h, alice, "INBOX").await.unwrap();
    assert_eq!((inbox.messages, inbox.unseen), (1, 0), "the marks stay");
    let told = stored(&h, "one").await;
    assert!(told.starts_with("in INBOX as UID 1") && told.contains("New could not be"), "{told}");
    // One that is there still takes mail.
    h.engine().take_in(submission("two", vec![filed(alice, "d0")])).await.unwrap();
    assert_eq!(folder(&h, alice, "d0").await.unwrap().messages, 1);
}

#[tokio::test]
async fn a_delivery_that_waited_is_filed_by_its_answer() {
    let mut h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    h.engine().take_in(submission("one", vec![to_domain("a@one.test")])).await.unwrap();
    let (now, limits) = (h.clock.now(), ClaimLimits::most(1));
    let claim = h.engine().claim("internet-mail", now, &limits).await.unwrap().remove(0);
    let answer = Answer {
        delivery: claim.message.deliveries[0].id,
        outcome: AnswerOutcome::Stored { mailbox: alice, filing: filing("Late") },
        answer: None,
        reported_to: None,
    };
    h.engine().answer(vec![answer], vec![]).await.unwrap();
    assert_eq!(folder(&h, alice, "Late").await.unwrap().messages, 1);
    let before = h.picture(&[alice]).await;
    h.rebuild().await;
    assert_eq!(h.picture(&[alice]).await, before);
}

#[tokio::test]
async fn rules_are_part_of_the_mailbox() {
    let mut h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let mut object = (*h.engine().object(alice.into()).await.unwrap().unwrap()).clone();
    let rule = concord_rules::Rule {
        when: vec!["cc-me".parse().unwrap(), "from=a@b.test|@c.test".parse().unwrap()],
        unless: vec!["subject=x\\|y".parse().unwrap()],
        move_to: Some("A/B".into()),
        matches: concord_rules::Match::Any,
        ..concord_rules::Rule::new("mine")
    };
    if let Details::Mailbox(mailbox) = &mut object.details {
        mailbox.rules =
            vec![rule.clone(), concord_rules::Rule { stop: true, name: "2".into(), ..rule }];
    }
    h.engine().change(DirectoryAct::Set(object.clone())).await.unwrap();
    h.rebuild().await;
    let found = h.engine().object(alice.into()).await.unwrap().unwrap();
    assert_eq!(found.details, object.details);
    if let Details::Mailbox(mailbox) = &mut object.details {
        mailbox.rules[1].name = "MINE".into();
    }
    let refused = h.engine().change(DirectoryAct::Set(object)).await.unwrap_err();
    assert!(refused.to_string().contains("rule 'MINE' already"), "{refused}");
}
