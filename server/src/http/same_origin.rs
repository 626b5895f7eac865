//! Changes come from our own pages only. A browser says where a request comes from in `Sec-Fetch-Site` or, older ones,
//! in `Origin`; a request that carries cookies and says neither is refused. Leptos itself checks nothing
//! (reference/codebases.md 4, trap 4).

use app::frame::dead_end::DeadEnd;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;
use super::edge::Edge;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a change that another site asks for.
pub async fn check(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if is_safe || is_ours(&edge.origin, request.headers()) {
        next.run(request).await
    } else {
        tracing::warn!("refused a change from another site");
        metrics::counter!("http_cross_site_refused_total").increment(1);
        answer::refuse(&edge, DeadEnd::Forbidden, &request)
    }
}

fn is_ours(origin: &str, headers: &HeaderMap) -> bool {
    // Every value must agree: of two contradicting headers, one was not written by the browser.
    let all = |name: &HeaderName, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .all(|value| value.as_bytes() == wanted.as_bytes())
    };
    if headers.contains_key(SEC_FETCH_SITE) {
        all(&SEC_FETCH_SITE, "same-origin")
    } else if headers.contains_key(ORIGIN) {
        all(&ORIGIN, origin)
    } else {
        // Not a browser, which cannot be tricked into it; nor can it act for anybody without a cookie.
        !headers.contains_key(COOKIE)
    }
}
