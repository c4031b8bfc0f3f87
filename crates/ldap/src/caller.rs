//! The asking side of LDAP, for tools of this machine: one request after the other
//! over a stream that is connected already, as the machine's administrator (SASL
//! EXTERNAL, RFC 4422 appendix A).

use crate::result;
use bytes::BytesMut;
use concord_base::{Fault, Retry};
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
pub use ldap3_proto::proto::LdapFilter as Filter;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapMsg, LdapOp, LdapResult, LdapResultCode,
    LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope, SaslCredentials,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::codec::{Decoder as _, Encoder as _};

/// Octets of one answer: a list has up to 100,000 members, whose names may have
/// some hundred octets each.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// Entries of one page.
const PAGE: i64 = 1_000;

/// A conversation came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The stream failed, or ended before the answer.
    #[error("cannot speak with the LDAP server: {0}; see whether Concord runs, then try again")]
    Stream(#[from] std::io::Error),
    /// The server does not take the caller for the administrator, or does not
    /// answer a search.
    #[error("the LDAP server refused: {0}")]
    Refused(String),
    /// An answer that belongs to no request.
    #[error("the LDAP server gave an answer that was not asked for")]
    Answer,
}

impl Fault for CallerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stream(_) => "ldap.stream",
            Self::Refused(_) => "ldap.refused",
            Self::Answer => "ldap.answer",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Stream(_) => Retry::Temporary,
            Self::Refused(_) => Retry::Permanent,
            Self::Answer => Retry::Bug,
        }
    }
}

/// A connection on which requests are made.
pub struct Caller<S> {
    stream: S,
    codec: LdapCodec,
    input: BytesMut,
    last: i32,
}

impl<S> std::fmt::Debug for Caller<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("last", &self.last).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    /// Logs in over the local socket.
    pub async fn local(stream: S) -> Result<Self, CallerError> {
        let codec = LdapCodec::new(Some(MAX_ANSWER), None);
        let mut caller = Self { stream, codec, input: BytesMut::new(), last: 0 };
        let credentials = SaslCredentials {
            mechanism: crate::bind::EXTERNAL.to_owned(),
            credentials: Vec::new(),
        };
        let cred = LdapBindCred::SASL(credentials);
        let bind = LdapBindRequest { version: 3, dn: String::new(), cred };
        caller.send(LdapOp::BindRequest(bind), Vec::new()).await?;
        match caller.receive().await?.op {
            LdapOp::BindResponse(answer) => refused(&answer.res).map_err(CallerError::Refused)?,
            _ => return Err(CallerError::Answer),
        }
        Ok(caller)
    }

    /// The name below which everything stands.
    pub async fn base(&mut self) -> Result<String, CallerError> {
        let asked = asked("", LdapSearchScope::Base, everything(), &["namingContexts"]);
        let found = self.found(asked, Vec::new()).await?.0;
        let values = found.into_iter().flat_map(|entry| entry.attributes).flat_map(|a| a.vals);
        let first = values.into_iter().next().and_then(|value| String::from_utf8(value).ok());
        first.ok_or(CallerError::Answer)
    }

    /// Every entry below a name that a filter finds, page by page.
    pub async fn search(
        &mut self,
        base: &str,
        filter: &Filter,
        attributes: &[&str],
    ) -> Result<Vec<LdapSearchResultEntry>, CallerError> {
        let (mut entries, mut cookie) = (Vec::new(), Vec::new());
        loop {
            let asked = asked(base, LdapSearchScope::Subtree, filter.clone(), attributes);
            let page = LdapControl::SimplePagedResults { size: PAGE, cookie };
            let (mut found, controls) = self.found(asked, vec![page]).await?;
            entries.append(&mut found);
            let next = controls.into_iter().find_map(|control| match control {
                LdapControl::SimplePagedResults { cookie, .. } => Some(cookie),
                _ => None,
            });
            match next.filter(|next| !next.is_empty()) {
                Some(next) => cookie = next,
                None => return Ok(entries),
            }
        }
    }

    /// The entry of a name with its user attributes, if it is there.
    pub async fn entry(&mut self, dn: &str) -> Result<Option<LdapSearchResultEntry>, CallerError> {
        let asked = asked(dn, LdapSearchScope::Base, everything(), &["*"]);
        self.send(LdapOp::SearchRequest(asked), Vec::new()).await?;
        let mut found = None;
        loop {
            match self.receive().await?.op {
                LdapOp::SearchResultEntry(entry) => found = Some(entry),
                LdapOp::SearchResultDone(result) if result.code == LdapResultCode::NoSuchObject => {
                    return Ok(None);
                }
                LdapOp::SearchResultDone(result) => {
                    refused(&result).map_err(CallerError::Refused)?;
                    return Ok(found);
                }
                _ => return Err(CallerError::Answer),
            }
        }
    }

    /// Carries out a change; within, what the server says against it.
    pub async fn change(&mut self, op: LdapOp) -> Result<Result<(), String>, CallerError> {
        self.send(op, Vec::new()).await?;
        match self.receive().await?.op {
            LdapOp::AddResponse(result)
            | LdapOp::ModifyResponse(result)
            | LdapOp::DelResponse(result)
            | LdapOp::ModifyDNResponse(result) => Ok(refused(&result)),
            _ => Err(CallerError::Answer),
        }
    }

    async fn found(
        &mut self,
        asked: LdapSearchRequest,
        controls: Vec<LdapControl>,
    ) -> Result<(Vec<LdapSearchResultEntry>, Vec<LdapControl>), CallerError> {
        self.send(LdapOp::SearchRequest(asked), controls).await?;
        let mut entries = Vec::new();
        loop {
            let message = self.receive().await?;
            match message.op {
                LdapOp::SearchResultEntry(entry) => entries.push(entry),
                LdapOp::SearchResultDone(result) => {
                    refused(&result).map_err(CallerError::Refused)?;
                    return Ok((entries, message.ctrl));
                }
                _ => return Err(CallerError::Answer),
            }
        }
    }

    async fn send(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) -> Result<(), CallerError> {
        self.last = self.last.checked_add(1).unwrap_or(1);
        let mut out = BytesMut::new();
        self.codec.encode(LdapMsg { msgid: self.last, op, ctrl }, &mut out)?;
        Ok(self.stream.write_all(&out).await?)
    }

    async fn receive(&mut self) -> Result<LdapMsg, CallerError> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.input)? {
                if message.msgid == self.last {
                    return Ok(message);
                }
                // RFC 4511 section 4.4.1: a notice that the connection ends
                if message.msgid == 0 {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into());
                }
                return Err(CallerError::Answer);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

fn everything() -> Filter {
    Filter::Present("objectClass".to_owned())
}

fn asked(
    base: &str,
    scope: LdapSearchScope,
    filter: Filter,
    attributes: &[&str],
) -> LdapSearchRequest {
    LdapSearchRequest {
        base: base.to_owned(),
        scope,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: attributes.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// The diagnostic of a result that is no success.
fn refused(result: &LdapResult) -> Result<(), String> {
    if result.code == LdapResultCode::Success {
        return Ok(());
    }
    Err(result::told(result.code.clone() as i64, &result.message))
}
