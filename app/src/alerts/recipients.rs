//! The list of who is told of alerts by mail, and the form that adds to it; a part of `page`.

use backend::alerts::recipients::{MailFailure, RecipientRow};
use domain::act::Act;
use domain::ceilings::RECIPIENTS_MAX;
use leptos::prelude::*;

use super::page::verb;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::format;
use crate::frame::setting::Setting;
use crate::frame::table::{self, Head};

/// The line of who is told by mail.
pub fn setting(recipients: &[RecipientRow], may_change: bool, state: &FormState) -> Setting {
    let body = view! { {list(recipients, may_change)} {may_change.then(|| add(state))} };
    Setting {
        id: "recipients",
        title: "Who is told by mail",
        state: counted(recipients).into_any(),
        verb: verb(may_change),
        fields: &["recipient"],
        body: body.into_any(),
    }
}

/// Such as `2 told, 1 asked`.
fn counted(recipients: &[RecipientRow]) -> String {
    let told = recipients.iter().filter(|one| one.confirmed_at.is_some());
    let told = told.count();
    match (told, recipients.len() - told) {
        (0, 0) => "Nobody".to_owned(),
        (told, 0) => format!("{told} told"),
        (told, asked) => format!("{told} told, {asked} asked"),
    }
}

fn list(recipients: &[RecipientRow], may_change: bool) -> AnyView {
    if recipients.is_empty() {
        return view! { <p>"Nobody is told by mail. Alerts stand on this page all the same."</p> }
            .into_any();
    }
    let mut heads = vec![
        Head::name("Address"),
        Head::plain("State"),
        Head::plain("Since (UTC)"),
    ];
    if may_change {
        heads.push(Head::plain("Change").silent());
    }
    let rows = recipients.iter().map(|one| row(one, may_change));
    let rows = table::plain_group(rows.collect_view());
    table::table("recipients", "Recipients of alerts", heads, rows, None)
}

fn row(recipient: &RecipientRow, may_change: bool) -> AnyView {
    let (class, state, since) = match (recipient.confirmed_at, recipient.user_id) {
        (Some(at), Some(_)) => ("badge badge--live", "member", at),
        (Some(at), None) => ("badge badge--live", "agreed", at),
        (None, _) => (
            "badge badge--soon",
            "asked, has not agreed",
            recipient.created_at,
        ),
    };
    let failure = recipient.mail_failure.map(|failure| {
        let said = match failure {
            MailFailure::Undeliverable => "takes no mail",
            MailFailure::Unwanted => "refused mail of this kind",
        };
        view! { " "<span class="badge badge--broken" data-mail="failed">{said}</span> }
    });
    let id = recipient.recipient_id.to_string();
    let about = format!(", {}", recipient.email);
    let acts = may_change.then(|| {
        let again = recipient.confirmed_at.is_none().then(|| {
            let (id, about) = (id.clone(), about.clone());
            view! {
                <PostForm act=Act::RecipientResend>
                    <input type="hidden" name="recipient_id" value=id/>
                    <button class="button button--quiet">"Ask again"<span class="sr-only">{about}</span></button>
                </PostForm>
            }
        });
        view! {
            <td>
                <div class="form__actions">
                    {again}
                    <PostForm act=Act::RecipientRemove>
                        <input type="hidden" name="recipient_id" value=id/>
                        <button class="button button--quiet">"Remove"<span class="sr-only">{about}</span></button>
                    </PostForm>
                </div>
            </td>
        }
    });
    view! {
        <tr>
            {table::name(table::clip(recipient.email.clone()), None)}
            {table::plain("", view! { <span class=class>{state}</span>{failure} })}
            {table::plain("Since", format::moment(since))}
            {acts}
        </tr>
    }
    .into_any()
}

fn add(state: &FormState) -> AnyView {
    let hint = format!(
        "A member of the account is told at once; any other address is asked by mail first. {RECIPIENTS_MAX} recipients at most."
    );
    let recipient = Field {
        name: "recipient",
        label: "E-mail address",
        hint,
        kind: "email",
        autocomplete: "off",
    };
    view! {
        <PostForm act=Act::RecipientAdd class="form">
            {recipient.draw(state)}
            <div class="form__actions">{submit("Add recipient")}</div>
        </PostForm>
    }
    .into_any()
}
