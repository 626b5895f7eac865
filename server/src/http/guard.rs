//! Pages of a signed-in person lead a stranger to the sign-in, and the landing page leads a signed-in person inside.
//! What a person may do there is decided by services, with an `Actor`; this only keeps pages from half rendering.

use std::collections::HashSet;
use std::sync::Arc;

use app::api::request::USER_ID;
use app::pages::PUBLIC_ROUTES;
use app::pages::error::DeadEnd;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tower_sessions::Session;
use uuid::Uuid;

use super::edge::Edge;
use super::{actions, answer, live, verify};

/// Handlers and server functions that decide about strangers themselves.
const OWN_DECISION: [&str; 3] = [live::PATH, verify::PATH, verify::RECIPIENT_PATH];

/// What the layer needs.
#[derive(Clone)]
pub struct Guard {
    pub edge: Edge,
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

/// Lets the right ones pass, and notes in the log who it was.
pub async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let (is_landing, is_private) = (path == "/", guard.paths.is_private(path));
    let session = request.extensions().get::<Session>().cloned();
    if !is_landing && !is_private {
        let decides = path.starts_with(actions::PREFIX) || path == live::PATH;
        let response = next.run(request).await;
        if decides {
            // Afterwards, when a sign-in has said who it is. What breaks here has been told by the handler itself.
            let _ = user(session).await;
        }
        return response;
    }
    match user(session).await {
        Ok(Some(_)) if is_landing => answer::see_other("/overview"),
        Ok(None) if is_private => answer::see_other("/sign-in"),
        Ok(_) => next.run(request).await,
        Err(error) => {
            // The store has one way to fail: the database.
            tracing::error!(cause = %error, "the session could not be read");
            answer::refuse(&guard.edge, DeadEnd::Unavailable, &request)
        }
    }
}

/// Who is signed in; the session layer reads it once per request. Noted in the request's span.
async fn user(session: Option<Session>) -> Result<Option<Uuid>, tower_sessions::session::Error> {
    let Some(session) = session else {
        return Ok(None);
    };
    let user_id: Option<Uuid> = session.get(USER_ID).await?;
    if let Some(user_id) = user_id {
        tracing::Span::current().record("user_id", tracing::field::display(user_id));
    }
    Ok(user_id)
}
