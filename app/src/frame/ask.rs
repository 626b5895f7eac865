//! What destroys is asked about once more, with what follows from it: the first press opens the question, the second does it.
//! A disclosure and not a dialog, so that it asks without scripts too.

use domain::act::Act;
use leptos::prelude::*;

use super::form::PostForm;

/// The question before a form that destroys. `label` names the act and what it acts on, `follows` says what then is, and
/// `form` holds the button that does it.
pub fn ask(label: AnyView, follows: AnyView, form: AnyView) -> AnyView {
    view! {
        <details class="ask">
            <summary class="button button--danger ask__open">{label}</summary>
            <div class="ask__box">
                <p>{follows}</p>
                {form}
            </div>
        </details>
    }
    .into_any()
}

/// The same for an act without fields, whose button says what the question said.
pub fn ask_plain(label: &'static str, follows: &'static str, act: Act) -> AnyView {
    let form = view! {
        <PostForm act=act>
            <button class="button button--danger">{label}</button>
        </PostForm>
    };
    let question = view! { {label}"…" };
    ask(question.into_any(), follows.into_any(), form.into_any())
}
