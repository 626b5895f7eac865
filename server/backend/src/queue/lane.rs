//! Lanes: groups of jobs with slots of their own, so that what is slow in one delays nothing in another. Which lane a job
//! runs in is its own to say (`Job::LANE`).

use tokio::task::JoinSet;

/// A group of jobs. The words are in the database (`jobs.lane`): add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Letting keys in and shutting them out. By itself, so that nothing stands between a leaked key and its end.
    Keys,
    /// Every other command to the orchestrator.
    Commands,
    /// Mails: as slow as our mail server.
    Mails,
    /// What goes to an address that a customer chose: as slow as they like. Of one account one at a time.
    Posts,
    /// What nobody waits for: checks, sealing, closing.
    Upkeep,
}

impl Lane {
    /// Every lane, in the order in which they claim.
    pub const ALL: [Self; 5] = [
        Self::Keys,
        Self::Commands,
        Self::Mails,
        Self::Posts,
        Self::Upkeep,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Commands => "commands",
            Self::Mails => "mails",
            Self::Posts => "posts",
            Self::Upkeep => "upkeep",
        }
    }

    /// Jobs in flight per process. A job holds no connection while it waits for the outside, so these may be more together
    /// than the pool has: posts have many, because whoever has that many receivers that hang would hold up everybody's alerts.
    /// Upkeep reads all the time, so it has few.
    const fn slots(self) -> usize {
        match self {
            Self::Keys | Self::Commands => 4,
            Self::Mails => 8,
            Self::Posts => 48,
            Self::Upkeep => 3,
        }
    }
}

/// What runs in a process now, lane by lane.
#[derive(Default)]
pub(crate) struct Running([JoinSet<()>; Lane::ALL.len()]);

impl Running {
    /// Each lane that has a slot free, with what runs in it and how many are free. What has ended is let go of first.
    pub(super) fn with_room(&mut self) -> impl Iterator<Item = (Lane, &mut JoinSet<()>, usize)> {
        let lanes = Lane::ALL.into_iter().zip(&mut self.0);
        lanes.filter_map(|(lane, running)| {
            while running.try_join_next().is_some() {}
            let free = lane.slots().saturating_sub(running.len());
            (free > 0).then_some((lane, running, free))
        })
    }

    /// How many run.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(JoinSet::len).sum()
    }

    /// Waits until nothing runs any more.
    pub(crate) async fn end(&mut self) {
        for running in &mut self.0 {
            while running.join_next().await.is_some() {}
        }
    }
}
