//! The main navigation: its entries, what each is called and where it leads. What it stands beside is `layout`'s.

use backend::overview::nav::Nav;
use leptos::prelude::*;
use strum::{EnumIter, IntoEnumIterator as _};

use super::entrance::brand;

/// An entry of the main navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
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
    /// What the bottom bar of a narrow window shows; the rest is under "More".
    const NARROW: usize = 5;

    const fn entry(self) -> Entry {
        match self {
            Self::Overview => Entry {
                name: "Overview",
                path: "/overview",
                icon: "M2 2h5v6H2zM9 2h5v3H9zM9 7h5v7H9zM2 10h5v4H2z",
            },
            Self::Sandboxes => Entry {
                name: "Sandboxes",
                path: "/sandboxes",
                icon: "M8 1.5 14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6",
            },
            Self::Usage => Entry {
                name: "Usage",
                path: "/usage",
                icon: "M2 14h12M3.5 14V9M7 14V5M10.5 14V8M13 14V2",
            },
            Self::Keys => Entry {
                name: "Keys",
                path: "/keys",
                icon: "M10 2a4 4 0 1 1-3.2 6.4L2 13.2V14h2.5v-1.7h1.7v-1.7h1.6M11 5h.01",
            },
            Self::Credit => Entry {
                name: "Credit",
                path: "/credit",
                icon: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM10 5.8C9.5 5 6 4.7 6 6.4c0 2 4 1.2 4 3.2 0 1.700-3.600 1.400-4.200.500M8 4v8",
            },
            Self::Alerts => Entry {
                name: "Alerts",
                path: "/alerts",
                icon: "M4 11V6a4 4 0 0 1 8 0v5l1 1H3zM7 14h2",
            },
            Self::Settings => Entry {
                name: "Settings",
                path: "/settings",
                icon: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 14.500c0-3 2.500-4.500 5.500-4.500s5.500 1.500 5.500 4.500",
            },
        }
    }

    /// How many there are, where the number is worth a look, and of what where the entry does not say it.
    const fn count(self, nav: &Nav) -> Option<(i64, &'static str)> {
        match self {
            Self::Sandboxes => Some((nav.running, " running")),
            Self::Keys => Some((nav.keys, "")),
            _ => None,
        }
    }
}

/// How a section shows in the navigation.
struct Entry {
    name: &'static str,
    path: &'static str,
    /// Outline of a 16 px drawing.
    icon: &'static str,
}

/// The navigation with `current` marked: a column beside the page, a bar below it in a narrow window.
pub fn navigation(current: Section, nav: &Nav) -> AnyView {
    let entries = Section::iter().enumerate().map(|(index, section)| {
        let class = (index >= Section::NARROW).then_some("nav__wide");
        view! { <li class=class>{entry(section, current, nav)}</li> }
    });
    let more = Section::iter()
        .skip(Section::NARROW)
        .map(|section| view! { <li>{entry(section, current, nav)}</li> });
    view! {
        <nav class="nav" aria-label="Main">
            {brand("/overview")}
            <ul class="nav__list">{entries.collect_view()}</ul>
            <ul class="nav__foot">{outside()}</ul>
            <details class="nav__more" data-menu>
                <summary class="nav__link">{drawing("M3 8h.01M8 8h.01M13 8h.01")}"More"</summary>
                <ul class="nav__menu">
                    {more.collect_view()}
                    {outside()}
                </ul>
            </details>
        </nav>
    }
    .into_any()
}

/// The ways out of the dashboard: to the documentation, and to a person.
fn outside() -> AnyView {
    view! {
        <li><a class="nav__link" href="https://docs.isorun.ai">{drawing("M3 2h8l2 2v10H3zM6 7h4M6 10h4")}"Docs"</a></li>
        <li><a class="nav__link" href="mailto:support@isorun.ai">{drawing("M2 3h12v9H8l-3 2.500V12H2z")}"Support"</a></li>
    }
    .into_any()
}

fn entry(section: Section, current: Section, nav: &Nav) -> AnyView {
    let here = (section == current).then_some("page");
    let count = section
        .count(nav)
        .map(|(count, what)| view! { <span class="nav__count">{count}<span class="sr-only">{what}</span></span> });
    let Entry { name, path, icon } = section.entry();
    view! { <a class="nav__link" href=path aria-current=here>{drawing(icon)}{name}{count}</a> }
        .into_any()
}

fn drawing(outline: &'static str) -> AnyView {
    view! {
        <svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=outline></path>
        </svg>
    }
    .into_any()
}
