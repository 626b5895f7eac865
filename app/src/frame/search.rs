//! The field that searches a list: a plain GET form. `/` leads to it where scripts run (`islands::Shortcuts`).

use domain::search::Search;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// What the address of a page asks to search for.
pub fn of(query: &ParamsMap) -> Option<Search> {
    Search::parse(&query.get("q").unwrap_or_default())
}

/// The field of the list at `path`. `label` says what it looks through; `kept` are the words of the address that stay.
pub fn field(
    path: &'static str,
    label: &'static str,
    search: Option<&Search>,
    kept: &[(&'static str, &'static str)],
) -> AnyView {
    let kept = kept
        .iter()
        .map(|(name, word)| view! { <input type="hidden" name=*name value=*word/> });
    let typed = search.map_or_else(String::new, |search| search.as_str().to_owned());
    view! {
        <form class="search" role="search" method="get" action=path>
            {kept.collect_view()}
            <label class="sr-only" for="q">{label}</label>
            <span class="search__box">
                <input
                    class="search__field"
                    id="q"
                    name="q"
                    type="search"
                    value=typed
                    placeholder=label
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-keyshortcuts="/"
                    data-search
                />
                <kbd class="search__key" aria-hidden="true">"/"</kbd>
            </span>
            <button class="button">"Search"</button>
        </form>
    }
    .into_any()
}
