//! Files for programs and spreadsheets: exactly the rows of a page, under the same address with another ending. Private:
//! the guard leads strangers to the sign-in before this runs. What stands in a row is `usage`'s, how text is kept safe
//! in a spreadsheet is `csv`'s.

mod csv;
mod statement;
mod usage;

pub use statement::{csv as statement_csv, json as statement_json};
pub use usage::{csv as usage_csv, json as usage_json};

use app::api::request::USER_ID;
use app::pages::error::DeadEnd;
use axum::extract::Request;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::actor::Actor;
use backend::failure::Broken;
use backend::service::sessions;
use domain::id::UserId;
use tower_sessions::Session;
use uuid::Uuid;

use super::answer;
use super::edge::Edge;

/// Who asks, and for what.
struct Asked {
    session: Option<Session>,
    words: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            session: request.extensions().get::<Session>().cloned(),
            words: request.uri().query().unwrap_or_default().to_owned(),
        }
    }

    /// None when the session has ended since the guard looked.
    async fn actor(&self, backend: &Backend) -> Result<Option<Actor>, Broken> {
        let Some(session) = &self.session else {
            return Ok(None);
        };
        let user_id: Option<Uuid> = session.get(USER_ID).await?;
        match user_id {
            Some(user_id) => sessions::actor(backend, UserId(user_id)).await,
            None => Ok(None),
        }
    }
}

/// A file to keep, or the page that says why there is none.
fn answer(
    edge: &Edge,
    request: &Request,
    file: Result<Option<String>, Broken>,
    (kind, disposition): (&'static str, &'static str),
) -> Response {
    match file {
        Ok(Some(text)) => {
            let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)];
            (headers, text).into_response()
        }
        Ok(None) => answer::see_other("/sign-in"),
        Err(broken) => {
            tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "a file could not be made");
            let why = if broken.is_unavailable() {
                DeadEnd::Unavailable
            } else {
                DeadEnd::Broken
            };
            answer::refuse(edge, why, request)
        }
    }
}
