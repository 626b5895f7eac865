//! Forms as people meet them: label, hint, error, control, and above them a summary of what was refused. Everything typed
//! comes back except secrets. No `required` and no `maxlength`: the server says what is wrong, in its own sentence.

use domain::act::Act;
use leptos::children::ToChildren;
use leptos::prelude::*;

use crate::action::flash::{Flash, Kept, Outcome};
use crate::action::form_token;
use crate::action::problem::Problem;

/// A form that does an act. The only way to one (a test looks): it knows the act's address, and it carries the token by which
/// it is done once, and in the account it was drawn for.
#[component]
pub fn PostForm(
    act: Act,
    #[prop(optional)] class: Option<&'static str>,
    children: Inside,
) -> impl IntoView {
    let token = form_token::draw()
        .map(|token| view! { <input type="hidden" name=form_token::FIELD value=token/> });
    let action = format!("/api/{}", act.rule().endpoint);
    view! { <form class=class method="post" action=action novalidate>{token}{children.0}</form> }
}

/// What stands in a form. Drawn at once, so that it may borrow what the page has read.
pub struct Inside(AnyView);

impl<F, V> ToChildren<F> for Inside
where
    F: FnOnce() -> V,
    V: IntoAny,
{
    fn to_children(draw: F) -> Self {
        Self(draw().into_any())
    }
}

/// What the last try left behind: the problems it met and what was typed.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    problems: Vec<Problem>,
    kept: Kept,
}

impl FormState {
    /// From the flash of this page; a fresh form without one.
    pub fn of(flash: Option<&Flash>) -> Self {
        flash.map_or_else(Self::default, |flash| Self {
            problems: match &flash.outcome {
                Outcome::Failed(problems) => problems.clone(),
                Outcome::Done(_) | Outcome::Stopped(_) => Vec::new(),
            },
            kept: flash.kept.clone(),
        })
    }

    /// The same, with what stands in a field until somebody types something else.
    #[must_use]
    pub fn starting_with(mut self, field: &str, value: &str) -> Self {
        if self.kept.get(field).is_empty() {
            self.kept.set(field, value);
        }
        self
    }

    fn error(&self, field: &str) -> Option<String> {
        self.problems
            .iter()
            .find(|problem| problem.field.as_deref() == Some(field))
            .map(|problem| problem.text.clone().into_owned())
    }

    /// `Error: ` before the title of the page, so that it is the first thing read aloud.
    pub fn title(&self, title: &str) -> String {
        if self.problems.is_empty() {
            title.to_owned()
        } else {
            format!("Error: {title}")
        }
    }

    /// All problems, each leading to its field; nothing when there are none.
    pub fn summary(&self) -> AnyView {
        if self.problems.is_empty() {
            return ().into_any();
        }
        let lines = self.problems.iter().map(|problem| match &problem.field {
            Some(field) => {
                view! { <li><a href=format!("#{field}")>{problem.text.clone()}</a></li> }.into_any()
            }
            None => view! { <li>{problem.text.clone()}</li> }.into_any(),
        });
        view! {
            <div class="errors" role="alert" tabindex="-1" aria-labelledby="errors-title" id="errors">
                <h2 class="errors__title" id="errors-title">"This needs another look"</h2>
                <ul>{lines.collect_view()}</ul>
            </div>
        }
        .into_any()
    }
}

/// One text control.
pub struct Field {
    /// Id of the control and name of what it sends.
    pub name: &'static str,
    pub label: &'static str,
    /// What makes a good answer; empty when the question says it.
    pub hint: String,
    /// `type` of the input.
    pub kind: &'static str,
    /// What a browser may fill in.
    pub autocomplete: &'static str,
}

impl Field {
    /// The field with the error and the value that the last try left. Passwords never come back.
    pub fn draw(self, state: &FormState) -> AnyView {
        let described = described_by(self.name, &self.hint, state);
        let value = if self.kind == "password" {
            String::new()
        } else {
            state.kept.get(self.name).to_owned()
        };
        let invalid = state.error(self.name).map(|_| "true");
        view! {
            <div class="field">
                <label class="field__label" for=self.name>{self.label}</label>
                {hint(self.name, self.hint)}
                {error(self.name, "field__error", state)}
                <input
                    class="field__control"
                    id=self.name
                    name=self.name
                    type=self.kind
                    value=value
                    autocomplete=self.autocomplete
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=invalid
                    aria-describedby=described
                />
            </div>
        }
        .into_any()
    }
}

/// A choice from a list of value and text. The first entry is empty, so that nobody lives in Afghanistan by accident.
pub fn select(
    name: &'static str,
    label: &'static str,
    options: &'static [(&'static str, &'static str)],
    state: &FormState,
) -> AnyView {
    let kept = state.kept.get(name);
    let options = options.iter().map(|(value, text)| {
        let selected = kept.eq_ignore_ascii_case(value);
        view! { <option value=*value selected=selected>{*text}</option> }
    });
    let options = options.collect_view();
    view! {
        <div class="field">
            <label class="field__label" for=name>{label}</label>
            {error(name, "field__error", state)}
            <select
                class="field__control"
                id=name
                name=name
                autocomplete="country"
                aria-invalid=state.error(name).map(|_| "true")
                aria-describedby=described_by(name, "", state)
            >
                <option value="">"Choose a country"</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

/// A statement to agree to. Sends `yes` when ticked; never ticked beforehand.
pub fn checkbox(name: &'static str, statement: AnyView, state: &FormState) -> AnyView {
    view! {
        <div class="choice">
            <input
                type="checkbox"
                id=name
                name=name
                value="yes"
                checked=state.kept.get(name) == "yes"
                aria-invalid=state.error(name).map(|_| "true")
                aria-describedby=described_by(name, "", state)
            />
            <label for=name>{statement}</label>
            {error(name, "choice__error", state)}
        </div>
    }
    .into_any()
}

/// The one act at the end of a form.
pub fn submit(label: &'static str) -> AnyView {
    view! { <button class="button button--primary">{label}</button> }.into_any()
}

fn hint(name: &'static str, text: String) -> AnyView {
    if text.is_empty() {
        ().into_any()
    } else {
        view! { <p class="field__hint" id=format!("{name}-hint")>{text}</p> }.into_any()
    }
}

fn error(name: &'static str, class: &'static str, state: &FormState) -> AnyView {
    let text = state.error(name).map(|text| view! { <p class=class id=format!("{name}-error")><span class="sr-only">"Error: "</span>{text}</p> });
    text.into_any()
}

fn described_by(name: &str, hint: &str, state: &FormState) -> Option<String> {
    match (hint.is_empty(), state.error(name).is_some()) {
        (true, false) => None,
        (true, true) => Some(format!("{name}-error")),
        (false, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error {name}-hint")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(problem: Problem, kept: Kept) -> FormState {
        FormState::of(Some(&Flash {
            page: "/".to_owned(),
            part: String::new(),
            outcome: Outcome::Failed(vec![problem]),
            kept,
        }))
    }

    fn name_field(kind: &'static str, name: &'static str) -> Field {
        Field {
            name,
            label: "Name",
            hint: "A hint".to_owned(),
            kind,
            autocomplete: "off",
        }
    }

    #[test]
    fn a_fresh_field_claims_no_error() {
        let html = name_field("text", "name")
            .draw(&FormState::default())
            .to_html();
        assert!(
            html.contains(r#"aria-describedby="name-hint""#) && !html.contains("aria-invalid"),
            "{html}"
        );
        assert!(!FormState::default().summary().to_html().contains("errors"));
    }

    #[test]
    fn a_refused_field_says_why_and_keeps_what_was_typed() {
        let state = failed(
            Problem::in_field("name", "The name is too long: 60 characters at most."),
            Kept::of([("name", "\"><script>")]),
        );
        let html = name_field("text", "name").draw(&state).to_html();
        assert!(
            html.contains(r#"aria-invalid="true""#)
                && html.contains(r#"aria-describedby="name-error name-hint""#),
            "{html}"
        );
        assert!(
            html.contains("60 characters at most") && !html.contains("<script>"),
            "{html}"
        );
        let summary = state.summary().to_html();
        assert!(
            summary.contains(r##"href="#name""##) && summary.contains(r#"role="alert""#),
            "{summary}"
        );
        assert_eq!(state.title("Create a key"), "Error: Create a key");
    }

    #[test]
    fn a_password_never_comes_back() {
        let state = failed(
            Problem::in_field("password", "The password is too short."),
            Kept::of([("password", "hunter2")]),
        );
        let html = name_field("password", "password").draw(&state).to_html();
        assert!(!html.contains("hunter2"), "{html}");
    }

    #[test]
    fn ticks_and_choices_come_back() {
        let kept = Kept::of([("terms", "yes"), ("country", "NL")]);
        let state = failed(
            Problem::in_field("aup", "Accept the Acceptable Use Policy to sign up."),
            kept,
        );
        assert!(
            checkbox("terms", "I agree".into_any(), &state)
                .to_html()
                .contains("checked")
        );
        assert!(
            !checkbox("dpa", "I agree".into_any(), &state)
                .to_html()
                .contains("checked")
        );
        let html = select(
            "country",
            "Country",
            &[("BE", "Belgium"), ("NL", "Netherlands")],
            &state,
        )
        .to_html();
        assert!(html.contains(r#"<option value="NL" selected"#), "{html}");
    }

    #[test]
    fn every_form_that_posts_is_a_post_form() {
        fn raw(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    raw(&path, found);
                } else if std::fs::read_to_string(&path)
                    .unwrap()
                    .contains("method=\"post\"")
                {
                    found.push(path.file_name().unwrap().to_string_lossy().into_owned());
                }
            }
        }
        let mut found = Vec::new();
        let sources = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        raw(sources, &mut found);
        assert_eq!(
            found,
            ["form.rs"],
            "a form that posts is a `PostForm`: without its token it is done twice, and in whichever account is signed in"
        );
    }
}
