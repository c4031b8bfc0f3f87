//! What the policy says to a client, before the core is asked.

use super::Kind;
use super::session::Front;
use concord_mail_policy::{Event, Policy, Refusal, Visitor};
use concord_smtp::{RcptCommand, Reply};
use metrics::counter;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The longest a refused client is kept waiting: it holds a session of ours too.
const MAX_TARPIT: Duration = Duration::from_secs(60);

fn reply(refusal: Refusal) -> Reply {
    Reply::new(refusal.code, refusal.status, refusal.text)
}

/// Whether what a client sends is looked into. This machine's own programs, and
/// hosts that relay without a login, write what users of ours write; a row
/// `[[host]]` says otherwise.
pub(super) fn is_examined(policy: &Policy, address: IpAddr) -> bool {
    match policy.host(address) {
        Some(rule) => !rule.exempt,
        None => !address.is_loopback() && !policy.relay.allow.iter().any(|n| n.contains(address)),
    }
}

impl Front {
    pub(super) fn policy(&self) -> Arc<Policy> {
        self.service.config.policy.current()
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            address: self.client.ip(),
            encrypted: self.tls.is_some(),
            user: self.authenticated.then_some("a user"),
        }
    }

    /// Instead of a greeting.
    pub(super) fn greet(&self) -> Result<(), Reply> {
        self.policy().greet(self.client.ip()).map_err(|refusal| {
            counter!("concord_smtp_sessions_total", "result" => "refused").increment(1);
            reply(refusal)
        })
    }

    /// At MAIL. What is to be put aside is remembered.
    pub(super) async fn admit_sender(&mut self) -> Result<(), Reply> {
        self.limit(Event::Messages)?;
        let policy = self.policy();
        let admitted = policy.may_begin(&self.visitor()).and_then(|()| {
            let from = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
            policy.admit(&self.visitor(), from, None)
        });
        match admitted {
            Ok(why) => {
                self.hold = why;
                Ok(())
            }
            Err(refusal) => {
                self.tarpit().await;
                Err(reply(refusal))
            }
        }
    }

    /// At RCPT: a refusal for each that the policy does not take.
    pub(super) async fn admit_recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Option<Reply>> {
        let policy = self.policy();
        let stranger = self.kind == Kind::Smtp && !self.authenticated;
        let mut answers = Vec::with_capacity(rcpts.len());
        for rcpt in rcpts {
            if let Err(refusal) = self.limit(Event::Recipients) {
                answers.push(Some(refusal));
                continue;
            }
            if !stranger {
                answers.push(None);
                continue;
            }
            let from = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
            let admitted = policy.admit(&self.visitor(), from, rcpt.to.address());
            answers.push(match admitted {
                Ok(why) => {
                    self.hold = why.or(self.hold.take());
                    self.refuse_stranger(rcpt).await
                }
                Err(refusal) => Some(reply(refusal)),
            });
        }
        answers
    }

    /// A refused client waits for its answer; once for recipients that it named in
    /// one burst.
    pub(super) async fn tarpit(&self) {
        if let Some(wait) = self.policy().inbound.tarpit
            && self.kind == Kind::Smtp
        {
            tokio::time::sleep(wait.0.min(MAX_TARPIT)).await;
        }
    }
}
