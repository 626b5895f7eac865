//! The live figures of the overview, for the island that asks every few seconds. The words are made in `backend`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use backend::Backend;
use backend::authority::session::Visitor;
use backend::failure::Broken;
use backend::overview;
use domain::figures::Figures;

/// Where the island asks.
pub const PATH: &str = "/live/overview";

/// The figures of whoever is signed in; 401 for a stranger, without a body: the island then reloads the page.
pub async fn overview(
    State(backend): State<Backend>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    match figures(&backend, &visitor).await {
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

async fn figures(backend: &Backend, visitor: &Visitor) -> Result<Option<Figures>, Broken> {
    match visitor.actor(backend).await? {
        Some(actor) => Ok(Some(
            overview::figures(&mut actor.view(backend).await?).await?,
        )),
        None => Ok(None),
    }
}
