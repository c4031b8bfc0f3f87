//! `concord ovvm replay`

use super::trace::Shown;
use super::{Orders, Which};
use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_nje::read_capture_lines;
use concord_ovvm::operator::{
    REPLAY, REPLAY_PART, Replay, ReplayNumber, ReplayPart, Replayed, ReplayedFile,
};
use std::path::{Path, PathBuf};

/// Octets of a capture in one request: below what the API takes (1 MiB), with the
/// line ends that JSON makes longer.
const PART: usize = 512 << 10;

/// Take the partner's files in a capture in, as if they came now
///
/// A file that was taken before is known again and not delivered twice, unless --force says so.
/// The partner is not spoken to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What 'concord ovvm capture' wrote
    file: PathBuf,
    /// The partner whose files are taken
    #[arg(long, value_name = "NODE")]
    link: String,
    /// Deliver files again that were taken before
    #[arg(long)]
    force: bool,
    /// Only print what is in the capture; Concord need not run
    #[arg(long, conflicts_with = "force")]
    show: bool,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let text = read(&self.file)?;
        let lines = read_capture_lines(&text)?;
        if self.show {
            Shown::new(&self.link, context.json).lines(&lines);
            return Ok(());
        }
        runtime()?.block_on(self.replay(&text, context))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            "ovvm.capture-file",
            format!("cannot read {}: {error}; see that it is there and yours to read", file.display()),
        )
    })
}

impl Args {
    async fn replay(self, text: &str, context: &Context) -> Result<(), Failure> {
        let orders = self.which.find(context).await?;
        let replay = bring(&orders, text).await?;
        let replay = Replay { replay, link: self.link, force: self.force };
        let replayed: Replayed = orders.give(REPLAY, &replay).await?;
        if context.json {
            print::json(&replayed);
        } else {
            let heading = ["FILE", "FROM", "RECORDS", "OUTCOME", "WHY"];
            let rows = replayed.files.iter().map(row).collect();
            show::table(&heading, rows, "there is no file of the partner in the capture");
        }
        let refused = replayed.files.iter().filter(|file| file.outcome == "refused").count();
        if refused == 0 {
            return Ok(());
        }
        Err(Failure::new(
            "ovvm.replay-refused",
            format!("{refused} of {} files were not taken; mend the reason and replay again", replayed.files.len()),
        ))
    }
}

/// Brings a capture to the connector, in parts; its number there.
async fn bring(orders: &Orders, text: &str) -> Result<u64, Failure> {
    let mut part = ReplayPart::default();
    let mut replay = None;
    for line in text.split_inclusive('\n') {
        if part.text.len().saturating_add(line.len()) > PART && !part.text.is_empty() {
            let sent = ReplayPart { replay, text: std::mem::take(&mut part.text) };
            let number: ReplayNumber = orders.give(REPLAY_PART, &sent).await?;
            replay = Some(number.replay);
        }
        part.text.push_str(line);
    }
    part.replay = replay;
    let number: ReplayNumber = orders.give(REPLAY_PART, &part).await?;
    Ok(number.replay)
}

fn row(file: &ReplayedFile) -> Vec<String> {
    vec![
        show::said(&file.job),
        show::said(&file.from),
        file.records.to_string(),
        file.outcome.clone(),
        show::said(file.why.as_deref().unwrap_or("-")),
    ]
}
