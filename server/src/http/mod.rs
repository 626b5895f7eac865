//! The HTTP edge. Read top to bottom: what is answered by whom, then what stands around every answer and why in this
//! order. What a page shows is `app`'s.

mod access_log;
mod actions;
mod answer;
pub mod assets;
mod body;
mod browser_cookie;
mod calendar;
pub mod client_address;
mod compression;
mod deadline;
mod edge;
mod guard;
mod health;
mod host;
pub mod listen;
mod live;
mod mailed_link;
mod once;
mod owner;
mod panics;
pub mod rate_limit;
mod request_id;
mod same_origin;
mod security_headers;
mod session_cookie;
pub mod session_store;
mod twins;

use app::frame::assets::Assets;
use app::frame::dead_end::DeadEnd;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use backend::Backend;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;

pub use edge::{Edge, Site};
use rate_limit::{Limiter, Limits};

/// Everything, once the database is there.
pub fn router(edge: &Edge, backend: &Backend, limits: Limits) -> Router {
    let routes = Router::new()
        .merge(application(edge, backend, limits))
        .merge(assets::router(edge))
        .route(
            calendar::PATH,
            get(calendar::feed).with_state((edge.clone(), backend.clone())),
        )
        .route("/healthz", get(health::alive))
        .route(
            "/readyz",
            get(health::ready).with_state((edge.clone(), backend.clone())),
        );
    dressed(edge, routes, DeadEnd::NotFound)
}

/// While the database is away or migrating: alive, not ready, and every page says so.
pub fn starting(edge: &Edge) -> Router {
    let routes = Router::new()
        .merge(assets::router(edge))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::not_ready));
    dressed(edge, routes, DeadEnd::Unavailable)
}

/// The second listener: metrics, and health for a process without pages. Nothing here is for the public.
pub fn metrics_router(metrics: PrometheusHandle) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(move || std::future::ready(metrics.render())),
        )
        .route("/healthz", get(health::alive))
}

/// Pages, their twins, server functions and the handlers beside them: whatever knows a person.
fn application(edge: &Edge, backend: &Backend, limits: Limits) -> Router {
    let options = LeptosOptions::builder().output_name("frontend").build();
    let context = {
        let (backend, assets) = (backend.clone(), Assets::clone(&edge.assets));
        move || {
            provide_context(backend.clone());
            provide_context(assets.clone());
        }
    };
    // Server functions are registered when the program is linked; each has a fixed path and takes POST only.
    let routes = Router::new()
        .leptos_routes_with_context(
            &options,
            generate_route_list(app::routes::App),
            context,
            app::routes::document,
        )
        .with_state::<()>(options)
        .route(
            "/live/overview",
            get(live::overview).with_state(backend.clone()),
        )
        .merge(twins::router(edge, backend))
        .route(
            mailed_link::ACCOUNT_PATH,
            get(mailed_link::keep_account).with_state(backend.clone()),
        )
        .route(
            mailed_link::RECIPIENT_PATH,
            get(mailed_link::keep_recipient).with_state(backend.clone()),
        )
        .route(
            mailed_link::NO_MORE_MAIL_PATH,
            get(mailed_link::keep_no_more_mail).with_state(backend.clone()),
        );
    let limiter = Limiter::new(limits);
    let guard = guard::Guard {
        backend: backend.clone(),
        edge: edge.clone(),
        limiter: limiter.clone(),
        paths: guard::Paths::default(),
    };
    routes.layer(
        ServiceBuilder::new()
            // Before everything that reads or changes: another site's form must not reach a session or a limit.
            .layer(from_fn_with_state(edge.clone(), same_origin::check))
            // Before the session: a flood must not reach the database.
            .layer(from_fn_with_state(
                (edge.clone(), limiter),
                rate_limit::check,
            ))
            // Which browser it is. Before what is bound to it.
            .layer(from_fn_with_state(edge.clone(), browser_cookie::give))
            // Around the session: the answer of a sign-in, which a second press gets too, is its cookie.
            .layer(from_fn_with_state(
                (edge.clone(), backend.clone()),
                once::check,
            ))
            // Around the session layer: it repairs the cookie and the bare error that the layer answers with.
            .layer(from_fn_with_state(edge.clone(), session_cookie::repair))
            .layer(session_cookie::layer(backend))
            // Inside the session: it asks who is there, and counts the forms of whoever is.
            .layer(from_fn_with_state(guard, guard::check))
            // Inside the guard: whose form it is, beside who is there.
            .layer(from_fn_with_state(
                (edge.clone(), backend.clone()),
                owner::check,
            ))
            // Innermost: what a server function takes and gives.
            .layer(from_fn_with_state(edge.clone(), actions::check)),
    )
}

/// What stands around every answer, outermost first.
fn dressed(edge: &Edge, routes: Router, otherwise: DeadEnd) -> Router {
    routes
        .fallback(answer::nowhere(edge, otherwise))
        .method_not_allowed_fallback(answer::dead_end(edge, DeadEnd::WrongMethod))
        .layer(
            ServiceBuilder::new()
                // First: everything below names the request by its id, in the log, the header and on pages.
                .layer(from_fn(request_id::give))
                // Who asks, behind the proxies we trust. Before the log and the limits.
                .layer(from_fn_with_state(edge.clone(), client_address::find))
                // Around all that can answer, so that every answer has its line and its count.
                .layer(from_fn(access_log::write))
                // Around the headers, which say what may be packed.
                .layer(compression::layer())
                // Around all that makes answers, so that refusals and error pages carry the headers too.
                .layer(from_fn(security_headers::set))
                // Outside the deadline: a panic becomes a page wherever it happens.
                .layer(from_fn_with_state(edge.clone(), panics::catch))
                .layer(from_fn_with_state(edge.clone(), deadline::keep))
                // Before the body is read: whom it is for is not clear.
                .layer(from_fn_with_state(edge.clone(), host::check))
                // Before any handler sees a byte; server functions that stream would have no limit of their own.
                .layer(from_fn_with_state(edge.clone(), body::bound)),
        )
}

#[cfg(test)]
mod tests;
