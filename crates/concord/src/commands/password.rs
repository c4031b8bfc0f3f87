//! Passwords: from a prompt, or from stdin; never from an argument, where
//! everybody on the machine could read it.

use crate::failure::Failure;
use std::io::{BufRead, IsTerminal, Read};

/// Octets of a line with a password; longer ones are refused anyway.
const MAX_LINE: u64 = 4_096;

/// Where the password comes from.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Source {
    /// Read the password from the first line of stdin
    #[arg(long)]
    pub password_stdin: bool,
}

impl Source {
    /// The password, asked for twice at a prompt.
    pub fn read(self) -> Result<String, Failure> {
        if self.password_stdin {
            return from_stdin();
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(
                "cli.password-source",
                "cannot ask for a password: stdin is no terminal; give it with --password-stdin",
            ));
        }
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map_err(unread);
        let password = ask("Password: ")?;
        if password.is_empty() {
            return Err(Failure::new(
                "cli.password-empty",
                "cannot use an empty password; give one",
            ));
        }
        if ask("Again: ")? != password {
            return Err(Failure::new(
                "cli.password-differs",
                "cannot use the password: the two entries differ; try again",
            ));
        }
        Ok(password)
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().take(MAX_LINE).read_line(&mut line).map_err(unread)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new(
            "cli.password-empty",
            "cannot use an empty password: stdin has no line, or an empty one; write the \
             password there",
        ));
    }
    Ok(password.to_owned())
}

fn unread(cause: std::io::Error) -> Failure {
    Failure::new(
        "cli.password-unread",
        format!("cannot read the password: {cause}; give it with --password-stdin"),
    )
}

/// Asks for a yes to something that cannot be undone.
pub fn confirm(what: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "cli.not-confirmed",
            format!("cannot {what} without a yes; if you mean it, add --yes"),
        ));
    }
    eprint_question(&format!("{what}? This cannot be undone. Type yes: "));
    let mut line = String::new();
    std::io::stdin().lock().take(MAX_LINE).read_line(&mut line).map_err(unread)?;
    if line.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Failure::new(
        "cli.not-confirmed",
        "not done, because it was not confirmed; type yes, or add --yes",
    ))
}

fn eprint_question(text: &str) {
    use std::io::Write;
    let mut out = std::io::stderr().lock();
    // A terminal that cannot be written to cannot be asked either.
    let _ = write!(out, "{text}");
    let _ = out.flush();
}
