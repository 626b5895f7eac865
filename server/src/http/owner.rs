//! A form acts in the account it was drawn for or not at all: that of an old tab is refused when somebody else is signed in by
//! now. When nobody is, what was typed is kept for after the sign-in.

use app::action::ending::{End, Ending};
use app::action::flash::{self, Flash, Kept, Outcome, Success};
use app::action::form_token::{FormToken, Owner};
use app::action::wanted::{self, Typed, Wanted};
use app::frame::dead_end::DeadEnd;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use backend::Backend;
use backend::authority::actor::Actor;
use backend::authority::session::Visitor;
use domain::act::{Act, Who};

use super::edge::Edge;
use super::once::Sent;
use super::{actions, answer};

/// Lets a form pass to the account it was drawn for.
pub async fn check(
    State((edge, backend)): State<(Edge, Backend)>,
    request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions();
    let (Some(token), Some(visitor)) = (
        extensions.get::<FormToken>().cloned(),
        extensions.get::<Visitor>().cloned(),
    ) else {
        return next.run(request).await;
    };
    let Some(owner) = &token.owner else {
        return next.run(request).await;
    };
    match visitor.actor(&backend).await {
        Ok(Some(actor)) if owner.is(&actor) => next.run(request).await,
        Ok(Some(actor)) => {
            refused(&request);
            of_another(&backend, &token, owner, &actor)
        }
        Ok(None) if is_of_members(&request) => {
            refused(&request);
            of_nobody(&backend, &token, owner, &request)
        }
        Ok(None) => next.run(request).await,
        Err(broken) => {
            tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "who sends a form could not be read");
            answer::refuse(&edge, DeadEnd::Unavailable, &request)
        }
    }
}

fn refused(request: &Request) {
    if let Some(ending) = request.extensions().get::<Ending>() {
        ending.set(End::Refused);
    }
}

fn is_of_members(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    let endpoint = path.and_then(|path| path.as_str().strip_prefix(actions::PREFIX));
    let mut rules = Act::ALL.iter().map(|act| act.rule());
    rules.any(|rule| Some(rule.endpoint) == endpoint && matches!(rule.who, Who::Member(_)))
}

/// To the page of the account that is signed in, which says whose form it was.
fn of_another(backend: &Backend, token: &FormToken, owner: &Owner, actor: &Actor) -> Response {
    let page = token.section();
    let flash = Flash {
        page: page.clone(),
        part: String::new(),
        outcome: Outcome::Stopped(Success {
            title: "Another account is signed in".into(),
            text: owner.is_not(actor).into(),
        }),
        kept: Kept::nothing(),
    };
    let cookies = [flash::header(backend, &flash)];
    answer::see_other_with(&page, cookies.into_iter().flatten())
}

/// To the sign-in, and from there back to the form with what was typed.
fn of_nobody(backend: &Backend, token: &FormToken, owner: &Owner, request: &Request) -> Response {
    let fields = request.extensions().get::<Sent>();
    let typed = fields.map(|Sent(body)| Typed {
        user_id: owner.user_id,
        page: token.page.clone(),
        fields: Kept::sent(body),
    });
    let wanted = Wanted::to(&token.path, typed);
    let cookies = [
        wanted.and_then(|wanted| wanted.header(backend)),
        flash::header(backend, &wanted::signed_out()),
    ];
    answer::see_other_with("/sign-in", cookies.into_iter().flatten())
}
