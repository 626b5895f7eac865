//! The page behind a link in a mail to somebody who may have no account: one question that a button answers, either way.
//! Buttons, because mail scanners follow links and must decide nothing. What is asked is each subject's.

use std::future::Future;

use backend::Backend;
use backend::failure::Failure;
use leptos::prelude::*;
use leptos_meta::Title;

use super::dead_end::{self, DeadEnd};
use super::entrance::entrance;
use super::form::FormState;
use super::layout;
use crate::action::sealed::{self, SealedCookie};
use crate::action::{context, flash};

/// Draws it. `answered` says how the question of the link with this token was answered last; `act` draws what can be done
/// about it, and without an answer, where no link of ours was followed, how to come by one.
pub fn view<Refusal, Answered>(
    path: &'static str,
    heading: &'static str,
    token: &'static SealedCookie,
    answered: fn(Backend, String) -> Answered,
    act: fn(Option<bool>) -> AnyView,
) -> AnyView
where
    Refusal: Send + 'static,
    Answered: Future<Output = Result<bool, Failure<Refusal>>> + Send + 'static,
{
    Suspend::new(async move {
        let Ok(backend) = context::backend() else {
            return dead_end::view(DeadEnd::Broken);
        };
        let flash = flash::take(&backend, path);
        let state = FormState::of(flash.as_ref());
        let token: String = sealed::peek(&backend, token).unwrap_or_default();
        let answer = match answered(backend, token).await {
            Ok(answer) => Some(answer),
            Err(Failure::Refused(_) | Failure::Denied(_)) => None,
            Err(Failure::Broken(cause)) => {
                context::broken(&cause);
                return dead_end::view(DeadEnd::Unavailable);
            }
        };
        let said = flash
            .as_ref()
            .and_then(|flash| layout::done(&flash.outcome));
        let title = state.title(heading);
        let body = view! {
            <h1>{heading}</h1>
            {said}
            {state.summary()}
            {act(answer)}
        };
        view! { <Title text=format!("{title} · Isorun")/> {entrance(body.into_any())} }.into_any()
    })
    .into_any()
}
