//! The button beside a text that is meant to be used elsewhere. Pressing it is answered by one island for the whole page
//! (`islands::CopyButtons`); without scripts the stylesheet hides it, because it could do nothing.

use leptos::prelude::*;

/// A button that puts `text` on the clipboard; `what` completes "Copy …" for those who do not see what stands beside it.
pub fn button(text: impl Into<String>, what: &str) -> AnyView {
    view! {
        <button type="button" class="button button--quiet copy" data-copy=text.into() data-what=what.to_owned()>
            <span data-word>"Copy"</span>
            <span class="sr-only">{format!(" {what}")}</span>
        </button>
    }
    .into_any()
}

/// An id with its button.
pub fn id(text: impl Into<String>, what: &str) -> AnyView {
    let text = text.into();
    view! { <span class="copy-line"><code>{text.clone()}</code>" "{button(text, what)}</span> }
        .into_any()
}
