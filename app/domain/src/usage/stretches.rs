//! Which sums answer a question about buckets: whole UTC days where no bucket ends inside one, single hours for the rest.
//! Reading them is `backend`'s.

use crate::moment::{DAY_MS, Moment};

/// The range of a question, cut in two kinds of stretches `[from, until)` that together cover it once. Neighbours of one
/// kind are one stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretches {
    /// From midnight to midnight UTC; each day lies in one bucket as a whole.
    pub days: Vec<(Moment, Moment)>,
    /// What is left at the ends of buckets.
    pub hours: Vec<(Moment, Moment)>,
}

impl Stretches {
    /// Cuts buckets: their first moments, ascending, and after them the first moment behind the last.
    #[must_use]
    pub fn of(bounds: &[Moment]) -> Self {
        let mut cut = Self::default();
        for bucket in bounds.windows(2) {
            let &[from, until] = bucket else { continue };
            let (first, last) = (from.plus_ms(DAY_MS - 1).day(), until.day());
            if first < last {
                push(&mut cut.hours, (from, first));
                push(&mut cut.days, (first, last));
                push(&mut cut.hours, (last, until));
            } else {
                push(&mut cut.hours, (from, until));
            }
        }
        cut
    }
}

/// Adds a stretch, or makes the last one longer.
fn push(stretches: &mut Vec<(Moment, Moment)>, (from, until): (Moment, Moment)) {
    if from >= until {
        return;
    }
    match stretches.last_mut() {
        Some(last) if last.1 == from => last.1 = until,
        _ => stretches.push((from, until)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::moment::HOUR_MS;
    use crate::usage::grid::{Grid, Utc};
    use crate::usage::query::Range;

    fn at(hours: i64) -> Moment {
        Moment::from_unix_ms(hours * HOUR_MS)
    }

    #[test]
    fn days_of_bills_are_one_stretch_and_days_of_another_zone_are_hours() {
        let now = Moment::from_unix_ms(1_780_000_000_000);
        let grid = Grid::of(Range::Month, now, &Utc);
        let mut bounds: Vec<Moment> = grid.buckets.iter().map(|bucket| bucket.start).collect();
        bounds.push(grid.until());
        let whole = vec![(grid.from(), grid.until())];
        assert_eq!(
            Stretches::of(&bounds),
            Stretches {
                days: whole,
                hours: vec![]
            }
        );
        let moved: Vec<Moment> = bounds
            .iter()
            .map(|bound| bound.plus_ms(6 * HOUR_MS))
            .collect();
        let whole = vec![(moved[0], moved[30])];
        assert_eq!(
            Stretches::of(&moved),
            Stretches {
                days: vec![],
                hours: whole
            }
        );
    }

    #[test]
    fn a_week_of_another_zone_is_days_but_for_its_ends() {
        let cut = Stretches::of(&[at(30), at(30 + 168), at(30 + 336)]);
        assert_eq!(cut.days, [(at(48), at(192)), (at(216), at(360))]);
        assert_eq!(
            cut.hours,
            [(at(30), at(48)), (at(192), at(216)), (at(360), at(366))]
        );
    }

    proptest! {
        #[test]
        fn every_hour_is_covered_once_and_no_day_is_cut(steps in prop::collection::vec(0_i64..80, 0..30), start in 0_i64..100) {
            let mut bounds = vec![at(start)];
            let mut hour = start;
            for step in steps {
                hour += step;
                bounds.push(at(hour));
            }
            let cut = Stretches::of(&bounds);
            for (from, until) in &cut.days {
                prop_assert_eq!((from.day(), until.day()), (*from, *until));
                let inside = |bound: &&Moment| from < *bound && *bound < until && bound.day() != **bound;
                prop_assert_eq!(bounds.iter().find(inside), None);
            }
            for at in (0..hour + 100).map(at) {
                let holds = |stretches: &[(Moment, Moment)]| stretches.iter().filter(|(from, until)| *from <= at && at < *until).count();
                let expected = usize::from(bounds[0] <= at && at < bounds[bounds.len() - 1]);
                prop_assert_eq!(holds(&cut.days) + holds(&cut.hours), expected);
            }
        }
    }
}
