//! Extended operations (RFC 4511 section 4.12).

use crate::ber;
use crate::client::Client;
use crate::connection::Output;
use crate::operation::Next;
use crate::result::{Code, Outcome, Refusal};
use crate::server::Way;
use crate::session::answer;
use crate::write;
use concord_directory::Who;
use ldap3_proto::proto::{LdapExtendedRequest, OID_PASSWORD_MODIFY, OID_WHOAMI};

/// RFC 4511 section 4.14
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// The operations that there are, for the root DSE.
pub(crate) const SUPPORTED: [&str; 3] = [START_TLS, OID_PASSWORD_MODIFY, OID_WHOAMI];

enum Value {
    None,
    Octets(Vec<u8>),
}

/// Carries one out and answers.
pub(crate) async fn extended(
    client: &mut Client,
    id: i32,
    asked: LdapExtendedRequest,
    output: &mut Output,
) -> Next {
    let mut next = Next::Go;
    let done = match asked.name.as_str() {
        START_TLS => start_tls(client).map(|()| {
            next = Next::StartTls;
            Value::None
        }),
        OID_WHOAMI => who_am_i(client).await,
        OID_PASSWORD_MODIFY => match write::change_password(client, asked.value.as_deref()).await {
            Ok(Some(made)) => {
                let mut writer = ber::Writer::default();
                let open = writer.open(ber::SEQUENCE);
                writer.primitive(0x80, made.as_bytes());
                writer.close(open);
                Ok(Value::Octets(writer.out))
            }
            Ok(None) => Ok(Value::None),
            Err(refusal) => Err(refusal),
        },
        _ => Err(Refusal::new(
            Code::ProtocolError,
            format!("there is no extended operation {} here", asked.name),
        )),
    };
    let (result, value) = match done {
        Ok(value) => (Refusal::new(Code::Success, ""), value),
        Err(refusal) => (refusal, Value::None),
    };
    answer(&mut output.answer, id, 0x78, &result, &[], |writer| {
        if asked.name == START_TLS {
            writer.primitive(0x8A, START_TLS.as_bytes());
        }
        if let Value::Octets(octets) = value {
            writer.primitive(0x8B, &octets);
        }
    });
    next
}

fn start_tls(client: &Client) -> Outcome<()> {
    if client.tls {
        return Err(Refusal::new(Code::OperationsError, "TLS is on already"));
    }
    if !client.server.entrance.has_tls() || matches!(client.way, Way::Local { .. }) {
        return Err(Refusal::new(Code::ProtocolError, "there is no TLS here"));
    }
    if client.exchange.is_some() {
        return Err(Refusal::new(Code::OperationsError, "a bind is under way"));
    }
    Ok(())
}

/// RFC 4532
async fn who_am_i(client: &mut Client) -> Outcome<Value> {
    client.refresh().await?;
    let text = match client.who() {
        Who::Anonymous => String::new(),
        Who::Local => "u:administrator".to_owned(),
        Who::Mailbox(id) => {
            let dn = client.server.follower.read().dn_of(id.0);
            dn.map(|dn| format!("dn:{dn}")).unwrap_or_default()
        }
    };
    Ok(Value::Octets(text.into_bytes()))
}
