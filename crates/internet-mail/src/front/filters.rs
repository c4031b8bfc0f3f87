//! What the content filters are told of a session.

use super::Kind;
use super::admission::is_examined;
use super::session::Front;
use concord_mail_filter::{ClientFacts, TlsFacts, Traffic};
use concord_smtp::{RcptCommand, Reply};

/// Bits of the key of a cipher suite, by its name.
fn bits(cipher: &str) -> u16 {
    if cipher.contains("AES_128") { 128 } else { 256 }
}

fn broken() -> Reply {
    // RFC 3463 X.3.5: system incorrectly configured.
    Reply::new(451, (4, 3, 5), "the content filters are not set up rightly, try again later")
}

impl Front {
    /// Whether the client is somebody from outside whose mail is looked into.
    pub(super) fn is_stranger(&self) -> bool {
        self.kind == Kind::Smtp
            && !self.authenticated
            && is_examined(&self.policy(), self.client.ip())
    }

    /// Whether the message has to be in memory whole before the core gets it.
    pub(super) fn must_examine(&self) -> bool {
        if self.filters.is_some() {
            return true;
        }
        let policy = self.policy();
        self.is_stranger() && (policy.authentication.enabled || !policy.senders.is_empty())
    }

    fn facts(&self) -> ClientFacts {
        ClientFacts {
            ip: Some(self.client.ip()),
            port: self.client.port(),
            name: None,
            helo: String::new(),
            tls: None,
            hostname: self.service.config.hostname.clone(),
        }
    }

    /// At EHLO: the filters of the newest policy join the session, if there are
    /// some for it.
    pub(super) async fn tell_filters_hello(&mut self) -> Result<(), Reply> {
        let (policy, generation) = self.service.config.policy.with_generation();
        if let Some(before) = self.filters.take() {
            before.end().await;
        }
        self.filters_broken = false;
        if policy.filters.is_empty() {
            return Ok(());
        }
        let traffic = match self.kind {
            Kind::Smtp if !self.is_stranger() => return Ok(()),
            Kind::Smtp => Traffic::Inbound,
            Kind::Submission | Kind::SubmissionTls => Traffic::Submission,
        };
        let chain = match self.service.examiner.chain(&policy, generation, traffic) {
            Ok(chain) if chain.is_empty() => return Ok(()),
            Ok(chain) => chain,
            Err(_) => {
                self.filters_broken = true;
                return Ok(());
            }
        };
        let mut session = chain.session(self.facts());
        let tls = self.tls.as_ref().map(|tls| TlsFacts {
            version: tls.version.clone(),
            cipher: tls.cipher.clone(),
            bits: bits(&tls.cipher),
        });
        let answer = session.helo(self.helo(), tls).await;
        self.filters = Some(session);
        answer.map_or(Ok(()), Err)
    }

    /// At MAIL.
    pub(super) async fn tell_filters_sender(&mut self) -> Result<(), Reply> {
        if self.filters_broken {
            return Err(broken());
        }
        let (Some(filters), Some(mail)) = (&mut self.filters, &self.mail) else { return Ok(()) };
        let path = mail.from.0.as_ref().map(ToString::to_string).unwrap_or_default();
        let words = mail.to_string();
        let words = words.rsplit_once('>').map_or("", |(_, words)| words);
        let parameters: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let user = self.authenticated.then_some("authenticated");
        filters.mail(&path, &parameters, user).await.map_or(Ok(()), Err)
    }

    /// At RCPT: the refusal, if there is one.
    pub(super) async fn tell_filters_recipient(&mut self, rcpt: &RcptCommand) -> Option<Reply> {
        let filters = self.filters.as_mut()?;
        let path = rcpt.to.to_string();
        filters.rcpt(path.trim_matches(['<', '>']), &[]).await
    }

    /// The core, or the policy, does not take the last recipient after all.
    pub(super) fn withdraw_from_filters(&mut self) {
        if let Some(filters) = &mut self.filters {
            filters.withdraw_recipient();
        }
    }
}
