//! The way from a page's answer to HTML: the frame of the signed-in, and what pages of both kinds say alike. The frame for
//! strangers is `entrance`'s, the document around the frame `shell`'s.

use std::borrow::Cow;
use std::future::Future;

use axum::http::header::{CACHE_CONTROL, HeaderValue};
use backend::Backend;
use backend::authority::actor::Actor;
use backend::failure::Broken;
use backend::metering::live::FeedStatus;
use backend::overview::nav::{self, Nav};
use backend::overview::stopped;
use domain::act::Act;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

use super::dead_end::{self, DeadEnd};
use super::entrance::{brand, entrance};
use super::form::{FormState, PostForm};
use super::format;
use super::navigation::{Section, navigation};
use crate::action::flash::{self, Flash, Outcome, Success};
use crate::action::{ActionError, context, request};
use crate::islands::{CopyButtons, FreshTab, Shortcuts};

/// Where a page of the dashboard stands, as the route table says.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The entry of the navigation it belongs to.
    pub section: Section,
    /// Its path; a flash for this path is shown on it.
    pub path: &'static str,
}

/// What a page of the dashboard is given.
pub struct Visit {
    /// Settings, clock, and what the last form has left.
    pub backend: Backend,
    /// What they may read, in their name.
    pub view: backend::authority::view::View,
    /// How the last form of this page ended.
    pub flash: Option<Flash>,
}

/// What a page of the dashboard answers.
pub struct Page {
    pub heading: String,
    /// The first part of the document's title, where that is not the heading.
    pub title: Option<String>,
    pub body: AnyView,
    /// Whether loading it again would lose what it shows.
    pub is_shown_once: bool,
}

impl Page {
    /// A page titled as it is headed.
    pub fn new(heading: impl Into<String>, body: AnyView) -> Self {
        Self {
            heading: heading.into(),
            title: None,
            body,
            is_shown_once: false,
        }
    }

    /// The same, which is never loaded anew by itself.
    #[must_use]
    pub fn shown_once(self) -> Self {
        Self {
            is_shown_once: true,
            ..self
        }
    }

    /// The page of a form, whose title says first that the last try failed.
    pub fn of_form(heading: &'static str, state: &FormState, body: AnyView) -> Self {
        Self {
            title: Some(state.title(heading)),
            ..Self::new(heading, body)
        }
    }
}

/// Why there is no page.
pub enum Stop {
    /// No such thing in this account.
    NotFound,
    /// Our side broke.
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(error: Broken) -> Self {
        Self::Broken(error)
    }
}

/// Says that this page shows a secret, so that nobody packs it on its way: the length of a packed page tells of what is in it
/// (docs/decisions/0018-what-is-packed.md).
pub fn shows_a_secret() {
    if let Some(response) = use_context::<ResponseOptions>() {
        let never = HeaderValue::from_static("no-store, no-transform");
        response.insert_header(CACHE_CONTROL, never);
    }
}

/// A page of the dashboard: finds out who asks, lets the page read, puts the frame around it. A stranger is led to the
/// sign-in page by the guard in `server` before this runs; should the session end in between, by this.
pub fn dashboard<F, Fut>(place: Place, page: F) -> AnyView
where
    F: FnOnce(Visit) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page, Stop>> + Send + 'static,
{
    Suspend::new(async move {
        match compose(place, page).await {
            Ok(view) => view,
            Err(Stop::NotFound) => dead_end::view(DeadEnd::NotFound),
            Err(Stop::Broken(cause)) => {
                context::broken(&cause);
                dead_end::view(if cause.is_unavailable() {
                    DeadEnd::Unavailable
                } else {
                    DeadEnd::Broken
                })
            }
        }
    })
    .into_any()
}

async fn compose<F, Fut>(place: Place, page: F) -> Result<AnyView, Stop>
where
    F: FnOnce(Visit) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page, Stop>> + Send + 'static,
{
    let actor = match request::actor().await {
        Ok(actor) => actor,
        // The answer is a redirect already.
        Err(ActionError::SignedOut) => return Ok(().into_any()),
        // Logged where it happened.
        Err(_) => return Ok(dead_end::view(DeadEnd::Broken)),
    };
    let Ok(backend) = context::backend() else {
        return Ok(dead_end::view(DeadEnd::Broken));
    };
    let flash = flash::take(&backend, place.path);
    // What is about a part of the page stands in that part.
    let said = flash.as_ref().filter(|flash| flash.part.is_empty());
    let said = said.and_then(|flash| done(&flash.outcome));
    let is_answer = flash.is_some();
    // One snapshot for both, so that the balance in the frame is the balance on the page.
    let mut view = actor.view(&backend).await?;
    let nav = nav::read(&mut view).await?;
    let stopped = stopped::read(&mut view).await?;
    let visit = Visit {
        backend,
        view,
        flash,
    };
    let page = match page(visit).await {
        // Whoever is signed in keeps the way on.
        Err(Stop::NotFound) => {
            let (heading, body) = dead_end::inside(DeadEnd::NotFound);
            Page::new(heading, body)
        }
        other => other?,
    };
    let title = page.title.unwrap_or_else(|| page.heading.clone());
    // An answer is gone once it was shown, and with it what was typed.
    let fresh = (!page.is_shown_once && !is_answer).then(|| view! { <FreshTab/> });
    let stopped = super::stopped::view(stopped.as_ref());
    let body = (said, stopped, page.body, fresh).into_any();
    let framed = frame(place.section, &actor, &nav, page.heading, body);
    Ok(view! { <Title text=format!("{title} · Isorun")/> {framed} }.into_any())
}

fn frame(section: Section, actor: &Actor, nav: &Nav, heading: String, body: AnyView) -> AnyView {
    let balance = format::balance(nav.balance);
    view! {
        <div class="dashboard">
            {navigation(section, nav)}
            <header class="bar">
                {brand("/overview")}
                <div class="bar__tools">
                    {account_menu(actor)}
                    <a class="bar__balance" href="/credit"><span class="sr-only">"Credit left "</span>{balance}</a>
                </div>
            </header>
            <main class="page" id="main">
                <h1 class="page__title">{heading}</h1>
                {body}
            </main>
            <CopyButtons/>
            <Shortcuts/>
        </div>
    }
    .into_any()
}

/// Whose account this is, and what belongs to whoever is in it.
fn account_menu(actor: &Actor) -> AnyView {
    let name = actor.account_name().to_owned();
    view! {
        <details class="menu" data-menu>
            <summary class="menu__open"><span class="sr-only">"Account "</span><span class="menu__name">{name.clone()}</span></summary>
            <div class="menu__box">
                <div class="menu__who">
                    <p class="menu__whole">{name}</p>
                    <p>{actor.email().as_str().to_owned()}</p>
                    <p>{format!("Role: {}", actor.role().as_str())}</p>
                </div>
                <ul>
                    <li><a class="menu__entry" href="/settings#account">"Account"</a></li>
                    <li><a class="menu__entry" href="/settings#profile">"Settings"</a></li>
                    <li>
                        <PostForm act=Act::SignOut>
                            <button class="menu__entry">"Sign out"</button>
                        </PostForm>
                    </li>
                </ul>
            </div>
        </details>
    }
    .into_any()
}

/// A public page: its flash, its title, its body in the narrow frame.
pub fn public<F>(title: &'static str, path: &'static str, body: F) -> AnyView
where
    F: FnOnce(&Backend, Option<Flash>) -> AnyView + Send + 'static,
{
    let Ok(backend) = context::backend() else {
        return dead_end::view(DeadEnd::Broken);
    };
    let flash = flash::take(&backend, path);
    let failed = flash
        .as_ref()
        .is_some_and(|flash| matches!(flash.outcome, Outcome::Failed(_)));
    let title = if failed {
        format!("Error: {title} · Isorun")
    } else {
        format!("{title} · Isorun")
    };
    view! { <Title text=title/> {entrance(body(&backend, flash))} }.into_any()
}

/// A notice about what was done, or why it was not tried; none for a failure, which the form itself shows.
pub fn done(outcome: &Outcome) -> Option<AnyView> {
    let (class, what) = match outcome {
        Outcome::Failed(_) => return None,
        Outcome::Done(what) => ("notice notice--done", what),
        Outcome::Stopped(what) => ("notice notice--soon", what),
    };
    let Success { title, text } = what.clone();
    Some(notice(class, title, text.into_any()))
}

/// A sentence that must be read now.
pub fn notice(class: &'static str, title: impl Into<Cow<'static, str>>, text: AnyView) -> AnyView {
    view! { <div class=class role="status"><p class="notice__title">{title.into()}</p><p>{text}</p></div> }
        .into_any()
}

/// What must be said about figures that are old; nothing while they are fresh.
pub fn feed_notice(feed: &FeedStatus) -> AnyView {
    let as_of = format::moment(feed.as_of);
    if feed.stopped {
        let text = view! { "Figures stand still at "{as_of}": the usage feed contradicts itself and an engineer has been called. Nothing is lost and nothing is charged twice." };
        notice(
            "notice notice--broken",
            "Metering has stopped",
            text.into_any(),
        )
    } else if feed.failing {
        let text = view! { "Figures are exact up to "{as_of}". Usage since then is there and cannot be read by us yet; an engineer has been called. Nothing of it is lost." };
        notice(
            "notice notice--broken",
            "Metering is held up",
            text.into_any(),
        )
    } else if feed.stale {
        let text = view! { "Figures are exact up to "{as_of}". Usage since then has not arrived here yet and follows. Nothing of it is lost." };
        notice("notice notice--soon", "Figures are old", text.into_any())
    } else {
        ().into_any()
    }
}

/// The moment up to which the figures of a page are exact.
pub fn as_of(feed: &FeedStatus) -> AnyView {
    view! { <p class="form__note">"Exact up to "{format::moment(feed.as_of)}". Amounts are before VAT."</p> }.into_any()
}

/// The way to the next page of a list; nothing on the last one.
pub fn pager(path: &str, cursor: Option<String>) -> AnyView {
    let next = cursor.map(|cursor| {
        let joint = if path.contains('?') { '&' } else { '?' };
        view! { <nav class="pager" aria-label="Pages"><a class="button" href=format!("{path}{joint}after={cursor}")>"Older"</a></nav> }
    });
    next.into_any()
}
