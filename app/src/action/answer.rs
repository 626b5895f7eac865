//! Where a form leads: every answer is a redirect, with the outcome in a sealed flash. Nothing rides in the address, where
//! it could be forged, and nothing depends on the `Referer`, which another site may set (docs/decisions/0002-forms.md).

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue, LOCATION};
use backend::failure::Failure;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::flash::{self, Flash, Kept, Outcome, Success};
use super::problem::Refusal;
use super::{ActionError, context, denial, ending};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Leads to `done` after success, else back to `form`, which shows why and what was typed. Either may name a part of its page,
/// as in `/alerts#webhook`: there the answer stands, and there the browser lands.
///
/// # Errors
/// The failure, for callers other than a browser's form; the redirect is set in any case.
pub fn to<T, R: Refusal>(
    outcome: Result<T, Failure<R>>,
    done: &str,
    form: &str,
    kept: Kept,
) -> Result<T, ActionError> {
    match outcome {
        Ok(value) => {
            redirect(done);
            Ok(value)
        }
        Err(failure) => {
            let error = match failure {
                Failure::Refused(refusal) => ActionError::Refused(refusal.problems()),
                Failure::Denied(denial) => ActionError::Denied(denial::sentence(denial)),
                Failure::Broken(error) if error.is_busy() => return Err(busy()),
                Failure::Broken(error) => context::broken(&error),
            };
            Err(fail_keeping(form, error, kept))
        }
    }
}

/// Leads to `page` and lets it say why; gives the error back.
pub fn fail(page: &str, error: ActionError) -> ActionError {
    fail_keeping(page, error, Kept::nothing())
}

/// Nothing was tried because too many wait: no redirect, and a page of the edge that says so with the time to come again.
fn busy() -> ActionError {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(StatusCode::SERVICE_UNAVAILABLE);
    }
    ActionError::Busy
}

/// Leads to `page` and lets it say what happened.
pub fn say(page: &str, done: Success, kept: Kept) {
    leave(page, Outcome::Done(done), kept);
    redirect(page);
}

fn fail_keeping(page: &str, error: ActionError, kept: Kept) -> ActionError {
    ending::failed(&error);
    leave(page, Outcome::Failed(error.problems()), kept);
    redirect(page);
    error
}

fn leave(place: &str, outcome: Outcome, kept: Kept) {
    let (page, part) = place.split_once('#').unwrap_or((place, ""));
    if let Ok(backend) = context::backend() {
        flash::put(
            &backend,
            Flash {
                page: page.to_owned(),
                part: part.to_owned(),
                outcome,
                kept,
            },
        );
    }
}

/// Asks the browser to drop what it keeps of our pages, so that "back" shows nothing after a sign-out.
pub(crate) fn forget_kept_pages() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(
            CLEAR_SITE_DATA,
            HeaderValue::from_static("\"cache\", \"storage\""),
        );
    }
}

/// Sets 303 and `Location`, for every caller alike. Only paths of ours are passed, never text from outside.
pub(crate) fn redirect(path: &str) {
    if let (Some(response), Ok(path)) = (
        use_context::<ResponseOptions>(),
        HeaderValue::from_str(path),
    ) {
        response.insert_header(LOCATION, path);
        response.set_status(StatusCode::SEE_OTHER);
    }
}
