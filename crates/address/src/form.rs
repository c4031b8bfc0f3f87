//! The forms of foreign addresses: what each mail system's addresses consist of.

use std::fmt;

/// Characters of a Notes domain (Q174207).
const MAX_NOTES_DOMAIN: usize = 31;
/// Characters of each part of a PROFS or SNADS address.
const MAX_HOST_PART: usize = 8;
/// Characters of a part of a GroupWise address; twice what GroupWise allows for
/// an object's name, for its part may hold a whole Internet address.
const MAX_GROUPWISE_PART: usize = 128;

/// An address of a mail system that Concord knows, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `DOMAIN.POSTOFFICE.OBJECT`. Blanks may stand in every part, dots in the
    /// last one.
    GroupWise {
        /// The GroupWise domain.
        domain: String,
        /// The post office.
        post_office: String,
        /// The user or other object.
        object: String,
    },
    /// `Name/Unit/Organisation@Domain`; the domain may be missing. What stands
    /// behind the last `@` is the domain.
    Notes {
        /// The name, abbreviated.
        name: String,
        /// The Notes domain.
        domain: Option<String>,
    },
    /// `NODE.USER`, of OfficeVision/VM.
    Profs {
        /// The VM node.
        node: String,
        /// The user's id.
        user: String,
    },
    /// `GROUP.ELEMENT` of a SNADS distribution user.
    Snads {
        /// The distribution group name (DGN).
        group: String,
        /// The distribution element name (DEN).
        element: String,
    },
}

impl Form {
    /// Takes an address's value apart; `None` for types that have no form here,
    /// among them SMTP and those that external connectors bring.
    ///
    /// # Errors
    /// What does not fit.
    pub fn read(kind: &str, value: &str) -> Option<Result<Self, String>> {
        match kind {
            "GWISE" => Some(Self::groupwise(value)),
            "NOTES" => Some(Self::notes(value)),
            "PROFS" => {
                Some(host_parts(value, "NODE.USER").map(|(node, user)| Self::Profs { node, user }))
            }
            "SNADS" => Some(
                host_parts(value, "GROUP.ELEMENT")
                    .map(|(group, element)| Self::Snads { group, element }),
            ),
            _ => None,
        }
    }

    fn groupwise(value: &str) -> Result<Self, String> {
        let mut parts = value.splitn(3, '.').map(str::trim);
        let (Some(domain), Some(post_office), Some(object)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err("a GroupWise address is DOMAIN.POSTOFFICE.OBJECT".into());
        };
        let parts = [domain, post_office, object];
        if parts.iter().any(|part| part.is_empty()) {
            return Err("a part of DOMAIN.POSTOFFICE.OBJECT is empty".into());
        }
        if parts.iter().any(|part| part.chars().count() > MAX_GROUPWISE_PART) {
            return Err(format!("a part has more than {MAX_GROUPWISE_PART} characters"));
        }
        let [domain, post_office, object] = parts.map(str::to_owned);
        Ok(Self::GroupWise { domain, post_office, object })
    }

    fn notes(value: &str) -> Result<Self, String> {
        let (name, domain) = match value.rsplit_once('@') {
            Some((name, domain)) => (name.trim(), Some(domain.trim())),
            None => (value.trim(), None),
        };
        if name.is_empty() || domain.is_some_and(str::is_empty) {
            return Err("a Notes address is NAME@DOMAIN".into());
        }
        if domain.is_some_and(|domain| domain.chars().count() > MAX_NOTES_DOMAIN) {
            return Err(format!("a Notes domain has at most {MAX_NOTES_DOMAIN} characters"));
        }
        Ok(Self::Notes { name: name.to_owned(), domain: domain.map(str::to_owned) })
    }
}

fn host_parts(value: &str, form: &str) -> Result<(String, String), String> {
    let part = |text: &str| {
        let text = text.trim();
        let fits = !text.is_empty()
            && text.chars().count() <= MAX_HOST_PART
            && !text.chars().any(|c| c.is_whitespace() || c == '.');
        fits.then(|| text.to_owned())
    };
    value
        .split_once('.')
        .and_then(|(first, second)| Some((part(first)?, part(second)?)))
        .ok_or_else(|| format!("it is {form}, each of 1 to {MAX_HOST_PART} characters"))
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupWise { domain, post_office, object } => {
                write!(f, "{domain}.{post_office}.{object}")
            }
            Self::Notes { name, domain: Some(domain) } => write!(f, "{name}@{domain}"),
            Self::Notes { name, domain: None } => f.write_str(name),
            Self::Profs { node, user } => write!(f, "{node}.{user}"),
            Self::Snads { group, element } => write!(f, "{group}.{element}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TypedAddress;

    fn form(text: &str) -> Option<Form> {
        text.parse::<TypedAddress>().unwrap().form()
    }

    #[test]
    fn foreign_addresses_have_parts() {
        let Some(Form::GroupWise { domain, post_office, object }) =
            form("gwise:BETA 5.Petaling Jaya.name..a3@dom.example")
        else {
            panic!()
        };
        assert_eq!(
            (&*domain, &*post_office, &*object),
            ("BETA 5", "Petaling Jaya", "name..a3@dom.example")
        );
        let notes = Form::Notes { name: "u@host".into(), domain: Some("Exchange".into()) };
        assert_eq!(form("NOTES:u@host@Exchange"), Some(notes));
        assert_eq!(form("PROFS:VM1.MAINT").unwrap().to_string(), "VM1.MAINT");
        assert_eq!(form("HOOK:x"), None);
        assert_eq!(form("a@b.test"), None);
    }

    /// Case 71: Q174207.
    #[test]
    fn foreign_addresses_that_no_host_could_take_are_refused() {
        let long = format!("NOTES:Jane Doe/Acme@{}", "D".repeat(32));
        for text in [
            long.as_str(),
            "NOTES:Jane@",
            "GWISE:DOM.PO",
            "GWISE:DOM..USER",
            "GWISE: . .x",
            "PROFS:TOOLONGNODE.USER",
            "PROFS:NODE",
            "SNADS:A.B.C",
        ] {
            assert!(text.parse::<TypedAddress>().is_err(), "{text}");
        }
        let fits = format!("NOTES:Jane Doe/Acme@{}", "D".repeat(31));
        assert!(fits.parse::<TypedAddress>().is_ok());
    }
}
