//! What a host wants an acknowledgement to say, carried in the envelope id (RFC
//! 3461 ENVID) of its message: so it comes back with the delivery report, and
//! nobody has to remember it.

use concord_cms_mail::CmsName;
use concord_cms_mail::netdata::FileName;
use jiff::Timestamp;
use std::fmt::Write as _;

/// How such an id begins.
const PREFIX: &str = "vmack";
/// RFC 3461 section 4.4: characters of an id.
const MAX_ID: usize = 100;

/// What an acknowledgement brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The file's INMFTIME.
    pub sent: Option<Timestamp>,
    /// What the file was.
    pub subject: FileName,
    /// What INMFACK was.
    pub echo: Vec<u8>,
}

impl Asked {
    /// As an envelope id; none if it is too long for one.
    pub fn to_id(&self) -> Option<String> {
        let sent = self.sent.map(|sent| sent.as_microsecond().to_string()).unwrap_or_default();
        let name = match &self.subject {
            FileName::Note => "*".to_owned(),
            FileName::Cms(cms) => format!("{}.{}", cms.name(), cms.kind()),
            FileName::DataSet(_) => String::new(),
        };
        let mut id = format!("{PREFIX}:{sent}:{name}:");
        for octet in &self.echo {
            // Writing to a string does not fail.
            let _ = write!(id, "{octet:02x}");
        }
        (id.len() <= MAX_ID && id.bytes().all(|octet| octet.is_ascii_graphic())).then_some(id)
    }

    /// Reads an envelope id; none if it is another's.
    pub fn from_id(id: &str) -> Option<Self> {
        let mut parts = id.splitn(4, ':');
        if parts.next()? != PREFIX {
            return None;
        }
        let sent = parts.next()?.parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok());
        let subject = match parts.next()? {
            "*" => FileName::Note,
            name => match name.split_once('.').and_then(|(name, kind)| CmsName::new(name, kind)) {
                Some(cms) => FileName::Cms(cms),
                None => FileName::DataSet(Vec::new()),
            },
        };
        let digits = parts.next()?;
        let echo = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>()?;
        Some(Self { sent, subject, echo })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_asked_comes_back_from_an_envelope_id() {
        let names = [FileName::Note, FileName::Cms(CmsName::new("A$B", "LISTING").unwrap())];
        for subject in names {
            for sent in [None, Timestamp::from_microsecond(1_795_253_969_575_936).ok()] {
                let asked = Asked { sent, subject: subject.clone(), echo: vec![0xc1, 0, 0xff] };
                assert_eq!(Asked::from_id(&asked.to_id().unwrap()), Some(asked));
            }
        }
        let long = Asked { sent: None, subject: FileName::Note, echo: vec![0; 60] };
        assert_eq!(long.to_id(), None);
        for other in ["", "Q000012F", "vmack", "vmack:1", "vmack::*:zz"] {
            assert_eq!(Asked::from_id(other), None, "{other}");
        }
    }
}
