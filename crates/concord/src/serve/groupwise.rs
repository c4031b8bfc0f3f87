//! A GroupWise connector's entry point: its name, settings and sockets, handed
//! to `concord-groupwise`.

use super::connector::{config, failure};
use super::{Served, serve};
use crate::failure::Failure;
use concord_base::SystemClock;
use concord_groupwise as groupwise;
use concord_settings::Root;
use std::sync::Arc;

/// Runs the connector until it is asked to stop.
pub fn main(root: Root) -> Result<(), Failure> {
    serve(root, run)
}

async fn run(mut served: Served) -> Result<(), Failure> {
    let config = config(&served)?;
    let listener = served.sockets.unix("deliver").pop();
    let stop = served.stop.clone();
    let clock = Arc::new(SystemClock);
    groupwise::run(config, listener, stop, clock, || served.ready()).await.map_err(failure)
}
