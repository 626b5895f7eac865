//! What if these stopped and those ran: the pace and the end of credit under another load, by the same computation that
//! tells the orchestrator when to stop.

use std::collections::BTreeSet;

use domain::ceilings::WHAT_IF_ROWS;
use domain::forecast::{Run, Zero};
use domain::money::Ticks;
use domain::sandbox::{SandboxId, Size};

use crate::authority::view::View;
use crate::credit::standing::{Standing, run, runs};
use crate::failure::Broken;
use crate::metering::live::Live;

/// What is supposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supposed {
    /// Running sandboxes that stop.
    pub stop: Vec<SandboxId>,
    /// How many start, and of which size.
    pub start: Option<(u32, Size)>,
}

/// A pace and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Cost per hour.
    pub per_hour: Ticks,
    /// How many sandboxes run at this pace.
    pub running: usize,
    /// When credit or limit ends; none within ten years.
    pub zero: Option<Zero>,
}

/// A running sandbox that can be supposed to stop.
pub struct Candidate {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// Allocated processors and memory: what is billed while it runs, used or not.
    pub size: Size,
    /// Its cost per hour.
    pub per_hour: Ticks,
}

/// The form and its answer.
pub struct WhatIf {
    /// Running sandboxes, the dearest first, at most fifty.
    pub candidates: Vec<Candidate>,
    /// Running sandboxes that the form does not list.
    pub unlisted: usize,
    /// As it is.
    pub now: Pace,
    /// As it would be; none while nothing is supposed.
    pub then: Option<Pace>,
    /// Sandboxes supposed to stop that do not run any more.
    pub gone: usize,
}

/// Reads the form and computes the answer.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "credit.what_if")]
pub async fn read(view: &mut View, supposed: &Supposed) -> Result<WhatIf, Broken> {
    let standing = Standing::of(view).await?;
    with(&standing, supposed)
}

/// The same, from what the caller has read.
pub(crate) fn with(standing: &Standing, supposed: &Supposed) -> Result<WhatIf, Broken> {
    let live = &standing.live;
    let pace = |running: &[Run]| -> Result<Pace, Broken> {
        let cost = |run: &Run| {
            let one = live.price_per_hour(run.size).get();
            Ticks::new(one.saturating_mul(i128::from(run.count))).unwrap_or_default()
        };
        let count: u32 = running.iter().map(|run| run.count).sum();
        Ok(Pace {
            per_hour: running.iter().map(cost).sum(),
            running: usize::try_from(count)?,
            zero: standing.zero_with(running)?,
        })
    };
    let now = pace(&runs(live))?;
    // Named twice is stopped once.
    let stop: BTreeSet<&SandboxId> = supposed.stop.iter().collect();
    let stays = live
        .running
        .iter()
        .filter(|running| !stop.contains(&running.sandbox_id));
    let mut then: Vec<Run> = stays.map(run).collect();
    let gone = stop.len() - (live.running.len() - then.len());
    if let Some((count, size)) = supposed.start {
        then.push(Run {
            size,
            count,
            from: live.feed.as_of.into(),
            until: None,
        });
    }
    let is_asked = supposed.start.is_some() || !supposed.stop.is_empty();
    let then = is_asked.then(|| pace(&then)).transpose()?;
    let candidates = candidates(live);
    Ok(WhatIf {
        unlisted: live.running.len().saturating_sub(candidates.len()),
        candidates,
        now,
        then,
        gone,
    })
}

/// Running sandboxes, the dearest first, as many as the form lists.
fn candidates(live: &Live) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = live
        .running
        .iter()
        .map(|running| Candidate {
            sandbox_id: running.sandbox_id.clone(),
            size: running.size,
            per_hour: live.price_per_hour(running.size),
        })
        .collect();
    candidates.sort_by(|a, b| {
        b.per_hour
            .cmp(&a.per_hour)
            .then_with(|| a.sandbox_id.cmp(&b.sandbox_id))
    });
    candidates.truncate(WHAT_IF_ROWS);
    candidates
}
