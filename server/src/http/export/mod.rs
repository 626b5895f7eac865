//! Files for programs and spreadsheets: exactly the rows of a page, under the same address with another ending. Private:
//! the guard leads strangers to the sign-in before this runs. What stands in a row is `usage`'s, how text is kept safe
//! in a spreadsheet is `csv`'s.

mod csv;
mod statement;
mod usage;

pub use statement::{csv as statement_csv, json as statement_json};
pub use usage::{csv as usage_csv, json as usage_json};

use app::frame::dead_end::DeadEnd;
use axum::extract::Request;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::authority::actor::Actor;
use backend::authority::session::Visitor;
use backend::failure::Broken;

use super::answer;
use super::edge::Edge;

/// Who asks, and for what.
struct Asked {
    visitor: Option<Visitor>,
    words: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            visitor: request.extensions().get::<Visitor>().cloned(),
            words: request.uri().query().unwrap_or_default().to_owned(),
        }
    }

    async fn actor(&self, backend: &Backend) -> Result<Option<Actor>, Broken> {
        match &self.visitor {
            Some(visitor) => visitor.actor(backend).await,
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
