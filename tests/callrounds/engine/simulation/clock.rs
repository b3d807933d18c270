//! The program's clock, which may be wrong or be set during a run, and which may advance at each reading (a slow program).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use callrounds::clock::{Clock, ScaledClock};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;

/// How a machine's clock behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habit {
    /// How much time passes at each reading of the clock.
    pub hesitation: TimeDelta,
    /// How far the clock is ahead of the true time, until it is corrected.
    pub off: TimeDelta,
    /// After this many dialled calls, the clock is set forward by this much (back if negative).
    pub set: Option<(u64, TimeDelta)>,
    /// The program treats the clock as real time, and compares it with the vendor's.
    pub real: bool,
}

/// The clock of the machine on which the program runs.
#[derive(Debug)]
pub struct MachineClock {
    truth: Arc<ScaledClock>,
    habit: Habit,
    off_millis: AtomicI64,
}

impl MachineClock {
    pub fn new(truth: Arc<ScaledClock>, habit: Habit) -> Self {
        Self { truth, habit, off_millis: AtomicI64::new(habit.off.num_milliseconds()) }
    }

    pub fn off(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.off_millis.load(Ordering::Relaxed))
    }

    /// Sets the clock if this is the number of dialled calls at which it is to be set.
    pub fn dialled(&self, dialled: u64) {
        if let Some((_, by)) = self.habit.set.filter(|(calls, _)| *calls == dialled) {
            self.off_millis.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// Corrects the clock; returns whether it was wrong.
    pub fn set_right(&self) -> bool {
        self.off_millis.swap(0, Ordering::Relaxed) != 0
    }
}

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        self.truth.skip(self.habit.hesitation);
        self.truth.now() + self.off()
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        self.truth.sleep(span)
    }

    fn is_simulated(&self) -> bool {
        !self.habit.real
    }
}
