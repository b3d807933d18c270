//! What the vendor has said of one organisation's budget, less what has been sent since.
//!
//! `X-RateLimit-Remaining` counts down within a window and jumps up with the next. Answers overtake each other, so within
//! one window the lowest number seen is the truth, and a request in flight counts as not yet in it. Others may ask, too:
//! what they are expected to have taken since the last answer is left to them. When the window's end has passed, nothing
//! is known any more, and the pace alone decides until the next answer.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::Meter;
use crate::annie::backoff::Delays;

use super::others::{Others, Watch};

/// How long a window lasts where the answers don't say (`annie-api.md`: 60 requests per minute).
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// No window ends later than this from now; what says otherwise was said by another clock.
const WINDOW_AT_MOST: TimeDelta = TimeDelta::minutes(2);

/// Ends of windows that differ by no more are one window's: they are told in whole seconds.
const SAME_WINDOW: TimeDelta = TimeDelta::seconds(1);

/// The longest that one refusal keeps us from asking, whatever it says.
const REFUSED_AT_MOST: TimeDelta = TimeDelta::hours(1);

/// A refusal this long after the last one's wait is a new story, not a sign to wait even longer.
const LULL: TimeDelta = TimeDelta::minutes(2);

/// One organisation's budget, as the vendor tells it.
#[derive(Debug)]
pub(super) struct Account {
    window: Option<Window>,
    /// What others did in the window before it.
    others_before: Others,
    /// Requests a minute, where the vendor has said.
    limit: Option<NonZeroU32>,
    /// Sent and not yet observed.
    in_flight: u32,
    /// Nothing is asked before this.
    closed_until: Option<DateTime<Utc>>,
    /// Refusals in a row that did not say how long to wait.
    refusals: u32,
    delays: Delays,
    seed: u64,
}

/// One window of the vendor's.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends: DateTime<Utc>,
    /// The fewest requests that an answer of this window has said remain.
    remaining: u32,
    watch: Watch,
}

impl Account {
    /// Nothing is known yet. `delays` and `seed` decide the waits after refusals that name none.
    pub(super) fn new(delays: Delays, seed: u64) -> Self {
        let others_before = Others::default();
        Self { window: None, others_before, limit: None, in_flight: 0, closed_until: None, refusals: 0, delays, seed }
    }

    /// Requests a minute, where the vendor has said.
    pub(super) fn limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// How many requests the vendor would still take now; `u32::MAX` where it has not said.
    pub(super) fn available(&self, now: DateTime<Utc>) -> u32 {
        if self.closed(now).is_some() {
            return 0;
        }
        self.current(now).map_or(u32::MAX, |window| window.remaining.saturating_sub(self.spoken_for(&window, now)))
    }

    /// Of what remained at the last answer, what is in flight, and what others are expected to have taken since.
    fn spoken_for(&self, window: &Window, now: DateTime<Utc>) -> u32 {
        let unseen = window.watch.unseen_for(now);
        let expected = self.others_before.in_span(unseen).max(window.watch.others().in_span(unseen));
        self.in_flight.saturating_add(expected)
    }

    /// When the vendor takes a request again, if not now.
    pub(super) fn ready_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_used_up = |window: &Window| window.remaining <= self.spoken_for(window, now);
        let used_up = self.current(now).filter(is_used_up).map(|window| window.ends);
        used_up.max(self.closed(now))
    }

    /// A request is being sent.
    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// What came of a request.
    pub(super) fn observe(&mut self, meter: &Meter, now: DateTime<Utc>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.limit = meter.limit.and_then(NonZeroU32::new).or(self.limit);
        let window = self.window_after(meter, now);
        if let Some(before) = self.window.filter(|before| window.is_none_or(|window| window.ends != before.ends)) {
            self.others_before = before.watch.others();
        }
        self.window = window;
        if meter.exhausted {
            self.refused(meter, now);
        } else if let Some(at) = meter.retry_at {
            self.close_until(at, now);
        }
    }

    fn window_after(&self, meter: &Meter, now: DateTime<Utc>) -> Option<Window> {
        let current = self.current(now);
        let Some(remaining) = meter.remaining else {
            // No answer, or one that doesn't say: it may well have been counted.
            return current.map(Window::less_one);
        };
        match (current, meter.reset) {
            (Some(window), None) => Some(window.told(remaining, now, self.in_flight)),
            (Some(window), Some(reset)) if (reset - window.ends).abs() <= SAME_WINDOW => {
                Some(window.told(remaining, now, self.in_flight))
            }
            // An answer of an earlier window that took its time.
            (Some(window), Some(reset)) if reset < window.ends => Some(window),
            (_, reset) => {
                let (ends, watch) = (reset.unwrap_or(now + WINDOW), Watch::from(now, remaining));
                Some(Window { ends, remaining, watch }).filter(|window| window.is_current(now))
            }
        }
    }

    /// The window that `now` lies in, if the vendor has told of it.
    fn current(&self, now: DateTime<Utc>) -> Option<Window> {
        self.window.filter(|window| window.is_current(now))
    }

    fn closed(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.closed_until.filter(|until| now < *until && *until - now <= REFUSED_AT_MOST)
    }

    /// Refused with 429: nothing is asked before the window ends or `Retry-After` has passed, whichever is later; where neither says
    /// anything, after a delay that grows. Refusals that come during a wait belong to the same wave.
    fn refused(&mut self, meter: &Meter, now: DateTime<Utc>) {
        let reset = meter.reset.filter(|reset| *reset - now <= REFUSED_AT_MOST);
        match meter.retry_at.max(reset).filter(|at| *at > now) {
            Some(at) => self.close_until(at, now),
            None if self.closed(now).is_some() => {}
            None => {
                let again = self.closed_until.is_some_and(|until| now - until <= LULL);
                self.refusals = if again { self.refusals.saturating_add(1) } else { 1 };
                self.close_until(now + self.delays.after(self.refusals, self.seed), now);
            }
        }
    }

    fn close_until(&mut self, at: DateTime<Utc>, now: DateTime<Utc>) {
        let at = at.min(now + REFUSED_AT_MOST);
        self.closed_until = self.closed(now).max(Some(at));
    }
}

impl Window {
    fn is_current(&self, now: DateTime<Utc>) -> bool {
        now < self.ends && self.ends - now <= WINDOW_AT_MOST
    }

    /// One more answer of this window.
    fn told(self, remaining: u32, now: DateTime<Utc>, in_flight: u32) -> Self {
        let remaining = self.remaining.min(remaining);
        Self { remaining, watch: self.watch.told(now, remaining, in_flight), ..self }
    }

    /// One request of ours that no answer tells of.
    fn less_one(self) -> Self {
        Self { remaining: self.remaining.saturating_sub(1), watch: self.watch.unanswered(), ..self }
    }
}
