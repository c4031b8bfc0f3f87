//! The TXT record below `_mta-sts` (RFC 8461 section 3.1).

use crate::limits::MAX_ID;

/// What a domain's TXT records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StsRecord {
    /// The policy has this id.
    Id(String),
    /// There is no record, or not exactly one: the domain has no MTA-STS.
    Absent,
    /// The DNS gave no answer.
    Unanswered,
}

/// Reads all TXT records of `_mta-sts.` a domain, each with its strings joined.
/// Records of other kinds do not count; exactly one must be left.
pub fn read_record<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> StsRecord {
    let mut records = texts.into_iter().filter_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let first = text.split(';').next().unwrap_or_default();
        (first.trim_end_matches([' ', '\t']) == "v=STSv1").then_some(text)
    });
    match (records.next(), records.next()) {
        (Some(text), None) => id(text).map_or(StsRecord::Absent, StsRecord::Id),
        _ => StsRecord::Absent,
    }
}

/// `sts-id`: 1 to 32 letters and digits. Of two ids the first counts, as with
/// policies.
fn id(text: &str) -> Option<String> {
    let fields = text.split(';').skip(1).map(|field| field.trim_matches([' ', '\t']));
    let id = fields.filter_map(|field| field.split_once('=')).find(|(name, _)| *name == "id")?.1;
    let well_formed =
        (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric());
    well_formed.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_record_with_an_id_counts() {
        let read = |texts: &[&str]| read_record(texts.iter().map(|t| t.as_bytes()));
        let id = |id: &str| StsRecord::Id(id.to_owned());
        assert_eq!(read(&["v=STSv1; id=20160831085700Z;"]), id("20160831085700Z"));
        assert_eq!(read(&["v=STSv1;id=1"]), id("1"));
        assert_eq!(read(&["v=STSv1 ; more=x; id=a1 ;"]), id("a1"));
        assert_eq!(read(&["v=spf1 -all", "v=STSv1; id=1"]), id("1"));
        for wrong in [
            &[][..],
            &["v=STSv1; id=1", "v=STSv1; id=2"],
            &["v=STSv10; id=1"],
            &["id=1; v=STSv1"],
            &["v=STSv1; id="],
            &["v=STSv1; id=a-b"],
            &["v=STSv1; id=123456789012345678901234567890123"],
            &["v=STSv1"],
        ] {
            assert_eq!(read(wrong), StsRecord::Absent, "{wrong:?}");
        }
        assert_eq!(read_record([&[0xff, b'v'][..]]), StsRecord::Absent);
    }
}
