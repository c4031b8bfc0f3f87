use super::*;
use crate::{Mechanism, make_credentials};
use concord_address::{Domain, TypedAddress};
use concord_base::{ObjectId, Timestamp};
use concord_directory::{Changes, Details, DirectoryAct, DirectoryError, Kind, Mailbox, NewObject};

/// One mailbox, found by its name.
struct One(Arc<Object>);

#[async_trait::async_trait]
impl Directory for One {
    async fn directory_changes(&self, _: u64, _: usize) -> Result<Changes, DirectoryError> {
        Ok(Changes::default())
    }
    async fn connector_state(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        Ok(None)
    }
    async fn set_connector_state(
        &self,
        _: &str,
        _: &str,
        _: Option<Vec<u8>>,
    ) -> Result<(), DirectoryError> {
        Ok(())
    }
    async fn forget_removed(&self, _: Timestamp) -> Result<u64, DirectoryError> {
        Ok(0)
    }
    async fn object(&self, _: ObjectId) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(None)
    }
    async fn find(&self, _: Kind, _: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(None)
    }
    async fn list(&self, _: Kind) -> Result<Vec<Arc<Object>>, DirectoryError> {
        Ok(Vec::new())
    }
    async fn lookup(&self, _: &TypedAddress) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(None)
    }
    async fn is_local_domain(&self, _: &Domain) -> Result<bool, DirectoryError> {
        Ok(false)
    }
    async fn login(&self, name: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok((name == self.0.name).then(|| Arc::clone(&self.0)))
    }
    async fn change(&self, _: DirectoryAct) -> Result<Arc<Object>, DirectoryError> {
        Ok(Arc::clone(&self.0))
    }
    fn directory_changed(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::Sender::new(0).subscribe()
    }
}

fn directory(change: impl FnOnce(&mut Mailbox)) -> One {
    let mut mailbox = Mailbox {
        credentials: Some(make_credentials("secret", &mut rand::rng()).unwrap()),
        ..Mailbox::default()
    };
    change(&mut mailbox);
    let new = NewObject {
        name: "ann".into(),
        display_name: "Ann".into(),
        proxies: Vec::new(),
        details: Details::Mailbox(mailbox),
        attributes: Default::default(),
        policy: Default::default(),
    };
    One(Arc::new(Object::from_new(ObjectId(1), new, Timestamp(0))))
}

async fn plain(directory: &One, response: &[u8]) -> Outcome {
    let mut session = ServerSession::new(Mechanism::Plain);
    authenticate_step(
        &mut session,
        Some(response),
        directory,
        &PasswordGate::default(),
        LoginNames::Own,
    )
    .await
}

#[tokio::test]
async fn plain_lets_in_who_knows_the_password() {
    let ok = directory(|_| {});
    assert!(matches!(plain(&ok, b"\0ann\0secret").await, Outcome::Success(_)));
    assert!(matches!(plain(&ok, b"ann\0ann\0secret").await, Outcome::Success(_)));
    for response in [
        &b"\0ann\0wrong"[..],
        b"bob\0ann\0secret",
        b"\0bob\0secret",
        b"ann\0secret",
        b"",
        b"\0ann\0secret\0",
        b"\0\0secret",
        b"\0ann\0\xff",
    ] {
        assert!(matches!(plain(&ok, response).await, Outcome::Failed), "{response:?}");
    }
    let disabled = directory(|m| m.login_disabled = true);
    assert!(matches!(plain(&disabled, b"\0ann\0secret").await, Outcome::Failed));
    let none = directory(|m| m.credentials = None);
    assert!(matches!(plain(&none, b"\0ann\0secret").await, Outcome::Failed));
}

#[tokio::test]
async fn login_asks_twice() {
    let (directory, gate) = (directory(|_| {}), PasswordGate::default());
    let mut session = ServerSession::new(Mechanism::Login);
    for (input, prompt) in [(None, "Username:"), (Some(&b"ann"[..]), "Password:")] {
        let step = authenticate_step(&mut session, input, &directory, &gate, LoginNames::Own).await;
        assert!(matches!(step, Outcome::Challenge(c) if c == prompt.as_bytes()));
    }
    let step =
        authenticate_step(&mut session, Some(b"secret"), &directory, &gate, LoginNames::Own).await;
    assert!(matches!(step, Outcome::Success(_)));
}

#[tokio::test]
async fn scram_with_a_disabled_mailbox_fails_at_the_proof() {
    let gate = PasswordGate::default();
    for directory in [directory(|m| m.login_disabled = true), directory(|m| m.credentials = None)] {
        let mut session = ServerSession::new(Mechanism::ScramSha256);
        let first = Some(&b"n,,n=ann,r=abc"[..]);
        let Outcome::Challenge(first) =
            authenticate_step(&mut session, first, &directory, &gate, LoginNames::Own).await
        else {
            panic!("no challenge")
        };
        let first = String::from_utf8(first).unwrap();
        let nonce = first.split(',').next().unwrap();
        let last = format!("c=biws,{nonce},p={}", "A".repeat(43) + "=");
        let step = authenticate_step(
            &mut session,
            Some(last.as_bytes()),
            &directory,
            &gate,
            LoginNames::Own,
        )
        .await;
        assert!(matches!(step, Outcome::Failed));
    }
}

proptest::proptest! {
    #[test]
    fn no_input_panics(data: Vec<u8>) {
        crate::fuzz(&data);
    }
}
