//! Asking the running service.

use crate::commands::show;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_internet_mail::{ReportKind, ReportLine, ReportState, ReportsAnswer, ReportsRequest};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// For the answer. Sending asks the DNS for each domain, and the core for each
/// message.
const PATIENCE: Duration = Duration::from_secs(600);

/// Octets of the answer: some hundred for each of the most reports that wait.
const MAX_ANSWER: u64 = 16 << 20;

/// The service's answer.
pub(super) fn ask(context: &Context, request: ReportsRequest) -> Result<Vec<ReportLine>, Failure> {
    let socket = context.root()?.watch_socket();
    let talk = || -> std::io::Result<ReportsAnswer> {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{}\n", serde_json::to_string(&request)?).as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream.take(MAX_ANSWER)).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    };
    let answer = talk().map_err(|error| {
        let message = format!(
            "cannot ask the Internet Mail Service for reports: {error}; see whether it runs with \
             'concord service status'"
        );
        Failure::not_running("report.service", message)
    })?;
    match answer.error {
        Some(error) => Err(Failure::new("report.off", error)),
        None => Ok(answer.lines),
    }
}

/// Prints them.
pub(super) fn show(context: &Context, lines: &[ReportLine], nothing: &str) {
    if context.json {
        return print::json(&lines);
    }
    let row = |line: &ReportLine| {
        let kind = match line.kind {
            ReportKind::Dmarc => "DMARC",
            ReportKind::Tls => "TLS",
        };
        let state = match line.state {
            ReportState::Counting => "counting",
            ReportState::Waiting => "waiting",
            ReportState::Sent => "sent",
            ReportState::GivenUp => "given up",
        };
        vec![
            line.day.clone(),
            kind.to_owned(),
            show::said(&line.domain),
            line.count.to_string(),
            state.to_owned(),
            show::said(&line.detail),
        ]
    };
    let rows = lines.iter().map(row).collect();
    show::table(&["DAY", "KIND", "DOMAIN", "COUNT", "STATE", "DETAIL"], rows, nothing);
}
