//! From a request to its answer.

use crate::client::Client;
use crate::connection::{End, Output};
use crate::frame::{Asked, Request};
use crate::result::{Code, Outcome, Refusal};
use crate::session::{AnswerControl, Running, answer};
use crate::{bind, compare, extended, search, write};
use ldap3_proto::proto::LdapOp;

/// What a session does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Go,
    StartTls,
    Close,
}

/// A control that changes nothing here, for nothing here refers elsewhere (RFC
/// 3296).
pub(crate) const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";

/// Carries out one request and writes its answer.
pub(crate) async fn carry_out(
    client: &mut Client,
    mut request: Request,
    output: &mut Output,
    running: &Running,
) -> Result<Next, End> {
    let (id, asked) = (request.id, request.asked);
    let Some(tag) = asked.answer() else {
        return Ok(if asked == Asked::Unbind { Next::Close } else { Next::Go });
    };
    // operations by kind
    metrics::counter!("ldap_operations_total", "operation" => name(asked)).increment(1);
    if asked != Asked::Search {
        // it may take its time, and what is answered already should not
        output.flush().await?;
    }
    let Some(operation) = request.decode() else {
        client.made_no_sense = true;
        let refusal = Refusal::new(Code::ProtocolError, "the request cannot be read");
        answer(&mut output.answer, id, tag, &refusal, &[], |_| {});
        return Ok(Next::Go);
    };
    drop(request.take_control(MANAGE_DSA_IT));
    if let LdapOp::SearchRequest(asked) = operation {
        let done = search::search(client, id, asked, request, output, running).await?;
        if running.is_abandoned() {
            return Ok(Next::Go);
        }
        let (result, controls) = match done {
            Ok(done) => (done.result, done.controls),
            Err(refusal) => (refusal, Vec::new()),
        };
        answer(&mut output.answer, id, tag, &result, &controls, |_| {});
        return Ok(Next::Go);
    }
    if let Err(refusal) = only_known_controls(&request) {
        answer(&mut output.answer, id, tag, &refusal, &[], |_| {});
        return Ok(Next::Go);
    }
    match operation {
        LdapOp::BindRequest(asked) => Ok(bind::bind(client, id, asked, output).await),
        LdapOp::ExtendedRequest(asked) => Ok(extended::extended(client, id, asked, output).await),
        other => {
            let done = simple(client, other).await;
            let result = done.unwrap_or_else(|refusal| refusal);
            answer(&mut output.answer, id, tag, &result, &[], |_| {});
            Ok(Next::Go)
        }
    }
}

/// Operations whose answer is a result and nothing else.
async fn simple(client: &mut Client, operation: LdapOp) -> Outcome<Refusal> {
    match operation {
        LdapOp::CompareRequest(asked) => return compare::compare(client, &asked).await,
        LdapOp::AddRequest(asked) => write::add(client, &asked).await?,
        LdapOp::ModifyRequest(asked) => write::modify(client, &asked).await?,
        LdapOp::DelRequest(dn) => write::delete(client, &dn).await?,
        LdapOp::ModifyDNRequest(asked) => write::rename(client, &asked).await?,
        _ => return Err(Refusal::new(Code::ProtocolError, "this is no request")),
    }
    Ok(Refusal::new(Code::Success, ""))
}

/// RFC 4511 section 4.1.11: a critical control that is not known must not be
/// passed over.
pub(crate) fn only_known_controls(request: &Request) -> Outcome<()> {
    match request.controls.iter().find(|control| control.critical) {
        Some(control) => Err(Refusal::new(
            Code::UnavailableCriticalExtension,
            format!("the control {} is not supported here", control.oid),
        )),
        None => Ok(()),
    }
}

/// What a search ends with.
pub(crate) struct Done {
    pub result: Refusal,
    pub controls: Vec<AnswerControl>,
}

fn name(asked: Asked) -> &'static str {
    match asked {
        Asked::Bind => "bind",
        Asked::Unbind => "unbind",
        Asked::Search => "search",
        Asked::Modify => "modify",
        Asked::Add => "add",
        Asked::Delete => "delete",
        Asked::ModifyDn => "modify-dn",
        Asked::Compare => "compare",
        Asked::Abandon => "abandon",
        Asked::Extended => "extended",
    }
}
