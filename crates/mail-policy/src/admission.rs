//! Who is let in, before anybody asks whom the mail is for.

use crate::host::{HostAction, Requirement};
use crate::policy::{Mode, Policy};
use crate::sender::SenderAction;
use concord_address::SmtpAddress;
use std::fmt;
use std::net::IpAddr;

/// A client of the public server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor<'a> {
    /// Its address.
    pub address: IpAddr,
    /// Whether it speaks TLS.
    pub encrypted: bool,
    /// Whom it has logged in as.
    pub user: Option<&'a str>,
}

/// What a client hears that is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SMTP reply code.
    pub code: u16,
    /// RFC 3463 status.
    pub status: (u8, u16, u16),
    /// The words.
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, subject, detail) = self.status;
        write!(f, "{} {class}.{subject}.{detail} {}", self.code, self.text)
    }
}

fn refuse(code: u16, status: (u8, u16, u16), text: impl Into<String>) -> Refusal {
    Refusal { code, status, text: text.into() }
}

impl Policy {
    /// Whether a host may speak at all; asked instead of greeting it.
    ///
    /// # Errors
    /// What it hears.
    pub fn greet(&self, address: IpAddr) -> Result<(), Refusal> {
        if let Some(rule) = self.host(address)
            && rule.action == HostAction::Reject
        {
            let text = rule.reply.clone().unwrap_or_else(|| format!("access denied for {address}"));
            return Err(refuse(554, (5, 7, 1), text));
        }
        Ok(())
    }

    /// Whether messages are taken in at all.
    ///
    /// # Errors
    /// What the client hears.
    pub fn open(&self, user: Option<&str>) -> Result<(), Refusal> {
        match self.mode {
            Mode::Normal => Ok(()),
            // RFC 3463 X.3.2: the system does not accept messages.
            Mode::Drain if user.is_some() => Ok(()),
            Mode::Drain => {
                Err(refuse(450, (4, 3, 2), "this server is being retired; try its successor"))
            }
            Mode::ReadOnly => Err(refuse(450, (4, 3, 2), "no mail is taken in at the moment")),
        }
    }

    /// Whether a host has done what it must before MAIL.
    ///
    /// # Errors
    /// What it hears.
    pub fn may_begin(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        self.open(visitor.user)?;
        let Some(rule) = self.host(visitor.address) else { return Ok(()) };
        for requirement in &rule.require {
            match requirement {
                Requirement::Encryption if !visitor.encrypted => {
                    return Err(refuse(530, (5, 7, 10), "STARTTLS first"));
                }
                Requirement::Authentication if visitor.user.is_none() => {
                    return Err(refuse(530, (5, 7, 0), "log in first"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether mail of a sender is taken, to a recipient where one is known.
    /// Gives back why it is to be put aside, if so. Users are asked nothing.
    ///
    /// # Errors
    /// What the client hears.
    pub fn admit(
        &self,
        visitor: &Visitor<'_>,
        from: Option<&SmtpAddress>,
        to: Option<&SmtpAddress>,
    ) -> Result<Option<String>, Refusal> {
        if visitor.user.is_some() || self.host(visitor.address).is_some_and(|rule| rule.exempt) {
            return Ok(None);
        }
        let shown = from.map_or_else(|| "<>".to_owned(), |from| format!("<{from}>"));
        if let Some(rule) = self.sender(from, to) {
            match rule.action {
                SenderAction::Accept => return Ok(None),
                SenderAction::Quarantine => {
                    return Ok(Some(format!("[[sender]] {} says so of {shown}", rule.from)));
                }
                SenderAction::Refuse => {
                    let said = rule.reply.clone();
                    let text = said.unwrap_or_else(|| format!("{shown} is not welcome here"));
                    return Err(refuse(550, (5, 7, 1), text));
                }
            }
        }
        if let Some(to) = to
            && let Some(domain) = self.local_domain(to.domain())
            && !domain.accept_from.is_empty()
            && !domain.accept_from.iter().any(|pattern| pattern.fits(from))
        {
            let text = format!("{} does not take mail from {shown}", domain.name);
            return Err(refuse(550, (5, 7, 1), text));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(address: &str) -> Visitor<'static> {
        Visitor { address: address.parse().unwrap(), encrypted: false, user: None }
    }

    fn address(text: &str) -> SmtpAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_refused_host_is_not_greeted() {
        let policy = Policy::parse(
            "[[host]]\nnetwork = '157.57.0.0/16'\naction = 'reject'\n[[host]]\nnetwork = \
             '157.57.10.0/24'\n",
        )
        .unwrap();
        assert_eq!(policy.greet("157.57.15.2".parse().unwrap()).unwrap_err().code, 554);
        assert!(policy.greet("157.57.10.25".parse().unwrap()).is_ok());
    }

    #[test]
    fn a_host_does_what_it_must_before_mail() {
        let policy = Policy::parse(
            "[[host]]\nnetwork = '192.0.2.0/24'\nrequire = ['encryption', 'authentication']\n",
        )
        .unwrap();
        let mut client = visitor("192.0.2.1");
        assert!(policy.may_begin(&client).unwrap_err().text.contains("STARTTLS"));
        client.encrypted = true;
        assert!(policy.may_begin(&client).unwrap_err().text.contains("log in"));
        client.user = Some("alice");
        assert!(policy.may_begin(&client).is_ok());
        assert!(policy.may_begin(&visitor("198.51.100.1")).is_ok());
    }

    #[test]
    fn a_server_that_drains_takes_users_mail_only() {
        let drain = Policy::parse("mode = 'drain'").unwrap();
        assert_eq!(drain.may_begin(&visitor("192.0.2.1")).unwrap_err().code, 450);
        assert!(drain.open(Some("alice")).is_ok());
        let closed = Policy::parse("mode = 'read-only'").unwrap();
        assert!(closed.open(Some("alice")).is_err());
    }

    #[test]
    fn senders_are_refused_put_aside_or_let_pass_in_order() {
        let policy = Policy::parse(
            "[[sender]]\nfrom = 'good@spam.test'\naction = 'accept'\n\
             [[sender]]\nfrom = '@spam.test'\n\
             [[sender]]\nfrom = '.'\nto = ['bob@a.test']\naction = 'quarantine'\n\
             [[local-domain]]\nname = 'inner.test'\naccept-from = ['@a.test']\n",
        )
        .unwrap();
        let client = visitor("192.0.2.1");
        let admit =
            |from: Option<&SmtpAddress>, to: &str| policy.admit(&client, from, Some(&address(to)));
        assert!(admit(Some(&address("x@spam.test")), "bob@a.test").is_err());
        assert_eq!(admit(Some(&address("good@spam.test")), "bob@a.test"), Ok(None));
        assert!(admit(None, "bob@a.test").unwrap().is_some());
        assert_eq!(admit(None, "ann@a.test"), Ok(None));
        assert!(admit(Some(&address("x@b.test")), "y@inner.test").is_err());
        assert_eq!(admit(Some(&address("x@a.test")), "y@inner.test"), Ok(None));
        let user = Visitor { user: Some("alice"), ..client };
        assert_eq!(policy.admit(&user, Some(&address("x@spam.test")), None), Ok(None));
    }
}
