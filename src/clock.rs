//! Time as a parameter: the only file that reads the machine's clock.
//!
//! Everything that needs to know the time, or to wait, is handed a [`Clock`]. Instants are UTC and come from `chrono`;
//! local time is [`crate::zone`]'s business. Three clocks exist: the machine's; one that starts where it is told and
//! runs at a pace of its own, for demonstrations (where it may also jump over hours in which nothing can happen) and for
//! tests (where, under tokio's paused time, hours pass in microseconds and always in the same order); and one that stands
//! still until it is set, for forecasts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// What time it is, and how to wait.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Waits for `span` of this clock's time; nothing for a span that is not positive.
    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()>;

    /// Waits until `instant` while nothing else is under way, which a demonstration's clock may shorten.
    fn rest_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        self.sleep(instant - self.now())
    }

    /// Whether this clock's time is somebody's invention. Two such clocks need not agree with each other.
    fn is_invented(&self) -> bool;
}

/// A clock that several parts of the program share.
pub type SharedClock = Arc<dyn Clock>;

/// The longest sleep at a stretch: a timer stands still while the machine is suspended, and knows nothing of a clock that is
/// set, so whoever rests for long looks at the time in between.
pub const NAP: TimeDelta = TimeDelta::seconds(30);

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span.to_std().unwrap_or_default()))
    }

    fn rest_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = instant - Self.now();
                if left <= TimeDelta::zero() {
                    return;
                }
                Self.sleep(left.min(NAP)).await;
            }
        })
    }

    fn is_invented(&self) -> bool {
        false
    }
}

/// A clock that starts at a given instant and runs `speed` times as fast as the machine's.
#[derive(Debug)]
pub struct TravelClock {
    start: DateTime<Utc>,
    origin: Instant,
    speed: f64,
    leaps: bool,
    /// Microseconds jumped over so far.
    leapt: AtomicI64,
}

impl TravelClock {
    /// A clock that shows `start` now. `speed` is this clock's seconds per real second, above zero.
    #[must_use]
    pub fn starting_at(start: DateTime<Utc>, speed: f64) -> Self {
        Self {
            start,
            origin: Instant::now(),
            speed: speed.max(f64::MIN_POSITIVE),
            leaps: false,
            leapt: AtomicI64::new(0),
        }
    }

    /// The same clock, which jumps over a rest instead of waiting through it.
    #[must_use]
    pub fn leaping(self) -> Self {
        Self { leaps: true, ..self }
    }

    /// Moves this clock forward by `span`, at once. A span that is not positive does nothing: time never goes back.
    pub fn leap(&self, span: TimeDelta) {
        self.leapt.fetch_add(span.num_microseconds().unwrap_or(0).max(0), Ordering::SeqCst);
    }
}

impl Clock for TravelClock {
    fn now(&self) -> DateTime<Utc> {
        let run = self.origin.elapsed().as_secs_f64() * self.speed;
        let leapt = TimeDelta::microseconds(self.leapt.load(Ordering::SeqCst));
        self.start + TimeDelta::microseconds((run * 1e6) as i64) + leapt
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        let real = span.as_seconds_f64().max(0.0) / self.speed;
        Box::pin(tokio::time::sleep(Duration::try_from_secs_f64(real).unwrap_or(Duration::MAX)))
    }

    fn rest_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        if self.leaps {
            self.leap(instant - self.now());
            return Box::pin(tokio::task::yield_now());
        }
        self.sleep(instant - self.now())
    }

    fn is_invented(&self) -> bool {
        true
    }
}

/// A clock that shows what it was set to last.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that shows `instant`.
    #[must_use]
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(instant.timestamp_micros()))
    }

    /// Sets the clock forward; an instant that has gone by does nothing: time never goes back.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.0.fetch_max(instant.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Sets the clock to the end of the wait.
    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        self.set(self.now() + span);
        Box::pin(std::future::ready(()))
    }

    fn is_invented(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_stands_still_and_never_goes_back() {
        let clock = SetClock::at(noon());
        clock.set(noon() + TimeDelta::hours(1));
        clock.set(noon());
        assert_eq!(clock.now(), noon() + TimeDelta::hours(1));
    }

    /// The timers run through their hour at once, as they stand still on a machine that is suspended: who rests by them
    /// alone is done then, and who looks at the time in between is not.
    #[tokio::test(start_paused = true)]
    async fn whoever_rests_for_long_goes_by_the_time_and_not_by_the_timer() {
        let rest = WallClock.rest_until(WallClock.now() + TimeDelta::minutes(10));
        assert!(tokio::time::timeout(std::time::Duration::from_hours(1), rest).await.is_err());
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("a valid instant")
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_sleeps_a_fraction_of_the_real_time() {
        let clock = TravelClock::starting_at(noon(), 600.0);
        let before = Instant::now();
        clock.sleep(TimeDelta::minutes(10)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(1));
        assert_eq!(clock.now(), noon() + TimeDelta::minutes(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_leaping_clock_rests_without_waiting() {
        let clock = TravelClock::starting_at(noon(), 1.0).leaping();
        let before = Instant::now();
        clock.rest_until(noon() + TimeDelta::days(3)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        assert_eq!(clock.now(), noon() + TimeDelta::days(3));
    }

    #[tokio::test(start_paused = true)]
    async fn time_never_goes_back() {
        let clock = TravelClock::starting_at(noon(), 1.0).leaping();
        clock.rest_until(noon() - TimeDelta::days(1)).await;
        assert_eq!(clock.now(), noon());
    }
}
