//! A page of settings as lines: what it is and how it stands, with the form that changes it behind the line. Without scripts,
//! and one open at a time. A form leads back to its own line, which is then open and has the focus.

use leptos::prelude::*;

use super::form::FormState;
use super::layout;
use crate::action::flash::{Flash, Outcome};

/// One line and what is behind it.
pub struct Setting {
    /// Names it in addresses, as in `/alerts#webhook`.
    pub id: &'static str,
    pub title: &'static str,
    /// How it stands, in a few words.
    pub state: AnyView,
    /// What opening it is for, such as "Change".
    pub verb: &'static str,
    /// The fields that people type into behind it.
    pub fields: &'static [&'static str],
    pub body: AnyView,
}

/// The lines of a page, with the answer to the last form in the line that it is about; an answer about none stands above.
pub fn settings(all: Vec<Setting>, flash: Option<&Flash>, state: &FormState) -> AnyView {
    let part = flash.map_or("", |flash| flash.part.as_str());
    let is_about_one = all.iter().any(|setting| setting.id == part);
    let above = (!is_about_one).then(|| answer(flash, state));
    let returned = flash.filter(|flash| matches!(flash.outcome, Outcome::Stopped(_)));
    let lines = all.into_iter().map(|setting| {
        let answer = (setting.id == part).then(|| answer(flash, state));
        // What was typed before a sign-in stands where it can be seen.
        let is_typed =
            |field: &&str| returned.is_some_and(|flash| !flash.kept.get(field).is_empty());
        let is_open = answer.is_some() || setting.fields.iter().any(is_typed);
        setting.draw(answer, is_open)
    });
    view! {
        {above}
        <div class="settings">{lines.collect_view()}</div>
    }
    .into_any()
}

/// What the last form of this part did, or why it did nothing.
fn answer(flash: Option<&Flash>, state: &FormState) -> AnyView {
    let done = flash
        .filter(|flash| !flash.part.is_empty())
        .and_then(|flash| layout::done(&flash.outcome));
    (done, state.summary()).into_any()
}

impl Setting {
    /// The fragment of an address is what is behind the line: browsers open what it stands in and give it the focus, and
    /// what the answer says is read with it.
    fn draw(self, answer: Option<AnyView>, is_open: bool) -> AnyView {
        let Self {
            id,
            title,
            state,
            verb,
            body,
            fields: _,
        } = self;
        let (title_id, answer_id) = (format!("{id}-title"), format!("{id}-answer"));
        let named_by = title_id.clone();
        let described_by = answer.is_some().then(|| answer_id.clone());
        view! {
            <details class="setting" name="setting" open=is_open>
                <summary class="setting__line">
                    <h2 class="setting__title" id=title_id>{title}</h2>
                    <span class="setting__state">{state}</span>
                    <span class="setting__verb" aria-hidden="true">{verb}</span>
                </summary>
                <div class="setting__body" id=id tabindex="-1" role="group" aria-labelledby=named_by aria-describedby=described_by>
                    <div class="setting__answer" id=answer_id>{answer}</div>
                    {body}
                </div>
            </details>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::flash::{Kept, Success};
    use crate::action::problem::Problem;

    fn drawn(part: &str, outcome: Outcome) -> String {
        drawn_with(part, outcome, Kept::nothing())
    }

    fn drawn_with(part: &str, outcome: Outcome, kept: Kept) -> String {
        let flash = Flash {
            page: "/alerts".to_owned(),
            part: part.to_owned(),
            outcome,
            kept,
        };
        let line = |id, title| Setting {
            id,
            title,
            state: "as it is".into_any(),
            verb: "Change",
            fields: if id == "limit" { &["monthly"] } else { &[] },
            body: view! { <form></form> }.into_any(),
        };
        let all = vec![line("limit", "Limit"), line("webhook", "Webhook")];
        settings(all, Some(&flash), &FormState::of(Some(&flash))).to_html()
    }

    #[test]
    fn an_answer_opens_its_line_and_no_other() {
        let done = Outcome::Done(Success::new("Webhook set", "It is."));
        let html = drawn("webhook", done.clone());
        let (limit, webhook) = html.split_once("Webhook</h2>").unwrap();
        assert_eq!(html.matches(" open").count(), 1, "{html}");
        assert!(
            !limit.contains("Webhook set") && webhook.contains("Webhook set"),
            "{html}"
        );
        assert!(
            html.contains(r#"aria-describedby="webhook-answer""#),
            "{html}"
        );
        let elsewhere = drawn("", done);
        assert!(
            !elsewhere.contains(" open") && !elsewhere.contains("Webhook set"),
            "the page says it: {elsewhere}"
        );
    }

    #[test]
    fn what_was_typed_before_a_sign_in_stands_open() {
        let stopped = Outcome::Stopped(Success::new("Not sent yet", "Send it once more."));
        let html = drawn_with("", stopped.clone(), Kept::of([("monthly", "77")]));
        let (limit, webhook) = html.split_once("Webhook</h2>").unwrap();
        assert!(limit.contains(" open"), "{html}");
        assert_eq!(html.matches(" open").count(), 1, "{webhook}");
        assert!(!drawn("", stopped).contains(" open"));
    }

    #[test]
    fn a_refusal_is_never_lost() {
        let refused = || Outcome::Failed(vec![Problem::in_form("This was not done.")]);
        let html = drawn("limit", refused());
        assert!(
            html.split_once("Webhook</h2>")
                .unwrap()
                .0
                .contains("This was not done."),
            "{html}"
        );
        for part in ["", "of-another-page"] {
            let html = drawn(part, refused());
            assert_eq!(
                html.matches("This was not done.").count(),
                1,
                "{part}: {html}"
            );
        }
    }
}
