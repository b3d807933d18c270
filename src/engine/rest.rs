//! Resting together: while anything of any organisation is under way, time takes its course; only when all of them have
//! nothing to do may a demonstration's clock leap to what comes next.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use crate::clock::{Clock, NAP};

/// Who is at work in a run, and who rests.
#[derive(Debug)]
pub(super) struct Rests {
    state: Mutex<State>,
    /// Time has leapt, or somebody has left: whoever rests looks again.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    at_work: usize,
    /// Until when whoever rests would rest.
    resting: BTreeMap<usize, DateTime<Utc>>,
}

impl Rests {
    /// For a run of so many organisations.
    pub(super) fn of(organisations: usize) -> Self {
        let state = State { at_work: organisations, resting: BTreeMap::new() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests until that instant, or until there is reason to look again. The last one to rest moves the clock.
    pub(super) async fn rest(&self, who: usize, until: DateTime<Utc>, clock: &dyn Clock) {
        let changed = self.changed.notified();
        let _seat = self.sit(who, until);
        if let Some(next) = self.next_of_all() {
            clock.rest_until(next).await;
            self.changed.notify_waiters();
            return;
        }
        tokio::select! {
            () = changed => {}
            () = clock.sleep((until - clock.now()).clamp(TimeDelta::milliseconds(1), NAP)) => {}
        }
    }

    /// One organisation's part of the run is over.
    pub(super) fn leave(&self) {
        self.state().at_work -= 1;
        self.changed.notify_waiters();
    }

    /// When the first of all has something to do, if all rest.
    fn next_of_all(&self) -> Option<DateTime<Utc>> {
        let state = self.state();
        (state.resting.len() >= state.at_work).then(|| state.resting.values().min().copied())?
    }

    fn sit(&self, who: usize, until: DateTime<Utc>) -> Seat<'_> {
        self.state().resting.insert(who, until);
        Seat { rests: self, who }
    }
}

/// Somebody rests, for as long as this lives.
struct Seat<'r> {
    rests: &'r Rests,
    who: usize,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.rests.state().resting.remove(&self.who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TravelClock;

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("an instant")
    }

    #[tokio::test(start_paused = true)]
    async fn time_leaps_when_the_last_one_rests_and_only_to_the_first_of_all() {
        let clock = TravelClock::starting_at(noon(), 1.0).leaping();
        let rests = Rests::of(2);
        let (sooner, later) = (noon() + TimeDelta::hours(1), noon() + TimeDelta::hours(5));
        let busy = async {
            clock.sleep(TimeDelta::minutes(2)).await;
            assert!(clock.now() < noon() + TimeDelta::minutes(3), "one of the two is at work");
            rests.rest(1, sooner, &clock).await;
        };
        let idle = async {
            while clock.now() < sooner {
                rests.rest(0, later, &clock).await;
            }
        };
        tokio::join!(idle, busy);
        assert!((clock.now() - sooner).abs() < TimeDelta::seconds(1), "{}", clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_left_keeps_nobody_waiting() {
        let clock = TravelClock::starting_at(noon(), 1.0).leaping();
        let rests = Rests::of(2);
        let until = noon() + TimeDelta::hours(5);
        let resting = async {
            while clock.now() < until {
                rests.rest(0, until, &clock).await;
            }
        };
        let before = tokio::time::Instant::now();
        tokio::join!(resting, async { rests.leave() });
        assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    }
}
