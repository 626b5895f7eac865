//! How amounts are shown to people, and how rows are rounded so that they add up to the total below them
//! (docs/decisions/0022-figures-in-tables.md). What is stored, booked and sent to programs is exact and never comes from here.

use crate::money::{TICKS_PER_DOLLAR, Ticks};

/// Decimals of whole cents: amounts from a dollar on, and headlines.
pub const CENTS: u32 = 2;
/// Decimals of receipts and statements: one second of the smallest sandbox still shows.
pub const RECEIPT: u32 = 6;
/// Digits that count in an amount below a dollar.
const SIGNIFICANT: u32 = 4;
/// The finest in which rows are rounded: a unit of it is a whole number of ticks.
const PLACES_MAX: u32 = 11;
/// Decimals of a whole amount in a title, as in files.
const WHOLE: u32 = 12;

/// Decimals of an amount that stands for itself: two from a dollar on, below as many as show four digits that count.
#[must_use]
pub fn places(ticks: Ticks) -> u32 {
    let magnitude = ticks.get().unsigned_abs();
    let dollar = TICKS_PER_DOLLAR.unsigned_abs();
    if magnitude == 0 || magnitude >= dollar {
        return CENTS;
    }
    let mut places = SIGNIFICANT;
    let mut tenth = dollar / 10;
    while magnitude < tenth && places < PLACES_MAX {
        places += 1;
        tenth /= 10;
    }
    places
}

/// An amount that stands for itself: `$12.30`, `$0.0847`, `$0.00005694`. Zeros at the end count for nothing beyond the cents.
#[must_use]
pub fn amount(ticks: Ticks) -> String {
    trimmed(ticks.dollars(places(ticks)))
}

/// All of an amount, as a title holds it: up to twelve decimals.
#[must_use]
pub fn whole(ticks: Ticks) -> String {
    trimmed(ticks.dollars(WHOLE))
}

/// The same without the zeros at its end; two decimals stay.
fn trimmed(mut text: String) -> String {
    let least = text.find('.').map_or(text.len(), |point| point + 3);
    while text.len() > least && text.ends_with('0') {
        text.pop();
    }
    text
}

/// What lies between two amounts as they are shown, so that a list of amounts and balances adds up line by line however many
/// lines there are: each difference is within one unit of what it is, and no rounding is carried on.
#[must_use]
pub fn difference(after: Ticks, before: Ticks, places: u32) -> String {
    let unit = unit(places);
    let shown = units(after, unit) - units(before, unit);
    Ticks::new(shown.saturating_mul(unit))
        .unwrap_or_default()
        .dollars(places)
}

/// To the nearest unit, a half to the even one, as amounts are written.
fn units(ticks: Ticks, unit: i128) -> i128 {
    let (whole, rest) = (ticks.get().div_euclid(unit), ticks.get().rem_euclid(unit));
    let is_up = rest * 2 > unit || (rest * 2 == unit && whole % 2 != 0);
    whole + i128::from(is_up)
}

/// Ticks in the last of so many decimals, at most eleven.
#[must_use]
pub const fn unit(places: u32) -> i128 {
    let places = if places > PLACES_MAX {
        PLACES_MAX
    } else {
        places
    };
    TICKS_PER_DOLLAR / 10_i128.pow(places)
}

/// Rows rounded together, in whole units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// By row, then by column.
    pub cells: Vec<Vec<i128>>,
    /// What the cells of each row add up to.
    pub rows: Vec<i128>,
    /// What the cells of each column add up to.
    pub columns: Vec<i128>,
    /// What all of them add up to: the exact total, rounded to the nearest unit.
    pub total: i128,
}

/// Rounds amounts that are none below zero to whole units so that every row and every column adds up to the sum shown beside
/// it and all to the total, which is the nearest to the exact one. Each cell and each sum is one of the two whole units next
/// to what it is; what is whole stays as it is, so nothing never becomes something. Rows may be of unequal length.
///
/// It is the controlled rounding of Cox (1987): fractions are pushed around circles of cells, which change no sum, until each
/// cell is whole. A row and a column of slack make the sums whole to begin with.
#[must_use]
pub fn add_up(exact: &[Vec<i128>], unit: i128) -> Rounded {
    let width = exact.iter().map(Vec::len).max().unwrap_or(0);
    let unit = unit.max(1);
    let mut board = Board::of(exact, width, unit);
    let total: i128 = exact.iter().flatten().sum();
    board.settle_the_total(total.div_euclid(unit) % 2 != 0);
    board.settle_the_rest();
    let cells: Vec<Vec<i128>> = exact
        .iter()
        .enumerate()
        .map(|(row, cells)| {
            (0..cells.len())
                .map(|column| board.whole(row, column))
                .collect()
        })
        .collect();
    let rows: Vec<i128> = cells.iter().map(|row| row.iter().sum()).collect();
    let columns = (0..width).map(|column| cells.iter().filter_map(|row| row.get(column)).sum());
    Rounded {
        columns: columns.collect(),
        total: rows.iter().sum(),
        rows,
        cells,
    }
}

/// What is left of each cell below its whole units, with the slack that makes every row and column whole.
struct Board {
    /// The whole units below each cell.
    below: Vec<Vec<i128>>,
    /// What lies above them; settled when it is nothing or a whole unit.
    rest: Vec<Vec<i128>>,
    unit: i128,
}

impl Board {
    fn of(exact: &[Vec<i128>], width: usize, unit: i128) -> Self {
        let mut all: Vec<Vec<i128>> = exact
            .iter()
            .map(|row| {
                (0..width)
                    .map(|column| row.get(column).copied().unwrap_or(0))
                    .collect()
            })
            .collect();
        for row in &mut all {
            let slack = (-row.iter().sum::<i128>()).rem_euclid(unit);
            row.push(slack);
        }
        let slack = (0..=width).map(|column| {
            let sum: i128 = all.iter().filter_map(|row| row.get(column)).sum();
            (-sum).rem_euclid(unit)
        });
        let slack = slack.collect();
        all.push(slack);
        let split = |part: fn(i128, i128) -> i128| -> Vec<Vec<i128>> {
            let rows = all.iter();
            rows.map(|row| row.iter().map(|cell| part(*cell, unit)).collect())
                .collect()
        };
        Self {
            below: split(i128::div_euclid),
            rest: split(i128::rem_euclid),
            unit,
        }
    }

    fn rest(&self, row: usize, column: usize) -> i128 {
        let row = self.rest.get(row);
        row.and_then(|row| row.get(column)).copied().unwrap_or(0)
    }

    fn is_settled(&self, row: usize, column: usize) -> bool {
        self.rest(row, column) % self.unit == 0
    }

    fn whole(&self, row: usize, column: usize) -> i128 {
        let below = self.below.get(row).and_then(|row| row.get(column));
        below.copied().unwrap_or(0) + self.rest(row, column) / self.unit
    }

    /// The corner holds what the exact total has above its whole units. A half goes to the even one, as everywhere.
    fn settle_the_total(&mut self, is_odd: bool) {
        let corner = (
            self.rest.len().saturating_sub(1),
            self.rest
                .first()
                .map_or(0, |row| row.len().saturating_sub(1)),
        );
        let twice = self.rest(corner.0, corner.1) * 2;
        self.settle(corner, twice > self.unit || (twice == self.unit && is_odd));
    }

    /// Those nearest to a whole unit first, so that few go the longer way.
    fn settle_the_rest(&mut self) {
        let mut open: Vec<(i128, (usize, usize))> = Vec::new();
        for (row, cells) in self.rest.iter().enumerate() {
            for (column, rest) in cells.iter().enumerate() {
                if rest % self.unit != 0 {
                    open.push(((*rest).min(self.unit - rest), (row, column)));
                }
            }
        }
        open.sort_unstable();
        for (_, cell) in open {
            let is_up = self.rest(cell.0, cell.1) * 2 >= self.unit;
            self.settle(cell, is_up);
        }
    }

    /// Pushes a cell up or down until it is whole. Each push settles a cell at least, so there are no more than cells.
    fn settle(&mut self, cell: (usize, usize), is_up: bool) {
        while !self.is_settled(cell.0, cell.1) {
            let Some(circle) = self.circle(cell) else {
                return;
            };
            self.push(&circle, is_up);
        }
    }

    /// Moves as much around a circle as its cells can take, each the other way than the one before.
    fn push(&mut self, circle: &[(usize, usize)], is_up: bool) {
        let ways = || circle.iter().zip([is_up, !is_up].into_iter().cycle());
        let room = ways().map(|((row, column), up)| {
            let rest = self.rest(*row, *column);
            if up { self.unit - rest } else { rest }
        });
        let most = room.min().unwrap_or(0);
        for ((row, column), up) in ways() {
            if let Some(rest) = self.rest.get_mut(*row).and_then(|row| row.get_mut(*column)) {
                *rest += if up { most } else { -most };
            }
        }
    }

    /// The shortest circle of unsettled cells through one of them, turning at each between row and column. There is one: a
    /// row or column whose sum is whole never has a single cell that is not.
    fn circle(&self, from: (usize, usize)) -> Option<Vec<(usize, usize)>> {
        let (height, width) = (self.rest.len(), self.rest.first().map_or(0, Vec::len));
        // Rows and columns as places, cells as the ways between them: from the cell's column back to its row.
        let mut came: Vec<Option<usize>> = vec![None; height + width];
        let (start, goal) = (height + from.1, from.0);
        let mut turn = std::collections::VecDeque::from([start]);
        while let Some(place) = turn.pop_front() {
            if place == goal {
                return Some(Self::walked(&came, from, height));
            }
            let next = if place < height {
                height..height + width
            } else {
                0..height
            };
            for next in next {
                let (row, column) = (place.min(next), place.max(next) - height);
                let is_new = next != start && came.get(next).is_some_and(Option::is_none);
                if is_new && (row, column) != from && !self.is_settled(row, column) {
                    if let Some(came) = came.get_mut(next) {
                        *came = Some(place);
                    }
                    turn.push_back(next);
                }
            }
        }
        None
    }

    /// The cells on the way back, the one asked for first.
    fn walked(came: &[Option<usize>], from: (usize, usize), height: usize) -> Vec<(usize, usize)> {
        let mut cells = vec![from];
        let mut place = from.0;
        while let Some(before) = came.get(place).copied().flatten() {
            cells.push((place.min(before), place.max(before) - height));
            place = before;
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Cents;

    fn micro(n: i128) -> Ticks {
        Ticks::new(n * TICKS_PER_DOLLAR / 1_000_000).unwrap()
    }

    #[test]
    fn an_amount_shows_what_counts() {
        for (millionths, text) in [
            (0, "$0.00"),
            (57, "$0.000057"),
            (1_140, "$0.00114"),
            (84_700, "$0.0847"),
            (84_346, "$0.08435"),
            (545_000, "$0.545"),
            (500_000, "$0.50"),
            (999_999, "$1.00"),
            (1_000_000, "$1.00"),
            (11_816_177, "$11.82"),
            (-150_500, "-$0.1505"),
        ] {
            assert_eq!(amount(micro(millionths)), text);
        }
        // Five seconds of the smallest sandbox.
        let five = Ticks::new(41_000 * 1_024 * 5_000).unwrap();
        assert_eq!(amount(five), "$0.00005694");
        assert_eq!(whole(five), "$0.000056944444");
        assert_eq!(whole(Ticks::from_cents(Cents(5_000))), "$50.00");
    }

    #[test]
    fn three_thirds_are_one() {
        let rounded = add_up(&[vec![1], vec![1], vec![1]], 3);
        assert_eq!(rounded.total, 1);
        assert_eq!(rounded.cells.iter().flatten().sum::<i128>(), 1);
        assert_eq!(add_up(&[], 3).total, 0);
        assert_eq!(add_up(&[vec![], vec![]], 3).rows, [0, 0]);
    }

    /// Up to a week of hours by eight series, some of them nothing, some whole.
    fn tables() -> impl Strategy<Value = (Vec<Vec<i128>>, i128)> {
        (1_usize..12, 0_usize..9, 1_i128..1_000_000).prop_flat_map(|(height, width, unit)| {
            let cell = prop_oneof![
                1 => Just(0),
                1 => (0_i128..9).prop_map(move |n| n * unit),
                4 => 0..unit * 5,
            ];
            let row = prop::collection::vec(cell, width);
            (prop::collection::vec(row, height), Just(unit))
        })
    }

    proptest! {
        #[test]
        fn what_is_shown_adds_up((exact, unit) in tables()) {
            let shown = add_up(&exact, unit);
            let near = |shown: i128, exact: i128| shown == exact / unit || (exact % unit != 0 && shown == exact / unit + 1);
            for (row, cells) in exact.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    prop_assert!(near(shown.cells[row][column], *cell), "a cell is next to what it is");
                }
                prop_assert_eq!(shown.cells[row].iter().sum::<i128>(), shown.rows[row]);
                prop_assert!(near(shown.rows[row], cells.iter().sum()), "a row is next to what it is");
            }
            for (column, sum) in shown.columns.iter().enumerate() {
                prop_assert_eq!(*sum, shown.cells.iter().map(|row| row[column]).sum::<i128>());
                prop_assert!(near(*sum, exact.iter().map(|row| row[column]).sum()), "a column is next to what it is");
            }
            prop_assert_eq!(shown.total, shown.rows.iter().sum::<i128>());
            prop_assert_eq!(shown.total, shown.columns.iter().sum::<i128>());
            let total: i128 = exact.iter().flatten().sum();
            prop_assert!((shown.total * unit - total).abs() * 2 <= unit, "the total is the nearest");
        }

        #[test]
        fn a_statement_adds_up_as_it_is_shown(balance in 0_i128..TICKS_PER_DOLLAR * 50, amounts in prop::collection::vec(-TICKS_PER_DOLLAR..TICKS_PER_DOLLAR, 1..40)) {
            let micros = |text: &str| text.replace(['$', ',', '.'], "").parse::<i128>().unwrap();
            let mut before = Ticks::new(balance).unwrap();
            for amount in amounts {
                let after = before.saturating_add(Ticks::new(amount).unwrap());
                let shown = micros(&difference(after, before, RECEIPT));
                prop_assert_eq!(micros(&before.dollars(RECEIPT)) + shown, micros(&after.dollars(RECEIPT)));
                prop_assert!((shown * unit(RECEIPT) - amount).abs() <= unit(RECEIPT));
                before = after;
            }
        }

        #[test]
        fn four_digits_count_and_the_whole_is_near(ticks in 1_i128..TICKS_PER_DOLLAR * 1_000) {
            let ticks = Ticks::new(ticks).unwrap();
            let text = ticks.dollars(places(ticks));
            let digits = text.trim_start_matches(['$', '0', '.']).replace(['.', ','], "");
            prop_assert!(ticks.get() < TICKS_PER_DOLLAR / 100_000_000 || digits.len() >= 3, "{}", text);
        }
    }
}
