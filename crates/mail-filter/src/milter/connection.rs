//! One connection to a milter.

use crate::fault::FilterFault;
use crate::limits::WRITE_BUFFER;
use crate::spec::{Place, Times};
use bytes::BytesMut;
use concord_milter::{Answer, Bounds, Client, Edit, Event, MilterError, Offer, Sent};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};

/// Octets read at once.
const READ: usize = 16 * 1024;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// How long one more step may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub answer: Duration,
    /// When all of the filter's time for the message is over.
    pub end: Instant,
}

impl Clock {
    /// The wait for the next octet, and whether the total time bounds it.
    fn wait(self) -> (Duration, bool) {
        let left = self.end.saturating_duration_since(Instant::now());
        if left < self.answer { (left, true) } else { (self.answer, false) }
    }
}

/// A connection on which options were negotiated.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    pub client: Client,
    /// What is to be written before the next answer is waited for.
    pub out: BytesMut,
    input: BytesMut,
    /// It comes from an earlier session, and nothing was heard on it since.
    pub untried: bool,
}

impl Connection {
    /// Connects and negotiates.
    pub async fn open(place: &Place, times: Times, clock: Clock) -> Result<Self, FilterFault> {
        let wait = times.connect.min(clock.end.saturating_duration_since(Instant::now()));
        let connecting = async {
            Ok::<Box<dyn Stream>, std::io::Error>(match place {
                Place::Tcp(host, port) => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    // Commands are small, and each waits for its answer.
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
                Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
            })
        };
        let address = place.to_string();
        let stream = match timeout(wait, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(cause)) => {
                return Err(FilterFault::Connect { address, cause: Arc::new(cause) });
            }
            Err(_) => return Err(FilterFault::ConnectTimeout { address }),
        };
        let client = Client::new(Offer::default(), Bounds { new_body: 0 });
        let (out, input) = (BytesMut::new(), BytesMut::new());
        let mut connection = Self { stream, client, out, input, untried: false };
        let stage = "negotiation";
        let sent = connection.client.negotiate(&mut connection.out);
        let _ = sent.map_err(|cause| FilterFault::Protocol { stage, cause })?;
        connection.flush(stage, clock).await?;
        match connection.event(stage, clock).await? {
            Event::Agreed => Ok(connection),
            _ => Err(FilterFault::GaveUp { stage }),
        }
    }

    /// Sends what is held and waits for the answer, if one comes. The edits
    /// that come before it are given to `edit`.
    pub async fn ask(
        &mut self,
        stage: &'static str,
        sent: Result<Sent, MilterError>,
        clock: Clock,
        edits: &mut Vec<Edit>,
    ) -> Result<Answer, FilterFault> {
        match sent.map_err(|cause| FilterFault::Protocol { stage, cause })? {
            Sent::Nothing => return Ok(Answer::Continue),
            Sent::NoAnswer => {
                if self.out.len() >= WRITE_BUFFER {
                    self.flush(stage, clock).await?;
                }
                return Ok(Answer::Continue);
            }
            Sent::Answer => self.flush(stage, clock).await?,
        }
        loop {
            match self.event(stage, clock).await? {
                Event::Answer(Answer::ConnectionFailed) => {
                    return Err(FilterFault::GaveUp { stage });
                }
                Event::Answer(answer) => return Ok(answer),
                Event::Edit(edit) => edits.push(edit),
                Event::Progress | Event::Agreed => {}
            }
        }
    }

    /// Sends what is held.
    pub async fn flush(&mut self, stage: &'static str, clock: Clock) -> Result<(), FilterFault> {
        if self.out.is_empty() {
            return Ok(());
        }
        let (wait, total) = clock.wait();
        let written = timeout(wait, self.stream.write_all(&self.out)).await;
        self.out.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => Err(FilterFault::Broken { stage, cause: Arc::new(cause) }),
            Err(_) if total => Err(FilterFault::TotalTime { stage }),
            Err(_) => Err(FilterFault::Timeout { stage }),
        }
    }

    async fn event(&mut self, stage: &'static str, clock: Clock) -> Result<Event, FilterFault> {
        loop {
            let event = self.client.poll();
            if let Some(event) = event.map_err(|cause| FilterFault::Protocol { stage, cause })? {
                return Ok(event);
            }
            self.input.clear();
            self.input.reserve(READ);
            let (wait, total) = clock.wait();
            let read = match timeout(wait, self.stream.read_buf(&mut self.input)).await {
                Ok(Ok(0)) => Err(std::io::Error::from(ErrorKind::UnexpectedEof)),
                Ok(read) => read,
                Err(_) if total => return Err(FilterFault::TotalTime { stage }),
                Err(_) => return Err(FilterFault::Timeout { stage }),
            };
            read.map_err(|cause| FilterFault::Broken { stage, cause: Arc::new(cause) })?;
            self.untried = false;
            self.client.feed(&self.input);
        }
    }
}
