//! The frames around a page: one for strangers, one for the signed-in, and the way from a page's answer to HTML.
//! The document around the frame is `shell`'s.

use std::future::Future;

use backend::Backend;
use backend::actor::Actor;
use backend::failure::Broken;
use backend::service::FeedStatus;
use backend::service::nav::{self, Nav};
use leptos::prelude::*;
use leptos_meta::Title;

use super::error::{self, DeadEnd};
use super::form::FormState;
use super::format;
use super::words;
use crate::api::flash::{self, Flash, Outcome};
use crate::api::{ActionError, request};

/// An entry of the main navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What is left and what runs.
    Overview,
    /// What ran.
    Sandboxes,
    /// How much of it.
    Usage,
    /// What may start it.
    Keys,
    /// What pays for it.
    Credit,
    /// What ends it, and who is told.
    Alerts,
    /// Who one is.
    Settings,
}

impl Section {
    const ALL: [Self; 7] = [
        Self::Overview,
        Self::Sandboxes,
        Self::Usage,
        Self::Keys,
        Self::Credit,
        Self::Alerts,
        Self::Settings,
    ];
    /// What the bottom bar of a narrow window shows; the rest is under "More".
    const NARROW: usize = 5;

    const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Sandboxes => "Sandboxes",
            Self::Usage => "Usage",
            Self::Keys => "Keys",
            Self::Credit => "Credit",
            Self::Alerts => "Alerts",
            Self::Settings => "Settings",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/overview",
            Self::Sandboxes => "/sandboxes",
            Self::Usage => "/usage",
            Self::Keys => "/keys",
            Self::Credit => "/credit",
            Self::Alerts => "/alerts",
            Self::Settings => "/settings",
        }
    }

    /// Outline of a 16 px drawing.
    const fn icon(self) -> &'static str {
        match self {
            Self::Overview => "M2 2h5v6H2zM9 2h5v3H9zM9 7h5v7H9zM2 10h5v4H2z",
            Self::Sandboxes => "M8 1.5 14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6",
            Self::Usage => "M2 14h12M3.5 14V9M7 14V5M10.5 14V8M13 14V2",
            Self::Keys => "M10 2a4 4 0 1 1-3.2 6.4L2 13.2V14h2.5v-1.7h1.7v-1.7h1.6M11 5h.01",
            Self::Credit => {
                "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM10 5.8C9.5 5 6 4.7 6 6.4c0 2 4 1.2 4 3.2 0 1.700-3.600 1.400-4.200.500M8 4v8"
            }
            Self::Alerts => "M4 11V6a4 4 0 0 1 8 0v5l1 1H3zM7 14h2",
            Self::Settings => {
                "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 14.500c0-3 2.500-4.500 5.500-4.500s5.500 1.500 5.500 4.500"
            }
        }
    }

    fn count(self, nav: &Nav) -> Option<i64> {
        match self {
            Self::Sandboxes => Some(nav.running),
            Self::Keys => Some(nav.keys),
            _ => None,
        }
    }
}

/// What a page of the dashboard is given.
pub struct Visit {
    /// To read with.
    pub backend: Backend,
    /// For whom.
    pub actor: Actor,
    /// How the last form of this page ended.
    pub flash: Option<Flash>,
}

/// What a page of the dashboard answers.
pub struct Page {
    /// Its heading.
    pub heading: String,
    /// The first part of the document's title, where that is not the heading.
    pub title: Option<String>,
    /// What stands below the heading.
    pub body: AnyView,
    /// The counts beside the navigation, when the page read them anyway.
    pub nav: Option<Nav>,
}

impl Page {
    /// A page whose navigation is read by the frame.
    pub fn new(heading: impl Into<String>, body: AnyView) -> Self {
        Self {
            heading: heading.into(),
            title: None,
            body,
            nav: None,
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

/// A page of the dashboard: finds out who asks, lets the page read, puts the frame around it. A stranger is led to the
/// sign-in page by the guard in `server` before this runs; should the session end in between, by this.
pub fn dashboard<F, Fut>(section: Section, path: &'static str, page: F) -> AnyView
where
    F: FnOnce(Visit) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page, Stop>> + Send + 'static,
{
    Suspend::new(async move {
        match compose(section, path, page).await {
            Ok(view) => view,
            Err(Stop::NotFound) => error::view(DeadEnd::NotFound),
            Err(Stop::Broken(cause)) => {
                request::broken(&cause);
                error::view(if cause.is_unavailable() {
                    DeadEnd::Unavailable
                } else {
                    DeadEnd::Broken
                })
            }
        }
    })
    .into_any()
}

async fn compose<F, Fut>(section: Section, path: &'static str, page: F) -> Result<AnyView, Stop>
where
    F: FnOnce(Visit) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page, Stop>> + Send + 'static,
{
    let actor = match request::actor().await {
        Ok(actor) => actor,
        // The answer is a redirect already.
        Err(ActionError::SignedOut) => return Ok(().into_any()),
        // Logged where it happened.
        Err(_) => return Ok(error::view(DeadEnd::Broken)),
    };
    let Ok(backend) = request::backend() else {
        return Ok(error::view(DeadEnd::Broken));
    };
    let flash = flash::take(&backend, path);
    let said = flash.as_ref().and_then(|flash| done(&flash.outcome));
    let visit = Visit {
        backend: backend.clone(),
        actor: actor.clone(),
        flash,
    };
    let page = page(visit).await?;
    let nav = match page.nav {
        Some(nav) => nav,
        None => nav::read(&backend, &actor).await?,
    };
    let title = page.title.unwrap_or_else(|| page.heading.clone());
    let framed = frame(
        section,
        &actor,
        &nav,
        page.heading,
        (said, page.body).into_any(),
    );
    Ok(view! { <Title text=format!("{title} · Isorun")/> {framed} }.into_any())
}

fn frame(section: Section, actor: &Actor, nav: &Nav, heading: String, body: AnyView) -> AnyView {
    let account = actor.account_name().to_owned();
    let balance = format::balance(nav.balance);
    view! {
        <div class="dashboard">
            {navigation(section, nav)}
            <header class="bar">
                <h1 class="bar__title">{heading}</h1>
                <div class="bar__tools">
                    <a class="bar__account" href="/settings"><span class="sr-only">"Account "</span>{account}</a>
                    <a class="bar__balance" href="/credit"><span class="sr-only">"Credit left "</span>{balance}</a>
                    <form class="bar__leave" method="post" action="/api/session/sign-out">
                        <button class="button button--quiet">"Sign out"</button>
                    </form>
                </div>
            </header>
            <main class="page" id="main">{body}</main>
        </div>
    }
    .into_any()
}

fn navigation(current: Section, nav: &Nav) -> AnyView {
    let entries = Section::ALL
        .into_iter()
        .enumerate()
        .map(|(index, section)| {
            let class = (index >= Section::NARROW).then_some("nav__wide");
            view! { <li class=class>{entry(section, current, nav)}</li> }
        });
    let more = Section::ALL
        .into_iter()
        .skip(Section::NARROW)
        .map(|section| view! { <li>{entry(section, current, nav)}</li> });
    view! {
        <nav class="nav" aria-label="Main">
            {brand("/overview")}
            <ul class="nav__list">{entries.collect_view()}</ul>
            <details class="nav__more">
                <summary class="nav__link">{icon("M3 8h.01M8 8h.01M13 8h.01")}"More"</summary>
                <ul class="nav__menu">
                    {more.collect_view()}
                    <li>
                        <form method="post" action="/api/session/sign-out">
                            <button class="nav__link">{icon("M6 2H2v12h4M10 5l3 3-3 3M13 8H6")}"Sign out"</button>
                        </form>
                    </li>
                </ul>
            </details>
        </nav>
    }
    .into_any()
}

fn entry(section: Section, current: Section, nav: &Nav) -> AnyView {
    let here = (section == current).then_some("page");
    let count = section
        .count(nav)
        .map(|count| view! { <span class="nav__count">{count}</span> });
    view! { <a class="nav__link" href=section.path() aria-current=here>{icon(section.icon())}{section.name()}{count}</a> }.into_any()
}

fn icon(outline: &'static str) -> AnyView {
    view! {
        <svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=outline></path>
        </svg>
    }
    .into_any()
}

fn brand(home: &'static str) -> AnyView {
    view! {
        <a class="brand" href=home>
            <svg viewBox="0 0 16 16" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" aria-hidden="true">
                <path d="M2 4.500 8 1l6 3.500v7L8 15l-6-3.500zM6.500 5.500v5l4-2.500z"></path>
            </svg>
            "isorun"
        </a>
    }
    .into_any()
}

/// The frame for strangers and dead ends: brand, one column, the legal links.
pub fn entrance(body: AnyView) -> AnyView {
    entrance_of("entrance", body)
}

/// The same, as wide as a page.
pub fn wide_entrance(body: AnyView) -> AnyView {
    entrance_of("entrance entrance--wide", body)
}

fn entrance_of(class: &'static str, body: AnyView) -> AnyView {
    view! {
        <div class=class>
            <header>{brand("/")}</header>
            <main class="entrance__box" id="main">{body}</main>
            <footer class="entrance__foot">
                <a href="https://isorun.ai/terms">"Terms"</a>
                " "
                <a href="https://isorun.ai/aup">"Acceptable use"</a>
                " "
                <a href="https://isorun.ai/privacy">"Privacy"</a>
                " "
                <a href="https://isorun.ai/security">"Security"</a>
            </footer>
        </div>
    }
    .into_any()
}

/// A public page: its flash, its title, its body in the narrow frame.
pub fn public<F>(title: &'static str, path: &'static str, body: F) -> AnyView
where
    F: FnOnce(&Backend, Option<Flash>) -> AnyView + Send + 'static,
{
    let Ok(backend) = request::backend() else {
        return error::view(DeadEnd::Broken);
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

/// A notice about what was done; none for a failure, which the form itself shows.
pub fn done(outcome: &Outcome) -> Option<AnyView> {
    let Outcome::Done(what) = outcome else {
        return None;
    };
    let (title, text) = words::done(*what);
    Some(notice("notice notice--done", title, text.into_any()))
}

/// A sentence that must be read now.
pub fn notice(class: &'static str, title: &'static str, text: AnyView) -> AnyView {
    view! { <div class=class role="status"><p class="notice__title">{title}</p><p>{text}</p></div> }
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
    } else if feed.stale {
        let text = view! { "Figures are exact up to "{as_of}". The orchestrator does not answer; usage since then follows when it does." };
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
