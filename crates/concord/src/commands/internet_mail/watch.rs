//! `concord internet-mail watch`

use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_internet_mail::{Seen, Wanted};
use concord_settings::Root;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// Watch SMTP conversations while they happen, both ways, until Ctrl-C
///
/// '<' is what the other side says, '>' what we say. Passwords and contents of messages are not
/// shown. Nothing is kept: what was said before is in the logs, and in 'concord trace'.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only with a host whose address or name has this in it
    #[arg(long, value_name = "HOST")]
    peer: Option<String>,
    /// Only about mail of or to this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    lines: Option<usize>,
}

/// What the service writes: its welcome is neither.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Seen(Seen),
    Lost { lost: u64 },
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        runtime()?.block_on(self.watch(&root, context))
    }
}

impl Args {
    async fn watch(&self, root: &Root, context: &Context) -> Result<(), Failure> {
        let wanted = Wanted { peer: self.peer.clone(), domain: self.domain.clone() };
        let failed = |error: std::io::Error| {
            let socket = root.watch_socket();
            Failure::not_running(
                "cli.watch",
                format!(
                    "cannot watch by {}: {error}; see whether internet-mail runs ('concord \
                     service list')",
                    socket.display()
                ),
            )
        };
        let stream = UnixStream::connect(root.watch_socket()).await.map_err(failed)?;
        let (reader, mut writer) = stream.into_split();
        let mut question = serde_json::to_string(&wanted)
            .map_err(|error| failed(std::io::Error::other(error)))?;
        question.push('\n');
        writer.write_all(question.as_bytes()).await.map_err(failed)?;
        let mut lines = BufReader::new(reader).lines();
        let mut left = self.lines;
        let mut welcomed = false;
        while left != Some(0) {
            let line = tokio::select! {
                line = lines.next_line() => line.map_err(failed)?,
                _ = tokio::signal::ctrl_c() => return Ok(()),
            };
            let Some(line) = line else {
                // A service that restarts has no more to say here.
                let end = std::io::Error::other("the service has ended");
                return Err(failed(end));
            };
            if !welcomed {
                welcomed = true;
                if !context.json {
                    eprintln!("watching; Ctrl-C ends it");
                }
                continue;
            }
            if tell(&line, context)
                && let Some(left) = &mut left
            {
                *left = left.saturating_sub(1);
            }
        }
        Ok(())
    }
}

/// Prints a line; whether it was one of a conversation.
fn tell(line: &str, context: &Context) -> bool {
    match serde_json::from_str(line) {
        Ok(Line::Seen(_)) if context.json => {
            print::line(line);
            true
        }
        Ok(Line::Seen(seen)) => {
            print::line(as_text(&seen));
            true
        }
        Ok(Line::Lost { lost }) => {
            eprintln!("{lost} lines were too many and are not shown; narrow it by --peer or --domain");
            false
        }
        Err(_) => false,
    }
}

/// `09:30:12.345 in  #12 192.0.2.7 < MAIL FROM:<a@b.test>`
fn as_text(seen: &Seen) -> String {
    let at = jiff::Timestamp::from_millisecond(seen.at).unwrap_or_default();
    let way = if seen.way == "sent" { '>' } else { '<' };
    format!(
        "{} {:<3} #{} {} {way} {}",
        at.strftime("%H:%M:%S%.3f"),
        seen.side,
        seen.conversation,
        show::said(&seen.peer),
        show::said(&seen.line)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_who_and_what() {
        let seen = Seen {
            at: 1_790_000_000_123,
            side: "in".into(),
            conversation: 7,
            peer: "192.0.2.7".into(),
            way: "received".into(),
            line: "EHLO x\u{1b}".into(),
        };
        assert_eq!(as_text(&seen), "14:13:20.123 in  #7 192.0.2.7 < EHLO x\u{fffd}");
    }
}
