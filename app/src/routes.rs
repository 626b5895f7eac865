//! The pages in one table: who may see each, where it stands, which entry of the navigation it belongs to, what draws it,
//! and what it is in one sentence; and the twins of pages in one list. Everything else about a page is its subject's.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, SsrMode, path};

use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::layout::Place;
use crate::frame::navigation::Section;
use crate::frame::shell::{self, About};
use crate::{
    alerts, credit, identity, keys, landing, overview, sandboxes, sign_up, targets, twin, usage,
};

/// The path of a page as the edge's router writes it; the part after a stroke is a parameter.
macro_rules! pattern {
    ($path:tt) => {
        $path
    };
    ($path:tt / $param:ident) => {
        concat!($path, "/{", stringify!($param), "}")
    };
}

/// The same path as leptos' router takes it.
macro_rules! segments {
    ($path:tt) => {
        path!($path)
    };
    ($path:tt / $param:ident) => {
        (path!($path), ParamSegment(stringify!($param)))
    };
}

/// Makes of the one table what the edge, the guard and leptos each need.
macro_rules! pages {
    (
        public { $($open:tt $(/ $open_param:ident)? => $open_view:path, $open_about:literal;)+ }
        private { $($path:tt $(/ $param:ident)? in $section:ident => $view:path, $about:literal;)+ }
    ) => {
        /// Pages that answer anyone. Compared with the router's list by a test of `server`, so that a page is classed.
        pub const PUBLIC_ROUTES: &[&str] = &[$(pattern!($open $(/ $open_param)?)),+];
        /// Pages that lead a stranger to `/sign-in`.
        pub const PRIVATE_ROUTES: &[&str] = &[$(pattern!($path $(/ $param)?)),+];

        /// Every page as its document introduces it.
        const ABOUT: &[About] = &[
            $(About { path: pattern!($open $(/ $open_param)?), is_public: true, text: $open_about },)+
            $(About { path: pattern!($path $(/ $param)?), is_public: false, text: $about },)+
        ];

        /// The routes as leptos takes them. Reads no context itself: it also runs once at start, with no request, to
        /// list the routes.
        #[component]
        pub fn App() -> impl IntoView {
            provide_meta_context();
            // Every page is `Async`: whole before its first byte, so that status, cookies and policy can still be set,
            // and complete without scripts.
            view! {
                <Router>
                    <Routes fallback=|| dead_end::view(DeadEnd::NotFound)>
                        $(<Route
                            path=segments!($open $(/ $open_param)?)
                            view=|| $open_view(pattern!($open $(/ $open_param)?))
                            ssr=SsrMode::Async
                        />)+
                        $(<Route
                            path=segments!($path $(/ $param)?)
                            view=|| $view(Place { section: Section::$section, path: pattern!($path $(/ $param)?) })
                            ssr=SsrMode::Async
                        />)+
                    </Routes>
                </Router>
            }
        }
    };
}

pages! {
    public {
        "/" => landing::page::view,
            "Isolated Linux machines from any container image, billed by the second. See prices, work out a cost, and sign up with free credit.";
        "/sign-up" => sign_up::page::view,
            "Ask for an Isorun account with an e-mail address: free credit for the first sandboxes, no card, metered by the second.";
        "/check-mail" => sign_up::check_mail::view,
            "A mail with a link is on its way. The link leads to the page that opens the account.";
        "/open-account" => sign_up::open_account::view,
            "Open an Isorun account with the link from the mail: a password, a country and what is agreed to.";
        "/sign-in" => identity::sign_in::view,
            "Sign in to Isorun: keys, running sandboxes, usage to the second, credit, limits and alerts of your account.";
        "/alert-recipient" => alerts::recipient_link::view,
            "Agree to alerts of an Isorun account, or end them, with the link from the mail.";
        "/no-more-mail" => targets::no_more_mail::view,
            "Have Isorun write no more mails to an address that others ask it to write to, with the link from the mail.";
    }
    private {
        "/overview" in Overview => overview::page::view,
            "What is left of the credit, what runs now and what it costs, and when the credit ends at this pace.";
        "/sandboxes" in Sandboxes => sandboxes::list::view,
            "Every sandbox of the account with its state, size, key, billed time and cost.";
        "/sandboxes" / id in Sandboxes => sandboxes::detail::view,
            "One sandbox: its state, where it came from, and every second it was billed for.";
        "/usage" in Usage => usage::page::view,
            "Usage as a chart and a table: by hour, day or week, by key, image, size, region or sandbox.";
        "/usage/intervals" in Usage => usage::intervals::view,
            "Each stretch of running that was billed, with its arithmetic written out.";
        "/keys" in Keys => keys::list::view,
            "The keys that start sandboxes on this account: who made them, when they were used, what they cost.";
        "/keys/new" in Keys => keys::create::view,
            "Create a key that starts sandboxes on this account.";
        "/keys/created" in Keys => keys::created::view,
            "The new key, shown this once, and a snippet that starts the first sandbox with it.";
        "/keys" / id in Keys => keys::detail::view,
            "One key: its state, when it was last used, what it costs, and the way to revoke it.";
        "/credit" in Credit => credit::page::view,
            "Credit left, where it went, when it ends at this pace, and the statement with every line of it.";
        "/waste" in Usage => sandboxes::waste::view,
            "Sandboxes that were billed and hardly used their processors, and what they cost.";
        "/alerts" in Alerts => alerts::page::view,
            "The monthly limit, which alerts are given and when, who is told of them, and those given so far.";
        "/settings" in Settings => identity::settings::view,
            "The account, who you are in it, what was accepted, and how a session ends.";
    }
}

/// Goes through every list and report that programs may read. The edge answers each under two addresses, the document of
/// the interface describes it.
pub fn each_twin(visit: &mut impl twin::Visit) {
    visit.twin::<credit::twin::Statement>();
    visit.twin::<usage::twin::Usage>();
}

/// The whole document of whichever page was asked for.
pub fn document() -> impl IntoView {
    shell::document(ABOUT, App)
}

#[cfg(test)]
mod tests {
    use domain::alert::AlertRefusal;
    use domain::calendar::CalendarRefusal;
    use domain::identity::SignInRefusal;
    use domain::key::KeyRefusal;
    use domain::limit::LimitRefusal;
    use domain::price::EstimateProblem;
    use domain::sandbox::SandboxRefusal;
    use domain::sign_up::{OpeningProblem, SignUpRefusal};
    use domain::target::TargetRefusal;
    use domain::usage::UsageProblem;
    use domain::webhook::WebhookRefusal;

    use super::*;
    use crate::action::ActionError;
    use crate::action::problem::{assert_style, sentences};
    use crate::twin::{Twin, Visit, document};

    #[test]
    fn every_route_is_classed_and_whole_before_its_first_byte() {
        let routes = leptos_axum::generate_route_list(App);
        let mut real: Vec<&str> = routes
            .iter()
            .map(leptos_axum::AxumRouteListing::path)
            .collect();
        let mut classed: Vec<&str> = PUBLIC_ROUTES
            .iter()
            .chain(PRIVATE_ROUTES)
            .copied()
            .collect();
        real.sort_unstable();
        classed.sort_unstable();
        assert_eq!(real, classed);
        assert!(
            routes
                .iter()
                .all(|route| matches!(route.mode(), SsrMode::Async))
        );
    }

    #[test]
    fn every_page_introduces_itself_in_a_sentence_of_its_own() {
        let mut said = std::collections::BTreeSet::new();
        for About { path, text, .. } in ABOUT {
            // What a search page shows of it.
            assert!((40..=160).contains(&text.chars().count()), "{path}: {text}");
            assert!(text.ends_with('.') && !text.contains('"'), "{path}: {text}");
            assert!(said.insert(text), "{path}: {text}");
        }
        assert_eq!(said.len(), PUBLIC_ROUTES.len() + PRIVATE_ROUTES.len());
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever runs this test says whether the document is written anew"
    )]
    fn the_document_says_what_the_twins_declare() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.yaml");
        let declared = document::yaml(&document::of(each_twin)).unwrap();
        if std::env::var_os("WRITE_API").is_some() {
            std::fs::write(path, &declared).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == declared,
            "docs/api.yaml is not what the twins declare; WRITE_API=1 with this test writes it anew"
        );
    }

    #[test]
    fn every_twin_has_a_name_of_its_own_for_each_thing() {
        #[derive(Default)]
        struct Names(Vec<String>);
        impl Visit for Names {
            fn twin<T: Twin>(&mut self) {
                self.0.push(T::PATH.to_owned());
                for taken in ["after", "limit"] {
                    assert!(
                        T::WORDS.iter().all(|word| word.name != taken),
                        "{}: {taken} is every list's",
                        T::PATH
                    );
                }
                assert!(T::ABOUT.ends_with('.'), "{}: a sentence", T::PATH);
            }
        }
        let mut names = Names::default();
        each_twin(&mut names);
        let distinct: std::collections::BTreeSet<&String> = names.0.iter().collect();
        assert_eq!(distinct.len(), names.0.len(), "{:?}", names.0);
    }

    #[test]
    fn every_refusal_is_held_to_the_house_style() {
        let subjects = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
        let files = subjects.map(|entry| entry.unwrap().path().join("words.rs"));
        let mut held = 0;
        for text in files.filter_map(|path| std::fs::read_to_string(path).ok()) {
            for said in text.split("impl Words for ").skip(1) {
                let name = said.split(' ').next().unwrap();
                let test = format!("house_style::<{name}>()");
                assert!(
                    text.contains(&test),
                    "{name}: its words.rs has no test that calls {test}"
                );
                held += 1;
            }
        }
        assert!(
            held > 5,
            "the words of the subjects are not where they were"
        );
    }

    #[test]
    fn sentences_follow_the_house_style_and_differ() {
        let said = [
            sentences::<AlertRefusal>(),
            sentences::<CalendarRefusal>(),
            sentences::<EstimateProblem>(),
            sentences::<KeyRefusal>(),
            sentences::<LimitRefusal>(),
            sentences::<SandboxRefusal>(),
            sentences::<SignInRefusal>(),
            sentences::<SignUpRefusal>(),
            sentences::<OpeningProblem>(),
            sentences::<TargetRefusal>(),
            sentences::<UsageProblem>(),
            sentences::<WebhookRefusal>(),
        ];
        let of_no_subject = [
            ActionError::SignedOut,
            ActionError::Busy,
            ActionError::Unexpected {
                request_id: "01-ab".to_owned(),
            },
        ];
        let of_no_subject = of_no_subject.iter().flat_map(ActionError::problems);
        let of_no_subject = of_no_subject.map(|problem| problem.text.into_owned());
        assert_style(&[said.concat(), of_no_subject.collect()].concat());
    }
}
