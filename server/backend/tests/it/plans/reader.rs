//! One person who looks at everything that pages show of an account.

use backend::authority::actor::Actor;
use backend::authority::view::View;
use backend::credit::{self, burn_down, what_if};
use backend::ledger::statement::{self, EntryKind};
use backend::overview::{self, nav};
use backend::sandboxes::{self, cost, waste};
use backend::usage::{self, intervals};
use backend::{Backend, alerts, keys};
use domain::burn_down::Reach;
use domain::moment::{DAY_MS, HOUR_MS, Moment};
use domain::sandbox::{SandboxId, SandboxState};
use domain::search::Search;
use domain::usage::query::{Group, Metric, Only, Query, Range, Window};

pub(super) struct Reader<'a> {
    pub(super) backend: &'a Backend,
    pub(super) actor: &'a Actor,
}

impl Reader<'_> {
    async fn view(&self) -> View {
        self.actor.view(self.backend).await.unwrap()
    }

    pub(super) async fn usage(&self) {
        let sandbox = SandboxId::parse("run000100");
        for range in [Range::Day, Range::Week, Range::Month, Range::ThisMonth] {
            for group in Group::ALL {
                for metric in [Metric::Cost, Metric::Concurrency] {
                    let query = Query {
                        range,
                        group: *group,
                        metric,
                        ..Query::default()
                    };
                    let read = usage::read(&mut self.view().await, &query).await.unwrap();
                    let buckets = &read.breakdown.grid.buckets;
                    let bar = buckets.get(buckets.len() - 2).map(|bucket| bucket.start);
                    let looked_into = Query {
                        bar,
                        ..query.clone()
                    };
                    usage::read(&mut self.view().await, &looked_into)
                        .await
                        .unwrap();
                    let only = Only {
                        sandbox: sandbox.clone(),
                        ..Only::default()
                    };
                    let of_one = Query {
                        only,
                        ..looked_into
                    };
                    usage::read(&mut self.view().await, &of_one).await.unwrap();
                }
            }
        }
    }

    pub(super) async fn intervals(&self) {
        let now = Moment::from(self.backend.clock().now());
        for days in [1, 20] {
            let window = Window {
                from: now.hour().plus_ms(-days * DAY_MS),
                until: now.hour().plus_ms(HOUR_MS),
                only: Only::default(),
            };
            let first = intervals::list(&mut self.view().await, &window, None).await;
            let first = first.map_err(|_| "refused").unwrap();
            let next = first.page.next.as_deref();
            intervals::list(&mut self.view().await, &window, next)
                .await
                .map_err(|_| "refused")
                .unwrap();
        }
    }

    pub(super) async fn sandboxes(&self) {
        for state in [
            None,
            Some(SandboxState::Running),
            Some(SandboxState::Destroyed),
            Some(SandboxState::Hibernated),
        ] {
            let mut cursor = None;
            for _ in 0..3 {
                let page = sandboxes::list(&mut self.view().await, state, None, cursor.as_deref())
                    .await
                    .unwrap();
                cursor = page.next;
            }
        }
        for text in ["run0001", "node", "key 1"] {
            let search = Search::parse(text);
            sandboxes::list(&mut self.view().await, None, search.as_ref(), None)
                .await
                .unwrap();
            keys::list(&mut self.view().await, search.as_ref(), None)
                .await
                .unwrap();
        }
        let id = SandboxId::parse("run000100").unwrap();
        assert!(
            sandboxes::get(&mut self.view().await, &id)
                .await
                .unwrap()
                .is_some()
        );
        cost::read(&mut self.view().await, &id, None).await.unwrap();
        let first = waste::read(&mut self.view().await, None).await.unwrap();
        waste::read(&mut self.view().await, first.rows.next.as_deref())
            .await
            .unwrap();
    }

    pub(super) async fn money(&self) {
        for reach in Reach::ALL {
            burn_down::read(&mut self.view().await, reach)
                .await
                .unwrap();
        }
        credit::read(&mut self.view().await).await.unwrap();
        what_if::read(&mut self.view().await, &what_if::Supposed::default())
            .await
            .unwrap();
        for kind in EntryKind::ALL.into_iter().map(Some).chain([None]) {
            let first = statement::read(&mut self.view().await, kind, None, 50)
                .await
                .unwrap();
            statement::read(&mut self.view().await, kind, first.next.as_deref(), 1_000)
                .await
                .unwrap();
        }
    }

    pub(super) async fn the_rest(&self) {
        let first = keys::list(&mut self.view().await, None, None)
            .await
            .unwrap();
        keys::list(&mut self.view().await, None, first.next.as_deref())
            .await
            .unwrap();
        let key_id = first.rows[0].key_id;
        keys::get(&mut self.view().await, key_id).await.unwrap();
        alerts::read(&mut self.view().await, None).await.unwrap();
        overview::read(&mut self.view().await).await.unwrap();
        overview::figures(&mut self.view().await).await.unwrap();
        nav::read(&mut self.view().await).await.unwrap();
    }
}
