//! The twins of pages, sent as files: `.csv` and `.json` under the page's address. Private: the guard leads strangers to
//! the sign-in before this runs. What stands in a file is its subject's, how it is written is `app::twin`'s.

use std::io;

use app::frame::dead_end::DeadEnd;
use app::routes::each_twin;
use app::twin::download::{Download, Format};
use app::twin::{Asked, Part, Stop, Twin, Visit};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use backend::Backend;
use backend::authority::session::Visitor;
use backend::failure::Broken;
use backend::secret::{hex, sha256};
use futures_util::stream;
use tracing::{Instrument as _, Span};
use url::form_urlencoded;

use super::answer;
use super::edge::Edge;

/// Two routes for each twin.
pub fn router(edge: &Edge, backend: &Backend) -> Router {
    let mut routes = Routes(Router::new());
    each_twin(&mut routes);
    routes.0.with_state((edge.clone(), backend.clone()))
}

type Known = (Edge, Backend);

struct Routes(Router<Known>);

impl Visit for Routes {
    fn twin<T: Twin>(&mut self) {
        for format in Format::ALL {
            let handler = get(
                move |State((edge, backend)): State<Known>, request: Request| async move {
                    let visitor = request.extensions().get::<Visitor>().cloned();
                    let words = form_urlencoded::parse(
                        request.uri().query().unwrap_or_default().as_bytes(),
                    );
                    let asked = Asked::new(words.into_owned());
                    match started::<T>(backend, visitor, asked, format).await {
                        Ok(Some(started)) => send(started, format, &request),
                        Ok(None) => answer::see_other("/sign-in"),
                        Err(Stop::Refused(problems)) => {
                            answer::unanswerable(&edge, format, &request, &problems)
                        }
                        Err(Stop::Broken(broken)) => refuse(&edge, &request, &broken),
                    }
                },
            );
            let path = format!("{}.{}", T::PATH, format.ending());
            self.0 = std::mem::take(&mut self.0).route(&path, handler);
        }
    }
}

/// A file whose first rows are read.
enum Started<T: Twin> {
    /// They are all.
    Whole(String),
    /// More follow.
    Begun(Box<(Download<T>, Part<T>)>),
}

/// Reads the first rows of a file; none for whoever is not signed in.
async fn started<T: Twin>(
    backend: Backend,
    visitor: Option<Visitor>,
    asked: Asked,
    format: Format,
) -> Result<Option<Started<T>>, Stop> {
    let actor = match visitor {
        Some(visitor) => visitor.actor(&backend).await?,
        None => None,
    };
    let Some(actor) = actor else {
        return Ok(None);
    };
    let (mut download, first) = Download::<T>::start(backend, actor, asked, format).await?;
    if !download.ends_with(&first) {
        return Ok(Some(Started::Begun(Box::new((download, first)))));
    }
    let text = download.piece(Some(first)).await?;
    Ok(Some(Started::Whole(text.unwrap_or_default())))
}

fn send<T: Twin>(started: Started<T>, format: Format, request: &Request) -> Response {
    let headers = headers::<T>(format);
    match started {
        Started::Whole(text) => whole(headers, text, request),
        Started::Begun(begun) => (headers, stream(*begun)).into_response(),
    }
}

fn headers<T: Twin>(format: Format) -> [(HeaderName, String); 2] {
    let name = T::PATH.rsplit('/').next().unwrap_or_default();
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.ending());
    [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ]
}

/// A file that was read at once, named by what is in it: whoever has it already is told so. The name is a weak one, because packed or
/// not it is the same file.
fn whole(headers: [(HeaderName, String); 2], text: String, request: &Request) -> Response {
    let digest = sha256(text.as_bytes());
    let tag = format!("\"{}\"", hex(digest.get(..16).unwrap_or_default()));
    let known = request.headers().get_all(IF_NONE_MATCH).iter();
    let mut known = known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let is_known = known.any(
        |each| matches!(each.trim(), each if each == "*" || each.trim_start_matches("W/") == tag),
    );
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (headers, text).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&format!("W/{tag}")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// A file that is sent while it is read.
fn stream<T: Twin>((download, first): (Download<T>, Part<T>)) -> Body {
    // The body is sent after the request's own span has ended; what breaks then still names the request.
    let request = Span::current();
    let pieces = stream::try_unfold((download, Some(first)), move |(mut download, first)| {
        let piece = async move {
            match download.piece(first).await {
                Ok(text) => Ok(text.map(|text| (text, (download, None)))),
                Err(broken) => {
                    // The head is gone already: a connection that breaks off is the only way left to say so.
                    tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "a file broke off");
                    Err(io::Error::other("the file broke off"))
                }
            }
        };
        piece.instrument(request.clone())
    });
    Body::from_stream(pieces)
}

/// The page that says why there is no file.
fn refuse(edge: &Edge, request: &Request, broken: &Broken) -> Response {
    tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "a file could not be made");
    let why = if broken.is_unavailable() {
        DeadEnd::Unavailable
    } else {
        DeadEnd::Broken
    };
    answer::refuse(edge, why, request)
}
