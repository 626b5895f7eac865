//! Every route in one table, so that the contract test can compare it with docs/orchestrator.yaml.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State as Extract},
    handler::Handler,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use http::StatusCode;
use serde_json::json;

use super::{
    commands, feed, guest, keys, peer,
    plane::Plane,
    public,
    shared::Shared,
    tenants, usage,
    wire::{Refusal, Reply, bearer},
};
use crate::{exchanges, faults};

/// One operation: a method on a path.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    handler: MethodRouter<Arc<Shared>>,
}

fn route<H, T>(method: &'static str, path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    let filter = match method {
        "PUT" => MethodFilter::PUT,
        "POST" => MethodFilter::POST,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    };
    Route {
        method,
        path,
        handler: on(filter, handler),
    }
}

/// Both planes and the test switches.
pub(crate) fn all() -> Vec<Route> {
    let mut routes = control_plane();
    routes.extend(public_plane());
    routes.extend([
        route("POST", "/peer/clock", peer::clock),
        route("POST", "/peer/faults", peer::add_fault),
        route("DELETE", "/peer/faults", peer::clear_faults),
        route("POST", "/peer/feed/rewrite", peer::rewrite),
        route("POST", "/peer/feed/skip", peer::skip),
        route("POST", "/peer/feed/append", peer::append),
        route("GET", "/peer/state", peer::state),
    ]);
    routes
}

fn control_plane() -> Vec<Route> {
    vec![
        route("PUT", "/internal/v1/tenants/{account}", tenants::put),
        route("DELETE", "/internal/v1/tenants/{account}", tenants::delete),
        route("GET", "/internal/v1/tenants/{account}/runs", commands::runs),
        route(
            "GET",
            "/internal/v1/tenants/{account}/snapshots",
            commands::snapshots,
        ),
        route("PUT", "/internal/v1/keys/{key_id}", keys::put),
        route("DELETE", "/internal/v1/keys/{key_id}", keys::delete),
        route("GET", "/internal/v1/keys/{key_id}/callers", keys::callers),
        route("GET", "/internal/v1/feed", feed::read),
        route("POST", "/internal/v1/runs/{id}/destroy", commands::destroy),
        route(
            "POST",
            "/internal/v1/runs/{id}/hibernate",
            commands::hibernate,
        ),
        route("POST", "/internal/v1/runs/{id}/resume", commands::resume),
        route("POST", "/internal/v1/runs/{id}/timeout", commands::timeout),
        route("GET", "/internal/v1/runs/{id}/audit", commands::audit),
        route(
            "DELETE",
            "/internal/v1/snapshots/{id}",
            commands::delete_snapshot,
        ),
    ]
}

fn public_plane() -> Vec<Route> {
    vec![
        route("GET", "/healthz", health),
        route("POST", "/v1/runs", public::create),
        route("GET", "/v1/runs", public::list),
        route("POST", "/v1/runs/restore", public::restore),
        route("GET", "/v1/runs/history", usage::history),
        route("GET", "/v1/runs/{id}", public::get),
        route("PATCH", "/v1/runs/{id}", public::patch),
        route("DELETE", "/v1/runs/{id}", public::destroy),
        route("POST", "/v1/runs/{id}/exec", guest::exec),
        route("POST", "/v1/runs/{id}/files/upload", guest::upload),
        route("GET", "/v1/runs/{id}/files/download", guest::download),
        route("GET", "/v1/runs/{id}/files", guest::files),
        route("GET", "/v1/runs/{id}/audit", public::audit),
        route("POST", "/v1/runs/{id}/snapshot", public::snapshot),
        route("POST", "/v1/runs/{id}/fork", public::fork),
        route("POST", "/v1/runs/{id}/hibernate", public::hibernate),
        route("POST", "/v1/runs/{id}/resume", public::resume),
        route("GET", "/v1/usage", usage::usage),
        route("GET", "/v1/snapshots", public::snapshots),
        route("DELETE", "/v1/snapshots/{id}", public::delete_snapshot),
        route("GET", "/v1/network-profiles", usage::network_profiles),
    ]
}

async fn health() -> Reply {
    Reply::ok(json!({"status": "ok"}))
}

/// The largest body of any route: a file upload or a batch of feed events.
const MAX_BODY: usize = 16 * 1_024 * 1_024;

pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for Route { path, handler, .. } in all() {
        router = router.route(path, handler);
    }
    router
        .fallback(peer::not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(shared),
            service_credential,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shared.exchanges),
            exchanges::layer,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shared.faults),
            faults::layer::<Plane>,
        ))
        .layer(middleware::from_fn(peer::loopback_only))
        .with_state(Arc::clone(shared))
}

async fn method_not_allowed() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path does not know this method.",
    )
}

/// The control plane takes the service credential and nothing else; above all no customer key.
async fn service_credential(
    Extract(shared): Extract<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with("/internal/")
        && bearer(request.headers()) != Some(&shared.credential)
    {
        return Refusal::unauthorized().into_response();
    }
    next.run(request).await
}
