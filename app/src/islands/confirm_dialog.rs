//! Asks once more before a form that destroys is sent. Without scripts the form stands for itself: the page around it
//! already says what ends.

use leptos::prelude::*;

/// A dialog that steps in front of the form it stands in. `id` must be unique on the page.
#[island]
pub fn ConfirmDialog(id: String, title: String, text: String, confirm: String) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            guard(&dialog);
        }
    });
    let title_id = format!("{id}-title");
    let named_by = title_id.clone();
    view! {
        <dialog class="dialog" id=id aria-labelledby=named_by node_ref=dialog>
            <h2 class="dialog__title" id=title_id>{title}</h2>
            <p>{text}</p>
            <div class="dialog__actions">
                <button type="button" class="button" autofocus on:click=move |_| close(dialog)>"Cancel"</button>
                <button type="button" class="button button--danger" on:click=move |_| send(dialog)>{confirm}</button>
            </div>
        </dialog>
    }
}

/// Holds back the submission of the enclosing form and asks instead.
#[cfg(feature = "hydrate")]
fn guard(dialog: &web_sys::HtmlDialogElement) {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::{Closure, JsValue};

    let Some(form) = dialog.closest("form").ok().flatten() else {
        return;
    };
    let asked = dialog.clone();
    let hold = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        // A browser that cannot show the dialog sends the form as if we were not here.
        if asked.show_modal().is_ok() {
            event.prevent_default();
        }
    });
    let _: Result<(), JsValue> =
        form.add_event_listener_with_callback("submit", hold.as_ref().unchecked_ref());
    // The form lives as long as the page, and so does its listener.
    hold.forget();
}

#[cfg(feature = "hydrate")]
fn close(dialog: NodeRef<leptos::html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        dialog.close();
    }
}

/// Sends the form for good: `submit()` raises no submit event, so it is not asked about again.
#[cfg(feature = "hydrate")]
fn send(dialog: NodeRef<leptos::html::Dialog>) {
    use wasm_bindgen::JsCast as _;

    let form = dialog
        .get_untracked()
        .and_then(|dialog| dialog.closest("form").ok().flatten());
    if let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) {
        drop(form.submit());
    }
}

/// Never called: on the server no dialog opens.
#[cfg(not(feature = "hydrate"))]
fn guard<T>(_dialog: &T) {}
#[cfg(not(feature = "hydrate"))]
fn close(_dialog: NodeRef<leptos::html::Dialog>) {}
#[cfg(not(feature = "hydrate"))]
fn send(_dialog: NodeRef<leptos::html::Dialog>) {}
