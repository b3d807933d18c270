//! The calls that the simulated run has not placed yet, in the order in which their turns come: by the instant from which
//! each is due, then in the plan's order.
//!
//! Calls of the same hours wait for their opening together, and move on to the next one together: a night costs one step
//! for each of the few different hours, not one for each call.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::planned::PlannedCall;
use super::repeated_numbers::repeated_numbers;
use crate::phone::E164;
use crate::policy::Hours;

/// The place of a call in the order: the instant from which it is due, and its index.
type Turn = (DateTime<Utc>, u32);

/// Where a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// For an instant of its own.
    For(DateTime<Utc>),
    /// With the others of its hours, for the instant of all of them.
    WithOthers,
    /// No more: it is placed, or has no slot.
    Nowhere,
}

/// The calls of the same hours.
struct SameHours {
    hours: Rc<Hours>,
    /// The calls that wait for an instant of their own, earliest first.
    alone: BinaryHeap<Reverse<Turn>>,
    /// The calls that wait together, and for what.
    together: BinaryHeap<Reverse<u32>>,
    opening: DateTime<Utc>,
}

/// The calls to a number that has several.
#[derive(Default)]
struct ToOneNumber {
    /// The last one that is placed.
    last: Option<DateTime<Utc>>,
    /// Those that wait with others of their hours.
    together: BTreeSet<u32>,
}

/// The calls that are not placed yet.
pub(super) struct DueCalls {
    groups: Vec<SameHours>,
    /// The first turn of each group that has one.
    heads: BTreeSet<(Turn, u32)>,
    /// The group of each call, and where it waits.
    places: Vec<(u32, Waits)>,
    /// The calls to each number that has several.
    siblings: HashMap<E164, ToOneNumber>,
}

impl DueCalls {
    /// Those of an organisation's calls that have a slot.
    pub(super) fn new(calls: &[&mut PlannedCall]) -> Self {
        let mut due = Self { groups: Vec::new(), heads: BTreeSet::new(), places: Vec::new(), siblings: HashMap::new() };
        let mut by_address: HashMap<*const Hours, u32> = HashMap::new();
        due.siblings = repeated_numbers(calls.iter().map(|call| call.phone));
        for (index, call) in (0..).zip(calls) {
            let Some(at) = call.slot.at else {
                due.places.push((0, Waits::Nowhere));
                continue;
            };
            let group = *by_address.entry(Rc::as_ptr(&call.hours)).or_insert_with(|| due.group_of(&call.hours));
            due.places.push((group, Waits::For(at)));
            due.groups[group as usize].alone.push(Reverse((at, index)));
        }
        (0..due.groups.len() as u32).for_each(|group| due.set_head(group, None));
        due
    }

    /// The group of equal hours, which are few.
    fn group_of(&mut self, hours: &Rc<Hours>) -> u32 {
        let known = self.groups.iter().position(|group| group.hours == *hours);
        let group = known.unwrap_or_else(|| {
            let (alone, together) = (BinaryHeap::new(), BinaryHeap::new());
            self.groups.push(SameHours { hours: Rc::clone(hours), alone, together, opening: DateTime::UNIX_EPOCH });
            self.groups.len() - 1
        });
        group as u32
    }

    /// When the first call is due.
    pub(super) fn first(&self) -> Option<DateTime<Utc>> {
        self.heads.first().map(|((at, _), _)| *at)
    }

    /// The index of the first call, and its hours.
    pub(super) fn head(&self) -> Option<(usize, Rc<Hours>)> {
        let ((_, index), group) = self.heads.first()?;
        Some((*index as usize, Rc::clone(&self.groups[*group as usize].hours)))
    }

    /// The last call to a number that has several.
    pub(super) fn last_call_to(&self, phone: E164) -> Option<DateTime<Utc>> {
        self.siblings.get(&phone)?.last
    }

    /// Takes out a call that is placed at `at`.
    pub(super) fn take(&mut self, calls: &[&mut PlannedCall], index: usize, at: DateTime<Utc>) {
        self.wait(calls, index, Waits::Nowhere);
        if let Some(siblings) = self.siblings.get_mut(&calls[index].phone) {
            siblings.last = Some(at);
        }
    }

    /// Makes a call wait for an instant of its own.
    pub(super) fn wait_alone(&mut self, calls: &[&mut PlannedCall], index: usize, at: DateTime<Utc>) {
        self.wait(calls, index, Waits::For(at));
    }

    fn wait(&mut self, calls: &[&mut PlannedCall], index: usize, waits: Waits) {
        let group = self.places[index].0;
        let head = self.head_of(group);
        self.put(calls, index, waits);
        self.set_head(group, head);
    }

    /// Takes out all calls. Returns their indices.
    pub(super) fn take_all(&mut self) -> Vec<usize> {
        let left = self.places.iter().enumerate().filter(|(_, (_, waits))| *waits != Waits::Nowhere);
        let left = left.map(|(index, _)| index).collect();
        (self.heads, self.groups, self.siblings) = Default::default();
        left
    }

    /// Makes the first call of a group wait for an opening, and with it all calls that wait together.
    pub(super) fn wait_for_opening(&mut self, calls: &[&mut PlannedCall], index: usize, opening: DateTime<Utc>) {
        let (group, waits) = self.places[index];
        let head = self.head_of(group);
        let same = &mut self.groups[group as usize];
        match waits {
            Waits::WithOthers => same.opening = opening,
            Waits::For(_) if same.together.is_empty() || same.opening == opening => {
                same.opening = opening;
                self.put(calls, index, Waits::WithOthers);
            }
            Waits::For(_) => self.put(calls, index, Waits::For(opening)),
            Waits::Nowhere => {}
        }
        self.set_head(group, head);
    }

    /// After a call to a number: the other calls to it that wait with others for an opening before `until`. Each of them
    /// would wait by itself once its turn came, at the latest when the hours close.
    pub(super) fn to_put_off(&self, phone: E164, until: DateTime<Utc>) -> Vec<usize> {
        let Some(siblings) = self.siblings.get(&phone) else { return Vec::new() };
        let opening = |index: &u32| self.groups[self.places[*index as usize].0 as usize].opening;
        siblings.together.iter().filter(|index| opening(index) < until).map(|index| *index as usize).collect()
    }

    /// Moves a call. What the queues still hold of it is dropped when its turn would come.
    fn put(&mut self, calls: &[&mut PlannedCall], index: usize, waits: Waits) {
        let (group, place) = &mut self.places[index];
        let before = std::mem::replace(place, waits);
        let same = &mut self.groups[*group as usize];
        let phone = &calls[index].phone;
        let index = index as u32;
        match waits {
            Waits::For(at) => same.alone.push(Reverse((at, index))),
            Waits::WithOthers => same.together.push(Reverse(index)),
            Waits::Nowhere => {}
        }
        let Some(siblings) = self.siblings.get_mut(phone) else { return };
        if before == Waits::WithOthers {
            siblings.together.remove(&index);
        }
        if waits == Waits::WithOthers {
            siblings.together.insert(index);
        }
    }

    /// The first turn of a group as the heads have it.
    fn head_of(&self, group: u32) -> Option<Turn> {
        let SameHours { alone, together, opening, .. } = &self.groups[group as usize];
        let alone = alone.peek().map(|Reverse(turn)| *turn);
        let together = together.peek().map(|Reverse(index)| (*opening, *index));
        alone.into_iter().chain(together).min()
    }

    /// Replaces the group's first turn, after what no longer waits there is dropped.
    fn set_head(&mut self, group: u32, before: Option<Turn>) {
        let places = &self.places;
        let SameHours { alone, together, .. } = &mut self.groups[group as usize];
        while alone.peek().is_some_and(|Reverse((at, index))| places[*index as usize].1 != Waits::For(*at)) {
            alone.pop();
        }
        while together.peek().is_some_and(|Reverse(index)| places[*index as usize].1 != Waits::WithOthers) {
            together.pop();
        }
        if let Some(before) = before {
            self.heads.remove(&(before, group));
        }
        if let Some(turn) = self.head_of(group) {
            self.heads.insert((turn, group));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::campaign::DayWindow;
    use crate::entry::Reason;
    use crate::ids::{EntryKey, OrganisationId};
    use crate::plan::{ExpectedSlot, SlotReason};
    use crate::policy::dialing_hours::{WEEK, ZoneHours};
    use crate::zone::Zone;

    /// A call is placed every ten minutes, so that most wait for days.
    const STEP: TimeDelta = TimeDelta::minutes(10);
    const GAP: TimeDelta = TimeDelta::hours(24);

    fn start() -> DateTime<Utc> {
        "2026-11-24T15:00:00Z".parse().expect("an instant")
    }

    fn hours(zone: &str, from: u32, to: u32) -> Rc<Hours> {
        let at = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let window = DayWindow { start: at(from), end: at(to) };
        Rc::new(Hours::all_of(vec![ZoneHours::on(Zone::named(zone).expect("a zone"), &WEEK[..5], window)]))
    }

    fn calls(drawn: &[(u64, usize, u32)]) -> Vec<PlannedCall> {
        let kinds =
            [hours("America/Chicago", 9, 17), hours("America/New_York", 9, 17), hours("America/Denver", 11, 13)];
        let organisation = Rc::new(OrganisationId::new("one"));
        let call = |(n, &(minutes, kind, number)): (usize, &(u64, usize, u32))| PlannedCall {
            key: EntryKey::new(n.to_string()),
            line: n as u64,
            entry: None,
            phone: E164::parse(&format!("+1312{:07}", 2_000_000 + number)).expect("a number"),
            earliest: start(),
            slot: ExpectedSlot { at: Some(start() + TimeDelta::minutes(minutes as i64)), why: SlotReason::Now },
            calls: 0,
            calls_to_number: 0,
            script: None,
            // Calls to one number have the same hours.
            hours: Rc::clone(&kinds[(kind + number as usize) % 3]),
            organisation: Rc::clone(&organisation),
        };
        drawn.iter().enumerate().map(call).collect()
    }

    fn opening(hours: &Hours, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        hours.next_open(at).filter(|opens| *opens > at)
    }

    /// The order and the instants of the calls, if each waits by itself.
    fn one_by_one(calls: &[PlannedCall]) -> Vec<(usize, DateTime<Utc>, Option<SlotReason>)> {
        let mut due: BinaryHeap<_> =
            calls.iter().enumerate().filter_map(|(n, call)| Some(Reverse((call.slot.at?, n)))).collect();
        let (mut now, mut last, mut placed) = (start(), HashMap::new(), Vec::new());
        let mut why = vec![None; calls.len()];
        while let Some(Reverse((at, index))) = due.pop() {
            let at = now.max(at);
            let call = &calls[index];
            let end = last.get(&call.phone).map(|last: &DateTime<Utc>| *last + GAP).filter(|end| *end > at);
            if let Some(end) = end {
                why[index] = Some(SlotReason::Rule(Reason::DailyCap));
                due.push(Reverse((call.hours.next_open(end).unwrap_or(end), index)));
            } else if let Some(opens) = opening(&call.hours, at) {
                why[index] = Some(SlotReason::WindowCloses);
                due.push(Reverse((opens, index)));
            } else {
                last.insert(call.phone, at);
                placed.push((index, at, why[index]));
                now = at + STEP;
            }
        }
        placed
    }

    fn together(mut calls: Vec<PlannedCall>) -> Vec<(usize, DateTime<Utc>, Option<SlotReason>)> {
        let calls: Vec<&mut PlannedCall> = calls.iter_mut().collect();
        let mut due = DueCalls::new(&calls);
        let (mut now, mut placed, mut why) = (start(), Vec::new(), vec![None; calls.len()]);
        while let (Some(at), Some((index, hours))) = (due.first(), due.head()) {
            let (at, phone) = (now.max(at), calls[index].phone);
            let opens_after = |index: usize, end| calls[index].hours.next_open(end).unwrap_or(end);
            if let Some(end) = due.last_call_to(phone).map(|last| last + GAP).filter(|end| *end > at) {
                why[index] = Some(SlotReason::Rule(Reason::DailyCap));
                due.wait_alone(&calls, index, opens_after(index, end));
                continue;
            }
            if let Some(opens) = opening(&hours, at) {
                why[index] = Some(SlotReason::WindowCloses);
                due.wait_for_opening(&calls, index, opens);
                continue;
            }
            due.take(&calls, index, at);
            for other in due.to_put_off(phone, at + GAP) {
                why[other] = Some(SlotReason::Rule(Reason::DailyCap));
                due.wait_alone(&calls, other, opens_after(other, at + GAP));
            }
            placed.push((index, at, why[index]));
            now = at + STEP;
        }
        placed
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn calls_that_wait_together_are_placed_as_if_each_waited_by_itself(
            drawn in prop::collection::vec((0..4_000_u64, 0..3_usize, 0..60_u32), 0..120),
        ) {
            // Only one kind of hours: calls of several kinds may change places within a morning.
            let drawn: Vec<_> = drawn.into_iter().map(|(minutes, _, number)| (minutes, 0, number * 3)).collect();
            prop_assert_eq!(together(calls(&drawn)), one_by_one(&calls(&drawn)));
        }

        #[test]
        fn every_call_is_placed_once_within_its_hours(
            drawn in prop::collection::vec((0..4_000_u64, 0..3_usize, 0..60_u32), 0..120),
        ) {
            let planned = calls(&drawn);
            let mut placed = together(calls(&drawn));
            prop_assert!(placed.iter().all(|(index, at, _)| opening(&planned[*index].hours, *at).is_none()));
            placed.sort_unstable_by_key(|(index, ..)| *index);
            let indices: Vec<usize> = placed.iter().map(|(index, ..)| *index).collect();
            prop_assert_eq!(indices, (0..drawn.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_organisation_without_calls_has_none_due() {
        let due = DueCalls::new(&[]);
        assert_eq!((due.first(), due.head().is_none()), (None, true));
    }
}
