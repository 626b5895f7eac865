//! "What if" on the credit page: a plain GET form, so that a supposition can be linked to, and its answer in words.

use backend::credit::what_if::{Candidate, Pace, Supposed, WhatIf};
use domain::ceilings::{WHAT_IF_COUNT_MAX, WHAT_IF_ROWS};
use domain::forecast::Zero;
use domain::moment::{DAY_MS, HOUR_MS};
use domain::number;
use domain::sandbox::{SandboxId, Size};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;
use time::OffsetDateTime;

use crate::frame::format;

/// What was typed and ticked.
#[derive(Clone, Debug, Default)]
pub struct Form {
    stop: Vec<SandboxId>,
    count: String,
    vcpus: String,
    gib: String,
}

impl Form {
    /// From the address of the page; whatever is no sandbox is left out.
    pub fn of(query: &ParamsMap) -> Self {
        let stop = query.get_all("stop").unwrap_or_default();
        let typed = |name| query.get(name).unwrap_or_default().trim().to_owned();
        Self {
            stop: stop
                .iter()
                .take(WHAT_IF_ROWS)
                .filter_map(|id| SandboxId::parse(id))
                .collect(),
            count: typed("count"),
            vcpus: typed("vcpus"),
            gib: typed("gib"),
        }
    }

    /// What to suppose; nothing to start when the numbers are none.
    pub fn supposed(&self) -> Supposed {
        Supposed {
            stop: self.stop.clone(),
            start: self.start().ok().flatten(),
        }
    }

    /// How many of which size; an error when that cannot be read.
    fn start(&self) -> Result<Option<(u32, Size)>, &'static str> {
        const WRONG: &str =
            "Enter whole numbers: up to 10,000 sandboxes of 1 to 1,024 vCPU and 1 to 16,384 GiB.";
        if self.count.is_empty() || self.count == "0" {
            return Ok(None);
        }
        let or_one = |typed: &str| {
            if typed.is_empty() {
                Some(1)
            } else {
                number::whole(typed).and_then(|number| i32::try_from(number).ok())
            }
        };
        let count = number::whole(&self.count).and_then(|number| u32::try_from(number).ok());
        let count = count.filter(|number| *number <= WHAT_IF_COUNT_MAX);
        let mem_mib = or_one(&self.gib).and_then(|gib| gib.checked_mul(1_024));
        let size = or_one(&self.vcpus).zip(mem_mib);
        let size = size.and_then(|(vcpus, mem_mib)| Size::new(vcpus, mem_mib));
        count.zip(size).map(Some).ok_or(WRONG)
    }
}

/// The form and, once something is supposed, its answer.
pub fn view(what_if: &WhatIf, form: &Form) -> AnyView {
    let problem = form.start().err();
    let error = problem.map(|text| view! { <p class="field__error" id="count-error">{text}</p> });
    let number = |name: &'static str, label: &'static str, value: &str| {
        let described = problem.map(|_| "count-error");
        view! {
            <div class="field">
                <label class="field__label" for=name>{label}</label>
                <input class="field__control" id=name name=name type="text" inputmode="numeric" autocomplete="off" value=value.to_owned() aria-invalid=problem.map(|_| "true") aria-describedby=described/>
            </div>
        }
    };
    view! {
        <form class="what-if" method="get" action="/credit#what-if">
            {stops(what_if, form)}
            <fieldset class="what-if__set">
                <legend>"Start these"</legend>
                <div class="what-if__numbers">
                    {number("count", "Sandboxes", &form.count)}
                    {number("vcpus", "vCPU each", &form.vcpus)}
                    {number("gib", "GiB each", &form.gib)}
                </div>
                {error}
            </fieldset>
            <div><button class="button">"Work it out"</button></div>
        </form>
        {answer(what_if)}
    }
    .into_any()
}

fn stops(what_if: &WhatIf, form: &Form) -> AnyView {
    if what_if.candidates.is_empty() {
        return view! { <p>"Nothing runs that could stop."</p> }.into_any();
    }
    let boxes = what_if.candidates.iter().map(|one: &Candidate| {
        let id = one.sandbox_id.to_string();
        let checked = form.stop.contains(&one.sandbox_id);
        view! {
            <label class="what-if__stop">
                <input type="checkbox" name="stop" value=id.clone() checked=checked/>
                <code>{id}</code>
                <span class="form__note">{format!("{}, {} /h", format::size(one.size), format::per_hour(one.per_hour))}</span>
            </label>
        }
    });
    let unlisted = (what_if.unlisted > 0).then(|| {
        view! { <p class="form__note">{format!("{} more run; the dearest are listed.", what_if.unlisted)}</p> }
    });
    view! {
        <fieldset class="what-if__set">
            <legend>"Stop these"</legend>
            <div class="what-if__stops">{boxes.collect_view()}</div>
            {unlisted}
        </fieldset>
    }
    .into_any()
}

fn answer(what_if: &WhatIf) -> AnyView {
    let Some(then) = what_if.then else {
        return ().into_any();
    };
    let gone = (what_if.gone > 0).then(|| {
        view! { <p class="form__note">{format!("{} of those to stop do not run any more.", what_if.gone)}</p> }
    });
    view! {
        <div class="notice" role="status">
            <p class="notice__title" data-figure="what-if">{pace(&what_if.now, &then)}</p>
            <p>{ends(&then)}" "{difference(what_if.now.zero, then.zero)}</p>
            {gone}
        </div>
    }
    .into_any()
}

fn pace(now: &Pace, then: &Pace) -> String {
    format!(
        "{} /h with {} instead of {} /h with {}",
        format::per_hour(then.per_hour),
        running(then.running),
        format::per_hour(now.per_hour),
        running(now.running)
    )
}

fn running(count: usize) -> String {
    if count == 1 {
        "1 sandbox".to_owned()
    } else {
        format!("{count} sandboxes")
    }
}

fn ends(then: &Pace) -> String {
    use domain::forecast::Cause;

    match then.zero {
        None => "It then does not end within ten years.".to_owned(),
        Some(Zero { at, cause }) => {
            let at = format::weekday(OffsetDateTime::from(at));
            match cause {
                Cause::Credit => format!("Credit is then empty on {at}."),
                Cause::Limit => format!("Your monthly limit is then reached on {at}."),
            }
        }
    }
}

/// How much later or sooner, in the largest unit that has two or more of it.
fn difference(now: Option<Zero>, then: Option<Zero>) -> String {
    match (now, then) {
        (Some(now), Some(then)) => {
            let ms = then.at.since_ms(now.at);
            let (amount, direction) = (ms.abs(), if ms > 0 { "later" } else { "sooner" });
            let said = match amount {
                0..60_000 => return "That is when it ends now too.".to_owned(),
                _ if amount >= 2 * DAY_MS => format!("{} days", amount / DAY_MS),
                _ if amount >= 2 * HOUR_MS => format!("{} hours", amount / HOUR_MS),
                _ => format!("{} min", amount / 60_000),
            };
            format!("That is {said} {direction}.")
        }
        (None, Some(_)) => "As it is, it does not end within ten years.".to_owned(),
        (Some(now), None) => {
            let at = format::weekday(OffsetDateTime::from(now.at));
            format!("As it is, it ends on {at}.")
        }
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::forecast::Cause;
    use domain::moment::Moment;

    use super::*;

    fn form(count: &str, vcpus: &str, gib: &str) -> Form {
        Form {
            count: count.to_owned(),
            vcpus: vcpus.to_owned(),
            gib: gib.to_owned(),
            ..Form::default()
        }
    }

    #[test]
    fn numbers_are_read_or_refused() {
        assert_eq!(form("", "", "").start(), Ok(None));
        assert_eq!(form("0", "x", "").start(), Ok(None));
        assert_eq!(
            form("3", "", "").start(),
            Ok(Some((3, Size::new(1, 1_024).unwrap())))
        );
        assert_eq!(
            form("3", "2", "4").start(),
            Ok(Some((3, Size::new(2, 4_096).unwrap())))
        );
        for (count, vcpus, gib) in [
            ("x", "1", "1"),
            ("-1", "1", "1"),
            ("10001", "1", "1"),
            ("1", "0", "1"),
            ("1", "1", "2147483647"),
            ("1.5", "1", "1"),
        ] {
            assert!(
                form(count, vcpus, gib).start().is_err(),
                "{count} {vcpus} {gib}"
            );
        }
    }

    #[test]
    fn a_difference_is_said_in_its_largest_unit() {
        let zero = |ms| {
            Some(Zero {
                at: Moment::from_unix_ms(ms),
                cause: Cause::Credit,
            })
        };
        assert_eq!(
            difference(zero(0), zero(9 * DAY_MS)),
            "That is 9 days later."
        );
        assert_eq!(
            difference(zero(5 * HOUR_MS), zero(0)),
            "That is 5 hours sooner."
        );
        assert_eq!(difference(zero(0), zero(90_000)), "That is 1 min later.");
        assert_eq!(
            difference(zero(0), zero(0)),
            "That is when it ends now too."
        );
        assert_eq!(difference(None, None), "");
    }
}
