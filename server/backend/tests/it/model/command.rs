//! What the model test may do, and how often. Doing it is the test's.

use peers::orchestrator::Kind;
use proptest::prelude::*;

/// What may happen. Sandboxes are meant by number, modulo how many there are.
#[derive(Clone, Debug)]
pub enum Command {
    Start {
        vcpus: i64,
        mem_mib: i64,
    },
    Turn {
        which: usize,
        verb: &'static str,
    },
    Pass {
        ms: i64,
    },
    /// An event that comes late, out of order, or makes no sense where it stands.
    Say {
        which: usize,
        kind: usize,
        back_ms: i64,
    },
    /// An event of nobody's.
    Foreign,
    Give {
        cents: i64,
        priority: i32,
        starts_h: i64,
        lasts_h: Option<i64>,
    },
    /// Another price for this account, for some hours that are still to come.
    Bind {
        vcpu_microusd: i64,
        gib_microusd: i64,
        ahead_h: i64,
        lasts_h: i64,
    },
    /// The customer's own monthly limit in cents; none removes it.
    Limit {
        cents: Option<i64>,
    },
    /// Settling that is cut off after so many microseconds.
    Crash {
        after_us: u64,
    },
    /// The meters forget how far they were.
    Replay,
    Settle,
}

pub const KINDS: [Kind; 6] = [
    Kind::Created,
    Kind::Hibernated,
    Kind::Resumed,
    Kind::Destroyed,
    Kind::Unreachable,
    Kind::Reachable,
];

pub fn command() -> impl Strategy<Value = Command> {
    use Command::{Bind, Crash, Foreign, Give, Limit, Pass, Replay, Say, Settle, Start, Turn};
    let size = (
        prop::sample::select(vec![1_i64, 2, 8]),
        prop::sample::select(vec![512_i64, 700, 1_024, 16_384]),
    );
    let verb = prop::sample::select(vec!["hibernate", "resume", "destroy"]);
    let pass = prop_oneof![1..5_000_i64, 1..4_000_000_i64, 1..60_000_000_i64];
    let give = (
        1..3_000_i64,
        0..3_i32,
        -30..30_i64,
        prop::option::of(1..60_i64),
    );
    let bind = (0..90_000_i64, 0..90_000_i64, 1..20_i64, 1..40_i64);
    prop_oneof![
        4 => size.prop_map(|(vcpus, mem_mib)| Start { vcpus, mem_mib }),
        6 => (0..40_usize, verb).prop_map(|(which, verb)| Turn { which, verb }),
        6 => pass.prop_map(|ms| Pass { ms }),
        3 => (0..40_usize, 0..4_usize, -7_200_000..60_000_000_i64)
            .prop_map(|(which, kind, back_ms)| Say { which, kind, back_ms }),
        1 => Just(Foreign),
        1 => give.prop_map(|(cents, priority, starts_h, lasts_h)| Give { cents, priority, starts_h, lasts_h }),
        1 => bind.prop_map(|(vcpu_microusd, gib_microusd, ahead_h, lasts_h)| {
            Bind { vcpu_microusd, gib_microusd, ahead_h, lasts_h }
        }),
        2 => prop::option::of(1..6_000_i64).prop_map(|cents| Limit { cents }),
        3 => (0..30_000_u64).prop_map(|after_us| Crash { after_us }),
        1 => Just(Replay),
        4 => Just(Settle),
    ]
}
