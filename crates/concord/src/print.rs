//! Results on stdout. A reader that went away (`| head`) is no error.

use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Writes a line.
pub fn line(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Writes a text as it is.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Writes a value as JSON.
pub fn json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(text),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "concord: cannot print the result: {error}");
        }
    }
}

/// Writes rows in columns as wide as their widest entry, two spaces apart.
/// The first row is the heading.
pub fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|text| text.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<_> =
            row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        line(cells.join("  ").trim_end());
    }
}

/// Columns of a terminal, not characters: Chinese ones take two.
fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_wide_as_they_look() {
        assert_eq!(padded("Müller", 8), "Müller  ");
        assert_eq!(padded("山田太郎", 10), "山田太郎  ");
        assert_eq!(padded("longer", 2), "longer");
    }
}
