//! The questions of `concord setup install` at a terminal.

use super::install::Choices;
use crate::failure::Failure;
use std::io::{BufRead, Write};

/// Asks for what neither flags nor answers said.
pub fn ask(choices: &mut Choices) -> Result<(), Failure> {
    eprintln!("Concord is set up in a few questions; Enter takes what stands in brackets.\n");
    if choices.hostname.is_none() {
        let machine = crate::setup::machine_name();
        choices.hostname = Some(question("Host name that the services say", &machine)?);
    }
    if choices.organisation.is_none() {
        choices.organisation = Some(question("Organisation", "Example")?);
    }
    if choices.domain.is_none() {
        let host = choices.hostname.clone().unwrap_or_default();
        let parent = host.split_once('.').map_or("example.test", |(_, parent)| parent);
        choices.domain = Some(question("Mail domain", parent)?);
    }
    Ok(())
}

/// Asks for one value; Enter takes the default.
pub(super) fn question(what: &str, default: &str) -> Result<String, Failure> {
    let failed = |e: std::io::Error| {
        Failure::new("cli.wizard", format!("cannot ask: {e}; give flags, or --answers"))
    };
    eprint!("{what} [{default}]: ");
    std::io::stderr().flush().map_err(failed)?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    if read == 0 {
        return Err(Failure::new("cli.wizard", "cannot go on: stdin ended; nothing was changed"));
    }
    let answer = line.trim();
    Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
}
