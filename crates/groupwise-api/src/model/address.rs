//! A GroupWise address: domain, post office, object.

use std::fmt;

/// Who sends or receives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    /// `WPD`. Blanks are legal inside every part (Q199302).
    pub domain: String,
    /// `WPPO`.
    pub post_office: String,
    /// `WPU`, the user's or resource's name. It may have dots, even two in a
    /// row, and quotes (`"user@example.org"` behind an SMTP gateway, Q197723).
    pub object: String,
    /// `WPPONUM`, a number GroupWise adds.
    pub post_office_number: String,
    /// `WPUNUM`, likewise.
    pub object_number: String,
    /// `CDBA`: a token to be handed back as it came. It often looks like an
    /// address; no part may be taken from it, since objects have dots.
    pub token: String,
    /// `FUA`, the address in the foreign system, `user@example.org`.
    pub foreign: String,
    /// `FN` and `G`.
    pub given_name: String,
    /// `LN` and `S`.
    pub surname: String,
    /// `Dept`.
    pub department: String,
    /// `TTL`.
    pub title: String,
    /// `TEL`.
    pub telephone: String,
    /// `FAX`.
    pub fax: String,
}

impl Address {
    /// An address of three parts and nothing else.
    pub fn new(
        domain: impl Into<String>,
        post_office: impl Into<String>,
        object: impl Into<String>,
    ) -> Self {
        Self {
            domain: domain.into(),
            post_office: post_office.into(),
            object: object.into(),
            ..Self::default()
        }
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it names one object.
    pub fn is_complete(&self) -> bool {
        !(self.domain.is_empty() || self.post_office.is_empty() || self.object.is_empty())
    }

    /// Given name and surname; empty if there is neither.
    pub fn display_name(&self) -> String {
        let names = [self.given_name.as_str(), self.surname.as_str()];
        names.into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Reads the dotted form, `DOMAIN.POSTOFFICE.OBJECT` or
    /// `DOMAIN.GATEWAY("user@example.org")`. Only the first two dots part; a
    /// text with fewer is an object, of the post office in front of it.
    pub fn from_dotted(text: &str) -> Self {
        if let Some((gateway, inner)) = text.split_once('(')
            && let Some(inner) = inner.strip_suffix(')')
        {
            let (domain, post_office) = gateway.split_once('.').unwrap_or(("", gateway));
            return Self::new(domain.trim(), post_office.trim(), inner.trim());
        }
        let mut parts = text.splitn(3, '.').map(str::trim);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(domain), Some(post_office), Some(object)) => {
                Self::new(domain, post_office, object)
            }
            (Some(post_office), Some(object), None) => Self::new("", post_office, object),
            (Some(object), None, _) => Self::new("", "", object),
            _ => Self::default(),
        }
    }
}

/// The dotted form.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.domain, self.post_office, self.object)
    }
}
