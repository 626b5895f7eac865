//! Seconds times size, worked out: a plain GET form, so that a cost can be linked to, and its answer with the arithmetic.

use domain::ceilings::SIGN_UP_CREDIT_CENTS;
use domain::money::{Cents, Ticks};
use domain::price::{Estimate, Price, Unit};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use crate::action::flash::{Flash, Kept, Outcome};
use crate::action::problem::Words as _;
use crate::frame::form::{Field, FormState};
use crate::frame::format::{self, METERED};

/// What was typed; the smallest sandbox for a minute and a half until somebody types.
pub struct Typed {
    sandboxes: String,
    vcpus: String,
    gib: String,
    time: String,
    unit: Unit,
}

impl Typed {
    /// From the address of the page.
    pub fn of(query: &ParamsMap) -> Self {
        let typed = |name: &str, otherwise: &str| {
            let word = query.get(name).unwrap_or_else(|| otherwise.to_owned());
            word.chars().take(20).collect()
        };
        Self {
            sandboxes: typed("sandboxes", "1"),
            vcpus: typed("vcpus", "1"),
            gib: typed("gib", "1"),
            time: typed("time", "90"),
            unit: Unit::parse(&query.get("unit").unwrap_or_default()),
        }
    }

    fn estimate(&self) -> Result<Estimate, FormState> {
        let read = Estimate::parse(
            &self.sandboxes,
            &self.vcpus,
            &self.gib,
            &self.time,
            self.unit,
        );
        read.map_err(|problems| {
            let problems = problems.into_iter().map(|problem| problem.problem());
            self.state(Outcome::Failed(problems.collect()))
        })
    }

    /// The form as it was sent.
    fn state(&self, outcome: Outcome) -> FormState {
        FormState::of(Some(&Flash {
            page: "/".to_owned(),
            part: "cost".to_owned(),
            outcome,
            kept: Kept::of([
                ("sandboxes", &self.sandboxes),
                ("vcpus", &self.vcpus),
                ("gib", &self.gib),
                ("time", &self.time),
            ]),
        }))
    }
}

/// The form and its answer.
pub fn view(typed: &Typed, price: &Price) -> AnyView {
    let read = typed.estimate();
    let (state, answer) = match &read {
        Ok(estimate) => (
            typed.state(Outcome::Failed(Vec::new())),
            answer(estimate, price),
        ),
        Err(state) => (state.clone(), ().into_any()),
    };
    let number = |name, label| {
        Field {
            name,
            label,
            hint: String::new(),
            kind: "text",
            autocomplete: "off",
        }
        .draw(&state)
    };
    let units = [Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days].map(|unit| {
        let is_chosen = unit == typed.unit;
        view! { <option value=unit.as_str() selected=is_chosen>{unit.as_str()}</option> }
    });
    view! {
        <form class="calculator" method="get" action="/#cost">
            {number("sandboxes", "Sandboxes")}
            {number("vcpus", "vCPU each")}
            {number("gib", "GiB each")}
            {number("time", "Running for")}
            <div class="field">
                <label class="field__label" for="unit">"Unit"</label>
                <select class="field__control" id="unit" name="unit">{units.collect_view()}</select>
            </div>
            <button class="button calculator__do">"Calculate"</button>
        </form>
        {answer}
    }
    .into_any()
}

fn answer(estimate: &Estimate, price: &Price) -> AnyView {
    let credit = Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS));
    let lasts = estimate.lasts(credit, price).map(|lasts| {
        format!(
            "{} /h while it runs. The {} of a new account pay for {} of it.",
            format::per_hour(estimate.per_hour(price)),
            format::whole(credit),
            format::duration_text(lasts)
        )
    });
    view! {
        <div class="figure">
            <p class="figure__value" data-figure="estimate">{format::amount(estimate.cost(price), METERED)}</p>
            <p class="figure__note">{arithmetic(estimate, price)}</p>
            <p class="figure__note">{lasts}</p>
        </div>
    }
    .into_any()
}

/// `3 × 90 s × ($0.026 × 2 vCPU + $0.015 × 4 GiB) / 3,600 s`.
fn arithmetic(estimate: &Estimate, price: &Price) -> String {
    format!(
        "{} × {} s × ({} × {} vCPU + {} × {} GiB) / 3,600 s, before VAT",
        estimate.count,
        estimate.billed.0 / 1_000,
        format::price(price.vcpu_hour),
        estimate.size.vcpus,
        format::price(price.gib_hour),
        estimate.size.mem_mib / 1_024
    )
}
