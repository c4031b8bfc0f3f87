//! Shows what a header file says:
//! `cargo run -p concord-groupwise-api --example read_header -- API_OUT/1.API [437|850|1252]`.

use concord_groupwise_api::{Characters, CodePage, Reading, read};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: read_header FILE [437|850|1252]");
        return ExitCode::from(64);
    };
    let page = match arguments.next().as_deref() {
        Some("850") => CodePage::Cp850,
        Some("1252") => CodePage::Windows1252,
        _ => CodePage::Cp437,
    };
    let file = match std::fs::read(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("cannot read {path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match read(&file, Characters::new(page)) {
        Reading::Complete(header) => {
            println!("{:#?}", header.message);
            for notice in &header.notices {
                println!("notice: {notice}");
            }
            for complaint in &header.diagnostics {
                println!("the gateway says: {}", complaint.text);
            }
            ExitCode::SUCCESS
        }
        Reading::NotReady(why) => {
            eprintln!("{path} is still being written: {why}");
            ExitCode::from(75)
        }
        Reading::Bad(defect) => {
            eprintln!("{path}: {defect}");
            ExitCode::from(65)
        }
    }
}
