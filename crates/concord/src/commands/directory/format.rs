//! What a file of recipients is.

use std::path::Path;

/// What a file of recipients is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A table in the original's form
    Csv,
    /// LDAP's own (RFC 2849)
    Ldif,
}

/// Endings of LDIF files.
const LDIF: [&str; 2] = ["ldif", "ldf"];

impl Format {
    /// What was said, else what a file's name ends with.
    pub fn of(said: Option<Self>, file: Option<&Path>) -> Self {
        let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str());
        let is_ldif = |ending: &str| LDIF.iter().any(|known| ending.eq_ignore_ascii_case(known));
        said.unwrap_or(if ending.is_some_and(is_ldif) { Self::Ldif } else { Self::Csv })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_counts_then_the_ending_then_it_is_a_table() {
        let of = |said, file| Format::of(said, Some(Path::new(file)));
        assert_eq!(of(None, "a.LDIF"), Format::Ldif);
        assert_eq!(of(None, "a.ldif.csv"), Format::Csv);
        assert_eq!(of(None, "-"), Format::Csv);
        assert_eq!(of(Some(Format::Csv), "a.ldif"), Format::Csv);
        assert_eq!(Format::of(None, None), Format::Csv);
    }
}
