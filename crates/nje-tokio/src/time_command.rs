//! The question for the time, by which nodes look after their links.

use concord_base::Timestamp;
use jiff::tz::TimeZone;

/// What RSCS and FUNET-NJE ask each minute on an idle link.
pub(crate) const QUESTION: &str = "CPQ TIME";

/// The answer in FUNET-NJE's words, for example
/// `CPQ: TIME IS 06:50:20 UTC Saturday 11/21/26`.
pub(crate) fn answer(now: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let moment = moment.to_zoned(TimeZone::UTC);
    format!("CPQ: TIME IS {}", moment.strftime("%H:%M:%S UTC %A %m/%d/%y"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_reads_as_funet_writes_it() {
        let answered = answer(Timestamp::from_seconds(1_795_243_820));
        assert_eq!(answered, "CPQ: TIME IS 06:50:20 UTC Saturday 11/21/26");
    }
}
