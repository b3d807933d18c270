//! The program's clock: right, or set wrong; and a program that takes its time between two looks at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use callrounds::clock::{Clock, TravelClock};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;

/// What a machine's clock is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habit {
    /// What the program needs from one look at its clock to the next.
    pub hesitation: TimeDelta,
    /// How far the clock is ahead of the true time, until somebody sets it right.
    pub off: TimeDelta,
    /// It is set by so much when so many calls have been dialled.
    pub set: Option<(u64, TimeDelta)>,
    /// The program takes its time for real, and holds it against the vendor's.
    pub real: bool,
}

/// The clock of the machine on which the program runs.
#[derive(Debug)]
pub struct MachineClock {
    truth: Arc<TravelClock>,
    habit: Habit,
    off_millis: AtomicI64,
}

impl MachineClock {
    pub fn new(truth: Arc<TravelClock>, habit: Habit) -> Self {
        Self { truth, habit, off_millis: AtomicI64::new(habit.off.num_milliseconds()) }
    }

    pub fn off(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.off_millis.load(Ordering::Relaxed))
    }

    /// `dialled` calls have been dialled.
    pub fn dialled(&self, dialled: u64) {
        if let Some((_, by)) = self.habit.set.filter(|(calls, _)| *calls == dialled) {
            self.off_millis.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// Somebody sets it right. Whether it was wrong.
    pub fn set_right(&self) -> bool {
        self.off_millis.swap(0, Ordering::Relaxed) != 0
    }
}

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        self.truth.leap(self.habit.hesitation);
        self.truth.now() + self.off()
    }

    fn sleep(&self, span: TimeDelta) -> BoxFuture<'static, ()> {
        self.truth.sleep(span)
    }

    fn is_invented(&self) -> bool {
        !self.habit.real
    }
}
