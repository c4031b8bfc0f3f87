//! Figures for the manual: `cargo xtask bench sync`.

use crate::machine::Machine;
use concord_admin_api::wire::SyncCounts;
use serde_json::json;

/// Resident memory of this process in MiB, as Linux counts it: `VmRSS` now,
/// `VmHWM` at most since [`forget_peak`].
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

/// The peak begins anew (`man 5 proc`, clear_refs).
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn ten_thousand_each_way() {
    let (machine, foreign) = Machine::with_groupwise().await;
    foreign.users(10_000);
    machine.mailboxes(10_000).await;
    println!("\n| run | ms | changes here | changes there | MiB before | peak MiB |");
    println!("|---|---|---|---|---|---|");
    for (what, options) in [
        ("first import of 10,000", json!({ "import": true })),
        ("first export of 10,000", json!({ "export": true })),
        ("second import, what has changed", json!({ "import": true })),
        ("second export, what has changed", json!({ "export": true })),
        ("second import, in full", json!({ "import": true, "full": true })),
        ("second export, in full", json!({ "export": true, "full": true })),
    ] {
        forget_peak();
        let before = memory("VmRSS:");
        let run = machine.sync("gw", options).await;
        let changes = |counts: &Option<SyncCounts>| counts.as_ref().map_or(0, SyncCounts::changes);
        println!(
            "| {what} | {} | {} | {} | {before} | {} |",
            run.milliseconds,
            changes(&run.import),
            changes(&run.export),
            memory("VmHWM:")
        );
    }
    println!();
}
