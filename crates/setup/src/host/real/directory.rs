//! What directory and store say: asked of the core if it runs, else read from
//! the index without touching it.

use super::{RealSystem, offline, online};
use crate::error::Result;
use crate::host::DirectoryState;

pub(super) fn state(system: &RealSystem) -> Result<Option<DirectoryState>> {
    if let Some(mut state) = online::state(system)? {
        let (lineage, schema) = offline::marks(system)?;
        state.lineage = lineage;
        state.schema = schema;
        state.lost_end = offline::lost_end(system)?;
        return Ok(Some(state));
    }
    offline::state(system)
}
