//! An oracle of the books in exact fractions of a dollar. It takes what the orchestrator says happened and shares no code
//! with `domain`: its own fold, its own hours, its own burning. Times are Unix milliseconds.

use std::collections::BTreeMap;

use num_rational::BigRational;

pub fn ratio(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

pub const HOUR: i64 = 3_600_000;

/// What happened to a sandbox.
#[derive(Clone, Debug)]
pub struct Happened {
    pub sandbox: String,
    pub kind: String,
    pub occurred: i64,
    pub recorded: i64,
    pub vcpus: i64,
    pub mem_mib: i64,
}

/// A grant: dollars with order and bounds.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: String,
    pub priority: i32,
    pub starts: i64,
    pub ends: Option<i64>,
    pub left: BigRational,
}

impl Grant {
    fn pays(&self, hour: i64) -> bool {
        self.starts <= hour && self.ends.is_none_or(|end| hour < end)
    }
}

/// Dollars an hour of one vCPU and of one GiB, from an hour on.
#[derive(Clone, Debug)]
pub struct Price {
    pub from: i64,
    pub vcpu: BigRational,
    pub gib: BigRational,
}

/// Whom an hour was charged to, in the order in which it was, and how much of it is left charged.
pub type Charges = Vec<(String, BigRational)>;

/// Seconds and dollars.
pub type Usage = (i64, BigRational);

#[derive(Clone, Debug)]
pub struct Oracle {
    pub grants: Vec<Grant>,
    pub prices: Vec<Price>,
    /// Dollars that may be spent in a UTC month.
    pub limit: Option<BigRational>,
    charged: BTreeMap<i64, Charges>,
    /// What the last settling gave back to each grant.
    returned: BTreeMap<String, BigRational>,
    pub usage: BTreeMap<(String, i64), Usage>,
}

pub const OVERRUN: &str = "overrun";

impl Oracle {
    /// With the price of the Terms: $0.026 and $0.015.
    pub fn new() -> Self {
        let first = Price {
            from: i64::MIN,
            vcpu: ratio(26, 1_000),
            gib: ratio(15, 1_000),
        };
        Self {
            grants: Vec::new(),
            prices: vec![first],
            limit: None,
            charged: BTreeMap::new(),
            returned: BTreeMap::new(),
            usage: BTreeMap::new(),
        }
    }

    /// Settles everything that happened; what still runs is charged up to the whole hour before `watermark`.
    pub fn settle(&mut self, happened: &[Happened], watermark: i64) {
        let horizon = watermark.div_euclid(HOUR) * HOUR;
        self.burn(happened, horizon);
        for grant in &mut self.grants {
            if grant.ends.is_some_and(|end| end <= horizon) {
                grant.left = ratio(0, 1);
            }
        }
    }

    /// Charges everything that ran up to `horizon`.
    pub fn burn(&mut self, happened: &[Happened], horizon: i64) {
        self.usage.clear();
        let lives = lives(happened);
        for life in &lives {
            self.rate(life, horizon);
        }
        let mut hours: BTreeMap<i64, BigRational> = BTreeMap::new();
        for ((_, hour), (_, dollars)) in &self.usage {
            *hours.entry(*hour).or_insert_with(|| ratio(0, 1)) += dollars;
        }
        for hour in self.charged.keys() {
            hours.entry(*hour).or_insert_with(|| ratio(0, 1));
        }
        self.returned.clear();
        for (hour, due) in hours {
            self.charge(hour, &due);
        }
        self.recover();
    }

    /// What came back pays what nobody paid, from the oldest hour on, as it would have, had it been told in time.
    fn recover(&mut self) {
        let zero = ratio(0, 1);
        let mut order: Vec<usize> = (0..self.grants.len()).collect();
        order.sort_by_key(|at| {
            let grant = &self.grants[*at];
            (grant.priority, grant.ends.unwrap_or(i64::MAX))
        });
        for (hour, charges) in &mut self.charged {
            for at in &order {
                let grant = &mut self.grants[*at];
                let back = self.returned.get(&grant.id).cloned();
                let back = back.unwrap_or_else(|| zero.clone()).min(grant.left.clone());
                let unpaid = charges.iter_mut().find(|(of, _)| of == OVERRUN);
                let Some((_, unpaid)) = unpaid.filter(|_| grant.pays(*hour)) else {
                    continue;
                };
                let part = back.clone().min(unpaid.clone());
                if part > zero {
                    *unpaid -= &part;
                    grant.left -= &part;
                    self.returned.insert(grant.id.clone(), back - &part);
                    pay(charges, &grant.id, part);
                }
            }
        }
    }

    /// Rates each second in which one sandbox ran, an hour at a time.
    fn rate(&mut self, life: &[&Happened], horizon: i64) {
        let Some(made) = life.iter().find(|h| h.kind == "created") else {
            return;
        };
        let (mut runs, since) = runs(life);
        if let Some(since) = since.filter(|since| *since < horizon) {
            runs.push((since, horizon));
        }
        for (start, end) in runs {
            let (first, last) = (start.div_euclid(1_000), end.div_euclid(1_000));
            let mut at = first;
            while at < last {
                let hour = at.div_euclid(3_600) * 3_600;
                let next = last.min(hour + 3_600);
                self.add(made, hour * 1_000, next - at);
                at = next;
            }
        }
    }

    /// The events that made what runs after all that happened.
    pub fn running<'a>(&self, happened: &'a [Happened]) -> Vec<&'a Happened> {
        let runs_on = |life: &Vec<&'a Happened>| runs(life).1.is_some();
        let made = |life: Vec<&'a Happened>| life.into_iter().find(|h| h.kind == "created");
        let lives = lives(happened).into_iter();
        lives.filter(runs_on).filter_map(made).collect()
    }

    /// What an hour of it costs.
    pub fn an_hour(&self, made: &Happened, hour: i64) -> BigRational {
        let price = self.prices.iter().rev().find(|price| price.from <= hour);
        let price = price.unwrap();
        &price.vcpu * ratio(made.vcpus, 1) + &price.gib * ratio(made.mem_mib, 1_024)
    }

    fn add(&mut self, made: &Happened, hour: i64, seconds: i64) {
        let an_hour = self.an_hour(made, hour);
        let usage = self
            .usage
            .entry((made.sandbox.clone(), hour))
            .or_insert_with(|| (0, ratio(0, 1)));
        usage.0 += seconds;
        usage.1 += an_hour * ratio(seconds, 3_600);
    }

    /// Charges or gives back the difference between what an hour costs and what it was charged.
    fn charge(&mut self, hour: i64, due: &BigRational) {
        let charges = self.charged.entry(hour).or_default();
        let zero = ratio(0, 1);
        let before: BigRational = charges.iter().map(|(_, part)| part.clone()).sum();
        let mut rest = due - before;
        if rest < zero {
            // Back to whom it was charged last, first.
            for (payer, part) in charges.iter_mut().rev() {
                let back = (-rest.clone()).min(part.clone());
                if back <= zero {
                    continue;
                }
                *part -= &back;
                rest += &back;
                if let Some(grant) = self.grants.iter_mut().find(|grant| grant.id == *payer) {
                    grant.left += &back;
                    *self
                        .returned
                        .entry(payer.clone())
                        .or_insert_with(|| ratio(0, 1)) += &back;
                }
            }
            return;
        }
        for (payer, part) in self.take(hour, rest) {
            pay(self.charged.entry(hour).or_default(), &payer, part);
        }
    }

    /// Takes what service in an hour costs off the grants, in their order; the rest is nobody's.
    pub fn take(&mut self, hour: i64, cost: BigRational) -> Charges {
        let (mut rest, mut taken) = (cost, Charges::new());
        let mut order: Vec<&mut Grant> = self.grants.iter_mut().filter(|g| g.pays(hour)).collect();
        // Stable: grants stand in the order in which they were given.
        order.sort_by_key(|grant| (grant.priority, grant.ends.unwrap_or(i64::MAX)));
        for grant in order {
            let part = grant.left.clone().min(rest.clone());
            if part > ratio(0, 1) {
                grant.left -= &part;
                rest -= &part;
                taken.push((grant.id.clone(), part));
            }
        }
        if rest > ratio(0, 1) {
            taken.push((OVERRUN.to_owned(), rest));
        }
        taken
    }

    /// What may pay for service in an hour.
    pub fn usable(&self, hour: i64) -> BigRational {
        let usable = self.grants.iter().filter(|grant| grant.pays(hour));
        usable.map(|grant| grant.left.clone()).sum()
    }

    /// True when a grant begins or ends later.
    pub fn changes_after(&self, at: i64) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| grant.starts > at || grant.ends.is_some_and(|end| end > at))
    }

    /// What nobody paid.
    pub fn overrun(&self) -> BigRational {
        self.charged
            .values()
            .flatten()
            .filter(|(payer, _)| payer == OVERRUN)
            .map(|(_, part)| part.clone())
            .sum()
    }
}

/// A payer keeps the place of its first charge of the hour.
fn pay(charges: &mut Charges, payer: &str, part: BigRational) {
    match charges.iter_mut().find(|(of, _)| of == payer) {
        Some((_, sum)) => *sum += part,
        None => charges.push((payer.to_owned(), part)),
    }
}

fn lives(happened: &[Happened]) -> Vec<Vec<&Happened>> {
    let mut lives: BTreeMap<&str, Vec<&Happened>> = BTreeMap::new();
    for event in happened {
        lives.entry(&event.sandbox).or_default().push(event);
    }
    lives.into_values().collect()
}

/// Walks the life of one sandbox: when it ran, and since when it runs.
fn runs(life: &[&Happened]) -> (Vec<(i64, i64)>, Option<i64>) {
    let (mut state, mut since, mut clock) = ("none", 0, i64::MIN);
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for event in life {
        clock = clock.max(event.occurred.min(event.recorded));
        let next = match (state, event.kind.as_str()) {
            ("none", "created") | ("asleep", "resumed") => "running",
            ("running", "hibernated") => "asleep",
            ("running" | "asleep", "destroyed") => "gone",
            _ => continue,
        };
        if state == "running" {
            runs.push((since, clock));
        }
        (state, since) = (next, clock);
    }
    (runs, (state == "running").then_some(since))
}
