//! Tables in Markdown, on the screen and in a file.

use concord_testkit::Result;
use std::fmt::Write;
use std::path::Path;

/// A growing text that is printed as it grows.
#[derive(Default)]
pub struct Report(String);

impl Report {
    /// A line of prose or a heading.
    pub fn line(&mut self, text: &str) {
        println!("{text}");
        let _ = writeln!(self.0, "{text}");
    }

    /// A table's head.
    pub fn head(&mut self, columns: &[&str]) {
        self.line("");
        self.line(&format!("| {} |", columns.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(columns.len())));
    }

    /// A table's row.
    pub fn row(&mut self, cells: &[String]) {
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    /// Writes it to a file, if one was named.
    pub fn write(&self, file: Option<&Path>) -> Result<()> {
        if let Some(file) = file {
            std::fs::write(file, &self.0)?;
        }
        Ok(())
    }
}
