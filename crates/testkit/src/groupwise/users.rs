//! What people and administrators of the system do.

use super::compose;
use super::directory::{GwName, GwObject};
use super::mail::{GwMail, GwOutgoing, GwStatus};
use super::state::{Sent, State};
use super::{GroupWise, wait_for};
use crate::trouble::{Result, trouble};
use std::time::Duration;

impl GroupWise {
    /// Puts an object into the directory, or in place of one of its name.
    pub fn put_object(&self, object: GwObject) {
        let mut state = self.shared.lock();
        let place = format!("{}.{}", object.name.domain, object.name.post_office);
        state.objects.post_offices.insert(place.to_lowercase());
        let before = state.objects.objects.insert(object.name.key(), object.clone());
        state.publish(&object, if before.is_some() { "Modify" } else { "Add" });
    }

    /// Adds a user `DOMAIN.POSTOFFICE.OBJECT` with its names.
    pub fn add_user(&self, name: &str, first: &str, last: &str) {
        self.put_object(GwObject::user(GwName::parse(name), first, last));
    }

    /// Takes a user away.
    pub fn remove_user(&self, name: &str) {
        let mut state = self.shared.lock();
        if let Some(object) = state.objects.objects.remove(&GwName::parse(name).key()) {
            state.publish(&object, "Delete");
        }
    }

    /// The objects of a domain, by name.
    pub fn objects(&self, domain: &str) -> Vec<GwObject> {
        let state = self.shared.lock();
        let objects = state.objects.objects.values();
        objects.filter(|o| o.name.domain.eq_ignore_ascii_case(domain)).cloned().collect()
    }

    /// Whether a post office exists.
    pub fn has_post_office(&self, domain: &str, post_office: &str) -> bool {
        self.shared.lock().objects.has_post_office(domain, post_office)
    }

    /// A user's mailbox, oldest first.
    pub fn mailbox(&self, user: &str) -> Vec<GwMail> {
        let state = self.shared.lock();
        state.mailboxes.get(&GwName::parse(user).key()).cloned().unwrap_or_default()
    }

    /// Waits for a mail that fits.
    ///
    /// # Errors
    /// None came in time.
    pub fn wait_mail(
        &self,
        user: &str,
        what: &str,
        limit: Duration,
        fits: impl Fn(&GwMail) -> bool,
    ) -> Result<GwMail> {
        wait_for(what, limit, || Ok(self.mailbox(user).into_iter().find(&fits)))
    }

    /// Sends an item; gives its id.
    pub fn send(&self, from: &str, item: &GwOutgoing) -> String {
        let mut state = self.shared.lock();
        send(&mut state, from, item, "")
    }

    /// Answers mail `number` of a mailbox; gives the answer's id.
    ///
    /// # Errors
    /// There is no such mail.
    pub fn reply(&self, user: &str, number: usize, body: &str) -> Result<String> {
        let mut state = self.shared.lock();
        let mail = find(&state, user, number)?;
        let item = GwOutgoing {
            to: vec![mail.from.to_string()],
            subject: format!("Re: {}", mail.subject),
            body: body.into(),
            ..GwOutgoing::default()
        };
        Ok(send(&mut state, user, &item, &mail.id))
    }

    /// Opens a mail; its sender is told if it was asked for.
    ///
    /// # Errors
    /// There is no such mail.
    pub fn open(&self, user: &str, number: usize) -> Result<()> {
        let mut state = self.shared.lock();
        let mail = find(&state, user, number)?;
        let mailbox = state.mailboxes.entry(GwName::parse(user).key()).or_default();
        if let Some(mail) = mailbox.get_mut(number) {
            mail.opened = true;
        }
        let asked = mail.status_request.to_ascii_lowercase();
        if asked.contains("open") || asked.contains("all") {
            tell(&mut state, user, &mail, "Opened", "");
        }
        Ok(())
    }

    /// Deletes, accepts, declines or completes an item, in the gateway's word
    /// for it. Its sender is told, whatever was asked for.
    ///
    /// # Errors
    /// There is no such mail.
    pub fn act(&self, user: &str, number: usize, action: &str) -> Result<()> {
        let mut state = self.shared.lock();
        let mail = find(&state, user, number)?;
        tell(&mut state, user, &mail, action, "");
        Ok(())
    }

    /// What was told of an item that was sent.
    pub fn statuses(&self, id: &str) -> Vec<GwStatus> {
        let state = self.shared.lock();
        state.sent.get(id).map(|sent| sent.statuses.clone()).unwrap_or_default()
    }

    /// Says when a user is busy, in the gateway's form of dates.
    pub fn set_busy(&self, user: &str, times: &[(&str, &str)]) {
        let times = times.iter().map(|(b, e)| ((*b).to_owned(), (*e).to_owned())).collect();
        self.shared.lock().busy.insert(GwName::parse(user).key(), times);
    }

    /// Asks when somebody on the other side is busy; gives the question's id.
    pub fn ask_busy(&self, from: &str, about: &str, begin: &str, end: &str) -> String {
        let mut state = self.shared.lock();
        let (from, about) = (GwName::parse(from), GwName::parse(about));
        let (id, out) = compose::search(&mut state, &from, &about, begin, end);
        state.outbox.push_back(out);
        id
    }

    /// The answer to a question, if it has come.
    pub fn busy_answer(&self, id: &str) -> Option<Vec<(String, String)>> {
        self.shared.lock().busy_answers.get(id).cloned()
    }

    /// Ids of searches and probes that came.
    pub fn searches(&self) -> Vec<String> {
        self.shared.lock().searches.clone()
    }
}

fn find(state: &State, user: &str, number: usize) -> Result<GwMail> {
    let mailbox = state.mailboxes.get(&GwName::parse(user).key());
    let mail = mailbox.and_then(|mailbox| mailbox.get(number)).cloned();
    mail.ok_or_else(|| trouble(format!("{user} has no mail number {number}")))
}

fn send(state: &mut State, from: &str, item: &GwOutgoing, answers: &str) -> String {
    let id = state.message_id();
    let out = compose::item(state, &GwName::parse(from), item, &id, answers);
    state.sent.insert(id.clone(), Sent { statuses: Vec::new() });
    state.outbox.push_back(out);
    id
}

fn tell(state: &mut State, user: &str, mail: &GwMail, action: &str, reason: &str) {
    let status = compose::status(state, &GwName::parse(user), mail, action, reason);
    state.outbox.push_back(status);
}
