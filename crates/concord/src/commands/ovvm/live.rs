//! What goes over a link, piece by piece while it goes.

use super::{Orders, Which};
use crate::context::Context;
use crate::failure::Failure;
use concord_ovvm::operator::{
    TRACE, TRACE_BEGIN, TRACE_END, TracePart, TraceQuery, WhichLink,
};
use std::time::Duration;

/// When it ends, beside Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Until {
    /// End after so long
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// Shows `each` part until the time is over, somebody says Ctrl-C, or `each` has
/// enough (false).
pub async fn run(
    which: &Which,
    link: &str,
    until: &Until,
    context: &Context,
    mut each: impl FnMut(&TracePart) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let orders = which.find(context).await?;
    let begun: TracePart = orders.give(TRACE_BEGIN, &WhichLink { link: link.to_owned() }).await?;
    if !context.json {
        eprintln!("watching the link to {link}; Ctrl-C ends it");
    }
    let over = async {
        match until.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let followed = tokio::select! {
        followed = follow(&orders, begun.trace, &mut each) => followed,
        () = over => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    let end = TraceQuery { trace: begun.trace, from: 0 };
    // It ends by itself when nobody asks for it.
    let _: Result<bool, Failure> = orders.give(TRACE_END, &end).await;
    followed
}

async fn follow(
    orders: &Orders,
    trace: u64,
    each: &mut impl FnMut(&TracePart) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut from = 0;
    loop {
        let part: TracePart = orders.ask(TRACE, &TraceQuery { trace, from }).await?;
        from = part.next;
        if !each(&part)? {
            return Ok(());
        }
    }
}
