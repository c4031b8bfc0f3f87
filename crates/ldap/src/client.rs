//! Who a session is, and what it may do now.

use crate::catalogue::{Catalogue, Slot};
use crate::dn;
use crate::result::{Code, Outcome, Refusal};
use crate::search::Pages;
use crate::server::{LdapServer, Way};
use concord_directory::{Access, Who};
use concord_sasl::ServerSession;
use std::sync::Arc;

/// The state of a session that operations see.
pub(crate) struct Client {
    pub server: Arc<LdapServer>,
    pub way: Way,
    /// Whether nobody on the way can read what is sent.
    pub tls: bool,
    access: Arc<Access>,
    /// The catalogue's counts of rights and epochs when `access` was read.
    access_of: Option<(u64, u64)>,
    /// A SASL exchange that is under way.
    pub exchange: Option<ServerSession>,
    pub pages: Pages,
    pub failed_binds: u32,
    /// The last request could not be decoded.
    pub made_no_sense: bool,
}

impl Client {
    pub fn new(server: Arc<LdapServer>, way: Way) -> Self {
        Self {
            server,
            way,
            tls: way == Way::Tls,
            access: Arc::new(Access::anonymous()),
            access_of: None,
            exchange: None,
            pages: Pages::default(),
            failed_binds: 0,
            made_no_sense: false,
        }
    }

    pub fn who(&self) -> Who {
        self.access.who()
    }

    pub fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Becomes somebody else.
    pub async fn become_who(&mut self, who: Who) -> Outcome<()> {
        self.pages = Pages::default();
        self.access_of = None;
        self.access = Arc::new(Access::read(&*self.server.directory, who).await?);
        Ok(())
    }

    /// Becomes nobody, which cannot fail.
    pub fn become_nobody(&mut self) {
        self.pages = Pages::default();
        self.access = Arc::new(Access::anonymous());
    }

    /// Whether passwords may be sent over this connection.
    pub fn may_send_passwords(&self) -> bool {
        self.tls
            || matches!(self.way, Way::Local { .. })
            || self.server.config.allow_plaintext_login
    }

    /// Sees every change that is finished: in the directory, and in what this
    /// client may do. A mailbox that went, or is barred, is nobody any more.
    pub async fn refresh(&mut self) -> Outcome<()> {
        self.server.follower.catch_up().await?;
        let (now, barred) = {
            let catalogue = self.server.follower.read();
            let barred = match self.access.who() {
                Who::Mailbox(id) => {
                    let entry = catalogue.slot_of(id.0).and_then(|slot| catalogue.get(slot));
                    entry.is_none_or(|entry| {
                        entry.has & crate::schema::Attr::LoginDisabled.bit() != 0
                    })
                }
                Who::Anonymous | Who::Local => false,
            };
            ((catalogue.rights, catalogue.epoch), barred)
        };
        if barred {
            self.become_nobody();
        }
        if self.access_of != Some(now) {
            let who = self.access.who();
            self.access = Arc::new(Access::read(&*self.server.directory, who).await?);
            self.access_of = Some(now);
        }
        Ok(())
    }

    /// Refuses those who must log in first.
    pub fn must_be_somebody(&self) -> Outcome<()> {
        if self.who() == Who::Anonymous {
            return Err(Refusal::new(Code::InsufficientAccessRights, "log in first"));
        }
        Ok(())
    }

    /// The entry of a DN that this client sees.
    pub fn find(&self, catalogue: &Catalogue, text: &str) -> Outcome<Slot> {
        let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{text}' is not a DN"));
        let rdns = dn::parse(text).ok_or_else(bad)?;
        let sees = |slot: Slot| {
            catalogue.get(slot).is_some_and(|entry| catalogue.sees(&self.access, entry))
        };
        let near = match catalogue.find(&rdns) {
            Ok(slot) if sees(slot) => return Ok(slot),
            Ok(slot) => catalogue.get(slot).map_or(crate::catalogue::ROOT, |entry| entry.parent),
            Err(near) => near,
        };
        let matched = if sees(near) { catalogue.dn(near) } else { String::new() };
        Err(Refusal {
            code: Code::NoSuchObject,
            message: "there is no such entry".to_owned(),
            matched,
        })
    }
}
