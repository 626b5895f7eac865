//! Files: what `.ci/assets.sh` built, under names that hold a hash of their content and so cached for ever, and the few
//! of `public/` that have fixed names.

use std::path::Path;

use anyhow::Context as _;
use app::assets::Assets;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tower_http::services::{ServeDir, ServeFile};

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
    let text = text.with_context(|| format!("SITE_ROOT: {} cannot be read; has .ci/assets.sh built it?", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("SITE_ROOT: {} is not what .ci/assets.sh writes", path.display()))
}

/// The files.
pub fn router(site_root: &Path) -> Router {
    let built = ServeDir::new(site_root.join("pkg"))
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let built = Router::new().nest_service("/pkg", built).layer(from_fn(for_ever));
    let fixed = PUBLIC_FILES.iter().fold(Router::new(), |router, path| {
        router.route_service(path, ServeFile::new(site_root.join(path.trim_start_matches('/'))))
    });
    built.merge(fixed.layer(from_fn(for_an_hour)))
}

async fn for_ever(request: Request, next: Next) -> Response {
    cached(next.run(request).await, FOR_EVER)
}

async fn for_an_hour(request: Request, next: Next) -> Response {
    cached(next.run(request).await, FOR_AN_HOUR)
}

/// Only what is there may be kept: a file that is missing now may be there after the next deploy.
fn cached(mut response: Response, how_long: HeaderValue) -> Response {
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(CACHE_CONTROL, how_long);
    }
    response
}
