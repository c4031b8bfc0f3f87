//! The store's contract.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

mod common;

use bytes::Bytes;
use common::{Harness, submission, to_mailbox};
use concord_base::{Fault, Timestamp};
use concord_directory::{Directory, DirectoryAct};
use concord_store::{
    Body, FlagChange, FlagSet, FolderName, Keyword, Store, StoreError, SystemFlags, UidSet,
};
use concord_transport::Queue;

fn name(text: &str) -> FolderName {
    text.parse().unwrap()
}

async fn inbox_with(h: &Harness, count: u32) -> (concord_base::MailboxId, concord_store::Folder) {
    let mailbox = h.mailbox("alice").await;
    for n in 0..count {
        h.engine().take_in(submission(&format!("m{n}"), vec![to_mailbox(mailbox)])).await.unwrap();
    }
    (mailbox, h.engine().folder(mailbox, &FolderName::inbox()).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_new_mailbox_has_its_folders() {
    let h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 0).await;
    let folders = h.engine().folders(mailbox).await.unwrap();
    let names: Vec<_> = folders.iter().map(|f| f.name.as_str().to_owned()).collect();
    assert_eq!(names, ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]);
    assert_eq!((inbox.uid_next, inbox.messages), (1, 0));
}

#[tokio::test]
async fn what_is_taken_in_is_visible_at_once_and_stored_once() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let bob = h.mailbox("bob").await;
    let to_both = vec![to_mailbox(alice), to_mailbox(bob), to_mailbox(alice)];
    let message = h.engine().take_in(submission("hello", to_both)).await.unwrap();
    for mailbox in [alice, bob] {
        let inbox = h.engine().folder(mailbox, &FolderName::inbox()).await.unwrap().unwrap();
        assert_eq!((inbox.messages, inbox.unseen), (1, 1), "each once");
        let (items, modseq) = h.engine().items(inbox.id).await.unwrap();
        assert_eq!(items[0].message, message);
        assert_eq!(modseq, inbox.highest_modseq);
    }
    let text = h.engine().read(message, 0..7).await.unwrap();
    assert_eq!(text, "Subject");
}

#[tokio::test]
async fn watchers_hear_of_new_mail() {
    let h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 0).await;
    let mut watch = h.engine().watch(inbox.id);
    h.engine().take_in(submission("x", vec![to_mailbox(mailbox)])).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(1), watch.changed())
        .await
        .unwrap()
        .unwrap();
    assert!(*watch.borrow() > inbox.highest_modseq);
}

#[tokio::test]
async fn flags_change_and_old_ones_are_refused() {
    let h = Harness::new().await;
    let (_, inbox) = inbox_with(&h, 5).await;
    let engine = h.engine();
    let seen = FlagSet::system(SystemFlags::SEEN);
    let stored = engine
        .store_flags(inbox.id, &UidSet::all(), FlagChange::Add(seen.clone()), None)
        .await
        .unwrap();
    assert_eq!(stored.items.len(), 5);
    let modseq = stored.items[0].modseq;
    assert_eq!(engine.folder_by_id(inbox.id).await.unwrap().unseen, 0);
    // The same again changes nothing, not even the modseq.
    let again =
        engine.store_flags(inbox.id, &UidSet::all(), FlagChange::Add(seen), None).await.unwrap();
    assert!(again.items.iter().all(|i| i.modseq == modseq));
    let label = FlagSet::new(SystemFlags::default(), [Keyword::new("$Work").unwrap()]);
    let two: UidSet = [2, 3].into_iter().collect();
    engine.store_flags(inbox.id, &two, FlagChange::Add(label.clone()), None).await.unwrap();
    let refused = engine
        .store_flags(inbox.id, &UidSet::all(), FlagChange::Remove(label), Some(modseq))
        .await
        .unwrap();
    assert_eq!(refused.refused, [2, 3]);
    let changes = engine.changes(inbox.id, modseq).await.unwrap();
    assert_eq!(changes.changed.iter().map(|i| i.uid).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(changes.changed[0].flags.keywords()[0].as_str(), "$Work");
}

#[tokio::test]
async fn copies_moves_and_expunges_keep_listing_and_counters_right() {
    let h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 6).await;
    let engine = h.engine();
    let (before, modseq) = engine.items(inbox.id).await.unwrap();
    assert_eq!(before.len(), 6);
    let target = engine.create_folder(mailbox, &name("A/B/C"), None).await.unwrap();
    assert!(engine.folder(mailbox, &name("A/B")).await.unwrap().is_some());
    let copied = engine.copy(inbox.id, &UidSet::from_ranges([(2, 3)]), target.id).await.unwrap();
    assert_eq!(copied.uids, [(2, 1), (3, 2)]);
    let moved = engine.move_items(inbox.id, &[6].into_iter().collect(), target.id).await.unwrap();
    assert_eq!(moved.uids, [(6, 3)]);
    let deleted = FlagChange::Add(FlagSet::system(SystemFlags::DELETED));
    engine.store_flags(inbox.id, &[1, 2].into_iter().collect(), deleted, None).await.unwrap();
    assert_eq!(engine.expunge(inbox.id, &[2, 5].into_iter().collect()).await.unwrap(), [2]);
    let (items, _) = engine.items(inbox.id).await.unwrap();
    assert_eq!(items.iter().map(|i| i.uid).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(engine.changes(inbox.id, modseq).await.unwrap().gone, [2, 6]);
    let now = engine.folder_by_id(inbox.id).await.unwrap();
    let sum: u64 = items.iter().map(|i| i.octets).sum();
    assert_eq!((now.messages, now.unseen, now.octets), (4, 4, sum));
    // The copy still reads though the original is gone.
    let (copies, _) = engine.items(target.id).await.unwrap();
    assert_eq!(copies[0].message, before[1].message);
    assert!(engine.read(copies[0].message, 0..10).await.is_ok());
    assert_eq!(engine.quota(mailbox).await.unwrap().messages, 7);
}

#[tokio::test]
async fn folders_are_renamed_with_those_below_and_inbox_stays() {
    let h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 2).await;
    let engine = h.engine();
    engine.create_folder(mailbox, &name("Work/2026"), None).await.unwrap();
    engine.rename_folder(mailbox, &name("Work"), &name("Old/Work")).await.unwrap();
    assert!(engine.folder(mailbox, &name("Old/Work/2026")).await.unwrap().is_some());
    assert!(engine.folder(mailbox, &name("Work")).await.unwrap().is_none());
    engine.rename_folder(mailbox, &FolderName::inbox(), &name("Before")).await.unwrap();
    assert_eq!(engine.folder_by_id(inbox.id).await.unwrap().messages, 0);
    assert_eq!(engine.folder(mailbox, &name("Before")).await.unwrap().unwrap().messages, 2);
    let gone = engine.delete_folder(mailbox, &FolderName::inbox()).await;
    assert!(matches!(gone, Err(StoreError::FolderFixed { .. })));
    engine.delete_folder(mailbox, &name("Before")).await.unwrap();
    let missing = engine.delete_folder(mailbox, &name("Before")).await;
    assert_eq!(missing, Err(StoreError::FolderMissing("Before".into())));
    let twice = engine.create_folder(mailbox, &name("Sent"), None).await;
    assert_eq!(twice.err(), Some(StoreError::FolderExists("Sent".into())));
    let below_itself = engine.rename_folder(mailbox, &name("Old"), &name("Old/x")).await;
    assert!(matches!(below_itself, Err(StoreError::FolderFixed { .. })));
}

#[tokio::test]
async fn a_folder_made_again_has_another_uid_validity() {
    let h = Harness::new().await;
    let (mailbox, _) = inbox_with(&h, 0).await;
    let engine = h.engine();
    let first = engine.create_folder(mailbox, &name("X"), None).await.unwrap();
    engine.delete_folder(mailbox, &name("X")).await.unwrap();
    assert!(matches!(engine.items(first.id).await, Err(StoreError::FolderGone(_))));
    let second = engine.create_folder(mailbox, &name("X"), None).await.unwrap();
    assert!(second.uid_validity > first.uid_validity);
}

#[tokio::test]
async fn large_bodies_stream_to_disk_and_go_when_nobody_needs_them() {
    let h = Harness::new().await;
    let (_, inbox) = inbox_with(&h, 0).await;
    let engine = h.engine();
    let mut writer = engine.begin_body(None).await.unwrap();
    for _ in 0..100 {
        writer.write(Bytes::from(vec![b'z'; 10_000])).await.unwrap();
    }
    let body = writer.finish().await.unwrap();
    assert_eq!(body.octets, 1_000_000);
    let large = h.scratch.path().join("data/large");
    assert_eq!(std::fs::read_dir(&large).unwrap().count(), 1);
    engine
        .append(inbox.id, body, FlagSet::system(SystemFlags::DELETED), Timestamp(5))
        .await
        .unwrap();
    let (items, _) = engine.items(inbox.id).await.unwrap();
    let end = engine.read(items[0].message, 999_990..2_000_000).await.unwrap();
    assert_eq!(end.len(), 10);
    assert!(engine.verify().await.unwrap().is_clean());
    engine.expunge(inbox.id, &UidSet::all()).await.unwrap();
    assert_eq!(std::fs::read_dir(&large).unwrap().count(), 0);
    // An abandoned one leaves nothing.
    let mut writer = engine.begin_body(None).await.unwrap();
    writer.write(Bytes::from(vec![b'z'; 100_000])).await.unwrap();
    drop(writer.finish().await.unwrap());
    assert_eq!(std::fs::read_dir(&large).unwrap().count(), 0);
}

#[tokio::test]
async fn a_used_up_intake_budget_sends_bodies_to_disk_instead_of_swelling() {
    let h = Harness::new().await;
    let (_, inbox) = inbox_with(&h, 0).await;
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let mut writer = h.engine().begin_body(None).await.unwrap();
        writer.write(Bytes::from(vec![b'q'; 50_000])).await.unwrap();
        waiting.push(writer.finish().await.unwrap());
    }
    let on_disk = std::fs::read_dir(h.scratch.path().join("data/large")).unwrap().count();
    assert!((15..30).contains(&on_disk), "1 MiB holds 20 of 40, {on_disk} went to disk");
    for body in waiting {
        h.engine().append(inbox.id, body, FlagSet::default(), Timestamp(1)).await.unwrap();
    }
    assert_eq!(h.engine().folder_by_id(inbox.id).await.unwrap().messages, 40);
}

#[tokio::test]
async fn a_full_mailbox_takes_no_more() {
    let h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 1).await;
    let mut object = (*h.engine().object(mailbox.into()).await.unwrap().unwrap()).clone();
    if let concord_directory::Details::Mailbox(m) = &mut object.details {
        m.quota = Some(concord_base::ByteSize(100));
    }
    h.engine().change(DirectoryAct::Set(object)).await.unwrap();
    let body = Body::from_bytes(vec![0; 200]);
    let full = h.engine().append(inbox.id, body, FlagSet::default(), Timestamp(1)).await;
    assert!(matches!(full, Err(StoreError::OverQuota { limit: 100, .. })));
}

#[tokio::test]
async fn everything_is_as_it_was_after_a_restart_a_lost_index_and_compaction() {
    let mut h = Harness::new().await;
    let (mailbox, inbox) = inbox_with(&h, 200).await;
    let other = h.mailbox("bob").await;
    let boxes = [mailbox, other];
    let engine = h.engine();
    let deleted = FlagChange::Add(FlagSet::system(SystemFlags::DELETED));
    engine.store_flags(inbox.id, &UidSet::from_ranges([(1, 180)]), deleted, None).await.unwrap();
    let trash = engine.folder(mailbox, &name("Trash")).await.unwrap().unwrap();
    engine.copy(inbox.id, &UidSet::from_ranges([(3, 9)]), trash.id).await.unwrap();
    engine.expunge(inbox.id, &UidSet::all()).await.unwrap();
    let before = h.picture(&boxes).await;

    h.reopen().await;
    assert_eq!(h.report.replayed, 0);
    assert_eq!(h.picture(&boxes).await, before);

    h.engine = None;
    for file in ["index.db", "index.db-wal", "index.db-shm"] {
        let _ = std::fs::remove_file(h.scratch.path().join("data").join(file));
    }
    h.reopen().await;
    assert!(h.report.rebuilt && h.report.replayed > 200);
    assert_eq!(h.picture(&boxes).await, before);

    let report = h.engine().compact(50).await.unwrap();
    assert!(report.removed > 0 && report.carried > 0, "{report:?}");
    assert_eq!(h.picture(&boxes).await, before);
    let verified = h.engine().verify().await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");

    h.engine = None;
    let rebuilt = concord_engine::offline::rebuild(&h.options()).unwrap();
    assert!(rebuilt.rebuilt);
    h.reopen().await;
    assert_eq!(h.picture(&boxes).await, before);
}

#[tokio::test]
async fn damage_is_found_and_its_messages_are_named() {
    let mut h = Harness::new().await;
    let (_, inbox) = inbox_with(&h, 20).await;
    let (items, _) = h.engine().items(inbox.id).await.unwrap();
    assert_eq!(items.len(), 20);
    h.engine = None;
    let needle = b"body of m7";
    for entry in std::fs::read_dir(h.scratch.path().join("data/log")).unwrap() {
        let segment = entry.unwrap().path();
        let mut octets = std::fs::read(&segment).unwrap();
        if let Some(at) = octets.windows(needle.len()).position(|w| w == needle) {
            octets[at] ^= 1;
            std::fs::write(&segment, octets).unwrap();
        }
    }
    h.reopen().await;
    let altered = h.engine().read(items[7].message, 0..5).await;
    assert_eq!(altered.map_err(|e| e.code()), Err("storage.damaged"));
    h.engine = None;
    let report = concord_engine::offline::verify(&h.options()).unwrap();
    let finding = report.findings.iter().find(|f| f.octets > 0).unwrap();
    assert!(finding.messages.iter().any(|m| m.contains("INBOX UID 8")), "{finding:?}");
    // The rest is salvaged, whatever becomes of the index.
    concord_engine::offline::rebuild(&h.options()).unwrap();
    h.reopen().await;
    let now = h.engine().folder_by_id(inbox.id).await.unwrap();
    assert_eq!(now.messages, 19);
}

#[tokio::test]
async fn files_of_the_log_that_are_missing_are_found() {
    let mut h = Harness::new().await;
    inbox_with(&h, 120).await;
    h.engine = None;
    let options = h.options();
    assert_eq!(concord_engine::offline::lost_end(&options).unwrap(), None);
    let log = h.scratch.path().join("data/log");
    let aside = h.scratch.path().join("aside");
    let mut segments: Vec<_> =
        std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    assert!(segments.len() > 2, "{segments:?}");
    let (first, last) = (&segments[0], segments.last().unwrap());

    // Only reading shows it: compaction removes old segments too.
    std::fs::rename(first, &aside).unwrap();
    assert_eq!(concord_engine::offline::lost_end(&options).unwrap(), None);
    let report = concord_engine::offline::verify(&options).unwrap();
    let finding = report.findings.iter().find(|f| f.path == first.display().to_string()).unwrap();
    assert_eq!(finding.cause, "the file is missing");
    assert!(!finding.messages.is_empty());
    std::fs::rename(&aside, first).unwrap();
    assert!(concord_engine::offline::verify(&options).unwrap().is_clean());

    std::fs::rename(last, &aside).unwrap();
    assert!(concord_engine::offline::lost_end(&options).unwrap().is_some());
    std::fs::rename(&aside, last).unwrap();
    assert_eq!(concord_engine::offline::lost_end(&options).unwrap(), None);
}
