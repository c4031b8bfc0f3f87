//! Drives the links of `concord-nje` over asynchronous streams.
//!
//! - [`Node`] has links to its neighbours: it dials those that have a
//!   [`Dialler`], takes connections that others open ([`Node::listen`],
//!   [`Node::accept`]), and opens links anew when they break.
//! - [`Application`] takes what comes: jobs, messages and commands.
//! - [`LinkHandle`] sends jobs and messages, stops and starts the link, tells its
//!   [`LinkStatus`], and shows a [`Watcher`] what goes over it.
//! - [`Replay`] plays one end of a recorded connection; [`Neighbour::capture`]
//!   records one.
//!
//! # Who has a job
//!
//! [`LinkHandle::send`] ends well only when the partner has acknowledged the job;
//! a job that was under way when the link broke is sent again from its start, with
//! the same header. A job that comes is acknowledged when
//! [`IncomingJob::finish`] says that it is durable. So a job may come twice, never
//! not at all: a receiver keeps [`concord_nje::JobKey`]s.
//!
//! # Invariants
//!
//! Each link is one task; what one partner does touches no other link. A link
//! holds the octets of one read, what [`concord_nje::limits`] allows, and the jobs
//! that callers wait for. The passwords of the protocol cross the network in
//! clear: bind to private networks, or dial and accept over TLS streams.

mod application;
mod capture;
mod link;
mod listen;
mod node;
mod replay;
mod time_command;

pub use application::{Application, IncomingJob, JobParts, LinkNews, OutgoingJob, Stopped};
pub use capture::CaptureFile;
pub use link::{LinkHandle, LinkPhase, LinkStatus, Seen, SendError, Trouble, Watcher};
pub use node::{BackOff, Connection, Dialler, Neighbour, Node, Stream, TcpDialler};
pub use replay::{Replay, ReplayError};

/// The example in the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
