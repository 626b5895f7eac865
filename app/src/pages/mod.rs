//! The pages and their route table. Compiled for the server only; the browser gets HTML. A page reads by calling
//! `backend` once and draws what came back; what it may change is in `api`.

mod alert_words;
mod chart;
pub mod error;
mod form;
mod format;
mod layout;
mod shell;
mod snippet;
mod words;

mod dashboard {
    //! Pages of a signed-in person.
    pub mod alert_history;
    pub mod alert_recipients;
    pub mod alerts;
    pub mod credit;
    pub mod credit_statement;
    pub mod credit_what_if;
    pub mod key;
    pub mod key_created;
    pub mod key_new;
    pub mod keys;
    pub mod overview;
    pub mod sandbox;
    pub mod sandboxes;
    pub mod settings;
    pub mod usage;
    pub mod waste;
}

mod public {
    //! Pages that a stranger may see.
    pub mod alert_recipient;
    pub mod check_mail;
    pub mod landing;
    pub mod sign_in;
    pub mod sign_up;
    pub mod verify_email;
}

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

pub use chart::value::facet_name as series_name;
pub use shell::shell;

/// Pages that answer anyone. Compared with the real route list by a test of `server`, so that a new page must be classed.
pub const PUBLIC_ROUTES: &[&str] = &[
    "/",
    "/sign-up",
    "/check-mail",
    "/verify-email",
    "/sign-in",
    "/alert-recipient",
];
/// Pages that lead a stranger to `/sign-in`.
pub const PRIVATE_ROUTES: &[&str] = &[
    "/overview",
    "/sandboxes",
    "/sandboxes/{id}",
    "/usage",
    "/usage/intervals",
    "/keys",
    "/keys/new",
    "/keys/created",
    "/keys/{id}",
    "/credit",
    "/waste",
    "/alerts",
    "/settings",
];

/// The route table. Reads no context itself: it also runs once at start, with no request, to list the routes.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // Every page is `Async`: whole before its first byte, so that status, cookies and policy can still be set, and
    // complete without scripts.
    view! {
        <Router>
            <Routes fallback=|| error::view(error::DeadEnd::NotFound)>
                <Route path=path!("/") view=public::landing::view ssr=SsrMode::Async/>
                <Route path=path!("/sign-up") view=public::sign_up::view ssr=SsrMode::Async/>
                <Route path=path!("/check-mail") view=public::check_mail::view ssr=SsrMode::Async/>
                <Route path=path!("/verify-email") view=public::verify_email::view ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=public::sign_in::view ssr=SsrMode::Async/>
                <Route path=path!("/alert-recipient") view=public::alert_recipient::view ssr=SsrMode::Async/>
                <Route path=path!("/overview") view=dashboard::overview::view ssr=SsrMode::Async/>
                <Route path=path!("/sandboxes") view=dashboard::sandboxes::view ssr=SsrMode::Async/>
                <Route path=path!("/sandboxes/:id") view=dashboard::sandbox::view ssr=SsrMode::Async/>
                <Route path=path!("/usage") view=dashboard::usage::view ssr=SsrMode::Async/>
                <Route path=path!("/usage/intervals") view=dashboard::usage::intervals::view ssr=SsrMode::Async/>
                <Route path=path!("/keys") view=dashboard::keys::view ssr=SsrMode::Async/>
                <Route path=path!("/keys/new") view=dashboard::key_new::view ssr=SsrMode::Async/>
                <Route path=path!("/keys/created") view=dashboard::key_created::view ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id") view=dashboard::key::view ssr=SsrMode::Async/>
                <Route path=path!("/credit") view=dashboard::credit::view ssr=SsrMode::Async/>
                <Route path=path!("/waste") view=dashboard::waste::view ssr=SsrMode::Async/>
                <Route path=path!("/alerts") view=dashboard::alerts::view ssr=SsrMode::Async/>
                <Route path=path!("/settings") view=dashboard::settings::view ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_classed_and_whole_before_its_first_byte() {
        let routes = leptos_axum::generate_route_list(App);
        let mut real: Vec<&str> = routes
            .iter()
            .map(leptos_axum::AxumRouteListing::path)
            .collect();
        let mut classed: Vec<&str> = PUBLIC_ROUTES
            .iter()
            .chain(PRIVATE_ROUTES)
            .copied()
            .collect();
        real.sort_unstable();
        classed.sort_unstable();
        assert_eq!(real, classed);
        assert!(
            routes
                .iter()
                .all(|route| matches!(route.mode(), SsrMode::Async))
        );
    }
}
