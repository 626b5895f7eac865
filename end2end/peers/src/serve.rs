//! Serves a router over HTTP/1.1 on loopback, with the one thing a well-behaved server never does:
//! closing a connection without an answer, which the fault switches need. No routes here.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt;

/// More connections than this wait in the listen queue.
const MAX_CONNECTIONS: usize = 1_024;

/// How a peer words a refusal that a layer around its handlers makes: status and sentence.
pub(crate) type Refuse = fn(StatusCode, &'static str) -> Response;

/// Marks a response that must never be written: the connection closes instead.
#[derive(Clone, Copy)]
pub(crate) struct CloseConnection;

impl IntoResponse for CloseConnection {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Self);
        response
    }
}

/// A running server. Dropping it closes the listener and every connection at once, like a killed process.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// Binds and starts; port 0 takes a free port, readable in `address`.
    pub(crate) async fn start(listen: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, router));
        Ok(Self { address, task })
    }

    /// Stops and waits until the listener is closed, so that the port can be bound again.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // The only error possible is the cancellation asked for above.
        let _cancelled = (&mut self.task).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => {
                    let router = router.clone();
                    connections.spawn(async move {
                        connection(stream, remote, router).await;
                        drop(permit);
                    });
                }
                // Out of file descriptors or a connection reset before accept: both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            // Finished connections are collected so that the set stays small.
            Some(_finished) = connections.join_next() => {}
        }
    }
}

/// The error that makes hyper close a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

async fn connection(stream: TcpStream, remote: SocketAddr, router: Router) {
    // Answers are small and latency is what tests measure; failing to set it is harmless.
    let _unset = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(remote));
            let response: Result<Response, Infallible> = router.oneshot(request).await;
            let Ok(response) = response;
            if response.extensions().get::<CloseConnection>().is_some() {
                return Err(Closed);
            }
            Ok(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A client that went away or a fault switch: neither is news.
    drop(served);
}
