//! The links in mails that lead to a button: opening an account, agreeing to alerts. Their token goes from the address into a
//! sealed cookie at once, so that it stays in no history and in no `Referer`; the page it leads to has the button. Following
//! the link changes nothing: mail scanners follow links too.

use app::action::sealed::{SealedCookie, Sealer};
use app::{alerts::recipient_link, sign_up::open_account, targets::no_more_mail};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use backend::Backend;

use super::answer;

/// The address in the mail that follows a sign-up.
pub const ACCOUNT_PATH: &str = "/open-account/{token}";
/// The address in a mail to a recipient of alerts.
pub const RECIPIENT_PATH: &str = "/alert-recipient/{token}";
/// The address in a mail that somebody else had sent, by which such mail is refused.
pub const NO_MORE_MAIL_PATH: &str = "/no-more-mail/{token}";
/// The length of the longest token of ours, and twice that of the others; longer ones are not kept, and the page says that the link is not ours.
const TOKEN_CHARS_MAX: usize = 86;

/// Keeps the token of a sign-up and leads on.
pub async fn keep_account(
    State(backend): State<Backend>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    keep(&backend, &open_account::TOKEN, token, "/open-account")
}

/// Keeps the token of a recipient of alerts and leads on.
pub async fn keep_recipient(
    State(backend): State<Backend>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    keep(&backend, &recipient_link::TOKEN, token, "/alert-recipient")
}

/// Keeps the token of somebody who wants no mail and leads on.
pub async fn keep_no_more_mail(
    State(backend): State<Backend>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    keep(&backend, &no_more_mail::TOKEN, token, "/no-more-mail")
}

fn keep(
    backend: &Backend,
    cookie: &SealedCookie,
    token: Result<Path<String>, PathRejection>,
    page: &'static str,
) -> Response {
    let mut response = answer::see_other(page);
    let sealer = Sealer::new(backend);
    let header = match token {
        Ok(Path(token)) if token.chars().count() <= TOKEN_CHARS_MAX => sealer.seal(cookie, &token),
        _ => sealer.clear(cookie),
    };
    if let Some(header) = header {
        response.headers_mut().append(SET_COOKIE, header);
    }
    response
}
