//! Pages of a signed-in person lead a stranger to the sign-in, and the landing page leads a signed-in person inside.
//! What a person may do there is decided by `backend`, with an `Actor`; this only keeps pages from half rendering.

use std::collections::HashSet;
use std::sync::Arc;

use app::action::request::USER_ID;
use app::action::wanted::Wanted;
use app::frame::dead_end::DeadEnd;
use app::routes::PUBLIC_ROUTES;
use app::twin::download::Format;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use backend::Backend;
use backend::authority::session::{SessionKey, Visitor};
use tokio::time::Instant;
use tower_sessions::Session;
use uuid::Uuid;

use super::edge::Edge;
use super::rate_limit::Limiter;
use super::{actions, answer, live, mailed_link};

/// Handlers and server functions that decide about strangers themselves.
const OWN_DECISION: [&str; 4] = [
    live::PATH,
    mailed_link::ACCOUNT_PATH,
    mailed_link::RECIPIENT_PATH,
    mailed_link::NO_MORE_MAIL_PATH,
];

#[derive(Clone)]
pub struct Guard {
    pub backend: Backend,
    pub edge: Edge,
    pub limiter: Limiter,
    pub paths: Paths,
}

/// The pages that answer anyone; every other page is private, also one that nobody has classed yet.
#[derive(Clone)]
pub struct Paths(Arc<HashSet<&'static str>>);

impl Default for Paths {
    fn default() -> Self {
        Self(Arc::new(
            PUBLIC_ROUTES.iter().copied().chain(OWN_DECISION).collect(),
        ))
    }
}

impl Paths {
    fn is_private(&self, path: &str) -> bool {
        !self.0.contains(path) && !path.starts_with(actions::PREFIX)
    }
}

/// Lets the right ones pass, and notes in the log who it was. Whoever else wants to know takes the same [`Visitor`].
pub async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let (is_landing, is_private) = (path == "/", guard.paths.is_private(path));
    let is_action = path.starts_with(actions::PREFIX);
    let decides = is_action || path == live::PATH;
    let session = request.extensions().get::<Session>().cloned();
    let id = session.as_ref().and_then(Session::id);
    let visitor = Visitor::new(id.map(|id| SessionKey::of(&id.to_string())));
    request.extensions_mut().insert(visitor.clone());
    if is_action && sends_too_fast(&guard, &visitor).await {
        return answer::refuse(&guard.edge, DeadEnd::TooFast, &request);
    }
    if !is_landing && !is_private {
        let response = next.run(request).await;
        if decides {
            // Afterwards, when a sign-in has said who it is. What breaks here has been told by the handler itself.
            match visitor.known() {
                Some(actor) => note(actor.user_id().0),
                None => note_signed_in(session).await,
            }
        }
        return response;
    }
    match visitor.actor(&guard.backend).await {
        Ok(Some(_)) if is_landing => answer::see_other("/overview"),
        Ok(None) if is_private => {
            // A cookie of a session that has ended: the session layer takes it back once it has looked.
            note_signed_in(session).await;
            let wanted = wanted(&request).and_then(|wanted| wanted.header(&guard.backend));
            answer::see_other_with("/sign-in", wanted)
        }
        Ok(Some(actor)) => {
            note(actor.user_id().0);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => {
            tracing::error!(cause = %error.cause(), place = %error.place(), verb = error.verb(), "the session could not be read");
            answer::refuse(&guard.edge, DeadEnd::Unavailable, &request)
        }
    }
}

/// Counts a form of a signed-in person. Strangers' forms are counted by network, before anything is looked up.
async fn sends_too_fast(guard: &Guard, visitor: &Visitor) -> bool {
    // Whoever cannot be read now is told so by the form itself.
    let Ok(Some(actor)) = visitor.actor(&guard.backend).await else {
        return false;
    };
    let (user_id, account_id) = (actor.user_id(), actor.account_id());
    let is_admitted = guard
        .limiter
        .admits_person(user_id, account_id, Instant::now());
    if !is_admitted {
        note(user_id.0);
        metrics::counter!("http_forms_too_fast_total").increment(1);
    }
    !is_admitted
}

/// Where a stranger wanted to go: this page, or the one whose rows the file holds.
fn wanted(request: &Request) -> Option<Wanted> {
    if request.method() != Method::GET {
        return None;
    }
    let (path, query) = (request.uri().path(), request.uri().query());
    let endings = Format::ALL.map(Format::ending);
    let page = path
        .rsplit_once('.')
        .filter(|(_, ending)| endings.contains(ending));
    let page = page.map_or(path, |(page, _)| page);
    let address = query.map_or_else(|| page.to_owned(), |query| format!("{page}?{query}"));
    Wanted::to(&address, None)
}

/// Notes who it is in the request's span.
fn note(user_id: Uuid) {
    tracing::Span::current().record("user_id", tracing::field::display(user_id));
}

async fn note_signed_in(session: Option<Session>) {
    let Some(session) = session else { return };
    if let Ok(Some(user_id)) = session.get::<Uuid>(USER_ID).await {
        note(user_id);
    }
}
