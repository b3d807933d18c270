//! Lets a simulated clock jump ahead, but only when every organisation is idle: while any of them has something in
//! flight, time passes normally. If all of them only wait for a later hour, the segment of
//! a run that gives the ledger back meanwhile ends here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use crate::clock::{Clock, MAX_SLEEP};

/// No segment ends for a shorter wait: what the next one reads anew before its first call is not worth it.
const SHORTEST_IDLE: TimeDelta = TimeDelta::minutes(2);

/// The dispatchers of a run, and which of them are idle.
#[derive(Debug)]
pub(super) struct IdleBarrier {
    state: Mutex<BarrierState>,
    /// The clock has jumped or a dispatcher has left: idle dispatchers check again.
    changed: Notify,
}

#[derive(Debug)]
struct BarrierState {
    unfinished: usize,
    /// By dispatcher: when it has something to do again, and whether it waits for nothing but that hour.
    idle_until: BTreeMap<usize, (DateTime<Utc>, bool)>,
    ends_when_idle: bool,
    /// All dispatchers end; the next segment begins at this instant.
    segment_idle_until: Option<DateTime<Utc>>,
}

impl IdleBarrier {
    /// A barrier for this many dispatchers. `ends_when_idle`: the segment ends if all of them only wait for a
    /// later hour.
    pub(super) fn new(organisations: usize, ends_when_idle: bool) -> Self {
        let state = BarrierState {
            unfinished: organisations,
            idle_until: BTreeMap::new(),
            ends_when_idle,
            segment_idle_until: None,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// When the next segment begins, if this one has ended: then nothing more is done in it.
    pub(super) fn segment_idle_until(&self) -> Option<DateTime<Utc>> {
        self.state().segment_idle_until
    }

    fn state(&self) -> MutexGuard<'_, BarrierState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `until`, or until there is reason to check again. The last dispatcher to become idle moves the
    /// clock, or ends the segment. `for_hours`: the dispatcher waits for nothing but the hour of its next call.
    pub(super) async fn wait(&self, dispatcher: usize, until: DateTime<Utc>, for_hours: bool, clock: &dyn Clock) {
        let changed = self.changed.notified();
        let _guard = self.mark_idle(dispatcher, until, for_hours);
        if self.end_segment_if_idle(clock.now()) {
            self.changed.notify_waiters();
            return;
        }
        if let Some(next) = self.next_wake_if_all_idle() {
            clock.idle_until(next).await;
            self.changed.notify_waiters();
            return;
        }
        tokio::select! {
            () = changed => {}
            () = clock.sleep((until - clock.now()).clamp(TimeDelta::milliseconds(1), MAX_SLEEP)) => {}
        }
    }

    /// Removes a dispatcher that has finished.
    pub(super) fn leave(&self) {
        self.state().unfinished -= 1;
        self.changed.notify_waiters();
    }

    /// When the first dispatcher has something to do again, if all are idle.
    fn next_wake_if_all_idle(&self) -> Option<DateTime<Utc>> {
        let state = self.state();
        (state.idle_until.len() >= state.unfinished)
            .then(|| state.idle_until.values().map(|(until, _)| *until).min())?
    }

    /// Ends the segment if all dispatchers are idle and only wait for a later hour. Returns whether it has ended.
    fn end_segment_if_idle(&self, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        let all_wait_for_hours =
            state.idle_until.len() >= state.unfinished && state.idle_until.values().all(|(_, for_hours)| *for_hours);
        if state.ends_when_idle && all_wait_for_hours {
            let next = state.idle_until.values().map(|(until, _)| *until).min();
            state.segment_idle_until = next.filter(|next| *next - now >= SHORTEST_IDLE);
        }
        state.segment_idle_until.is_some()
    }

    fn mark_idle(&self, dispatcher: usize, until: DateTime<Utc>, for_hours: bool) -> IdleGuard<'_> {
        self.state().idle_until.insert(dispatcher, (until, for_hours));
        IdleGuard { barrier: self, dispatcher }
    }
}

/// Marks a dispatcher as idle while it lives.
struct IdleGuard<'r> {
    barrier: &'r IdleBarrier,
    dispatcher: usize,
}

impl Drop for IdleGuard<'_> {
    fn drop(&mut self) {
        self.barrier.state().idle_until.remove(&self.dispatcher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ScaledClock;

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("an instant")
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_jumps_once_all_are_idle_and_only_to_the_earliest_wake_up() {
        let clock = ScaledClock::starting_at(noon(), 1.0).skipping_idle_time();
        let barrier = IdleBarrier::new(2, false);
        let (sooner, later) = (noon() + TimeDelta::hours(1), noon() + TimeDelta::hours(5));
        let busy = async {
            clock.sleep(TimeDelta::minutes(2)).await;
            assert!(clock.now() < noon() + TimeDelta::minutes(3), "one of the two is not idle");
            barrier.wait(1, sooner, true, &clock).await;
        };
        let idle = async {
            while clock.now() < sooner {
                barrier.wait(0, later, true, &clock).await;
            }
        };
        tokio::join!(idle, busy);
        assert!((clock.now() - sooner).abs() < TimeDelta::seconds(1), "{}", clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dispatcher_that_has_left_delays_no_other() {
        let clock = ScaledClock::starting_at(noon(), 1.0).skipping_idle_time();
        let barrier = IdleBarrier::new(2, false);
        let until = noon() + TimeDelta::hours(5);
        let idle_until = async {
            while clock.now() < until {
                barrier.wait(0, until, true, &clock).await;
            }
        };
        let before = tokio::time::Instant::now();
        tokio::join!(idle_until, async { barrier.leave() });
        assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_segment_ends_once_all_wait_for_a_later_hour_and_for_nothing_else() {
        let clock = ScaledClock::starting_at(noon(), 1.0);
        let (soon, later) = (noon() + TimeDelta::seconds(90), noon() + TimeDelta::hours(5));
        for (first, second, for_hours, ends) in
            [(later, later, true, true), (later, soon, true, false), (later, later, false, false)]
        {
            let barrier = IdleBarrier::new(2, true);
            let both = async {
                tokio::join!(barrier.wait(0, first, true, &clock), barrier.wait(1, second, for_hours, &clock));
            };
            let waited = tokio::time::timeout(std::time::Duration::from_secs(10), both).await;
            assert_eq!((waited.is_ok(), barrier.segment_idle_until()), (ends, ends.then_some(later)));
        }
    }
}
