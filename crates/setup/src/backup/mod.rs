//! Backups.

use crate::layout::Layout;
use concord_base::Timestamp;

/// When the last backup was made here, if ever.
pub fn last(layout: &Layout) -> Option<Timestamp> {
    let text = std::fs::read_to_string(layout.setup().join("last-backup")).ok()?;
    text.trim().parse().ok().map(Timestamp)
}
