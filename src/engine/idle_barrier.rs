//! Lets a simulated clock jump ahead, but only when every organisation is idle: while any of them has something in
//! flight, time passes normally.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use crate::clock::{Clock, MAX_SLEEP};

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
    /// By dispatcher: when it has something to do again.
    idle_until: BTreeMap<usize, DateTime<Utc>>,
}

impl IdleBarrier {
    /// A barrier for this many dispatchers.
    pub(super) fn new(organisations: usize) -> Self {
        let state = BarrierState { unfinished: organisations, idle_until: BTreeMap::new() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, BarrierState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `until`, or until there is reason to check again. The last dispatcher to become idle moves the
    /// clock.
    pub(super) async fn wait(&self, dispatcher: usize, until: DateTime<Utc>, clock: &dyn Clock) {
        let changed = self.changed.notified();
        let _guard = self.mark_idle(dispatcher, until);
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
        (state.idle_until.len() >= state.unfinished).then(|| state.idle_until.values().min().copied())?
    }

    fn mark_idle(&self, dispatcher: usize, until: DateTime<Utc>) -> IdleGuard<'_> {
        self.state().idle_until.insert(dispatcher, until);
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
        let barrier = IdleBarrier::new(2);
        let (sooner, later) = (noon() + TimeDelta::hours(1), noon() + TimeDelta::hours(5));
        let busy = async {
            clock.sleep(TimeDelta::minutes(2)).await;
            assert!(clock.now() < noon() + TimeDelta::minutes(3), "one of the two is not idle");
            barrier.wait(1, sooner, &clock).await;
        };
        let idle = async {
            while clock.now() < sooner {
                barrier.wait(0, later, &clock).await;
            }
        };
        tokio::join!(idle, busy);
        assert!((clock.now() - sooner).abs() < TimeDelta::seconds(1), "{}", clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dispatcher_that_has_left_delays_no_other() {
        let clock = ScaledClock::starting_at(noon(), 1.0).skipping_idle_time();
        let barrier = IdleBarrier::new(2);
        let until = noon() + TimeDelta::hours(5);
        let idle_until = async {
            while clock.now() < until {
                barrier.wait(0, until, &clock).await;
            }
        };
        let before = tokio::time::Instant::now();
        tokio::join!(idle_until, async { barrier.leave() });
        assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    }
}
