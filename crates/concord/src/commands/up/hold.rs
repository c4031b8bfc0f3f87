//! What to do about a hold that is there when the controller starts.

use crate::failure::Failure;
use crate::services;
use concord_controller::HOLD_VARIABLE;
use concord_settings::Root;
use std::time::Duration;

/// Between looks for the hold's end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// There is none.
    None,
    /// The caller wants it: services wait until the file is gone.
    Goes,
    /// It was left by an update whose controller died; it is removed.
    Removed,
}

/// A hold counts only if the caller asks for it with `CONCORD_HOLD` in the
/// environment. Otherwise whoever made the file is gone, and nobody would ever
/// remove it.
pub fn at_start(root: &Root) -> Result<Hold, Failure> {
    let file = services::hold_file(root);
    if !file.exists() {
        return Ok(Hold::None);
    }
    if std::env::var_os(HOLD_VARIABLE).is_some_and(|value| !value.is_empty()) {
        return Ok(Hold::Goes);
    }
    std::fs::remove_file(&file).map_err(|e| {
        let file = file.display();
        Failure::new("up.hold", format!("cannot remove {file}: {e}; remove it by hand"))
    })?;
    Ok(Hold::Removed)
}

/// Waits until there is no hold; a held core takes no changes.
pub async fn over(root: &Root) {
    let file = services::hold_file(root);
    while file.exists() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Hold {
    /// For programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Goes => "goes",
            Self::Removed => "removed",
        }
    }

    /// For people; nothing if there is none.
    pub fn text(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Goes => Some("held: services start, but move no mail until run/hold is gone"),
            Self::Removed => {
                Some("removed a hold that an update left behind; services move mail as usual")
            }
        }
    }
}
