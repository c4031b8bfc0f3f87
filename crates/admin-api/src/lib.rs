//! Administration over HTTP and JSON: what `concord mailbox`, `queue`, `trace`
//! and `store` call, and what other programs may.
//!
//! The core builds an [`AdminApi`] over its domains and serves it on a Unix
//! socket ([`serve`]); who may open the socket's file may administer. It has no
//! state of its own, and does nothing that the domain traits do not do.
//!
//! - [`ROUTES`] is the one table of routes: the router is built from it, and a
//!   test holds `docs/openapi.yaml` against it.
//! - [`wire`] has the shapes of requests and answers, for servers and clients.
//! - Directory synchronisation ([`Server::run_schedule`], and the routes below
//!   `/v1/connectors/{name}/sync`).
//! - [`Maintenance`] and [`ReturnMail`] are what the core gives besides.
//!
//! Invariants: every error is a [`wire::ErrorBody`] with a stable code; a
//! change of a directory object is one commit; bodies, pages and times are
//! bounded; passwords are never logged or given back.

mod advice;
mod api;
mod apply;
mod connectors;
mod endpoint;
mod error;
mod extract;
mod find;
mod lines;
mod maintenance;
mod restamp;
mod routes;
mod rules;
mod serve;
mod stamp;
mod sync;
pub mod table;
mod view;
pub mod wire;

pub use api::{AdminApi, RelayQuestion, ReturnMail, RoutingState};
pub use connectors::ConnectorAccess;
pub use error::ApiError;
pub use maintenance::{BackupRequest, Maintenance, MaintenanceTask, Outcome, Progress};
pub use routes::{ROUTES, Route};
pub use serve::Server;
pub use sync::SyncError;
