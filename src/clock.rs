//! Time as a parameter: the only file that reads the machine's clock.
//!
//! All code that reads the time or waits takes a [`Clock`]. Instants are `chrono`'s UTC; [`crate::zone`] converts them
//! to local time. There are three clocks: [`WallClock`], the machine's; [`ScaledClock`], which starts at a given
//! instant and runs at a given speed, for rehearsals (where it may also skip idle time) and for tests (where, under
//! tokio's paused time, hours pass in microseconds and in a deterministic order); and [`ManualClock`], which does not
//! run until it is set, for forecasts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// A source of the current time, and a way to wait.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;

    /// Waits for `span` of this clock's time; returns at once if it is not positive.
    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()>;

    /// Waits until `instant` while the run is idle. A simulated clock may skip this wait.
    fn idle_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        self.sleep(instant - self.now())
    }

    /// Whether this clock's time is simulated. Two simulated clocks need not agree with each other.
    fn is_simulated(&self) -> bool;
}

/// A clock shared by several parts of the program.
pub type SharedClock = Arc<dyn Clock>;

/// The longest time that a long wait sleeps before it reads the clock again. A timer stops while the machine is
/// suspended and does not notice when the clock is set.
pub const MAX_SLEEP: TimeDelta = TimeDelta::seconds(30);

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[allow(clippy::disallowed_methods, reason = "the only place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span.to_std().unwrap_or_default()))
    }

    fn idle_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = instant - Self.now();
                if left <= TimeDelta::zero() {
                    return;
                }
                Self.sleep(left.min(MAX_SLEEP)).await;
            }
        })
    }

    fn is_simulated(&self) -> bool {
        false
    }
}

/// A clock that starts at a given instant and runs `speed` times as fast as the machine's.
#[derive(Debug)]
pub struct ScaledClock {
    start: DateTime<Utc>,
    origin: Instant,
    speed: f64,
    skips_idle_time: bool,
    /// Microseconds skipped so far.
    skipped: AtomicI64,
}

impl ScaledClock {
    /// A clock that shows `start` now. `speed` is in simulated seconds per real second, above zero.
    #[must_use]
    pub fn starting_at(start: DateTime<Utc>, speed: f64) -> Self {
        Self {
            start,
            origin: Instant::now(),
            speed: speed.max(f64::MIN_POSITIVE),
            skips_idle_time: false,
            skipped: AtomicI64::new(0),
        }
    }

    /// The same clock, which skips the waits of [`Clock::idle_until`].
    #[must_use]
    pub fn skipping_idle_time(self) -> Self {
        Self { skips_idle_time: true, ..self }
    }

    /// Moves this clock forward by `span` at once. A span that is not positive has no effect: time never goes back.
    pub fn skip(&self, span: TimeDelta) {
        self.skipped.fetch_add(span.num_microseconds().unwrap_or(0).max(0), Ordering::SeqCst);
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = self.origin.elapsed().as_secs_f64() * self.speed;
        let skipped = TimeDelta::microseconds(self.skipped.load(Ordering::SeqCst));
        self.start + TimeDelta::microseconds((elapsed * 1e6) as i64) + skipped
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        let real = span.as_seconds_f64().max(0.0) / self.speed;
        Box::pin(tokio::time::sleep(Duration::try_from_secs_f64(real).unwrap_or(Duration::MAX)))
    }

    fn idle_until(&self, instant: DateTime<Utc>) -> BoxFuture<'static, ()> {
        if self.skips_idle_time {
            self.skip(instant - self.now());
            return Box::pin(tokio::task::yield_now());
        }
        self.sleep(instant - self.now())
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

/// A clock that does not run: it shows the instant that was set last.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `instant`.
    #[must_use]
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(instant.timestamp_micros()))
    }

    /// Sets the clock forward. An instant in the past has no effect: time never goes back.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.0.fetch_max(instant.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Sets the clock to the end of the wait.
    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        self.set(self.now() + span);
        Box::pin(std::future::ready(()))
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_does_not_run_and_never_goes_back() {
        let clock = ManualClock::at(noon());
        clock.set(noon() + TimeDelta::hours(1));
        clock.set(noon());
        assert_eq!(clock.now(), noon() + TimeDelta::hours(1));
    }

    /// Under paused time the timers pass an hour at once while the machine's clock does not: a wait by timers alone
    /// would end, a wait that reads the clock does not.
    #[tokio::test(start_paused = true)]
    async fn a_long_wait_follows_the_clock_and_not_the_timer() {
        let wait = WallClock.idle_until(WallClock.now() + TimeDelta::minutes(10));
        assert!(tokio::time::timeout(std::time::Duration::from_hours(1), wait).await.is_err());
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("a valid instant")
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_sleeps_a_fraction_of_the_real_time() {
        let clock = ScaledClock::starting_at(noon(), 600.0);
        let before = Instant::now();
        clock.sleep(TimeDelta::minutes(10)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(1));
        assert_eq!(clock.now(), noon() + TimeDelta::minutes(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_skips_idle_time_does_not_wait() {
        let clock = ScaledClock::starting_at(noon(), 1.0).skipping_idle_time();
        let before = Instant::now();
        clock.idle_until(noon() + TimeDelta::days(3)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        assert_eq!(clock.now(), noon() + TimeDelta::days(3));
    }

    #[tokio::test(start_paused = true)]
    async fn time_never_goes_back() {
        let clock = ScaledClock::starting_at(noon(), 1.0).skipping_idle_time();
        clock.idle_until(noon() - TimeDelta::days(1)).await;
        assert_eq!(clock.now(), noon());
    }
}
