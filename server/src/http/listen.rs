//! Takes connections and speaks HTTP/1.1 on them. Not `axum::serve`, which sets no timer, so that slow headers would
//! hold connections for ever. How long a connection waits for its other side is `patience`'s, how many one side has `share`'s.

mod patience;
mod share;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::client_address::PeerAddress;
use super::edge::Site;
use crate::config::CONNECTIONS_MAX;
use patience::Patient;
use share::Share;

pub use share::Shares;

/// For the whole head of a request, and for the next one on a connection that is kept open.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// Bytes of a request's head, and of what is buffered per connection.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests may still run after the stop.
const DRAIN: Duration = Duration::from_secs(25);
/// After a failed accept, which means that file handles are used up: time for some to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until the stop, then lets running requests end.
pub async fn serve(listener: TcpListener, site: Site, shares: Shares, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let open = TaskTracker::new();
    while let Some(permit) = next_permit(&free, &stop).await {
        let accepted = tokio::select! { accepted = listener.accept() => accepted, () = stop.cancelled() => break };
        match accepted {
            Ok((stream, peer)) => match shares.take(peer.ip()) {
                Some(share) => {
                    let held = (permit, share);
                    open.spawn(connection(stream, peer, site.clone(), stop.clone(), held));
                }
                // Closed without a word: an answer would cost what is to be spared.
                None => metrics::counter!("http_connections_refused_total").increment(1),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Closed before the wait, so that a balancer's next connection goes elsewhere.
    drop(listener);
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::warn!(
            open = open.len(),
            "requests still ran at the end of the stop"
        );
    }
}

async fn next_permit(
    free: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        permit = Arc::clone(free).acquire_owned() => permit.ok(),
        () = stop.cancelled() => None,
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    site: Site,
    stop: CancellationToken,
    _held: (OwnedSemaphorePermit, Share),
) {
    // Without it small answers wait for the other side's acknowledgement. A failure means the connection is gone.
    let _ = stream.set_nodelay(true);
    metrics::gauge!("http_connections").increment(1);
    let service = service_fn(|request| answer(&site, peer, request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(true);
    let stream = TokioIo::new(Patient::new(stream));
    let mut connection = std::pin::pin!(http.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // Ends at once when idle, else after the answer that is under way.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    metrics::gauge!("http_connections").decrement(1);
    if let Err(error) = ended {
        // Clients that go away or send nonsense are their own affair.
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    site: &Site,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(PeerAddress(peer));
    site.router().oneshot(request).await
}

#[cfg(test)]
mod tests;
