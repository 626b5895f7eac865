//! What the team of the demonstration did in its 60 days, as a list in the order of time. Made up, and the same each time: it
//! depends on the seed, the weekday of the first day and the moment of the end. Nothing is done here.

use stand::draw::Draw;
use time::{Duration, OffsetDateTime, Weekday};

/// Days that have passed when somebody looks.
pub const DAYS: i64 = 60;
const SEED: u64 = 20_261_130;
/// What the last day leaves for those who are still at work.
const LAST: Duration = Duration::minutes(50);

/// What somebody, or something, did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Key(&'static str),
    Revoke(&'static str),
    Limit(&'static str),
    /// Asks somebody to be told of alerts, who agrees.
    Recipient(&'static str),
    Start(Life),
    /// Hibernates the sandbox of that name.
    Sleep(&'static str),
    /// Resumes it.
    Wake(&'static str),
    /// The orchestrator loses it.
    Lose(&'static str),
    /// The orchestrator finds it again.
    Find(&'static str),
}

/// A sandbox from its start on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The key that starts it.
    pub key: &'static str,
    /// Its image. The orchestrator lets those whose name begins with "idle" use next to no processor time.
    pub image: &'static str,
    pub vcpus: i64,
    /// Memory in GiB.
    pub gib: i64,
    /// Seconds until it ends by itself; 0 is never.
    pub timeout_s: i64,
    /// What later deeds call it.
    pub name: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub at: OffsetDateTime,
    pub deed: Deed,
}

const CI: &str = "ci";
const OLD_CI: &str = "ci (first try)";
const NIGHTLY: &str = "nightly builds";
const AGENTS: &str = "review agents";
const ROBIN: &str = "robin's laptop";
/// The sandbox that somebody develops in, and mostly does not.
pub const DEV_BOX: &str = "dev box";

/// Someone's first, 18th and so on day, counted from the day of sign-up.
const NIGHTS_FROM: i64 = 3;
const LIMIT_ON: i64 = 12;
const ROTATION_ON: i64 = 16;
const AGENTS_FROM: i64 = 19;
const DEV_BOX_FROM: i64 = 25;
/// In the evening of the first Friday from this day on, nobody hibernates the dev box.
const FORGOTTEN_FROM: i64 = 38;
/// The first weekday from this day on, the orchestrator loses the dev box for a while.
const INCIDENT_FROM: i64 = 47;

/// The whole past, from sign-up on `midnight`'s day to the moment `end`.
#[must_use]
pub fn plan(midnight: OffsetDateTime, end: OffsetDateTime) -> Vec<Step> {
    let mut plan = Plan {
        midnight,
        draw: Draw::new(SEED),
        steps: Vec::new(),
    };
    plan.office();
    for day in 0..=DAYS {
        if plan.is_workday(day) {
            plan.ci(day);
            if day >= AGENTS_FROM {
                plan.agents(day);
            }
        }
        if day >= NIGHTS_FROM {
            plan.night(day);
        }
    }
    plan.previews();
    plan.dev_box();
    plan.until(end)
}

struct Plan {
    midnight: OffsetDateTime,
    draw: Draw,
    steps: Vec<Step>,
}

impl Plan {
    fn add(&mut self, day: i64, second: i64, deed: Deed) {
        let at = self.midnight + Duration::days(day) + Duration::seconds(second);
        self.steps.push(Step { at, deed });
    }

    /// A second of the day between two hours.
    fn second(&mut self, from_hour: i64, to_hour: i64) -> i64 {
        self.draw.between(from_hour * 3_600, to_hour * 3_600 - 1)
    }

    fn weekday(&self, day: i64) -> Weekday {
        (self.midnight + Duration::days(day)).weekday()
    }

    fn is_workday(&self, day: i64) -> bool {
        !matches!(self.weekday(day), Weekday::Saturday | Weekday::Sunday)
    }

    fn first_from(&self, day: i64, fits: impl Fn(&Self, i64) -> bool) -> i64 {
        (day..day + 7).find(|day| fits(self, *day)).unwrap_or(day)
    }

    /// What people do on the dashboard.
    fn office(&mut self) {
        let hour = 3_600;
        for (day, second, deed) in [
            (0, 9 * hour + 900, Deed::Key(OLD_CI)),
            (NIGHTS_FROM - 1, 15 * hour + 300, Deed::Key(NIGHTLY)),
            (LIMIT_ON, 10 * hour, Deed::Limit("30")),
            (
                LIMIT_ON,
                10 * hour + 300,
                Deed::Recipient("accounts@ferrywork.example"),
            ),
            (ROTATION_ON, 8 * hour, Deed::Key(CI)),
            (ROTATION_ON + 1, 7 * hour, Deed::Revoke(OLD_CI)),
            (AGENTS_FROM, 6 * hour, Deed::Key(AGENTS)),
            (DEV_BOX_FROM, 6 * hour, Deed::Key(ROBIN)),
        ] {
            self.add(day, second, deed);
        }
    }

    /// Tests of every push: a handful a day, and on Thursdays those of the release, all at once.
    fn ci(&mut self, day: i64) {
        let key = if day > ROTATION_ON { CI } else { OLD_CI };
        let pushes = self.draw.between(4, 9);
        for _ in 0..pushes {
            let second = self.second(if day == 0 { 10 } else { 7 }, 17);
            let (image, vcpus, gib) = if self.draw.below(3) == 0 {
                ("python:3.13-slim", 1, 2)
            } else {
                ("node:22-slim", 2, 4)
            };
            let timeout_s = self.draw.between(180, 900);
            self.add(
                day,
                second,
                Deed::Start(Life {
                    key,
                    image,
                    vcpus,
                    gib,
                    timeout_s,
                    name: None,
                }),
            );
        }
        if self.weekday(day) == Weekday::Thursday && day > 0 {
            let second = self.second(13, 15);
            for _ in 0..8 {
                let timeout_s = self.draw.between(600, 1_500);
                let life = Life {
                    key,
                    image: "node:22-slim",
                    vcpus: 2,
                    gib: 4,
                    timeout_s,
                    name: None,
                };
                self.add(day, second, Deed::Start(life));
            }
        }
    }

    fn night(&mut self, day: i64) {
        let second = 2 * 3_600 + self.draw.seconds(120);
        let timeout_s = self.draw.between(2_400, 4_200);
        let life = Life {
            key: NIGHTLY,
            image: "rust:1.95",
            vcpus: 4,
            gib: 8,
            timeout_s,
            name: None,
        };
        self.add(day, second, Deed::Start(life));
    }

    /// Agents that read what was pushed, for as long as it takes, and into the evening.
    fn agents(&mut self, day: i64) {
        for _ in 0..self.draw.between(3, 7) {
            let second = self.second(8, 20);
            let timeout_s = self.draw.between(600, 3_000);
            let life = Life {
                key: AGENTS,
                image: "ghcr.io/ferrywork/agent:12",
                vcpus: 2,
                gib: 2,
                timeout_s,
                name: None,
            };
            self.add(day, second, Deed::Start(life));
        }
    }

    /// Previews of what may be released, which nobody looks at for most of the day.
    fn previews(&mut self) {
        for day in [33, 40, 48, 52, 55] {
            let day = self.first_from(day, Self::is_workday);
            let second = self.second(9, 11);
            let timeout_s = self.draw.between(4 * 3_600, 7 * 3_600);
            let life = Life {
                key: CI,
                image: "idle-preview:main",
                vcpus: 1,
                gib: 1,
                timeout_s,
                name: None,
            };
            self.add(day, second, Deed::Start(life));
        }
    }

    /// Awake in office hours, asleep otherwise; once forgotten over a weekend, once lost.
    fn dev_box(&mut self) {
        let forgotten = self.first_from(FORGOTTEN_FROM, |plan, day| {
            plan.weekday(day) == Weekday::Friday
        });
        let lost = self.first_from(INCIDENT_FROM, Self::is_workday);
        let first = self.first_from(DEV_BOX_FROM, Self::is_workday);
        let mut is_asleep = false;
        for day in (first..=DAYS)
            .filter(|day| self.is_workday(*day))
            .collect::<Vec<_>>()
        {
            let begin = self.second(8, 9);
            if day == first {
                let life = Life {
                    key: ROBIN,
                    image: "idle-dev-box:24.04",
                    vcpus: 1,
                    gib: 1,
                    timeout_s: 0,
                    name: Some(DEV_BOX),
                };
                self.add(day, begin, Deed::Start(life));
            } else if is_asleep {
                self.add(day, begin, Deed::Wake(DEV_BOX));
            }
            if day == lost {
                self.add(day, 11 * 3_600, Deed::Lose(DEV_BOX));
                self.add(day, 11 * 3_600 + 47 * 60, Deed::Find(DEV_BOX));
            }
            is_asleep = day != forgotten;
            if is_asleep {
                let end = self.second(16, 18);
                self.add(day, end, Deed::Sleep(DEV_BOX));
            }
        }
    }

    /// In the order of time up to a moment, before which everything that is to be seen running has begun.
    fn until(mut self, end: OffsetDateTime) -> Vec<Step> {
        let last = end - LAST;
        self.steps.retain(|step| step.at < last);
        // Stable: what happens in one second keeps its order.
        self.steps.sort_by_key(|step| step.at);
        let is_asleep = self
            .steps
            .iter()
            .rev()
            .find_map(|step| match step.deed {
                Deed::Sleep(_) => Some(true),
                Deed::Wake(_) => Some(false),
                _ => None,
            })
            .unwrap_or(false);
        if is_asleep {
            self.steps.push(Step {
                at: last,
                deed: Deed::Wake(DEV_BOX),
            });
        }
        let agent = Life {
            key: AGENTS,
            image: "ghcr.io/ferrywork/agent:12",
            vcpus: 2,
            gib: 2,
            timeout_s: 0,
            name: Some("agent"),
        };
        self.steps.push(Step {
            at: last + Duration::minutes(20),
            deed: Deed::Start(agent),
        });
        self.steps
    }
}

#[cfg(test)]
mod tests;
