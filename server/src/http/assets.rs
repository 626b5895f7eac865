//! Files: what `.ci/assets.sh` built, under names that hold a hash of their content and so cached for ever, and the few
//! of `public/` that have fixed names.

use std::path::Path;

use anyhow::Context as _;
use app::action::request_id::RequestId;
use app::frame::assets::Assets;
use app::frame::dead_end::DeadEnd;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tower_http::services::{ServeDir, ServeFile};

use super::answer;
use super::edge::Edge;

/// Files of `public/` and where they are asked for. Only what is listed is served.
pub const PUBLIC_FILES: [&str; 3] = ["/favicon.svg", "/robots.txt", "/.well-known/security.txt"];

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Reads the names of the built files.
///
/// # Errors
/// When they were not built, or `SITE_ROOT` points elsewhere.
pub async fn read(site_root: &Path) -> anyhow::Result<Assets> {
    let path = site_root.join("assets.json");
    let text = tokio::fs::read(&path).await;
    let text = text.with_context(|| {
        format!(
            "SITE_ROOT: {} cannot be read; has .ci/assets.sh built it?",
            path.display()
        )
    })?;
    serde_json::from_slice(&text).with_context(|| {
        format!(
            "SITE_ROOT: {} is not what .ci/assets.sh writes",
            path.display()
        )
    })
}

pub fn router(edge: &Edge) -> Router {
    let site_root = &edge.site_root;
    let built = ServeDir::new(site_root.join("pkg"))
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let built = Router::new()
        .nest_service("/pkg", built)
        .layer(from_fn_with_state((edge.clone(), FOR_EVER), cache));
    let fixed = PUBLIC_FILES.iter().fold(Router::new(), |router, path| {
        router.route_service(
            path,
            ServeFile::new(site_root.join(path.trim_start_matches('/'))),
        )
    });
    built.merge(fixed.layer(from_fn_with_state((edge.clone(), FOR_AN_HOUR), cache)))
}

/// Only what is there may be kept: a file that is missing now may be there after the next deploy. What is not there gets
/// a page.
async fn cache(
    State((edge, how_long)): State<(Edge, HeaderValue)>,
    request: Request,
    next: Next,
) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    match response.status() {
        StatusCode::NOT_FOUND => answer::page(&edge, DeadEnd::NotFound, request_id.as_ref()),
        StatusCode::METHOD_NOT_ALLOWED => {
            answer::page(&edge, DeadEnd::WrongMethod, request_id.as_ref())
        }
        status => {
            if status.is_success() || status == StatusCode::NOT_MODIFIED {
                response.headers_mut().insert(CACHE_CONTROL, how_long);
            }
            name_charset(response.headers_mut());
            response
        }
    }
}

/// All our text is UTF-8, and a browser that is not told guesses.
fn name_charset(headers: &mut HeaderMap) {
    let named = headers.get(CONTENT_TYPE).and_then(|kind| {
        let kind = kind.to_str().ok()?;
        (kind.starts_with("text/") && !kind.contains("charset"))
            .then(|| HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok())
            .flatten()
    });
    if let Some(named) = named {
        headers.insert(CONTENT_TYPE, named);
    }
}
