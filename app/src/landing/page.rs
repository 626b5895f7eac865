//! What this is, what it costs, and the way in. The signed-in are led to the overview before this runs.

use backend::Backend;
use backend::prices::{self, PriceList};
use domain::ceilings::SIGN_UP_CREDIT_CENTS;
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use domain::price::Price;
use domain::sandbox::Size;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{calculator, example};
use crate::action::context;
use crate::chart;
use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::{entrance, format, snippet};

/// The size that prices are quoted for (Terms 4).
const QUOTED: Size = Size {
    vcpus: 1,
    mem_mib: 1_024,
};

/// `/`
pub fn view(_path: &'static str) -> AnyView {
    let typed = calculator::Typed::of(&use_query_map().get_untracked());
    Suspend::new(async move {
        let Ok(backend) = context::backend() else {
            return dead_end::view(DeadEnd::Broken);
        };
        let list = match prices::list(&backend).await {
            Ok(list) => list,
            Err(cause) => {
                context::broken(&cause);
                return dead_end::view(DeadEnd::Unavailable);
            }
        };
        let body = view! {
            <Title text="Isorun: sandboxes billed by the second"/>
            {opening(list.current())}
            {list.current().map(|price| cost(&typed, price))}
            {shown(&list)}
            {first(&backend)}
            {history(&list)}
        };
        entrance::wide_entrance(body.into_any())
    })
    .into_any()
}

fn opening(price: Option<&Price>) -> AnyView {
    let credit = format::whole(Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS)));
    let quoted = price.map(|price| {
        let hour = format::per_hour(price.per_hour(QUOTED));
        let seconds = price.grain_ms / 1_000;
        view! {
            <div class="figure">
                <p class="figure__value">{hour}<span class="figure__unit">"/h"</span></p>
                <p class="figure__note">{format!("For a running sandbox of {}, before VAT.", format::size(QUOTED))}</p>
            </div>
            <div class="figure">
                <p class="figure__value">{format!("{seconds} s")}<span class="figure__unit">"steps"</span></p>
                <p class="figure__note">"Billed per second, no minimum. Hibernated and destroyed sandboxes cost nothing."</p>
            </div>
        }
    });
    view! {
        <h1>"Isolated Linux machines, billed by the second"</h1>
        <p class="lead">
            "Create a sandbox from any container image with one call, run code in it, fork it, hibernate it, destroy it. "
            "This is the account behind it: keys, limits, and what every second has cost."
        </p>
        <div class="form__actions">
            <a class="button button--primary" href="/sign-up">"Sign up"</a>
            <a class="button" href="/sign-in">"Sign in"</a>
            <a href="https://docs.isorun.ai">"Documentation"</a>
        </div>
        <div class="figures">
            <div class="figure">
                <p class="figure__value">{credit}<span class="figure__unit">"free credit"</span></p>
                <p class="figure__note">"For each new account. It does not expire."</p>
            </div>
            {quoted}
        </div>
    }
    .into_any()
}

fn cost(typed: &calculator::Typed, price: &Price) -> AnyView {
    view! {
        <section class="section" aria-labelledby="cost">
            <h2 id="cost">"What would it cost?"</h2>
            {calculator::view(typed, price)}
        </section>
    }
    .into_any()
}

/// The chart that usage is drawn with, of an example; nothing while the list does not reach back far enough for one.
fn shown(list: &PriceList) -> AnyView {
    let month = example::month(&list.prices, Moment::from(list.now));
    let drawn = month.map(|month| {
        view! {
            <section class="section" aria-labelledby="example">
                <h2 id="example">"What you see of it"</h2>
                <p class="form__note">{example::SAYS}</p>
                {chart::example("Example: cost by day and size, last 30 days (UTC)", &month)}
            </section>
        }
    });
    drawn.into_any()
}

fn first(backend: &Backend) -> AnyView {
    view! {
        <section class="section" aria-labelledby="first">
            <h2 id="first">"The first sandbox"</h2>
            {snippet::first_sandbox(backend, snippet::NO_KEY)}
        </section>
    }
    .into_any()
}

fn history(list: &PriceList) -> AnyView {
    let now = Moment::from(list.now);
    let rows = list.prices.iter().enumerate().rev().map(|(index, price)| {
        let since = if index == 0 {
            "the start".into_any()
        } else {
            format::moment(price.from.into())
        };
        let state = if price.covers(now) {
            view! { <br/><span class="badge badge--live">"now"</span> }.into_any()
        } else if price.from > now {
            view! { <br/><span class="badge badge--soon">"announced"</span> }.into_any()
        } else {
            ().into_any()
        };
        view! {
            <tr>
                <th scope="row">{since}{state}</th>
                <td class="table__number">{format::price(price.vcpu_hour)}</td>
                <td class="table__number">{format::price(price.gib_hour)}</td>
                <td class="table__number">{format::per_hour(price.per_hour(QUOTED))}</td>
            </tr>
        }
    });
    view! {
        <section class="section" aria-labelledby="prices">
            <h2 id="prices">"Prices"</h2>
            <p class="form__note">"Per hour of running, before VAT. A new price applies to an account 30 days after it was told, at the earliest."</p>
            <div class="scroll" role="region" tabindex="0" aria-label="List of prices">
                <table class="table">
                    <caption class="sr-only">"Prices, newest first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Since"</th>
                            <th scope="col" class="table__number">"1 vCPU"</th>
                            <th scope="col" class="table__number">"1 GiB"</th>
                            <th scope="col" class="table__number">"Both"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}
