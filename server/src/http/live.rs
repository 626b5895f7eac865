//! The live figures of the overview, for the island that asks every few seconds. The words are made in `backend`.

use app::api::request::USER_ID;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::failure::Broken;
use backend::service::{overview, sessions};
use domain::figures::Figures;
use domain::id::UserId;
use tower_sessions::Session;
use uuid::Uuid;

/// Where the island asks.
pub const PATH: &str = "/live/overview";

/// The figures of whoever is signed in; 401 for a stranger, without a body: the island then reloads the page.
pub async fn overview(State(backend): State<Backend>, session: Session) -> Response {
    let user = match session.get::<Uuid>(USER_ID).await {
        Ok(user) => user.map(UserId),
        Err(error) => {
            // The store has one way to fail: the database.
            tracing::error!(cause = %error, "the session could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    match figures(&backend, user).await {
        Ok(Some(figures)) => Json(figures).into_response(),
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(broken) => {
            tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "the live figures could not be read");
            let is_away = broken.is_unavailable();
            let status = if is_away {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            status.into_response()
        }
    }
}

async fn figures(backend: &Backend, user: Option<UserId>) -> Result<Option<Figures>, Broken> {
    let Some(user_id) = user else { return Ok(None) };
    match sessions::actor(backend, user_id).await? {
        Some(actor) => Ok(Some(overview::figures(backend, &actor).await?)),
        None => Ok(None),
    }
}
