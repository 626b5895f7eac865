//! The pages in one table: who may see each, where it stands, which entry of the navigation it belongs to, and what draws
//! it; and the twins of pages in one list. Everything else about a page is its subject's.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, SsrMode, path};

use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::layout::Place;
use crate::frame::navigation::Section;
use crate::frame::shell;
use crate::{alerts, credit, identity, keys, landing, overview, sandboxes, sign_up, twin, usage};

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
        public { $($open:tt $(/ $open_param:ident)? => $open_view:path;)+ }
        private { $($path:tt $(/ $param:ident)? in $section:ident => $view:path;)+ }
    ) => {
        /// Pages that answer anyone. Compared with the router's list by a test of `server`, so that a page is classed.
        pub const PUBLIC_ROUTES: &[&str] = &[$(pattern!($open $(/ $open_param)?)),+];
        /// Pages that lead a stranger to `/sign-in`.
        pub const PRIVATE_ROUTES: &[&str] = &[$(pattern!($path $(/ $param)?)),+];

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
        "/" => landing::view;
        "/sign-up" => sign_up::page::view;
        "/check-mail" => sign_up::check_mail::view;
        "/open-account" => sign_up::open_account::view;
        "/sign-in" => identity::sign_in::view;
        "/alert-recipient" => alerts::recipient_link::view;
    }
    private {
        "/overview" in Overview => overview::page::view;
        "/sandboxes" in Sandboxes => sandboxes::list::view;
        "/sandboxes" / id in Sandboxes => sandboxes::detail::view;
        "/usage" in Usage => usage::page::view;
        "/usage/intervals" in Usage => usage::intervals::view;
        "/keys" in Keys => keys::list::view;
        "/keys/new" in Keys => keys::create::view;
        "/keys/created" in Keys => keys::created::view;
        "/keys" / id in Keys => keys::detail::view;
        "/credit" in Credit => credit::page::view;
        "/waste" in Usage => sandboxes::waste::view;
        "/alerts" in Alerts => alerts::page::view;
        "/settings" in Settings => identity::settings::view;
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
    shell::document(PUBLIC_ROUTES, App)
}

#[cfg(test)]
mod tests {
    use domain::alert::AlertRefusal;
    use domain::calendar::CalendarRefusal;
    use domain::identity::SignInRefusal;
    use domain::key::KeyRefusal;
    use domain::limit::LimitRefusal;
    use domain::sandbox::SandboxRefusal;
    use domain::sign_up::{OpeningProblem, SignUpRefusal};
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
            sentences::<KeyRefusal>(),
            sentences::<LimitRefusal>(),
            sentences::<SandboxRefusal>(),
            sentences::<SignInRefusal>(),
            sentences::<SignUpRefusal>(),
            sentences::<OpeningProblem>(),
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
