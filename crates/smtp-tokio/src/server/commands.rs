//! The commands of the envelope, and hello.

use super::handler::HelloInfo;
use super::profile::Mode;
use super::session::{Ended, Session};
use concord_smtp::{CommandError, Extensions, MailCommand, RcptCommand, Reply, State, Verb};
use tokio::io::{AsyncRead, AsyncWrite};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<'_, S> {
    pub(super) async fn hello(&mut self, name: String, verb: Verb) -> Result<(), Ended> {
        let lmtp = self.profile.mode == Mode::Lmtp;
        if lmtp != (verb == Verb::Lhlo) {
            // RFC 2033 section 4.1
            let words = if lmtp { "this is LMTP; say LHLO" } else { "this is SMTP; say EHLO" };
            return self.refuse(Reply::new(500, (5, 5, 1), words)).await;
        }
        self.end_transaction().await;
        let hello = HelloInfo { name, extended: verb != Verb::Helo };
        if let Err(refusal) = self.handler.hello(&hello).await {
            return self.refuse(refusal).await;
        }
        self.state = State::Ready;
        let capabilities =
            self.profile.capabilities(self.io.is_tls(), self.tls.is_some(), self.authenticated);
        if hello.extended {
            self.say(&capabilities.to_reply());
        } else {
            self.say(&Reply::plain(250, self.profile.hostname.clone()));
        }
        self.offered = capabilities.extensions;
        Ok(())
    }

    pub(super) async fn mail(&mut self, mail: &MailCommand) -> Result<(), Ended> {
        let most = self.profile.max_messages;
        if self.shutdown.is_cancelled() {
            return self.stop();
        }
        if most > 0 && self.messages >= most {
            return self.cut_off(&Reply::new(421, (4, 7, 0), "too many messages, closing"));
        }
        if let Some(refusal) = self.refusal_of_mail(mail) {
            return self.refuse(refusal).await;
        }
        let reply = self.handler.mail(mail).await;
        if reply.is_ok() {
            self.state = State::Sender;
            self.smtputf8 = mail.smtputf8;
            self.accepted = 0;
        }
        self.refuse(reply).await
    }

    fn refusal_of_mail(&self, mail: &MailCommand) -> Option<Reply> {
        if self.profile.require_auth && !self.authenticated {
            return Some(Reply::new(530, (5, 7, 0), "authentication required"));
        }
        // AUTH= of RFC 4954 section 5 may come when AUTH itself is behind us.
        let offered = Extensions { auth: self.profile.extensions.auth, ..self.offered };
        if let Err(error) = mail.check(&offered) {
            return Some(error.reply());
        }
        if mail.size.is_some_and(|size| size > self.profile.size_limit) {
            return Some(super::data::too_big(self.profile.size_limit));
        }
        None
    }

    pub(super) async fn rcpt(&mut self, rcpt: RcptCommand) -> Result<(), Ended> {
        let taken = self.accepted.saturating_add(self.burst.len());
        let refusal = if taken >= self.profile.max_recipients {
            Some(Reply::new(452, (4, 5, 3), "too many recipients"))
        } else if rcpt.utf8 && !self.smtputf8 {
            Some(CommandError::NeedsSmtpUtf8.reply())
        } else {
            rcpt.check(&self.offered).err().map(|error| error.reply())
        };
        match refusal {
            Some(refusal) => self.refuse(refusal).await,
            None => {
                self.burst.push(rcpt);
                Ok(())
            }
        }
    }

    pub(super) async fn starttls(&mut self) -> Result<(), Ended> {
        let Some(acceptor) = self.tls.clone().filter(|_| self.offered.starttls) else {
            return self.refuse(Reply::new(502, (5, 5, 1), "STARTTLS is not offered")).await;
        };
        self.say(&Reply::new(220, (2, 0, 0), "go ahead"));
        self.io.flush().await?;
        self.io.start_tls(&acceptor, self.profile.timeouts.tls).await?;
        // RFC 3207 section 4.2: whatever was said before is forgotten.
        self.state = State::Start;
        self.offered = Extensions::default();
        self.authenticated = false;
        if let Some(info) = self.io.tls_info() {
            self.handler.tls_started(&info).await;
        }
        Ok(())
    }
}
