//! The dashboard is silent, and customers go on: they start, fork, resume, stop, let timers run and use what runs, in any order.
//! The orchestrator has what was left as it last heard, and must end each account at exactly the moment that the oracle finds,
//! neither a second later nor earlier. Then the dashboard comes back, and the books hold what ran. MODEL_SEED repeats a run.

use backend::{testing, watch};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::Case;
use super::command::Command;
use super::oracle::ratio;
use super::zero::Timers;
use crate::world::World;

const CASES: u8 = 12;
const SPOKEN: usize = 6;
const SILENT: usize = 30;
const DAYS_20: i64 = 20 * 86_400_000;

/// What customers do without us.
#[derive(Clone, Debug)]
enum Alone {
    Start {
        size: (i64, i64),
        timeout_s: i64,
    },
    Turn {
        which: usize,
        verb: &'static str,
    },
    Fork {
        which: usize,
        count: i64,
    },
    /// Sets the timer of one.
    Timer {
        which: usize,
        timeout_s: i64,
    },
    /// Runs a command in one, which starts its timer anew.
    Use {
        which: usize,
    },
    Pass {
        ms: i64,
    },
}

fn alone() -> impl Strategy<Value = Alone> {
    use Alone::{Fork, Pass, Start, Timer, Turn, Use};
    let size = (
        prop::sample::select(vec![1_i64, 2, 8, 64]),
        prop::sample::select(vec![512_i64, 700, 1_024, 65_536]),
    );
    let timeout = || prop_oneof![Just(0_i64), 1..5_000_i64, 5_000..400_000_i64];
    let verb = prop::sample::select(vec!["hibernate", "resume", "destroy"]);
    let pass = prop_oneof![0..3_000_i64, 1..4_000_000_i64, 1..90_000_000_i64];
    prop_oneof![
        5 => (size, timeout()).prop_map(|(size, timeout_s)| Start { size, timeout_s }),
        5 => (0..40_usize, verb).prop_map(|(which, verb)| Turn { which, verb }),
        2 => (0..40_usize, 1..4_i64).prop_map(|(which, count)| Fork { which, count }),
        2 => (0..40_usize, timeout()).prop_map(|(which, timeout_s)| Timer { which, timeout_s }),
        2 => (0..40_usize).prop_map(|which| Use { which }),
        6 => pass.prop_map(|ms| Pass { ms }),
    ]
}

/// What is told before: grants, prices and limits of all kinds.
fn spoken() -> impl Strategy<Value = Command> {
    use Command::{Bind, Give, Limit};
    let give = (
        1..3_000_i64,
        0..3_i32,
        -30..60_i64,
        prop::option::of(1..90_i64),
    );
    let bind = (0..90_000_i64, 0..90_000_i64, 1..20_i64, 1..40_i64);
    prop_oneof![
        2 => give.prop_map(|(cents, priority, starts_h, lasts_h)| Give { cents, priority, starts_h, lasts_h }),
        2 => bind.prop_map(|(vcpu_microusd, gib_microusd, ahead_h, lasts_h)| {
            Bind { vcpu_microusd, gib_microusd, ahead_h, lasts_h }
        }),
        2 => prop::option::of(1..6_000_i64).prop_map(|cents| Limit { cents }),
    ]
}

impl Case<'_> {
    fn now(&self) -> i64 {
        self.world.control().now().unwrap().0
    }

    /// The end by the oracle and the one that the orchestrator holds, after they were compared.
    fn end(&self, when: &str) -> Option<(i64, &'static str)> {
        let (control, account) = (self.world.control(), self.actor.account_id().0);
        let timers = control.timers(account).unwrap().into_iter();
        let timers: Timers = timers.filter_map(|(id, at)| Some((id, at?.0))).collect();
        let now = self.now();
        let expected = self.oracle.zero(&self.happened(), now, &timers);
        let found = control.end(account).unwrap().map(|(at, reason)| {
            let reason = serde_json::to_value(reason).unwrap();
            (at.0, reason.as_str().unwrap().to_owned())
        });
        let expected_text = expected.map(|(at, cause)| (at, cause.to_owned()));
        assert_eq!(
            found, expected_text,
            "{when}: the orchestrator and the oracle, at {now}"
        );
        expected
    }

    /// Speaks to the public plane; what does not fit is refused, and then nothing happened.
    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let ended = self.end("before").filter(|(at, _)| *at <= self.now());
        let (status, answer) = self.world.call(method, path, &self.key, body).await;
        let starts = path == "runs" || path.ends_with("/fork") || path.ends_with("/resume");
        if starts && status != 404 && status != 409 {
            // What runs already is resumed without a word.
            let refused = status == 402;
            assert!(
                refused == ended.is_some() || (!refused && path.ends_with("/resume")),
                "{path} {status} {ended:?}"
            );
        }
        (200..300).contains(&status).then_some(answer)
    }

    async fn alone(&mut self, what: &Alone) {
        match what {
            Alone::Start { size, timeout_s } => {
                let body = json!({ "image": "node:22", "vcpus": size.0, "mem_mib": size.1, "timeout": timeout_s });
                if let Some(run) = self.ask(Method::POST, "runs", Some(body)).await {
                    self.sandboxes.push(run["id"].as_str().unwrap().to_owned());
                }
            }
            Alone::Turn { which, verb } => {
                let Some(id) = self.sandbox(*which) else {
                    return;
                };
                let _ = match *verb {
                    "destroy" => self.ask(Method::DELETE, &format!("runs/{id}"), None).await,
                    verb => {
                        self.ask(Method::POST, &format!("runs/{id}/{verb}"), None)
                            .await
                    }
                };
            }
            Alone::Fork { which, count } => {
                let Some(id) = self.sandbox(*which) else {
                    return;
                };
                let body = json!({ "count": count });
                let forks = self
                    .ask(Method::POST, &format!("runs/{id}/fork"), Some(body))
                    .await;
                let forks = forks.map(|answer| answer["forks"].as_array().unwrap().clone());
                let ids = forks.into_iter().flatten();
                self.sandboxes
                    .extend(ids.map(|run| run["id"].as_str().unwrap().to_owned()));
            }
            Alone::Timer { which, timeout_s } => {
                let Some(id) = self.sandbox(*which) else {
                    return;
                };
                let body = json!({ "timeout": timeout_s });
                self.ask(Method::PATCH, &format!("runs/{id}"), Some(body))
                    .await;
            }
            Alone::Use { which } => {
                let Some(id) = self.sandbox(*which) else {
                    return;
                };
                let body = json!({ "command": "true" });
                self.ask(Method::POST, &format!("runs/{id}/exec"), Some(body))
                    .await;
            }
            Alone::Pass { ms } => self.pass(*ms),
        }
    }

    /// Lets time pass, and holds what was stopped against what was computed before.
    fn pass(&self, ms: i64) {
        let (before, from) = (self.end("before"), self.happened().len());
        let runs = !self
            .world
            .control()
            .timers(self.actor.account_id().0)
            .unwrap()
            .is_empty();
        // In steps, because what is recorded over 35 days late is clamped, and nobody sleeps for that long.
        let (whole, rest) = (ms / DAYS_20, ms % DAYS_20);
        for step in (0..whole).map(|_| DAYS_20).chain([rest]) {
            self.world.control().advance_ms(step).unwrap();
        }
        let happened = self.happened();
        let stopped: Vec<i64> = happened[from..]
            .iter()
            .filter(|event| event.kind == "hibernated")
            .map(|event| event.occurred)
            .collect();
        match before.filter(|(at, _)| *at <= self.now() && runs) {
            Some((at, _)) => assert!(stopped.iter().all(|stop| *stop == at), "{at} {stopped:?}"),
            None => assert_eq!(stopped, [] as [i64; 0], "stopped with something left"),
        }
    }

    /// What a second of everything that ran last costs at most, in dollars: the second in which credit ends is paid in part.
    fn rest_of_seconds(&self) -> num_rational::BigRational {
        let ends = self
            .happened()
            .iter()
            .filter(|event| event.kind == "hibernated")
            .count();
        let second = ratio(64 * 90_000 * 2 + 64 * 90_000 * 2, 1_000_000) / ratio(3_600, 1);
        second * ratio(i64::try_from(ends).unwrap(), 1)
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_while_we_are_silent_ends_when_the_oracle_says(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a failing run is repeated by its seed"
    )]
    let seed = std::env::var("MODEL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(7_u8);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut ended, mut started) = (0, 0);
    for number in 0..CASES {
        let lives = (
            prop::collection::vec((spoken(), alone()), SPOKEN),
            prop::collection::vec(alone(), SILENT),
        );
        let (told, silent) = lives.new_tree(&mut runner).unwrap().current();
        let mut case = Case::new(&world, &format!("eve{number}@example.org")).await;
        case.speak().await;
        for (index, (command, what)) in told.iter().enumerate() {
            println!("seed {seed} case {number} told {index}: {command:?} {what:?}");
            case.perform(command).await;
            case.speak().await;
            case.alone(what).await;
            case.speak().await;
        }
        case.end("told");
        for (index, what) in silent.iter().enumerate() {
            println!("seed {seed} case {number} silent {index}: {what:?}");
            case.alone(what).await;
            case.end("after");
        }
        // To its end, whatever it is.
        if let Some((at, _)) = case.end("the last").filter(|(at, _)| *at > case.now()) {
            case.pass(at - case.now() - 1);
            case.pass(1);
            ended += 1;
        }
        started += case.sandboxes.len();
        case.speak().await;
        case.compare().await;
        assert!(
            case.oracle.overrun() <= case.rest_of_seconds(),
            "{}",
            case.oracle.overrun()
        );
        case.end("back");
        world.control().advance_ms(1_000).unwrap();
    }
    println!("{ended} of {CASES} came to their end, {started} sandboxes");
    assert!(ended > 3 && started > 50, "{ended} {started}");
}

impl Case<'_> {
    /// The dashboard is there for a moment: it settles, computes and tells.
    async fn speak(&mut self) {
        self.world.meter().await;
        let (happened, now) = (self.happened(), self.now());
        self.oracle.settle(&happened, now);
        watch::round(&self.world.backend).await.unwrap();
        testing::drain_jobs(&self.world.backend).await.unwrap();
    }
}
