//! Steps: the smallest acts of a run, each with its inverse beside it.
//!
//! A step is looked at ([`Step::look`]: what is there now), done, and perhaps
//! undone. Doing is idempotent: a step that was cut off half way can be done
//! again. Undoing is too, also of a step that was cut off before it began.
//! What undoing needs is in [`Before`], which the journal has before the step
//! is done, or in the run's scratch directory.

mod access;
mod control;
mod directory;
mod file;
mod index;
mod link;
mod merge;
mod object;
mod relocate;
mod store_registry;
mod unit;
mod user;

use crate::error::Result;
use crate::host::{Access, Host, ObjectKey, ObjectState, UnitState};
use concord_registry::Registry;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub use control::Control;

/// What was there before a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "before", content = "is", rename_all = "kebab-case")]
pub enum Before {
    /// The step has nothing to undo.
    Nothing,
    /// Nothing was there.
    Absent,
    /// It was there, and stays.
    Present,
    /// It was there, and stays; of what its new place needs, this directory and
    /// all below it were missing.
    Under(PathBuf),
    /// It had this mode and owner.
    Access(Access),
    /// A file, of which a copy is in the scratch directory under this name.
    Saved(PathBuf),
    /// A link to there.
    Link(PathBuf),
    /// A unit in this state.
    Unit(UnitState),
    /// An object of the directory.
    Object(Box<ObjectState>),
    /// A registry.
    Registry(Box<Registry>),
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Makes a directory.
    MakeDirectory {
        /// Where.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// A user who is to own it.
        owner: Option<String>,
    },
    /// Writes a file.
    WriteFile {
        /// Where.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// A user who is to own it.
        owner: Option<String>,
        /// Its content.
        content: String,
    },
    /// Makes a symbolic link, or lets one point elsewhere.
    WriteLink {
        /// Where.
        path: PathBuf,
        /// Where to.
        target: PathBuf,
    },
    /// Moves a file or a tree.
    Move {
        /// From where.
        from: PathBuf,
        /// To where; directories above are made.
        to: PathBuf,
    },
    /// Copies a file or a tree.
    Copy {
        /// From where.
        from: PathBuf,
        /// To where; nothing may be there.
        to: PathBuf,
    },
    /// Sets mode and owner.
    SetAccess {
        /// Of what.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// A user who is to own it.
        owner: Option<String>,
        /// With everything below it (only the owner is set there).
        whole: bool,
    },
    /// Makes a user.
    MakeUser {
        /// Its name.
        name: String,
        /// Its home.
        home: PathBuf,
    },
    /// Removes a user. Its number is not to be had again: only behind the commit.
    RemoveUser {
        /// Its name.
        name: String,
    },
    /// Brings a unit into a state.
    SetUnit {
        /// Its name.
        name: String,
        /// It starts with the machine.
        enabled: bool,
        /// It runs; none is as it is.
        active: Option<bool>,
    },
    /// Adds or changes an object of the directory.
    PutObject {
        /// The object.
        object: Box<ObjectState>,
    },
    /// Removes an object of the directory.
    RemoveObject {
        /// Which.
        key: ObjectKey,
    },
    /// Puts objects into the directory: those that are missing are added, the
    /// others become as they are in the file.
    MergeDirectory {
        /// A JSON list of them.
        file: PathBuf,
    },
    /// Gives mailboxes their missing addresses.
    Stamp,
    /// Stores the registry.
    StoreRegistry {
        /// What to store; none removes it.
        registry: Option<Box<Registry>>,
        /// What stores it.
        verb: String,
    },
    /// Tells the controller something.
    Tell {
        /// What.
        control: Control,
        /// When: while doing or while undoing.
        when: When,
    },
    /// Brings the index to a release's schema, by that release's program.
    MigrateIndex {
        /// The program that knows the new schema.
        program: PathBuf,
        /// The arguments that make it migrate.
        arguments: Vec<String>,
        /// Where the index as it was is kept, also for going back later.
        saved: PathBuf,
    },
    /// Puts a copied index in the place of the index.
    PutIndexBack {
        /// The copy.
        from: PathBuf,
        /// Where the index as it was is kept.
        saved: PathBuf,
    },
    /// Runs a program of Concord's that changes nothing outside the scratch directory.
    Run {
        /// Why, a few words.
        why: String,
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Copies the index to a file, for a rehearsal.
    SnapshotIndex {
        /// Where to.
        to: PathBuf,
    },
    /// Begins a directory: organisation, site, server and mail domain. Undone with
    /// the store that it made.
    Bootstrap {
        /// The organisation's name.
        organisation: String,
        /// Its mail domain.
        domain: String,
        /// The server's name.
        hostname: String,
    },
    /// Lets mail programs read every folder anew: only behind the commit.
    Renumber,
    /// Notes in the registry which store and organisation are here: only behind
    /// the commit, when there is a store.
    Learn,
    /// Removes Setup's own directory, the journal last: the end of everything.
    PurgeSetup,
    /// Removes a file or a tree for good: only behind the commit.
    Purge {
        /// What.
        path: PathBuf,
    },
    /// Removes a directory if it is empty: only behind the commit.
    PurgeIfEmpty {
        /// What.
        path: PathBuf,
    },
}

/// When a [`Step::Tell`] is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// While the run goes forward.
    Doing,
    /// While it is undone.
    Undoing,
    /// While it goes forward; undoing does the inverse.
    Both,
}

/// What a step works with.
pub(crate) struct Bench<'a> {
    pub host: &'a Host,
    /// The run's scratch directory; exists.
    pub scratch: &'a Path,
    /// The step's place in the plan.
    pub number: usize,
}

impl Bench<'_> {
    /// A name in the scratch directory that no other step uses.
    pub fn save_as(&self) -> PathBuf {
        PathBuf::from(format!("step-{}", self.number))
    }

    /// Ids of a user by name; none if nobody is named.
    pub fn owner(&self, name: Option<&str>) -> Result<Option<(u32, u32)>> {
        let Some(name) = name else { return Ok(None) };
        let account = self.host.system.user(name)?;
        let account = account.ok_or_else(|| {
            crate::SetupError::invalid("set an owner", format!("there is no user {name}"))
        })?;
        Ok(Some((account.uid, account.gid)))
    }
}

impl Step {
    /// See [`Step::MakeDirectory`].
    pub fn make_directory(path: impl Into<PathBuf>, mode: u32, owner: Option<String>) -> Self {
        Self::MakeDirectory { path: path.into(), mode, owner }
    }

    /// See [`Step::Tell`].
    pub fn tell(control: Control, when: When) -> Self {
        Self::Tell { control, when }
    }

    /// Whether it can be undone; others stand behind the commit.
    pub fn is_reversible(&self) -> bool {
        !matches!(
            self,
            Self::RemoveUser { .. }
                | Self::Purge { .. }
                | Self::PurgeIfEmpty { .. }
                | Self::PurgeSetup
                | Self::Stamp
                | Self::Renumber
                | Self::Learn
        )
    }

    /// Sees what is there. Changes nothing but the scratch directory.
    pub(crate) fn look(&self, bench: &Bench<'_>) -> Result<Before> {
        match self {
            Self::MakeDirectory { path, .. } => Ok(directory::look(path)),
            Self::WriteFile { path, .. } => file::look(bench, path),
            Self::WriteLink { path, .. } => link::look(path),
            Self::Move { from, to } | Self::Copy { from, to } => relocate::look(from, to),
            Self::SetAccess { path, .. } => Ok(access::look(path)),
            Self::MakeUser { name, .. } => user::look(bench, name),
            Self::SetUnit { name, .. } => unit::look(bench, name),
            Self::PutObject { object } => object::look(bench, &object.key()),
            Self::RemoveObject { key } => object::look(bench, key),
            Self::MergeDirectory { file } => merge::look(bench, file),
            Self::StoreRegistry { .. } => store_registry::look(bench),
            Self::MigrateIndex { .. } | Self::PutIndexBack { .. } => index::look(bench),
            _ => Ok(Before::Nothing),
        }
    }

    /// Does it.
    pub(crate) fn perform(&self, bench: &Bench<'_>) -> Result<()> {
        let host = bench.host;
        match self {
            Self::MakeDirectory { path, mode, owner } => {
                directory::perform(bench, path, *mode, owner.as_deref())
            }
            Self::WriteFile { path, mode, owner, content } => {
                file::perform(bench, path, *mode, owner.as_deref(), content)
            }
            Self::WriteLink { path, target } => host.write_link(path, target),
            Self::Move { from, to } => relocate::perform(bench, from, to),
            Self::Copy { from, to } => relocate::perform_copy(bench, from, to),
            Self::SetAccess { path, mode, owner, whole } => {
                access::perform(bench, path, *mode, owner.as_deref(), *whole)
            }
            Self::MakeUser { name, home } => user::perform(bench, name, home),
            Self::RemoveUser { name } => host.act("remove user", name, |s| s.remove_user(name)),
            Self::SetUnit { name, enabled, active } => {
                unit::perform(bench, name, *enabled, *active)
            }
            Self::PutObject { object } => object::perform_put(bench, object),
            Self::RemoveObject { key } => object::perform_remove(bench, key),
            Self::MergeDirectory { file } => merge::perform(bench, file),
            Self::Stamp => host.act("stamp addresses", "mailboxes", |s| s.stamp()),
            Self::StoreRegistry { registry, verb } => {
                store_registry::perform(bench, registry.as_deref(), verb)
            }
            Self::Tell { control, when } => control::perform(bench, control, *when),
            Self::MigrateIndex { program, arguments, saved } => {
                index::migrate(bench, program, arguments, saved)
            }
            Self::PutIndexBack { from, saved } => index::exchange(bench, from, saved),
            Self::Run { program, arguments, .. } => host
                .act("run", &program.display().to_string(), |s| s.run(program, arguments))
                .map(|_| ()),
            Self::SnapshotIndex { to } => {
                host.act("copy the index to", &to.display().to_string(), |s| s.snapshot_index(to))
            }
            Self::Bootstrap { organisation, domain, hostname } => {
                host.act("begin the directory of", organisation, |system| {
                    system.bootstrap(organisation, domain, hostname)
                })
            }
            Self::Learn => store_registry::learn(bench),
            Self::Renumber => host.act("renumber", "folders", |system| system.renumber()),
            Self::PurgeSetup => directory::purge_setup(bench),
            Self::Purge { path } => host.remove_tree(path),
            Self::PurgeIfEmpty { path } => directory::remove_if_empty(bench, path),
        }
    }

    /// Makes it as it was before.
    pub(crate) fn undo(&self, bench: &Bench<'_>, before: &Before) -> Result<()> {
        match self {
            Self::MakeDirectory { path, .. } => directory::undo(bench, path, before),
            Self::WriteFile { path, .. } => file::undo(bench, path, before),
            Self::WriteLink { path, .. } => link::undo(bench, path, before),
            Self::Move { from, to } => relocate::undo(bench, from, to, before),
            Self::Copy { to, .. } => relocate::undo_copy(bench, to, before),
            Self::SetAccess { path, .. } => access::undo(bench, path, before),
            Self::MakeUser { name, .. } => user::undo(bench, name, before),
            Self::SetUnit { name, .. } => unit::undo(bench, name, before),
            Self::PutObject { object } => object::undo(bench, &object.key(), before),
            Self::RemoveObject { key } => object::undo(bench, key, before),
            Self::MergeDirectory { .. } => merge::undo(bench, before),
            Self::StoreRegistry { verb, .. } => store_registry::undo(bench, before, verb),
            Self::Tell { control, when } => control::undo(bench, control, *when),
            Self::MigrateIndex { saved, .. } | Self::PutIndexBack { saved, .. } => {
                index::undo(bench, saved, before)
            }
            _ => Ok(()),
        }
    }

    /// What it does, for people.
    pub fn say(&self) -> String {
        match self {
            Self::MakeDirectory { path, .. } => format!("make directory {}", path.display()),
            Self::WriteFile { path, .. } => format!("write {}", path.display()),
            Self::WriteLink { path, target } => {
                format!("link {} to {}", path.display(), target.display())
            }
            Self::Move { from, to } => format!("move {} to {}", from.display(), to.display()),
            Self::Copy { from, to } => format!("copy {} to {}", from.display(), to.display()),
            Self::SetAccess { path, mode, owner, .. } => match owner {
                Some(owner) => format!("give {} to {owner}, mode {mode:o}", path.display()),
                None => format!("set the mode of {} to {mode:o}", path.display()),
            },
            Self::MakeUser { name, .. } => format!("make user {name}"),
            Self::RemoveUser { name } => format!("remove user {name}"),
            Self::SetUnit { name, enabled, active } => {
                let word = if *enabled { "enable" } else { "disable" };
                match active {
                    Some(true) => format!("{word} and start {name}"),
                    Some(false) => format!("{word} and stop {name}"),
                    None => format!("{word} {name}"),
                }
            }
            Self::PutObject { object } => {
                format!("put {} into the directory", name_of(&object.key()))
            }
            Self::RemoveObject { key } => format!("take {} out of the directory", name_of(key)),
            Self::MergeDirectory { .. } => "merge objects into the directory".to_owned(),
            Self::Stamp => "give mailboxes their missing addresses".to_owned(),
            Self::StoreRegistry { registry: Some(_), .. } => "store the registry".to_owned(),
            Self::StoreRegistry { registry: None, .. } => "remove the registry".to_owned(),
            Self::Tell { control, .. } => control.say(),
            Self::MigrateIndex { .. } => "migrate the index".to_owned(),
            Self::PutIndexBack { .. } => "put the index of the release before back".to_owned(),
            Self::Run { why, .. } => why.clone(),
            Self::SnapshotIndex { .. } => "copy the index for a rehearsal".to_owned(),
            Self::Bootstrap { organisation, .. } => {
                format!("begin the directory of organisation {organisation}")
            }
            Self::Learn => "note which store is here".to_owned(),
            Self::Renumber => "let mail programs read every folder anew".to_owned(),
            Self::PurgeSetup => "remove Setup's own directory".to_owned(),
            Self::Purge { path } => format!("remove {}", path.display()),
            Self::PurgeIfEmpty { path } => format!("remove {} if it is empty", path.display()),
        }
    }
}

fn name_of(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Connector(name) => format!("connector {name}"),
        ObjectKey::Generator(name) => format!("address generator {name}"),
    }
}
