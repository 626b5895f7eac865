//! Downloads: the same figures as pages, as CSV or JSON, streamed page by page so that a long past needs no memory.
//! Who may have them is decided here as for pages; what they hold is `backend`'s.

pub mod statement;

use app::api::request::USER_ID;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::actor::Actor;
use backend::service::sessions;
use domain::id::UserId;
use tower_sessions::Session;
use uuid::Uuid;

/// How a download is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line per row.
    Csv,
    /// One object.
    Json,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// Who asks; an answer for a stranger or when our side broke.
async fn actor(backend: &Backend, session: &Session) -> Result<Actor, Response> {
    let user: Option<Uuid> = session.get(USER_ID).await.map_err(|error| {
        // The store has one way to fail: the database.
        tracing::error!(cause = %error, "the session could not be read");
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    })?;
    let Some(user_id) = user.map(UserId) else {
        return Err(StatusCode::UNAUTHORIZED.into_response());
    };
    match sessions::actor(backend, user_id).await {
        Ok(Some(actor)) => Ok(actor),
        Ok(None) => Err(StatusCode::UNAUTHORIZED.into_response()),
        Err(broken) => Err(failed(&broken)),
    }
}

/// What a breakage before the first byte is answered with.
fn failed(broken: &backend::failure::Broken) -> Response {
    tracing::error!(cause = %broken, "a download could not be read");
    if broken.is_unavailable() {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// A body as a file of that name.
fn file(name: &str, format: Format, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.extension());
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}
