//! The order of the vendor's list, as its rows show it.
//!
//! It is not documented (`annie-api.md`, GET /conversations), rows may come some seconds out of order, and a single old
//! row may stand where it does not belong. What is believed is what the rows that were read have in common.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::Conversation;

/// Rows may be out of order by so much.
const ORDER_SLACK: TimeDelta = TimeDelta::seconds(60);

/// So many rows make an edge: one old row does not.
const EDGE: usize = 10;

/// One row in so many may stand where it does not belong, and one more.
const ROWS_A_STRAY: usize = 50;

/// How the vendor orders its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest conversation is at offset 0.
    NewestFirst,
    /// The newest conversation is at the end.
    OldestFirst,
    /// Neither: nothing less than the whole list will do.
    None,
}

impl Order {
    /// Which way most of these rows go; `None` if they do not tell.
    #[must_use]
    pub fn of(rows: &[Conversation]) -> Option<Self> {
        let starts: Vec<_> = rows.iter().filter_map(|row| row.started).collect();
        let (first, second) = starts.split_at(starts.len() / 2);
        let (first, second) = (median(first)?, median(second)?);
        match first.cmp(&second) {
            std::cmp::Ordering::Greater => Some(Self::NewestFirst),
            std::cmp::Ordering::Less => Some(Self::OldestFirst),
            std::cmp::Ordering::Equal => None,
        }
    }
}

fn median(starts: &[DateTime<Utc>]) -> Option<DateTime<Utc>> {
    let mut starts = starts.to_vec();
    starts.sort_unstable();
    starts.get(starts.len() / 2).copied()
}

/// Rows followed towards the older end of the list: whether they keep falling, and the last of them.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    rows: usize,
    strays: usize,
    /// The oldest start so far, and the oldest before the last row.
    oldest: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    edge: VecDeque<DateTime<Utc>>,
}

impl Trend {
    /// Follows further rows. `false`: they do not fall, so that no edge can be relied on.
    pub fn follow(&mut self, starts: impl Iterator<Item = DateTime<Utc>>) -> bool {
        starts.into_iter().all(|start| self.step(start))
    }

    fn step(&mut self, start: DateTime<Utc>) -> bool {
        self.rows += 1;
        if self.oldest.is_some_and(|oldest| start > oldest + ORDER_SLACK) && !self.leaves_out_the_last(start) {
            return false;
        }
        self.before = self.oldest;
        self.oldest = self.oldest.into_iter().chain([start]).min();
        self.edge.push_back(start);
        if self.edge.len() > EDGE {
            self.edge.pop_front();
        }
        true
    }

    /// The row before may be the one that is out of place, if this one follows on those before it.
    fn leaves_out_the_last(&mut self, start: DateTime<Utc>) -> bool {
        self.strays += 1;
        let is_rare = self.strays <= 1 + self.rows / ROWS_A_STRAY;
        let follows = self.before.is_none_or(|before| start <= before + ORDER_SLACK);
        self.edge.pop_back();
        self.oldest = self.before;
        is_rare && follows
    }

    /// Whether all rows at the edge began before `instant`.
    #[must_use]
    pub fn edge_is_before(&self, instant: DateTime<Utc>) -> bool {
        self.edge.len() == EDGE && self.edge.iter().all(|start| *start < instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
    }

    fn falling(count: i64) -> Vec<DateTime<Utc>> {
        (0..count).map(|n| at(-100 * n)).collect()
    }

    fn holds(starts: &[DateTime<Utc>]) -> Option<Trend> {
        let mut trend = Trend::default();
        trend.follow(starts.iter().copied()).then_some(trend)
    }

    #[test]
    fn rows_some_seconds_out_of_order_still_fall() {
        let mut starts = falling(100);
        for pair in starts.chunks_mut(2) {
            pair[1] = pair[0] + TimeDelta::seconds(20);
        }
        assert!(holds(&starts).is_some());
        starts[50] = starts[49] + TimeDelta::seconds(90);
        assert!(holds(&starts).is_none(), "a row that is newer than those before it");
    }

    #[test]
    fn one_old_row_is_no_edge_and_hides_none() {
        for place in [0, 1, 40, 99] {
            let mut starts = falling(100);
            starts[place] = at(-1_000_000);
            let trend = holds(&starts).expect("the others fall");
            assert!(!trend.edge_is_before(at(-50_000)), "{place}");
            assert!(trend.edge_is_before(at(-8_900)), "{place}");
        }
    }

    #[test]
    fn a_recent_row_among_old_ones_is_no_order() {
        let mut starts = falling(100);
        starts[90] = at(0);
        assert!(holds(&starts).is_none());
    }

    #[test]
    fn many_rows_out_of_place_are_no_order() {
        let mut starts = falling(100);
        for place in [10, 20, 30, 40, 50] {
            starts[place] = at(-1_000_000);
        }
        assert!(holds(&starts).is_none());
    }

    #[test]
    fn too_few_rows_are_no_edge() {
        assert!(!holds(&falling(EDGE as i64 - 1)).expect("they fall").edge_is_before(at(1)));
        assert!(holds(&falling(EDGE as i64)).expect("they fall").edge_is_before(at(1)));
    }
}
