//! `concord ovvm trace`

use super::Which;
use super::live::{self, Until};
use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_nje::{CaptureLine, Direction, Tracer, read_capture_lines};
use serde::Serialize;

/// Watch a link, decoded, while it works, until Ctrl-C
///
/// '<' is what the partner says, '>' what we say, with the seconds since the connection or the
/// trace began. Passwords are not shown, of records only a beginning is. A link that is up is
/// shown from its next block on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The partner's node
    link: String,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    lines: Option<usize>,
    #[command(flatten)]
    until: Until,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut shown = Shown { left: self.lines, ..Shown::new(&self.link, context.json) };
        runtime()?.block_on(live::run(&self.which, &self.link, &self.until, context, |part| {
            if part.lost > 0 {
                eprintln!("{} pieces were too many and are lost", part.lost);
                shown.tracer = None;
            }
            shown.lines(&read_capture_lines(&part.lines.concat())?);
            Ok(shown.left != Some(0))
        }))
    }
}

/// Prints lines of a capture as what they mean.
pub struct Shown {
    partner: String,
    json: bool,
    /// The node that opened the connection is the partner.
    opened_by_partner: bool,
    /// None: it must begin anew before anything can be read.
    tracer: Option<Tracer>,
    left: Option<usize>,
}

#[derive(Serialize)]
struct Line<'a> {
    millis: u64,
    way: &'a str,
    line: &'a str,
}

impl Shown {
    pub fn new(partner: &str, json: bool) -> Self {
        let tracer = Some(Tracer::new());
        Self { partner: partner.to_owned(), json, opened_by_partner: false, tracer, left: None }
    }

    pub fn lines(&mut self, lines: &[CaptureLine]) {
        for line in lines {
            match line {
                CaptureLine::Begin { opener, listener, under_way } => {
                    self.opened_by_partner = opener.to_string().eq_ignore_ascii_case(&self.partner);
                    self.tracer =
                        Some(if *under_way { Tracer::under_way() } else { Tracer::new() });
                    let how = if *under_way { "is under way, opened by" } else { "is opened by" };
                    self.print(0, "-", &format!("the link {how} {opener} to {listener}"));
                }
                CaptureLine::End => self.print(0, "-", "the link is closed"),
                CaptureLine::Piece(piece) => {
                    let by_opener = piece.direction == Direction::FromOpener;
                    let way = if by_opener == self.opened_by_partner { "<" } else { ">" };
                    let Some(tracer) = &mut self.tracer else { continue };
                    for line in tracer.lines(piece.direction, &piece.octets) {
                        self.print(piece.millis, way, &line);
                    }
                }
            }
        }
    }

    fn print(&mut self, millis: u64, way: &str, line: &str) {
        match &mut self.left {
            Some(0) => return,
            Some(left) => *left = left.saturating_sub(1),
            None => {}
        }
        if self.json {
            // One object for each line: it is a stream.
            let line = Line { millis, way, line };
            print::line(serde_json::to_string(&line).unwrap_or_default());
        } else {
            let (seconds, rest) = (millis / 1000, millis % 1000);
            print::line(format!("{seconds:>4}.{rest:03} {way} {}", show::said(line)));
        }
    }
}
