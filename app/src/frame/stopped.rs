//! What is said above every page while nothing may run: what ended, when, that nothing is lost, and what to do.

use backend::overview::stopped::Stopped;
use domain::forecast::Cause;
use leptos::prelude::*;

use super::format;
use super::layout::notice;

/// The notice; nothing while something may run.
pub fn view(stopped: Option<&Stopped>) -> AnyView {
    let Some(stopped) = stopped else {
        return ().into_any();
    };
    let when = format::moment(stopped.at);
    let (title, ended, again, href, link) = match stopped.cause {
        Cause::Credit => (
            "Stopped: credit is used up",
            "Your credit ended on ",
            again("when there is credit again", None),
            "/credit",
            "See where it went",
        ),
        Cause::Limit => (
            "Stopped: your monthly limit is reached",
            "Your monthly limit was reached on ",
            again("when the limit is raised", stopped.until),
            "/alerts",
            "Change the limit",
        ),
    };
    let text = view! {
        {ended}{when}". "{hibernated(stopped.hibernated)}" "{again}" "<a href=href>{link}</a>
    };
    notice("notice notice--broken", title, text.into_any())
}

/// What became of what ran.
fn hibernated(count: i64) -> AnyView {
    let (text, kept) = match count {
        0 => return "Nothing runs, and nothing is charged.".into_any(),
        1 => (
            "1 sandbox was hibernated".to_owned(),
            ": its disk is kept and costs nothing.",
        ),
        more => (
            format!("{more} sandboxes were hibernated"),
            ": their disks are kept and cost nothing.",
        ),
    };
    view! { <a href="/sandboxes?state=hibernated">{text}</a>{kept} }.into_any()
}

fn again(when: &'static str, or: Option<time::OffsetDateTime>) -> AnyView {
    let or = or.map(|at| view! { ", or from "{format::moment(at)}" on" });
    view! { "Sandboxes start and resume again "{when}{or}"." }.into_any()
}
