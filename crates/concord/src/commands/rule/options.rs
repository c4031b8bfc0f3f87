//! What a rule is made of, as options.

/// Conditions and exceptions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Conditions")]
pub struct Conditions {
    /// What a message must be like (may be given several times): from=, sender=, to=, cc= with
    /// addresses or @DOMAIN; to-me, cc-me, not-named; subject=, header:NAME= with words;
    /// importance=high|normal|low; sensitivity=personal|private|confidential|normal; larger=SIZE;
    /// attachment; report; automatic; from-list. '|' stands between alternatives
    #[arg(long, value_name = "CONDITION")]
    pub when: Vec<String>,
    /// An exception, a condition of which none may hold (may be given several times)
    #[arg(long, value_name = "CONDITION")]
    pub unless: Vec<String>,
}
