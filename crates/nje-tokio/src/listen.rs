//! Reads the control record of a connection that somebody opened.

use crate::node::Connection;
use concord_nje::limits::TTC_LENGTH;
use concord_nje::{Ttc, TtcKind};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a connection may take to send its OPEN: as long as a link may take to
/// become active.
const OPEN_TIME: Duration = Duration::from_secs(15);
/// How long a refusal may take to be written.
const REFUSE_TIME: Duration = Duration::from_secs(5);

/// The OPEN of a connection; `None` if it sends something else, or nothing.
pub(crate) async fn read_open(connection: &mut Connection) -> Option<Ttc> {
    let mut octets = [0; TTC_LENGTH];
    let read = tokio::time::timeout(OPEN_TIME, connection.read_exact(&mut octets)).await;
    read.ok()?.ok()?;
    Ttc::parse(&octets).ok().filter(|ttc| ttc.kind == TtcKind::Open)
}

/// Sends a NAK and closes.
pub(crate) fn refuse(mut connection: Connection, nak: Vec<u8>) {
    tokio::spawn(async move {
        let refusal = async {
            connection.write_all(&nak).await?;
            connection.shutdown().await
        };
        // A peer that is gone misses its refusal.
        let _ = tokio::time::timeout(REFUSE_TIME, refusal).await;
    });
}
