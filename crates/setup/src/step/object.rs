//! Objects of the directory, and the way back.

use super::{Before, Bench, name_of};
use crate::error::Result;
use crate::host::{ObjectKey, ObjectState};

pub(super) fn look(bench: &Bench<'_>, key: &ObjectKey) -> Result<Before> {
    let directory = bench.host.system.directory()?;
    let found = directory.and_then(|directory| directory.object(key));
    Ok(found.map_or(Before::Absent, |object| Before::Object(Box::new(object))))
}

pub(super) fn perform_put(bench: &Bench<'_>, object: &ObjectState) -> Result<()> {
    let name = name_of(&object.key());
    bench.host.act("put into the directory", &name, |system| system.put_object(object))
}

pub(super) fn perform_remove(bench: &Bench<'_>, key: &ObjectKey) -> Result<()> {
    bench.host.act("take out of the directory", &name_of(key), |s| s.remove_object(key))
}

pub(super) fn undo(bench: &Bench<'_>, key: &ObjectKey, before: &Before) -> Result<()> {
    match before {
        Before::Absent => {
            // Without a store there is nothing to take it out of, and opening one
            // would make it. Whether the object is there is not asked: of a process
            // that was killed it may be in the log and not yet in the index.
            let there = bench.host.system.directory()?.is_some();
            if there { perform_remove(bench, key) } else { Ok(()) }
        }
        Before::Object(object) => perform_put(bench, object),
        _ => Ok(()),
    }
}
