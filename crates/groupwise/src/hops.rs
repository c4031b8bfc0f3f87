//! Counting how often a message has passed, beyond GroupWise.
//!
//! The core ends loops by counting `Received` lines, and an item has no room for
//! them. So their number goes with the sender's token, which GroupWise hands
//! back as it came; an item of ours that comes back brings it along.

use concord_groupwise_api::model::Address;
use concord_message::HeaderScan;

const PREFIX: &str = "concord-hops-";
/// Lines written at most; the core's bound is below it.
const MAX_LINES: u32 = 200;

/// The token for a message's sender.
pub(crate) fn token(message: &[u8]) -> String {
    format!("{PREFIX}{}", HeaderScan::scan(message).received)
}

/// How often an item had passed before; none if nothing is said.
pub(crate) fn before(from: Option<&Address>) -> Option<u32> {
    let count = from?.token.strip_prefix(PREFIX)?.parse::<u32>().ok()?;
    Some(count.min(MAX_LINES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_goes_with_the_token() {
        let mut sender = Address::new("EXCHANGE", "US", "ann");
        assert_eq!(before(Some(&sender)), None);
        sender.token = token(b"Received: a\r\nReceived: b\r\nSubject: x\r\n\r\n");
        assert_eq!(before(Some(&sender)), Some(2));
        sender.token = "concord-hops-4000000000".into();
        assert_eq!(before(Some(&sender)), Some(MAX_LINES));
    }
}
