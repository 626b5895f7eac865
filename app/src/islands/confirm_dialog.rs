//! Asks once more before a form that destroys is sent. Without scripts the form stands for itself: the page around it
//! already says what ends.

use leptos::prelude::*;

/// A dialog that steps in front of the form it stands in. `id` must be unique on the page.
#[component]
pub fn ConfirmDialog(id: String, title: String, text: String, confirm: String) -> impl IntoView {
    let title_id = format!("{id}-title");
    let named_by = title_id.clone();
    view! {
        <dialog class="dialog" id=id aria-labelledby=named_by>
            <h2 class="dialog__title" id=title_id>{title}</h2>
            <p>{text}</p>
            <div class="dialog__actions">
                <button type="button" class="button" data-dialog="leave" autofocus>"Cancel"</button>
                <button type="button" class="button button--danger" data-dialog="send">{confirm}</button>
            </div>
            <Confirming/>
        </dialog>
    }
}

/// Wakes the dialog around it.
#[island]
fn Confirming() -> impl IntoView {
    let here = NodeRef::<leptos::html::Span>::new();
    wake(here);
    view! { <span hidden node_ref=here></span> }
}

/// Holds back the submission of the form around the dialog and asks instead.
#[cfg(feature = "hydrate")]
fn wake(here: NodeRef<leptos::html::Span>) {
    use super::dom::{find, listen, within};
    use wasm_bindgen::JsCast as _;
    use web_sys::{Event, HtmlDialogElement, HtmlFormElement};

    within(here, "dialog", |around| {
        let form = around.closest("form").ok().flatten();
        let form = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        let (Some(form), Ok(dialog)) = (form, around.clone().dyn_into::<HtmlDialogElement>())
        else {
            return;
        };
        let asked = dialog.clone();
        listen(&form, "submit", move |event: Event| {
            // A browser that cannot show the dialog sends the form as if we were not here.
            if asked.show_modal().is_ok() {
                event.prevent_default();
            }
        });
        if let Some(leave) = find(&around, "[data-dialog=leave]") {
            listen(&leave, "click", move |_: Event| dialog.close());
        }
        if let Some(send) = find(&around, "[data-dialog=send]") {
            let sent = form.clone();
            // `submit()` raises no submit event, so it is not asked about again.
            listen(&send, "click", move |_: Event| drop(sent.submit()));
        }
    });
}

/// Nothing to wake on the server.
#[cfg(not(feature = "hydrate"))]
fn wake(_here: NodeRef<leptos::html::Span>) {}
