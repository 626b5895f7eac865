//! The frame for strangers and dead ends, and the brand. The frame of the signed-in is `layout`'s.

use leptos::prelude::*;

/// Outline of the mark in a square of 16; public/favicon.svg is the same, twice as large.
pub const MARK: &str = "M2 4.500 8 1l6 3.500v7L8 15l-6-3.500zM6.500 5.500v5l4-2.500z";

/// Name and mark, leading home.
pub fn brand(home: &'static str) -> AnyView {
    view! {
        <a class="brand" href=home>
            <svg viewBox="0 0 16 16" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" aria-hidden="true">
                <path d=MARK></path>
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
