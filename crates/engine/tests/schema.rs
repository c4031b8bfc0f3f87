//! Schemas: the way from one to the next, and back by a snapshot.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests, and what they share

mod common;

use common::{Harness, new_mailbox, submission, to_mailbox};
use concord_base::{Fault, MailboxId, StorageError};
use concord_directory::{Directory, DirectoryAct, Kind};
use concord_engine::offline::{self, Migrated};
use concord_engine::{Embedded, EngineOptions, Schema};
use concord_store::Store;
use concord_transport::Queue;
use std::sync::Arc;

fn old(h: &Harness) -> EngineOptions {
    EngineOptions { schema: Schema::with_exercise(false), ..h.options() }
}

fn new(h: &Harness) -> EngineOptions {
    EngineOptions { schema: Schema::with_exercise(true), ..h.options() }
}

async fn open(h: &mut Harness, options: EngineOptions) {
    h.engine = None;
    h.engine = Some(Embedded::open(options).await.unwrap().0);
}

async fn take_in(h: &Harness, mailbox: MailboxId, subject: &str) {
    h.engine().take_in(submission(subject, vec![to_mailbox(mailbox)])).await.unwrap();
}

async fn schema_error(options: EngineOptions) -> (i64, i64) {
    match Embedded::open(options).await.map(drop) {
        Err(StorageError::Schema { found, needed }) => (found, needed),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn mail_taken_in_after_a_migration_is_there_when_the_old_index_is_put_back() {
    let mut h = Harness::new().await;
    let options = old(&h);
    open(&mut h, options).await;
    let alice = h.mailbox("alice").await;
    take_in(&h, alice, "before").await;
    let snapshot = h.scratch.path().join("kept/index.db");
    std::fs::create_dir(snapshot.parent().unwrap()).unwrap();
    offline::snapshot_index(&old(&h), &snapshot).unwrap();
    take_in(&h, alice, "after the snapshot").await;
    h.engine = None;

    assert_eq!(offline::schema_of(&old(&h)), Some(3));
    assert_eq!(schema_error(new(&h)).await, (3, 4));
    assert_eq!(offline::migrate(&new(&h)).unwrap(), Migrated { from: 3, to: 4 });
    assert_eq!(offline::migrate(&new(&h)).unwrap(), Migrated { from: 4, to: 4 }, "idempotent");
    assert_eq!(offline::schema_of(&old(&h)), Some(4));
    assert_eq!(schema_error(old(&h)).await, (4, 3));
    assert!(offline::migrate(&old(&h)).is_err());
    let options = new(&h);
    open(&mut h, options).await;
    take_in(&h, alice, "under the new schema").await;
    let bob = h.mailbox("bob").await;
    take_in(&h, bob, "to bob").await;
    let picture = h.picture(&[alice, bob]).await;
    assert!(offline::put_index_back(&old(&h), &snapshot).is_err(), "the core has the lock");
    h.engine = None;

    for _ in 0..2 {
        offline::put_index_back(&old(&h), &snapshot).unwrap();
    }
    assert_eq!(offline::schema_of(&old(&h)), Some(3));
    let options = old(&h);
    open(&mut h, options).await;
    assert_eq!(h.picture(&[alice, bob]).await, picture);
    assert_eq!(h.engine().list(Kind::Mailbox).await.unwrap().len(), 2);
    take_in(&h, bob, "goes on").await;
}

#[tokio::test]
async fn snapshots_of_an_older_schema_are_migrated_when_they_are_restored() {
    let mut h = Harness::new().await;
    let options = old(&h);
    open(&mut h, options).await;
    let alice = h.mailbox("alice").await;
    take_in(&h, alice, "before").await;
    h.engine().compact(50).await.unwrap();
    take_in(&h, alice, "after").await;
    let picture = h.picture(&[alice]).await;
    h.engine = None;
    let report = offline::rebuild(&new(&h)).unwrap();
    assert_eq!(report.replayed, 1, "the snapshot was used");
    assert_eq!(offline::schema_of(&new(&h)), Some(4));
    let options = new(&h);
    open(&mut h, options).await;
    assert_eq!(h.picture(&[alice]).await, picture);
    // And the release before that, which cannot use the newer one.
    h.engine().compact(50).await.unwrap();
    h.engine = None;
    offline::rebuild(&old(&h)).unwrap();
    let options = old(&h);
    open(&mut h, options).await;
    assert_eq!(h.picture(&[alice]).await, picture);
}

#[tokio::test]
async fn a_fresh_index_and_a_migrated_one_have_the_same_tables() {
    let tables = |options: &EngineOptions| {
        let db = rusqlite::Connection::open(options.directory.join("index.db")).unwrap();
        let mut read = db.prepare("SELECT type, name, tbl_name FROM sqlite_master").unwrap();
        let rows = read.query_map([], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?))
        });
        rows.unwrap().collect::<Result<std::collections::BTreeSet<_>, _>>().unwrap()
    };
    let (mut migrated, mut fresh) = (Harness::new().await, Harness::new().await);
    migrated.engine = None;
    offline::migrate(&new(&migrated)).unwrap();
    fresh.engine = None;
    std::fs::remove_dir_all(fresh.options().directory).unwrap();
    drop(Embedded::open(new(&fresh)).await.unwrap());
    assert_eq!(tables(&fresh.options()), tables(&migrated.options()));
    assert_eq!(offline::schema_of(&fresh.options()), offline::schema_of(&migrated.options()));
}

#[tokio::test]
async fn an_index_of_another_log_or_of_before_the_log_is_not_put_back() {
    let (mut a, mut b) = (Harness::new().await, Harness::new().await);
    let mailbox = a.mailbox("alice").await;
    take_in(&a, mailbox, "a").await;
    let snapshot = a.scratch.path().join("index-of-a.db");
    offline::snapshot_index(&a.options(), &snapshot).unwrap();
    b.engine = None;
    let error = offline::put_index_back(&b.options(), &snapshot).unwrap_err();
    assert_eq!(error.code(), "storage.unfit");
    assert!(error.to_string().contains("another message log"), "{error}");
    a.engine = None;
    let first = a.options().directory.join("log/0000000000000001.seg");
    std::fs::rename(&first, a.options().directory.join("log/0000000000000002.seg")).unwrap();
    let error = offline::put_index_back(&a.options(), &snapshot).unwrap_err();
    assert!(error.to_string().contains("does not reach back"), "{error}");
    assert!(offline::schema_of(&a.options()).is_some(), "nothing changed");
}

#[tokio::test]
async fn renumbering_gives_every_folder_a_uid_validity_that_none_had() {
    let (mut a, mut b) = (Harness::new().await, Harness::new().await);
    let alice = a.mailbox("alice").await;
    take_in(&a, alice, "a").await;
    let mailbox = b.mailbox("bob").await;
    take_in(&b, mailbox, "b").await;
    let (of_a, of_b) = (offline::lineage(&a.options()), offline::lineage(&b.options()));
    assert_ne!(of_a.unwrap().unwrap(), of_b.unwrap().unwrap());
    let before = a.engine().folders(alice).await.unwrap();
    a.engine = None;
    b.engine = None;
    // An index of one with the log of the other is refused, and left alone.
    let (index, kept) = (b.options().directory.join("index.db"), b.scratch.path().join("kept.db"));
    std::fs::rename(&index, &kept).unwrap();
    std::fs::copy(a.options().directory.join("index.db"), &index).unwrap();
    let octets = std::fs::read(&index).unwrap();
    let error = Embedded::open(b.options()).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("another message log"), "{error}");
    assert_eq!(std::fs::read(&index).unwrap(), octets);

    let count = offline::renumber(&a.options()).unwrap();
    assert_eq!(count, before.len() as u64);
    a.reopen().await;
    let after = a.engine().folders(alice).await.unwrap();
    let highest = before.iter().map(|f| f.uid_validity).max().unwrap();
    assert!(after.iter().all(|f| f.uid_validity > highest), "{after:?}");
    let distinct: std::collections::BTreeSet<_> = after.iter().map(|f| f.uid_validity).collect();
    assert_eq!(distinct.len(), after.len());
    let picture = a.picture(&[alice]).await;
    a.engine = None;
    offline::rebuild(&a.options()).unwrap();
    a.reopen().await;
    assert_eq!(a.picture(&[alice]).await, picture, "a replay gives the same ones");
}

#[tokio::test]
async fn directory_acts_without_a_core_succeed_or_fail_each_by_itself() {
    let mut h = Harness::new().await;
    h.mailbox("alice").await;
    let acts = ["alice", "bob"].map(|name| DirectoryAct::Add(new_mailbox(name))).to_vec();
    assert!(offline::change_directory(&h.options(), acts.clone()).is_err(), "the core has it");
    h.engine = None;
    let outcomes = offline::change_directory(&h.options(), acts).unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().code(), "directory.name-taken");
    let bob = outcomes[1].as_ref().unwrap().id;
    h.reopen().await;
    let found: Option<Arc<_>> = h.engine().find(Kind::Mailbox, "bob").await.unwrap();
    assert_eq!(found.unwrap().id, bob);
}

/// What every table and index of an index looks like.
fn shape(options: &EngineOptions) -> Vec<(String, String)> {
    let db = rusqlite::Connection::open(options.directory.join("index.db")).unwrap();
    let mut shape = Vec::new();
    let mut read = db.prepare("SELECT type, name FROM sqlite_master ORDER BY 2").unwrap();
    let rows = read.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)));
    for (kind, name) in rows.unwrap().map(Result::unwrap) {
        let pragma = if kind == "table" { "table_info" } else { "index_info" };
        let mut read = db.prepare(&format!("PRAGMA {pragma}('{name}')")).unwrap();
        let columns =
            read.query_map([], |r| r.get::<_, String>(if kind == "table" { 1 } else { 2 }));
        shape.push((name, columns.unwrap().map(Result::unwrap).collect::<Vec<_>>().join(" ")));
    }
    shape
}

#[tokio::test]
async fn an_index_of_the_first_schema_becomes_one_of_this_release() {
    let (mut fresh, mut h) = (Harness::new().await, Harness::new().await);
    let alice = h.mailbox("alice").await;
    take_in(&h, alice, "kept").await;
    let picture = h.picture(&[alice]).await;
    let log_id = offline::lineage(&h.options()).unwrap().unwrap().into_bytes();
    fresh.engine = None;
    h.engine = None;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(h.options().directory.join(format!("index.db{suffix}")));
    }
    // An index that has seen nothing of the log yet.
    let db = rusqlite::Connection::open(h.options().directory.join("index.db")).unwrap();
    db.execute_batch(include_str!("data/schema-1.sql")).unwrap();
    db.execute("INSERT INTO engine VALUES (1, 1, ?1, 0, 0, 0, 1, 1, 1, 1, 0)", [log_id]).unwrap();
    db.execute_batch("INSERT INTO member VALUES (7, 8)").unwrap();
    drop(db);
    assert_eq!(schema_error(h.options()).await, (1, 3));
    offline::migrate(&h.options()).unwrap();
    assert_eq!(shape(&h.options()), shape(&fresh.options()));
    let db = rusqlite::Connection::open(h.options().directory.join("index.db")).unwrap();
    let (target, holder): (i64, i64) = db
        .query_row("SELECT target, holder FROM reference", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    assert_eq!((target, holder), (7, 8));
    drop(db);
    h.reopen().await;
    assert_eq!(h.picture(&[alice]).await, picture);
}
