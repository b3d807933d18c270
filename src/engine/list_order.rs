//! The order of the vendor's list, as its rows show it.
//!
//! The order is not documented (`annie-api.md`, GET /conversations), rows may be some seconds out of order, and single
//! old rows may be misplaced. So the order is inferred from many rows together.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::vendor::Conversation;

/// How far rows may be out of order.
const ORDER_SLACK: TimeDelta = TimeDelta::seconds(60);

/// Rows that make an edge: one old row does not.
const EDGE_ROWS: usize = 10;

/// One row in this many may be misplaced, plus one.
const ROWS_PER_STRAY: usize = 50;

/// The order of the vendor's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// The newest conversation is at offset 0.
    NewestFirst,
    /// The newest conversation is at the end.
    OldestFirst,
    /// No order: only the whole list is complete.
    None,
}

impl ListOrder {
    /// The order of most of these rows; `None` if they do not show one.
    #[must_use]
    pub fn detect(rows: &[Conversation]) -> Option<Self> {
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

/// Rows read towards the older end of the list: whether their starts keep falling, and the last of them.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    rows: usize,
    strays: usize,
    /// The oldest start so far, and the oldest without the last row.
    oldest: Option<DateTime<Utc>>,
    oldest_before_last: Option<DateTime<Utc>>,
    edge: VecDeque<DateTime<Utc>>,
}

impl Trend {
    /// Adds further rows. `false`: their starts do not fall, so no edge can be relied on.
    pub fn extend(&mut self, starts: impl Iterator<Item = DateTime<Utc>>) -> bool {
        starts.into_iter().all(|start| self.push(start))
    }

    fn push(&mut self, start: DateTime<Utc>) -> bool {
        self.rows += 1;
        if self.oldest.is_some_and(|oldest| start > oldest + ORDER_SLACK) && !self.drop_last_as_stray(start) {
            return false;
        }
        self.oldest_before_last = self.oldest;
        self.oldest = self.oldest.into_iter().chain([start]).min();
        self.edge.push_back(start);
        if self.edge.len() > EDGE_ROWS {
            self.edge.pop_front();
        }
        true
    }

    /// Treats the last row as the misplaced one, if this row fits those before it.
    fn drop_last_as_stray(&mut self, start: DateTime<Utc>) -> bool {
        self.strays += 1;
        let is_rare = self.strays <= 1 + self.rows / ROWS_PER_STRAY;
        let follows = self.oldest_before_last.is_none_or(|before| start <= before + ORDER_SLACK);
        self.edge.pop_back();
        self.oldest = self.oldest_before_last;
        is_rare && follows
    }

    /// Whether all rows at the edge started before `instant`.
    #[must_use]
    pub fn edge_is_before(&self, instant: DateTime<Utc>) -> bool {
        self.edge.len() == EDGE_ROWS && self.edge.iter().all(|start| *start < instant)
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

    fn trend_of(starts: &[DateTime<Utc>]) -> Option<Trend> {
        let mut trend = Trend::default();
        trend.extend(starts.iter().copied()).then_some(trend)
    }

    #[test]
    fn rows_some_seconds_out_of_order_still_fall() {
        let mut starts = falling(100);
        for pair in starts.chunks_mut(2) {
            pair[1] = pair[0] + TimeDelta::seconds(20);
        }
        assert!(trend_of(&starts).is_some());
        starts[50] = starts[49] + TimeDelta::seconds(90);
        assert!(trend_of(&starts).is_none(), "a row that is newer than those before it");
    }

    #[test]
    fn one_old_row_is_no_edge_and_hides_none() {
        for index in [0, 1, 40, 99] {
            let mut starts = falling(100);
            starts[index] = at(-1_000_000);
            let trend = trend_of(&starts).expect("the others fall");
            assert!(!trend.edge_is_before(at(-50_000)), "{index}");
            assert!(trend.edge_is_before(at(-8_900)), "{index}");
        }
    }

    #[test]
    fn a_recent_row_among_old_ones_is_no_order() {
        let mut starts = falling(100);
        starts[90] = at(0);
        assert!(trend_of(&starts).is_none());
    }

    #[test]
    fn many_rows_out_of_place_are_no_order() {
        let mut starts = falling(100);
        for index in [10, 20, 30, 40, 50] {
            starts[index] = at(-1_000_000);
        }
        assert!(trend_of(&starts).is_none());
    }

    #[test]
    fn too_few_rows_are_no_edge() {
        assert!(!trend_of(&falling(EDGE_ROWS as i64 - 1)).expect("they fall").edge_is_before(at(1)));
        assert!(trend_of(&falling(EDGE_ROWS as i64)).expect("they fall").edge_is_before(at(1)));
    }
}
