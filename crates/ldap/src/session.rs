//! One client's session: requests in their order, and what is read meanwhile.

use crate::ber::{self, Writer};
use crate::client::Client;
use crate::config::{
    IDLE_BEFORE_LOGIN, MAX_BAD_REQUESTS, MAX_REQUEST, MAX_REQUEST_BEFORE_LOGIN, MAX_WAITING,
};
use crate::connection::{Input, Output, join, split};
use crate::frame::{self, Asked, Broken, Request};
use crate::operation::{self, Next};
use crate::result::{Code, Refusal};
use crate::server::{LdapServer, Way};
use concord_directory::Who;
use concord_entrance::Io;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// RFC 4511 section 4.4.1
const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

/// The operation that runs, as the rest of the session sees it.
#[derive(Debug, Default)]
pub(crate) struct Running {
    abandoned: AtomicBool,
}

impl Running {
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

/// A session.
pub(crate) struct Session {
    client: Client,
    shutdown: CancellationToken,
    waiting: Waiting,
    bad_requests: u32,
}

/// Requests that have arrived and not had their turn.
#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    octets: usize,
}

/// Why no more requests come.
enum Over {
    Closed,
    Shutdown,
    Idle,
    Broken(Broken),
}

impl Session {
    pub fn new(server: Arc<LdapServer>, way: Way, shutdown: CancellationToken) -> Self {
        Self {
            client: Client::new(server, way),
            shutdown,
            waiting: Waiting::default(),
            bad_requests: 0,
        }
    }

    pub async fn run(mut self, io: Box<dyn Io>) {
        let write_timeout = self.client.server.config.write_timeout;
        let (mut input, mut output) = split(io, write_timeout);
        loop {
            let request = match self.next(&mut input, &mut output).await {
                Ok(request) => request,
                Err(over) => return farewell(&mut output, &over).await,
            };
            match self.carry_out(request, &mut input, &mut output).await {
                Ok(Next::Go) => {}
                Ok(Next::Close) => {
                    let _ = output.flush().await;
                    return output.close().await;
                }
                Ok(Next::StartTls) => {
                    if output.flush().await.is_err() {
                        return;
                    }
                    let Some(io) = self.client.server.entrance.handshake(join(input, output)).await
                    else {
                        return;
                    };
                    self.client.tls = true;
                    (input, output) = split(io, write_timeout);
                }
                Err(over) => return farewell(&mut output, &over).await,
            }
        }
    }

    /// The next request, in the order of arrival.
    async fn next(&mut self, input: &mut Input, output: &mut Output) -> Result<Request, Over> {
        loop {
            self.waiting.sort_in(input, self.limit(), None)?;
            if let Some(request) = self.waiting.pop() {
                return Ok(request);
            }
            output.flush().await.map_err(|_| Over::Closed)?;
            let mut idle = self.client.server.config.idle_timeout;
            if self.client.who() == Who::Anonymous {
                idle = idle.min(IDLE_BEFORE_LOGIN);
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(Over::Shutdown),
                read = timeout(idle, input.fill()) => match read {
                    Ok(read) => read.map_err(|_| Over::Closed)?,
                    Err(_) => return Err(Over::Idle),
                },
            }
        }
    }

    fn limit(&self) -> usize {
        if self.client.who() == Who::Anonymous { MAX_REQUEST_BEFORE_LOGIN } else { MAX_REQUEST }
    }

    /// Carries out one request, and reads on meanwhile.
    async fn carry_out(
        &mut self,
        request: Request,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Next, Over> {
        let (id, asked) = (request.id, request.asked);
        let running = Running::default();
        let limit = self.limit();
        let Self { client, waiting, .. } = self;
        let mut over = None;
        // what follows a bind or STARTTLS may mean something else when it is done
        let alone = matches!(asked, Asked::Bind | Asked::Extended);
        let done = {
            let work = operation::carry_out(client, request, output, &running);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => break done,
                    read = input.fill(), if over.is_none() && !alone && waiting.has_room(limit) => {
                        let read = read.map_err(|_| Over::Closed);
                        let sorted = read
                            .and_then(|()| waiting.sort_in(input, limit, Some((id, &running))));
                        if let Err(why) = sorted {
                            running.abandon();
                            over = Some(why);
                        }
                    }
                }
            }
        };
        match (done, over) {
            (Err(_), _) => Err(Over::Closed),
            (Ok(_), Some(over)) => Err(over),
            (Ok(Next::StartTls), None) if !self.waiting.requests.is_empty() => {
                Err(Over::Broken(Broken::Syntax))
            }
            (Ok(next), None) => {
                self.bad_requests =
                    if self.client.made_no_sense { self.bad_requests + 1 } else { 0 };
                self.client.made_no_sense = false;
                if self.bad_requests > MAX_BAD_REQUESTS {
                    return Err(Over::Broken(Broken::Syntax));
                }
                Ok(next)
            }
        }
    }
}

impl Waiting {
    /// `limit` is that of one request: so many octets wait, and one request more.
    fn has_room(&self, limit: usize) -> bool {
        self.requests.len() < MAX_WAITING && self.octets < limit
    }

    fn pop(&mut self) -> Option<Request> {
        let request = self.requests.pop_front()?;
        self.octets = self.octets.saturating_sub(request.size());
        Some(request)
    }

    /// Puts what has arrived among the requests that wait; an abandon takes
    /// effect at once (RFC 4511 section 4.11).
    fn sort_in(
        &mut self,
        input: &mut Input,
        limit: usize,
        running: Option<(i32, &Running)>,
    ) -> Result<(), Over> {
        while self.has_room(limit) {
            let Some(message) = input.take(limit).map_err(Over::Broken)? else { break };
            let request = frame::open(&message).map_err(Over::Broken)?;
            if request.asked != Asked::Abandon {
                self.octets += request.size();
                self.requests.push_back(request);
                continue;
            }
            let Some(id) = request.abandoned() else { continue };
            match running {
                Some((current, running)) if current == id => running.abandon(),
                _ => self.requests.retain(|waiting| {
                    waiting.id != id || matches!(waiting.asked, Asked::Bind | Asked::Unbind)
                }),
            }
        }
        Ok(())
    }
}

async fn farewell(output: &mut Output, over: &Over) {
    let (code, message) = match over {
        Over::Closed => return,
        Over::Shutdown => (Code::Unavailable, "the server is going down, try again later"),
        Over::Idle => (Code::Unavailable, "the connection was silent for too long"),
        Over::Broken(Broken::Syntax) => (Code::ProtocolError, "this is not an LDAP request"),
        Over::Broken(Broken::TooLarge) => {
            (Code::ProtocolError, "the request is larger than this server takes")
        }
    };
    notice(output, code, message);
    let _ = output.flush().await;
    output.close().await;
}

/// The notice of disconnection.
pub(crate) fn notice(output: &mut Output, code: Code, message: &str) {
    let refusal = Refusal::new(code, message);
    answer(&mut output.answer, 0, 0x78, &refusal, &[], |writer| {
        writer.primitive(0x8A, NOTICE_OF_DISCONNECTION.as_bytes());
    });
}

/// A control of an answer.
pub(crate) struct AnswerControl {
    pub oid: &'static str,
    pub value: Vec<u8>,
}

/// Writes a result (RFC 4511 section 4.1.9), with what the operation adds to it.
pub(crate) fn answer(
    writer: &mut Writer,
    id: i32,
    tag: u8,
    result: &Refusal,
    controls: &[AnswerControl],
    more: impl FnOnce(&mut Writer),
) {
    let message = writer.open(ber::SEQUENCE);
    writer.number(ber::INTEGER, i64::from(id));
    let operation = writer.open(tag);
    writer.number(ber::ENUMERATED, result.code as i64);
    writer.text(&result.matched);
    writer.text(&result.message);
    more(writer);
    writer.close(operation);
    if !controls.is_empty() {
        let all = writer.open(0xA0);
        for control in controls {
            let one = writer.open(ber::SEQUENCE);
            writer.text(control.oid);
            writer.primitive(ber::OCTETS, &control.value);
            writer.close(one);
        }
        writer.close(all);
    }
    writer.close(message);
}
