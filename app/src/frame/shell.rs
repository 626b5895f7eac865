//! The HTML document around every page: head, content security policy and the script that wakes the islands.
//! Frames and navigation are `layout`'s.

use axum::extract::MatchedPath;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::request::Parts;
use leptos::nonce::{Nonce, use_nonce};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use super::assets::Assets;

/// A page as its document introduces it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// As the router writes it.
    pub path: &'static str,
    /// Whether it answers anyone. What is for one person is nothing for a search engine; what is for anyone has no islands.
    pub is_public: bool,
    /// One sentence, for search engines and link previews.
    pub text: &'static str,
}

/// The document around what `app` draws. Expects `Assets` in the context; without it (when routes are listed at start) it
/// names no files. What is none of these pages is introduced by nothing and listed nowhere.
pub fn document<A, V>(pages: &'static [About], app: A) -> impl IntoView + use<A, V>
where
    A: FnOnce() -> V,
    V: IntoView,
{
    // Only islands hydrate, so the page itself needs no hydration marks. `HydrationScripts` would say so too, but it
    // cannot name files whose script and binary differ in their hash.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    let nonce = use_nonce();
    set_policy(nonce.as_ref());
    let assets = use_context::<Assets>();
    let css = assets.as_ref().map(|assets| assets.css.clone());
    let about = matched().and_then(|path| pages.iter().find(|page| page.path == path));
    let is_public = about.is_some_and(|page| page.is_public);
    let scripts = assets
        .filter(|_| about.is_some() && !is_public)
        .map(|assets| scripts(&assets, nonce));
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {about.map(|page| view! { <meta name="description" content=page.text/> })}
                {(!is_public).then(|| view! { <meta name="robots" content="noindex"/> })}
                {css.map(|css| view! { <link rel="stylesheet" href=css/> })}
                <MetaTags/>
                {scripts}
            </head>
            <body>
                <a class="skip" href="#main">"Skip to the page"</a>
                {app()}
            </body>
        </html>
    }
}

/// The route that was asked for, as the router writes it.
fn matched() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let path = parts.extensions.get::<MatchedPath>()?;
    Some(path.as_str().to_owned())
}

/// No preload hints: a browser without scripts would follow them for nothing, and the script asks for both files at once.
fn scripts(assets: &Assets, nonce: Option<Nonce>) -> AnyView {
    view! { <script type="module" nonce=nonce>{wake_islands(assets)}</script> }.into_any()
}

/// Loads the module and its binary side by side, then wakes each island by the name its element carries. Our islands are
/// leaves, so the walk that leptos' own script does for nested ones is not needed.
fn wake_islands(assets: &Assets) -> String {
    format!(
        "const wasm = fetch({wasm:?});\n\
         const islands = await import({js:?});\n\
         await islands.default({{ module_or_path: wasm }});\n\
         islands.hydrate();\n\
         for (const element of document.querySelectorAll('leptos-island')) islands[element.dataset.component]?.(element);\n\
         document.documentElement.dataset.awake = '';",
        js = assets.js,
        wasm = assets.wasm,
    )
}

/// The policy with this page's nonce; everything not named is refused.
fn set_policy(nonce: Option<&Nonce>) {
    let (Some(nonce), Some(response)) = (nonce, use_context::<ResponseOptions>()) else {
        return;
    };
    if let Ok(policy) = HeaderValue::from_str(&policy(nonce)) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         object-src 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_no_hole() {
        let policy = policy("abc");
        assert!(
            policy.contains("script-src 'nonce-abc'")
                && !policy.contains("unsafe-inline")
                && !policy.contains('*'),
            "{policy}"
        );
        assert!(!policy.contains("'unsafe-eval'"), "{policy}");
    }

    #[test]
    fn the_script_names_the_built_files() {
        let assets = Assets {
            css: String::new(),
            js: "/pkg/frontend.a.js".to_owned(),
            wasm: "/pkg/frontend.b.wasm".to_owned(),
        };
        let script = wake_islands(&assets);
        assert!(
            script.contains(r#"import("/pkg/frontend.a.js")"#)
                && script.contains(r#"fetch("/pkg/frontend.b.wasm")"#),
            "{script}"
        );
    }
}
