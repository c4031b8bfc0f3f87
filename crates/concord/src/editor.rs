//! The administrator's editor.

use crate::failure::Failure;
use std::path::Path;
use std::process::Command;

/// Lets a copy be edited with $VISUAL, $EDITOR or vi, until the editor ends.
///
/// # Errors
/// It did not end well; the copy stays, and the message names it.
pub fn edit(copy: &Path) -> Result<(), Failure> {
    let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR"));
    let editor = editor.unwrap_or_else(|_| "vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi").to_owned();
    let done = Command::new(&program).args(words).arg(copy).status();
    if done.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::new(
        "cli.edit",
        format!(
            "cannot go on: '{program}' did not end well; nothing was changed, the copy is {}",
            copy.display()
        ),
    ))
}
