//! The one table of routes.

use crate::api::Shared;
use crate::endpoint::{
    bootstrap, connector_add, connector_change, connector_order, connector_test, contact_add,
    directory_show, domain_add, generator_add, generator_change, generator_restamp,
    generators_missing, generators_stamp, health, inventory, list_add, mailbox_add, message_add,
    metrics, notices_forget, object_add, object_change, object_list, object_remove, object_show,
    openapi, password_set, queue_act, queue_act_many, queue_list, queue_show, queue_start,
    relay_check, route_show, rule_add, rule_change, rule_list, rule_remove, rule_test,
    store_backup, store_task, summary, sync_show, sync_start, trace,
};
use crate::extract::{Body, MAX_BODY, Param, Query};
use crate::wire::{PageQuery, Patch};
use crate::{ApiError, MaintenanceTask};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use concord_directory::Kind;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Within it every request but maintenance is answered; a disk that takes
/// longer is in trouble.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

type App = State<Arc<Shared>>;

/// One method of one path.
pub struct Route {
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    handler: fn() -> MethodRouter<Arc<Shared>>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

const fn route(
    method: &'static str,
    path: &'static str,
    handler: fn() -> MethodRouter<Arc<Shared>>,
) -> Route {
    Route { method, path, handler }
}

/// Every route there is.
pub const ROUTES: &[Route] = &[
    route("GET", "/v1/health", || get(health::get)),
    route("GET", "/v1/openapi.yaml", || get(openapi::get)),
    route("GET", "/metrics", || get(metrics::get)),
    route("GET", "/v1/summary", || get(summary::get)),
    route("GET", "/v1/directory", || get(directory_show::get)),
    route("POST", "/v1/directory/bootstrap", || post(bootstrap::post)),
    route("GET", "/v1/mailboxes", || list(Kind::Mailbox)),
    route("POST", "/v1/mailboxes", || post(mailbox_add::post)),
    route("GET", "/v1/mailboxes/{name}", || show(Kind::Mailbox)),
    route("PATCH", "/v1/mailboxes/{name}", || change(Kind::Mailbox)),
    route("DELETE", "/v1/mailboxes/{name}", || remove(Kind::Mailbox)),
    route("PUT", "/v1/mailboxes/{name}/password", || put(password_set::put)),
    route("POST", "/v1/mailboxes/{name}/messages", || post(message_add::post)),
    route("GET", "/v1/mailboxes/{name}/inventory", || get(inventory::get)),
    route("GET", "/v1/mailboxes/{name}/rules", || get(rule_list::get)),
    route("POST", "/v1/mailboxes/{name}/rules", || post(rule_add::post)),
    route("PATCH", "/v1/mailboxes/{name}/rules/{rule}", || patch(rule_change::patch)),
    route("DELETE", "/v1/mailboxes/{name}/rules/{rule}", || delete(rule_remove::delete)),
    route("POST", "/v1/mailboxes/{name}/rule-test", || post(rule_test::post)),
    route("GET", "/v1/contacts", || list(Kind::Contact)),
    route("POST", "/v1/contacts", || post(contact_add::post)),
    route("GET", "/v1/contacts/{name}", || show(Kind::Contact)),
    route("PATCH", "/v1/contacts/{name}", || change(Kind::Contact)),
    route("DELETE", "/v1/contacts/{name}", || remove(Kind::Contact)),
    route("GET", "/v1/lists", || list(Kind::List)),
    route("POST", "/v1/lists", || post(list_add::post)),
    route("GET", "/v1/lists/{name}", || show(Kind::List)),
    route("PATCH", "/v1/lists/{name}", || change(Kind::List)),
    route("DELETE", "/v1/lists/{name}", || remove(Kind::List)),
    route("GET", "/v1/public-folders", || list(Kind::PublicFolder)),
    route("POST", "/v1/public-folders", || add(Kind::PublicFolder)),
    route("GET", "/v1/public-folders/{name}", || show(Kind::PublicFolder)),
    route("PATCH", "/v1/public-folders/{name}", || change(Kind::PublicFolder)),
    route("DELETE", "/v1/public-folders/{name}", || remove(Kind::PublicFolder)),
    route("GET", "/v1/resources", || list(Kind::Resource)),
    route("POST", "/v1/resources", || add(Kind::Resource)),
    route("GET", "/v1/resources/{name}", || show(Kind::Resource)),
    route("PATCH", "/v1/resources/{name}", || change(Kind::Resource)),
    route("DELETE", "/v1/resources/{name}", || remove(Kind::Resource)),
    route("GET", "/v1/containers", || list(Kind::Container)),
    route("POST", "/v1/containers", || add(Kind::Container)),
    route("GET", "/v1/containers/{name}", || show(Kind::Container)),
    route("PATCH", "/v1/containers/{name}", || change(Kind::Container)),
    route("DELETE", "/v1/containers/{name}", || remove(Kind::Container)),
    route("GET", "/v1/roles", || list(Kind::Role)),
    route("POST", "/v1/roles", || add(Kind::Role)),
    route("GET", "/v1/roles/{name}", || show(Kind::Role)),
    route("PATCH", "/v1/roles/{name}", || change(Kind::Role)),
    route("DELETE", "/v1/roles/{name}", || remove(Kind::Role)),
    route("GET", "/v1/domains", || list(Kind::Domain)),
    route("POST", "/v1/domains", || post(domain_add::post)),
    route("GET", "/v1/domains/{name}", || show(Kind::Domain)),
    route("DELETE", "/v1/domains/{name}", || remove(Kind::Domain)),
    route("GET", "/v1/connectors", || list(Kind::Connector)),
    route("POST", "/v1/connectors", || post(connector_add::post)),
    route("GET", "/v1/connectors/{name}", || show(Kind::Connector)),
    route("PATCH", "/v1/connectors/{name}", || patch(connector_change::patch)),
    route("DELETE", "/v1/connectors/{name}", || remove(Kind::Connector)),
    route("POST", "/v1/connectors/{name}/test", || post(connector_test::post)),
    route("GET", "/v1/connectors/{name}/orders/{order}", || get(connector_order::get)),
    route("POST", "/v1/connectors/{name}/orders/{order}", || post(connector_order::post)),
    route("GET", "/v1/connectors/{name}/sync", || get(sync_show::get)),
    route("POST", "/v1/connectors/{name}/sync", || post(sync_start::post)),
    route("GET", "/v1/connectors/{name}/sync/plan", || get(sync_show::plan)),
    route("DELETE", "/v1/connectors/{name}/notices", || delete(notices_forget::delete)),
    route("GET", "/v1/relay-check", || get(relay_check::get)),
    route("GET", "/v1/route", || get(route_show::get)),
    route("GET", "/v1/generators", || list(Kind::Generator)),
    route("POST", "/v1/generators", || post(generator_add::post)),
    route("GET", "/v1/generators/missing", || get(generators_missing::get)),
    route("POST", "/v1/generators/stamp", || post(generators_stamp::post)),
    route("GET", "/v1/generators/{name}", || show(Kind::Generator)),
    route("PATCH", "/v1/generators/{name}", || patch(generator_change::patch)),
    route("DELETE", "/v1/generators/{name}", || remove(Kind::Generator)),
    route("GET", "/v1/generators/{name}/preview", || get(generator_restamp::preview)),
    route("POST", "/v1/generators/{name}/restamp", || post(generator_restamp::post)),
    route("GET", "/v1/queue", || get(queue_list::get)),
    route("GET", "/v1/queue/{id}", || get(queue_show::get)),
    route("POST", "/v1/queue/{id}/{act}", || post(queue_act::post)),
    route("POST", "/v1/queue-acts", || post(queue_act_many::post)),
    route("POST", "/v1/queue-starts", || post(queue_start::post)),
    route("GET", "/v1/trace", || get(trace::get)),
    route("POST", "/v1/store/verify", || store(MaintenanceTask::Verify)),
    route("POST", "/v1/store/compact", || store(MaintenanceTask::Compact)),
    route("POST", "/v1/store/rebuild-index", || store(MaintenanceTask::RebuildIndex)),
    route("POST", "/v1/store/backup", || post(store_backup::post)),
];

fn list(kind: Kind) -> MethodRouter<Arc<Shared>> {
    get(move |app: App, query: Query<PageQuery>| object_list::get(kind, app, query))
}

fn add(kind: Kind) -> MethodRouter<Arc<Shared>> {
    post(move |app: App, body: Body<Patch>| object_add::post(kind, app, body))
}

fn show(kind: Kind) -> MethodRouter<Arc<Shared>> {
    get(move |app: App, name: Param<String>| object_show::get(kind, app, name))
}

fn change(kind: Kind) -> MethodRouter<Arc<Shared>> {
    patch(move |app: App, name: Param<String>, body: Body<Patch>| {
        object_change::patch(kind, app, name, body)
    })
}

fn remove(kind: Kind) -> MethodRouter<Arc<Shared>> {
    delete(move |app: App, name: Param<String>| object_remove::delete(kind, app, name))
}

fn store(task: MaintenanceTask) -> MethodRouter<Arc<Shared>> {
    post(move |app: App| store_task::post(task.clone(), app))
}

/// The router over [`ROUTES`].
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(shared.api.go_ahead.clone(), held))
        .layer(from_fn(audited))
        .with_state(shared)
}

async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::NoSuchPath { path: uri.path().to_owned() }
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::WrongMethod { path: uri.path().to_owned(), method: method.to_string() }
}

/// Refuses changes while an update looks whether this release comes up: it may
/// still go back to the one before, which would not know of them.
async fn held(State(go_ahead): State<CancellationToken>, request: Request, next: Next) -> Response {
    if go_ahead.is_cancelled() || request.method() == Method::GET {
        return next.run(request).await;
    }
    ApiError::Held.into_response()
}

/// Bounds a request in time and writes each change to the audit log. Paths
/// have names in them, never passwords.
async fn audited(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let answered = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| {
        ApiError::Timeout { seconds: REQUEST_TIMEOUT.as_secs() }.into_response()
    });
    if method != Method::GET {
        let status = response.status().as_u16();
        tracing::info!(target: "audit", %method, path, status, "administration");
    }
    response
}
