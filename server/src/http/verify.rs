//! The link in a confirmation mail. Its token goes from the address into a sealed cookie at once, so that it stays in no
//! history and in no `Referer`; the page it leads to has the button that confirms. Opening the link changes nothing:
//! mail scanners open links too.

use app::api::once::{Sealer, Slot};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use backend::Backend;

use super::answer;

/// The address in the mail.
pub const PATH: &str = "/verify-email/{token}";
/// Twice the length of a token of ours; longer ones are not kept, and the page says that the link is not ours.
const TOKEN_CHARS_MAX: usize = 86;

/// Keeps the token and leads on.
pub async fn keep_token(
    State(backend): State<Backend>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    let mut response = answer::see_other("/verify-email");
    let sealer = Sealer::new(&backend);
    let cookie = match token {
        Ok(Path(token)) if token.chars().count() <= TOKEN_CHARS_MAX => {
            sealer.seal(Slot::Verification, &token)
        }
        _ => sealer.clear(Slot::Verification),
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
