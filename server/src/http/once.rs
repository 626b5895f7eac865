//! A form that is sent twice is done once, and both get the same answer: double clicks, double Enter, a press again while the
//! first is on its way. Around the session, because the answer of a sign-in is its cookie. What makes two forms the same:
//! their token, the browser, the session they were drawn in, the address and everything typed
//! (docs/decisions/0020-form-tokens.md).

use std::time::Duration;

use app::action::ending::{End, Ending};
use app::action::form_token::{self, Browser, FormToken};
use app::action::request_id::RequestId;
use app::action::sealed::Sealer;
use app::frame::dead_end::DeadEnd;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HeaderName, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::answers::{self, Claim, FormHash};
use backend::failure::Broken;
use backend::secret::sha256;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::body::BODY_BYTES_MAX;
use super::edge::Edge;
use super::{actions, answer, session_cookie};

/// How long a second press waits for the first: less than a request may take, so that there is time to say so.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// The first pause between two looks; each further one is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// How long the work may take that nobody waits for any more.
const WORK_MAX: Duration = Duration::from_secs(15);
/// What an answer is sealed for.
const PURPOSE: &str = "form_answer";
/// The headers in which an answer is; everything else stands around every answer.
const KEPT: [&str; 3] = ["location", "set-cookie", "clear-site-data"];

type Known = (Edge, Backend);

/// What was sent, for whoever needs it after the server function has read it.
#[derive(Clone)]
pub struct Sent(pub Bytes);

/// Does a form, or gives the answer of the same form.
pub async fn check(State((edge, backend)): State<Known>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.filter(|path| path.as_str().starts_with(actions::PREFIX));
    let Some(path) = path.filter(|_| request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let (mut head, body) = request.into_parts();
    // It was read and bounded before.
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let request = Request::from_parts(head, Body::empty());
        return answer::refuse(&edge, DeadEnd::Unreadable, &request);
    };
    let Some(sealed) = form_token::field(&body) else {
        // Not one of our pages: a program, or a tab from before forms had tokens. Done as often as it is sent.
        return next.run(Request::from_parts(head, body.into())).await;
    };
    let browser = head.extensions.get::<Browser>().cloned();
    let token = FormToken::open(&backend, &sealed);
    head.extensions.insert(Sent(body.clone()));
    head.extensions.insert(Ending::default());
    if let Some(token) = &token {
        head.extensions.insert(token.clone());
    }
    let request = Request::from_parts(head, body.clone().into());
    let (Some(token), Some(browser)) = (token, browser) else {
        return answer::refuse(&edge, DeadEnd::Unreadable, &request);
    };
    if !browser.is_known() && token.owner.is_none() {
        return answer::refuse(&edge, DeadEnd::NoCookies, &request);
    }
    if !token.is_of(&browser) {
        return next.run(request).await;
    }
    let session = token
        .owner
        .as_ref()
        .and_then(|_| session_cookie::sent(&request));
    let form = Form {
        hash: hash(&[
            sealed.as_bytes(),
            browser.value().as_bytes(),
            session.as_deref().unwrap_or_default().as_bytes(),
            path.as_str().as_bytes(),
            &body,
        ]),
        sealer: Sealer::keyed(&backend, &sealed),
        backend,
    };
    once(&edge, form, request, next).await
}

/// Each part with its length, so that no two lists of parts are one text.
fn hash(parts: &[&[u8]]) -> FormHash {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&part.len().to_be_bytes());
        text.extend_from_slice(part);
    }
    sha256(&text)
}

struct Form {
    hash: FormHash,
    sealer: Sealer,
    backend: Backend,
}

async fn once(edge: &Edge, form: Form, request: Request, next: Next) -> Response {
    let (until, mut pause) = (Instant::now() + WAIT_MAX, PAUSE);
    loop {
        match answers::claim(&form.backend, &form.hash).await {
            Ok(Claim::Yours) => return to_its_end(edge, form, request, next).await,
            Ok(Claim::Answered(sealed)) => {
                metrics::counter!("http_forms_repeated_total").increment(1);
                let kept = form.sealer.open_text::<Answer>(PURPOSE, &sealed);
                return match kept.and_then(Answer::response) {
                    Some(response) => response,
                    None => answer::refuse(edge, DeadEnd::Unavailable, &request),
                };
            }
            Ok(Claim::Running) if Instant::now() < until => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Ok(Claim::Running) => {
                tracing::warn!("the same form is still worked on");
                return answer::refuse(edge, DeadEnd::Unavailable, &request);
            }
            Err(broken) => {
                told(&broken, "a form could not be claimed");
                return answer::refuse(edge, DeadEnd::Unavailable, &request);
            }
        }
    }
}

/// Does the form in a task of its own: a browser that is clicked twice hangs up on the first request, and what that one has
/// begun is to be finished and its answer kept, for the second.
async fn to_its_end(edge: &Edge, form: Form, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let ending = request
        .extensions()
        .get::<Ending>()
        .cloned()
        .unwrap_or_default();
    let work = async move {
        let response = tokio::time::timeout(WORK_MAX, next.run(request)).await.ok();
        let answer = form.answer(response.as_ref(), ending.get());
        if let Err(broken) = form.settle(answer, ending.get()).await {
            told(&broken, "the answer of a form could not be kept");
        }
        response
    };
    match tokio::spawn(work.instrument(Span::current())).await {
        Ok(Some(response)) => response,
        Ok(None) => answer::page(edge, DeadEnd::Unavailable, request_id.as_ref()),
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        // Aborted: the process stops.
        Err(_) => answer::page(edge, DeadEnd::Unavailable, request_id.as_ref()),
    }
}

impl Form {
    /// What is kept, sealed; none of what broke, so that it is tried again.
    fn answer(&self, response: Option<&Response>, end: End) -> Option<String> {
        response
            .filter(|response| response.status() == StatusCode::SEE_OTHER && end != End::Broken)
            .and_then(|response| self.sealer.text(PURPOSE, &Answer::of(response)))
    }

    /// Keeps an answer, or gives the claim back where there is none.
    async fn settle(&self, answer: Option<String>, end: End) -> Result<(), Broken> {
        match answer {
            Some(text) => answers::keep(&self.backend, &self.hash, &text, end == End::Done).await,
            None => answers::give_back(&self.backend, &self.hash).await,
        }
    }
}

fn told(broken: &Broken, what: &'static str) {
    tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "{what}");
}

/// A redirect with its cookies.
#[derive(Serialize, Deserialize)]
struct Answer(Vec<(String, String)>);

impl Answer {
    fn of(response: &Response) -> Self {
        let headers = response.headers().iter();
        let kept = headers.filter(|(name, _)| KEPT.contains(&name.as_str()));
        let texts = kept.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Self(texts.collect())
    }

    fn response(self) -> Option<Response> {
        let mut response = StatusCode::SEE_OTHER.into_response();
        for (name, value) in self.0 {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_str(&value).ok()?;
            response.headers_mut().append(name, value);
        }
        response
            .headers()
            .contains_key(LOCATION)
            .then_some(response)
    }
}
