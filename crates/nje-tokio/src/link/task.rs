//! The task of a link: from connection to connection.

use super::jobs::Jobs;
use super::status::{Board, LinkPhase, Trouble};
use super::watch::Watches;
use super::{Order, SendError};
use crate::application::{Application, LinkNews};
use crate::capture::CaptureFile;
use crate::listen::refuse;
use crate::node::{BackOff, Connection, Dialler, Neighbour};
use concord_base::Clock;
use concord_nje::{CloseReason, Direction, Link, NakReason, Name, Opening, Ttc};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A connection that the partner opened, with its OPEN.
pub(crate) struct Inbound {
    pub(crate) connection: Connection,
    pub(crate) open: Ttc,
}

pub(crate) struct LinkTask {
    pub(super) link: Link,
    pub(super) partner: Name,
    pub(super) application: Arc<dyn Application>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) inbound: mpsc::Receiver<Inbound>,
    pub(super) stop: CancellationToken,
    pub(super) jobs: Jobs,
    pub(super) capture: Option<CaptureFile>,
    pub(super) watches: Watches,
    pub(super) board: Board,
    /// The OPEN of a connection that the partner made: it was read before the link
    /// had the connection.
    open: Option<Ttc>,
    /// An operator stopped the link.
    pub(super) stopped: bool,
    /// The link is to be dialled at once.
    pub(super) hurry: bool,
    dialler: Option<Arc<dyn Dialler>>,
    back_off: BackOff,
    start: Instant,
    /// Connections in a row on which the link did not become active.
    pub(super) failures: u32,
}

impl LinkTask {
    pub(crate) fn new(
        neighbour: Neighbour,
        application: Arc<dyn Application>,
        clock: Arc<dyn Clock>,
        (orders, inbound): (mpsc::Receiver<Order>, mpsc::Receiver<Inbound>),
        board: Board,
        stop: CancellationToken,
    ) -> Self {
        let partner = neighbour.settings.partner_node;
        let mut task = Self {
            link: Link::new(neighbour.settings),
            partner,
            application,
            clock,
            orders,
            inbound,
            stop,
            jobs: Jobs::default(),
            capture: None,
            watches: Watches::default(),
            board,
            open: None,
            stopped: false,
            hurry: false,
            dialler: neighbour.dialler,
            back_off: neighbour.back_off,
            start: Instant::now(),
            failures: 0,
        };
        if let Some(path) = neighbour.capture {
            match CaptureFile::open(&path) {
                Ok(file) => task.capture = Some(file),
                Err(error) => task.capture_stopped(&error),
            }
        }
        task
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The moment of a link's time.
    pub(super) fn instant(&self, time: Duration) -> Instant {
        self.start.checked_add(time).unwrap_or(self.start)
    }

    pub(super) fn capture_stopped(&mut self, error: &io::Error) {
        self.capture = None;
        self.application.link(self.partner, &LinkNews::CaptureStopped(error.to_string()));
    }

    pub(crate) async fn run(mut self) {
        let mut wait = Duration::ZERO;
        while let Some((connection, opened_by)) = self.connection(wait).await {
            if let Some(capture) = &mut self.capture {
                let own = self.link.settings().own_node;
                let (opener, listener) = match opened_by {
                    Direction::FromOpener => (own, self.partner),
                    Direction::FromListener => (self.partner, own),
                };
                if let Err(error) = capture.begin(opener, listener) {
                    self.capture_stopped(&error);
                }
            }
            self.board.write().opened_by = Some(opened_by);
            self.board.phase(LinkPhase::Opening, self.clock.now());
            self.watches.opened(opened_by);
            if let Some(open) = self.open.take() {
                self.write_down(Direction::FromOpener, &open.octets());
            }
            let reason = self.drive(connection, opened_by).await;
            self.closed(&reason);
            if self.stop.is_cancelled() {
                break;
            }
            wait = match self.link.wait_after(&reason) {
                Some(range) => {
                    let part: f64 = rand::random_range(0.0..=1.0);
                    let width = range.end().saturating_sub(*range.start());
                    range.start().saturating_add(width.mul_f64(part))
                }
                None => self.back_off.after(self.failures),
            };
            self.failures = self.failures.saturating_add(1);
            self.application.link(self.partner, &LinkNews::Closed(reason));
        }
        self.jobs.fail_all(&SendError::Stopped);
    }

    fn closed(&mut self, reason: &CloseReason) {
        self.watches.closed(reason);
        let now = self.clock.now();
        self.board.phase(self.down(), now);
        self.board.write().last_trouble = Some((now, Trouble::Closed(reason.clone())));
    }

    /// Where a link without a connection stands.
    pub(super) const fn down(&self) -> LinkPhase {
        if self.stopped { LinkPhase::Stopped } else { LinkPhase::Down }
    }

    /// The next connection, dialled or opened by the partner; `None` when the node
    /// stops.
    async fn connection(&mut self, wait: Duration) -> Option<(Connection, Direction)> {
        let wait = if std::mem::take(&mut self.hurry) { Duration::ZERO } else { wait };
        let mut dial = Box::pin(dial(self.dialler.clone(), wait));
        loop {
            self.count();
            tokio::select! {
                () = self.stop.cancelled() => return None,
                Some(inbound) = self.inbound.recv() => {
                    if let Some(connection) = self.opened(inbound) {
                        return Some((connection, Direction::FromListener));
                    }
                }
                Some(order) = self.orders.recv() => {
                    self.order(order);
                    self.board.phase(self.down(), self.clock.now());
                    if std::mem::take(&mut self.hurry) {
                        dial = Box::pin(self::dial(self.dialler.clone(), Duration::ZERO));
                    }
                }
                dialled = &mut dial, if !self.stopped => match dialled {
                    Ok(connection) => {
                        // The link is down, so it can be opened.
                        if self.link.dialled(self.now()).is_ok() {
                            return Some((connection, Direction::FromOpener));
                        }
                    }
                    Err(error) => {
                        let words = error.to_string();
                        let trouble = Trouble::Unreachable(words.clone());
                        self.board.write().last_trouble = Some((self.clock.now(), trouble));
                        self.application.link(self.partner, &LinkNews::Unreachable(words));
                        let wait = self.back_off.after(self.failures);
                        self.failures = self.failures.saturating_add(1);
                        dial = Box::pin(self::dial(self.dialler.clone(), wait));
                    }
                },
            }
        }
    }

    /// A connection on which the partner sent OPEN: the link's if it is taken.
    pub(super) fn opened(&mut self, inbound: Inbound) -> Option<Connection> {
        if self.stopped {
            if let Opening::Refused { nak, .. } =
                concord_nje::refuse(&inbound.open, NakReason::Temporary)
            {
                refuse(inbound.connection, nak);
            }
            return None;
        }
        match self.link.peer_opened(&inbound.open, self.now()) {
            Opening::Accepted => {
                self.open = Some(inbound.open);
                Some(inbound.connection)
            }
            Opening::Refused { nak, reason } => {
                tracing::info!(partner = %self.partner, %reason, "refused a second opening");
                refuse(inbound.connection, nak);
                None
            }
        }
    }
}

/// Waits and connects; for ever if there is nothing to connect with.
async fn dial(dialler: Option<Arc<dyn Dialler>>, wait: Duration) -> io::Result<Connection> {
    let Some(dialler) = dialler else { return std::future::pending().await };
    tokio::time::sleep(wait).await;
    dialler.dial().await
}
