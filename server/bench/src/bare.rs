//! The yardstick of `make bench`: a bare axum handler that runs the overview's queries (session, actor, overview) and
//! answers one line of text. No page, no middleware; what the dashboard costs above it is the price of being one.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use backend::Backend;
use backend::authority::session::{self, SessionKey};
use backend::failure::Broken;
use backend::overview;

/// Serves until it is ended from outside.
pub async fn serve(listen: SocketAddr, backend: Backend) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/overview", get(answer))
        .with_state(backend);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State(backend): State<Backend>, headers: HeaderMap) -> (StatusCode, String) {
    match read(&backend, &headers).await {
        Ok(Some(text)) => (StatusCode::OK, text),
        Ok(None) => (StatusCode::UNAUTHORIZED, String::new()),
        Err(broken) => (StatusCode::INTERNAL_SERVER_ERROR, broken.to_string()),
    }
}

async fn read(backend: &Backend, headers: &HeaderMap) -> Result<Option<String>, Broken> {
    let cookies = headers
        .get("cookie")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(id) = cookies
        .split("; ")
        .find_map(|pair| pair.strip_prefix("sid="))
    else {
        return Ok(None);
    };
    let Ok(id) = id.parse::<tower_sessions::session::Id>() else {
        return Ok(None);
    };
    let Some(actor) = session::actor(backend, SessionKey::of(&id.to_string())).await? else {
        return Ok(None);
    };
    let overview = overview::read(&mut actor.view(backend).await?).await?;
    Ok(Some(format!(
        "{} {} {}\n",
        overview.figures.balance,
        overview.sandboxes,
        overview.spend.amounts.len()
    )))
}
